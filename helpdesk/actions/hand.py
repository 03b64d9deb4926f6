"""What a press of the composer must know once it holds the ticket's row, in one query instead of five."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from django.db import router
from django.db.models import CharField, F, Max, QuerySet, Value
from django.db.models.functions import Cast

from helpdesk.accounts.models import User
from helpdesk.actions.models import Action, Attachment, Draft, TimeEntry
from helpdesk.directory.models import Agent
from helpdesk.outbox.models import OutboxItem
from helpdesk.tickets.models import Ticket


@dataclass(frozen=True, kw_only=True)
class AtHand:
    """`known` is what this very form has made already, `last` the last sequence of the ticket's lane."""

    known: Action | TimeEntry | None = None
    agent: Agent | None = None
    """Who the person is in the ticket's account; holds its key and its remote id only."""
    last: int | None = 0
    draft_id: int | None = None
    draft_files: frozenset[int] = frozenset()


def at_hand(*, ticket: Ticket, user: User | None, marker: str | None) -> AtHand:
    """The caller holds the ticket's lock, so none of it grows old before the transaction ends."""
    lane = OutboxItem.objects.order_by().filter(lane=ticket.lane).values("lane").annotate(last=Max("sequence"))
    parts = [_part(lane, "lane", "last")]
    if marker:
        parts += [_part(model.objects.filter(marker=marker), model.__name__) for model in (Action, TimeEntry)]
    if user is not None:
        mine = Draft.objects.filter(user=user, ticket=ticket)
        agents = Agent.objects.filter(user=user, psa_account=ticket.psa_account_id, is_active=True)
        parts += [
            _part(mine, "draft"),
            _part(Attachment.objects.filter(draft__user=user, draft__ticket=ticket), "file"),
            _part(agents, "agent", text=Cast("remote_id", CharField())),
        ]
    found: dict[str, list[tuple[int, str]]] = {}
    for word, key, text in parts[0].union(*parts[1:], all=True) if len(parts) > 1 else parts[0]:
        found.setdefault(word, []).append((key, text))
    return AtHand(
        known=_known(found),
        agent=_agent(found),
        last=max((key for key, _text in found.get("lane", [])), default=0),
        draft_id=next((key for key, _text in found.get("draft", [])), None),
        draft_files=frozenset(key for key, _text in found.get("file", [])),
    )


def _part(rows: QuerySet[Any], word: str, key: str = "pk", text: Any = None) -> QuerySet[Any]:
    """One part of the question: (word, key, text) per row."""
    words: dict[str, Any] = {"_word": Value(word, output_field=CharField()), "_key": F(key)}
    words["_text"] = text or Value("", output_field=CharField())
    return rows.order_by().annotate(**words).values_list("_word", "_key", "_text")


def _known(found: dict[str, list[tuple[int, str]]]) -> Action | TimeEntry | None:
    if "Action" in found:
        return Action.objects.get(pk=found["Action"][0][0])
    return TimeEntry.objects.get(pk=found["TimeEntry"][0][0]) if "TimeEntry" in found else None


def _agent(found: dict[str, list[tuple[int, str]]]) -> Agent | None:
    if "agent" not in found:
        return None
    return Agent.from_db(router.db_for_read(Agent), ["id", "remote_id"], list(min(found["agent"])))
