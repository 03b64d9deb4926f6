"""What is stored of a ticket that moves its clocks: its events, the client's messages, corrections by hand."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import NamedTuple

from helpdesk.tickets.choices import Category, Precision
from helpdesk.tickets.models import Correction, Status, Ticket, TicketEvent

CREATED = "created"
"""Event: the ticket was opened. `new` is the status in which we met it, `old` since when at the latest (empty: from
its start); where nothing older is told, what came before counts as running."""
HOLD, RELEASE = "hold", "release"
"""Events of a hold that an outcome or the PSA began or ended; `new_label` names the outcome, empty for the PSA's."""
CORRECTION = "correction"
"""Event: a person set a clock right, or took that back."""
PROMISED = ("priority", "sla_policy", "contract", "client", "team")
"""Fields that decide what is promised."""
READ = ("status", CREATED, HOLD, RELEASE, CORRECTION, *PROMISED)
SETTLES = timedelta(minutes=1)
"""A status in which we met a ticket this soon after it was opened is the one it was opened in."""


class Event(NamedTuple):
    field: str
    old: str
    new: str
    at: datetime
    key: str
    origin: str
    actor: str
    new_label: str
    is_polled: bool = False


class Message(NamedTuple):
    at: datetime
    key: str
    author: str


@dataclass
class Story:
    """What is stored of one ticket that moves its clocks."""

    events: list[Event] = field(default_factory=list)
    messages: list[Message] | None = None
    """Those of the client; None = not read, for nobody may have waited for them."""
    corrections: list[Correction] = field(default_factory=list)


def read_stories(tickets: Sequence[Ticket]) -> dict[int, Story]:
    """ticket -> its story. One query, and another where somebody set a clock right."""
    ids = [t.pk for t in tickets if t.pk]
    found = {pk: Story() for pk in ids}
    rows = TicketEvent.objects.filter(ticket__in=ids, field__in=READ).order_by("at", "pk")
    columns = (
        "field",
        "old",
        "new",
        "at",
        "origin",
        "actor",
        "new_label",
        "pk",
        "remote_key",
        "precision",
        "ticket_id",
    )
    for name, old, new, at, origin, actor, label, pk, remote_key, precision, ticket in rows.values_list(*columns):
        event = Event(name, old, new, at, remote_key or f"e{pk}", origin, actor, label, precision == Precision.POLLED)
        found[ticket].events.append(event)
    _read_corrections(found)
    return found


def add_event(story: Story, row: TicketEvent) -> None:
    """Put an event that is not stored yet into its place; one that is known already changes nothing."""
    if row.field not in READ or (row.remote_key and any(e.key == row.remote_key for e in story.events)):
        return
    event = Event(
        row.field, row.old, row.new, row.at, row.remote_key or f"new:{row.field}", row.origin, row.actor,
        row.new_label, row.precision == Precision.POLLED,
    )  # fmt: skip
    story.events = sorted([*story.events, event], key=lambda e: e.at)


def _read_corrections(found: Mapping[int, Story]) -> None:
    ids = [pk for pk, story in found.items() if any(e.field == CORRECTION for e in story.events)]
    if ids:
        for one in Correction.objects.filter(ticket__in=ids, undone_at=None):
            found[one.ticket_id].corrections.append(one)


def read_messages(
    tickets: Sequence[Ticket], stories: Sequence[Story], statuses: Mapping[int, Status], now: datetime
) -> None:
    """The client's messages, of tickets that ever waited for them."""
    waiting = {str(pk) for pk, status in statuses.items() if status.category == Category.WAITING_CLIENT}
    found = {
        t.pk: s
        for t, s in zip(tickets, stories, strict=True)
        if t.pk and s.messages is None and _waited(t, s, waiting, now)
    }
    if not found:
        return
    read: dict[int, list[Message]] = {pk: [] for pk in found}
    rows = Ticket.objects.filter(pk__in=list(found), actions__is_from_client=True, actions__removed_at=None)
    columns = ("pk", "actions__pk", "actions__occurred_at", "actions__author_name")
    for ticket, pk, at, author in rows.order_by("actions__occurred_at", "actions__pk").values_list(*columns):
        read[ticket].append(Message(at, f"a{pk}", author))
    for pk, story in found.items():
        story.messages = read[pk]


def _waited(ticket: Ticket, story: Story, waiting: Collection[str], now: datetime) -> bool:
    """Whether it stood in one of these statuses before `now`: what it enters now, nobody has answered yet."""
    moves = [e for e in story.events if e.field in ("status", CREATED)]
    known = moves[-1].new if moves else ""
    return (str(ticket.status_id) in waiting and known != str(ticket.status_id)) or any(
        (e.new in waiting and e.at < now) or e.old in waiting for e in moves
    )
