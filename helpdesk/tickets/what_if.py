"""What a change would do to a ticket's deadlines, reckoned with the very functions that do it. Nothing is written."""

from __future__ import annotations

import copy
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from helpdesk.tickets import clocks
from helpdesk.tickets.choices import FINISHED
from helpdesk.tickets.models import Priority, Ticket, TicketClock, TicketEvent
from helpdesk.tickets.stories import PROMISED, Story, add_event, read_stories
from helpdesk.tickets.writing import clock_context


def due_with(ticket: Ticket, priorities: Sequence[Priority], now: datetime) -> dict[int, datetime]:
    """Priority's key -> when the ticket would be due next with it; `FOREVER` while no deadline runs."""
    found = clocks_with(ticket, [{"priority": one} for one in priorities], now)
    return {one.pk: trial.next_due_at for one, (trial, _clocks) in zip(priorities, found, strict=True)}


def clocks_with(
    ticket: Ticket, changes: Sequence[Mapping[str, Any]], now: datetime
) -> list[tuple[Ticket, list[TicketClock]]]:
    """For each change (field -> object) of status, priority, client and the like: the row and clocks it would give.

    The same fixed number of queries, however many changes are tried.
    """
    context = clock_context(ticket.psa_account, now)
    story = read_stories([ticket])[ticket.pk]
    clocks.derive_many([copy.copy(ticket)], {ticket.pk: story}, context)  # completes the story
    trials, stories = [], {}
    for wanted in changes:
        change = _with_contract(ticket, wanted)
        trial = _changed(ticket, change, now)
        trials.append(trial)
        stories[id(trial)] = _with_events(story, ticket, trial, change, now)
        trial.pk = None  # found by what it is: all of them are the same ticket
    derived = clocks.derive_many(trials, stories, context)
    return list(zip(trials, derived, strict=True))


def due_when_opened(trial: Ticket, now: datetime) -> dict[str, datetime]:
    """Clock -> when it would run out, of a ticket that is not opened yet."""
    (derived,) = clocks.derive_many([trial], {}, clock_context(trial.psa_account, now))
    return {clock.kind: clock.due_at for clock in derived if clock.due_at is not None}


def _with_contract(ticket: Ticket, change: Mapping[str, Any]) -> Mapping[str, Any]:
    """The contract of another client goes with that client, and what was promised by it."""
    held = ticket.contract if "client" in change and "contract" not in change else None
    is_left = held is not None and held.client_id != getattr(change["client"], "pk", None)
    return {**change, "contract": None} if is_left else change


def _changed(ticket: Ticket, change: Mapping[str, Any], now: datetime) -> Ticket:
    trial = copy.copy(ticket)
    trial._state = copy.copy(ticket._state)
    trial._state.fields_cache = dict(ticket._state.fields_cache)
    for name, value in change.items():
        setattr(trial, name, value)
    if "priority" in change:
        trial.rank = trial.priority.rank
    if "status" in change:
        status = trial.status
        was_finished = ticket.is_finished
        trial.status_category, trial.is_open = status.category, status.category not in FINISHED
        trial.sla_released = False
        if trial.is_open:
            trial.resolved_at = trial.closed_at = trial.finished_at = None
            trial.sla_paused = trial.sla_paused and status.sla_clock != "running"
        elif not was_finished:
            trial.resolved_at, trial.closed_at = now, None
    trial.last_activity_at = now
    return trial


def _with_events(story: Story, ticket: Ticket, trial: Ticket, change: Mapping[str, Any], now: datetime) -> Story:
    """The story with the change in it, as it would be recorded."""
    found = Story(events=list(story.events), messages=story.messages, corrections=story.corrections)
    for name in change:
        old, new = getattr(ticket, f"{name}_id"), getattr(trial, f"{name}_id")
        if name in (*PROMISED, "status") and old != new:
            event = TicketEvent(
                field=name,
                old=str(old or ""),
                new=str(new or ""),
                at=now,
                origin="desk",
                new_label=str(change[name] or ""),
            )
            add_event(found, event)
    return found
