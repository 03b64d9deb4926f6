"""What a change would do to the deadline, said beside each choice before it is made."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime, tzinfo
from typing import Any

from django.db.models import Model
from django.utils.translation import gettext as _

from helpdesk.core.formatting import FOREVER, duration, moment, open_duration
from helpdesk.desk.moves import Option
from helpdesk.directory.models import Client, Contract, Team
from helpdesk.sla.choices import ClockKind, ClockState
from helpdesk.sla.models import Policy
from helpdesk.sla.opening import hours_of
from helpdesk.tickets.choices import FINISHED
from helpdesk.tickets.models import Priority, Status, Ticket, TicketClock
from helpdesk.tickets.what_if import clocks_with

MODELS: Mapping[str, type[Model]] = {
    "status": Status, "priority": Priority, "team": Team, "client": Client, "contract": Contract, "sla_policy": Policy,
}  # fmt: skip
"""Fields that move deadlines, with what they hold."""
ALWAYS_SAID = ("status", "priority")
MOST = 60
"""Choices reckoned at once: a list of more is one to search, not to compare."""


def consequences(
    ticket: Ticket, field: str, keys: Sequence[int], now: datetime, zone: tzinfo
) -> dict[int, str]:  # fmt: skip
    """Key of a choice -> "due Mon 10:00", "pauses with 2 h left", "would be 40 min over". A fixed number of queries.

    Of a field that seldom moves a deadline, only choices that do say anything.
    """
    if field not in MODELS or not keys or len(keys) > MOST:
        return {}
    rows = MODELS[field]._default_manager.in_bulk(list(keys))
    chosen = [rows[key] for key in keys if key in rows]
    (as_it_is, _clocks), *found = clocks_with(ticket, [{}, *({field: row} for row in chosen)], now)
    return {
        row.pk: _words(trial, clocks, now, zone)
        for row, (trial, clocks) in zip(chosen, found, strict=True)
        if field in ALWAYS_SAID or _shown(trial) != _shown(as_it_is)
    }


def _shown(trial: Ticket) -> tuple[str, datetime]:
    return trial.clock_state, trial.next_due_at


def with_clocks(
    ticket: Ticket, field: str, options: Sequence[Option], now: datetime, zone: tzinfo
) -> list[Option]:  # fmt: skip
    """The options of a chooser, each that is to be had with what it would do."""
    keys = {o.value: int(o.value[1:]) for o in options if _is_open(o) and o.value[1:].isdecimal()}
    found = consequences(ticket, field, list(keys.values()), now, zone)
    return [_noted(o, found.get(keys.get(o.value, 0), "")) for o in options]


def _is_open(option: Option) -> bool:
    return not option.is_current and not option.blocked


def _noted(option: Option, words: str) -> Option:
    return replace(option, note=" · ".join(part for part in (words, option.note) if part)) if words else option


def _words(trial: Ticket, clocks: Sequence[TicketClock], now: datetime, zone: tzinfo) -> str:
    """Of the clock that would be shown; of a ticket that is over, of its resolution."""
    hours = hours_of(trial.clock_calendar)
    worded = open_duration if hours else duration
    if trial.status_category in FINISHED:
        return _ended(next(c for c in clocks if c.kind == ClockKind.RESOLUTION), worded)
    if trial.clock_state == ClockState.PAUSED:
        return _("pauses with %(time)s left") % {"time": worded(trial.clock_seconds)}
    due = trial.next_due_at
    if due >= FOREVER:
        return _("no deadline")
    if due > now:
        return _("due %(when)s") % {"when": moment(due, now, zone)}
    over = hours.elapsed(due, now) if hours else (now - due).total_seconds()
    known = trial.clock_seconds or 0  # below zero: what it stood still since
    return _("would be %(time)s over") % {"time": worded(known if known > 0 else max(0, over + known))}


def _ended(clock: TicketClock, worded: Any) -> str:
    if clock.state == ClockState.BREACHED:
        return _("ends %(time)s over") % {"time": worded(clock.seconds)}  # type: ignore[attr-defined]
    if clock.state != ClockState.MET:
        return ""
    left = (clock.target_seconds or 0) - (clock.burned_seconds or 0)
    return _("kept with %(time)s left") % {"time": worded(left)} if left > 0 else _("kept")
