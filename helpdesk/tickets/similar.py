"""Was it told already? Open tickets of a client whose subject says much the same. Words decide, no database does."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass

from helpdesk.tickets.models import Ticket

LOOKED_AT = 200
"""Newest open tickets of a client that are compared."""
SHOWN = 5
LIKE, SAME = 0.5, 0.6
"""From where on a ticket is shown, and from where on it is taken for the same matter."""

_WORD = re.compile(r"[^\W_]+")
_FILLER_WORDS = """
a an and are at be but by can cannot cant does doesnt for from has have i in is isnt it its my no not of on or our re fw
fwd since so that the their there this to today too very was we were when will with wont yesterday you your please help
urgent issue problem error
aber auf bei bitte das dem den der die ein eine er es fehler fur geht hat ich im ist kein mein mit nicht nach noch oder
seit sich sie und uns unser von vom wenn wieder wir wird zu zum zur
"""
_FILLER = frozenset(_FILLER_WORDS.split())
_ENDINGS = ("ing", "ed", "es", "s", "en", "er")


@dataclass(frozen=True, kw_only=True)
class Likeness:
    """`score` from 0 to 1. `is_same`: clearly the same matter, worth stopping for."""

    score: float
    is_same: bool


def words_of(subject: str) -> frozenset[str]:
    """What a subject speaks of: accents, case, filler and endings gone."""
    flat = unicodedata.normalize("NFKD", subject.casefold().replace("'", "").replace("’", ""))
    flat = "".join(c for c in flat if not unicodedata.combining(c))
    found = {_stem(word) for word in _WORD.findall(flat) if word not in _FILLER}
    return frozenset(found)


def _stem(word: str) -> str:
    """`printers`, `printer`, `printing`, `print`: one word."""
    for _turn in range(2):
        ending = next((e for e in _ENDINGS if word.endswith(e) and len(word) - len(e) >= 4), "")
        word = word.removesuffix(ending)
    return word


def compare(mine: frozenset[str], theirs: frozenset[str]) -> Likeness:
    """By the words in common. Two machines, floors or orders that differ in their number are not the same matter."""
    common = len(mine & theirs)
    if not common:
        return Likeness(score=0.0, is_same=False)
    both = 2 * common / (len(mine) + len(theirs))
    inside = common / min(len(mine), len(theirs))
    score = (both + inside) / 2
    is_enough = common >= 2 or mine == theirs
    return Likeness(score=score, is_same=is_enough and both >= SAME and not _numbers_differ(mine, theirs))


def _numbers_differ(mine: frozenset[str], theirs: frozenset[str]) -> bool:
    numbers = [{word for word in words if any(c.isdigit() for c in word)} for words in (mine, theirs)]
    return bool(numbers[0] and numbers[1] and not numbers[0] & numbers[1])


def rank(subject: str, known: Iterable[tuple[int, str]]) -> list[tuple[int, Likeness]]:
    """(key, likeness) of those that are alike, the likest first; the same score keeps the given order."""
    mine = words_of(subject)
    if not mine:
        return []
    found = [(key, compare(mine, words_of(theirs))) for key, theirs in known]
    alike = [(key, likeness) for key, likeness in found if likeness.score >= LIKE]
    return sorted(alike, key=lambda pair: (not pair[1].is_same, -pair[1].score))[:SHOWN]


@dataclass(frozen=True, kw_only=True)
class Alike:
    ticket: Ticket
    is_same: bool


def similar_open(client_id: int, subject: str) -> list[Alike]:
    """Open tickets of the client that look alike, ready to be shown. Two queries, however many tickets there are."""
    if not words_of(subject):
        return []
    open_ones = Ticket.objects.present().open().of_clients([client_id]).order_by("-opened_at", "-pk")
    found = rank(subject, open_ones.values_list("pk", "subject")[:LOOKED_AT])
    if not found:
        return []
    rows = {ticket.pk: ticket for ticket in Ticket.objects.only_ids(key for key, _ in found).for_rows()}
    return [Alike(ticket=rows[key], is_same=one.is_same) for key, one in found if key in rows]
