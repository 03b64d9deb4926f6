"""What a press of the composer must know once it holds the ticket's row, in one query instead of five."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import Any

from django.db import connection, router

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
    asked: dict[str, list[Any]] = {"lane": [ticket.lane]}
    if marker:
        key = _MARKER.get_db_prep_value(marker, connection)
        asked |= {"Action": [key], "TimeEntry": [key]}
    if user is not None:
        asked |= {"draft": [user.pk, ticket.pk], "file": [user.pk, ticket.pk]}
        asked |= {"agent": [user.pk, ticket.psa_account_id]}
    question = " UNION ALL ".join(_parts()[word] for word in asked)
    found: dict[str, list[tuple[int, str]]] = {}
    with connection.cursor() as cursor:
        cursor.execute(question, [value for given in asked.values() for value in given])
        for word, key, text in cursor.fetchall():
            found.setdefault(word, []).append((key, text))
    return AtHand(
        known=_known(found),
        agent=_agent(found),
        last=max((key for key, _text in found.get("lane", [])), default=0),
        draft_id=next((key for key, _text in found.get("draft", [])), None),
        draft_files=frozenset(key for key, _text in found.get("file", [])),
    )


_MARKER: Any = Action._meta.get_field("marker")


@cache
def _parts() -> dict[str, str]:
    """Each part of the question: (word, key, text) per row. Written once: as querysets their union took Django longer
    than everything else of a press. Names of tables are our own models'."""
    lane, said, booked, draft, file, agent = (
        f'"{model._meta.db_table}"' for model in (OutboxItem, Action, TimeEntry, Draft, Attachment, Agent)
    )
    mine = f"{draft} WHERE user_id = %s AND ticket_id = %s"
    return {
        "lane": f"SELECT 'lane', MAX(sequence), '' FROM {lane} WHERE lane = %s GROUP BY lane",
        "Action": f"SELECT 'Action', id, '' FROM {said} WHERE marker = %s",
        "TimeEntry": f"SELECT 'TimeEntry', id, '' FROM {booked} WHERE marker = %s",
        "draft": f"SELECT 'draft', id, '' FROM {mine}",
        "file": f"SELECT 'file', id, '' FROM {file} WHERE draft_id IN (SELECT id FROM {mine})",
        "agent": f"SELECT 'agent', id, remote_id FROM {agent} WHERE user_id = %s AND psa_account_id = %s AND is_active",
    }


def _known(found: dict[str, list[tuple[int, str]]]) -> Action | TimeEntry | None:
    if "Action" in found:
        return Action.objects.get(pk=found["Action"][0][0])
    return TimeEntry.objects.get(pk=found["TimeEntry"][0][0]) if "TimeEntry" in found else None


def _agent(found: dict[str, list[tuple[int, str]]]) -> Agent | None:
    if "agent" not in found:
        return None
    return Agent.from_db(router.db_for_read(Agent), ["id", "remote_id"], list(min(found["agent"])))
