"""How a PSA is set up, as records: its statuses, priorities, types, categories, outcomes, calendars and policies."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from connectors.base.records import UNSET, Flag, Hours, Number, Record, Seconds, Text, Unset


@dataclass(frozen=True, kw_only=True)
class StatusRecord(Record):
    name: str | Unset = UNSET
    category: str | Unset | None = UNSET
    """new, open, waiting, waiting_client, waiting_third_party, escalated, resolved, closed; None = cannot tell."""
    sla_clock: str | Unset | None = UNSET
    """running, paused or stopped; None = cannot tell."""
    colour: Text = UNSET
    sequence: Number = UNSET
    is_active: Flag = UNSET
    """Off: kept for tickets that have it, offered no more."""
    short_name: Text = UNSET
    is_quick: Flag = UNSET
    """Offered first."""
    sla_action: Text = UNSET
    """hold, release; None: leaves the PSA's clock alone."""
    hold_hours: Hours = UNSET
    """After so many hours the PSA ends its hold; None: never."""
    change_to: Text = UNSET
    change_hours: Hours = UNSET
    """The PSA moves tickets on to `change_to` after so many hours; None: never."""
    counts_working_hours: Flag = UNSET
    ignores_release: Flag = UNSET
    ticket_types: tuple[str, ...] | Unset = UNSET
    """The types whose tickets may have it; none: all."""


@dataclass(frozen=True, kw_only=True)
class PriorityRecord(Record):
    name: str | Unset = UNSET
    rank: Number = UNSET
    """1 critical to 4 low; None = cannot tell."""
    colour: Text = UNSET
    is_active: Flag = UNSET


@dataclass(frozen=True, kw_only=True)
class TicketTypeRecord(Record):
    name: str | Unset = UNSET
    kind: str | Unset | None = UNSET
    """incident, request, problem, change or other; None = cannot tell."""
    initial_status: Text = UNSET
    default_priority: Text = UNSET
    reopened_status: Text = UNSET
    default_team: Text = UNSET
    default_agent: Text = UNSET
    default_sla_policy: Text = UNSET
    is_active: Flag = UNSET
    allow_attachments: Flag = UNSET
    sequence: Number = UNSET
    agents_may_select: Flag = UNSET
    clients_may_select: Flag = UNSET
    required_fields: tuple[str, ...] | Unset = UNSET
    """Canonical names of what a new ticket must have."""
    after_client_status: Text = UNSET
    after_agent_status: Text = UNSET
    client_may_reopen: Flag = UNSET
    reopen_hours: Hours = UNSET
    auto_close_hours: Hours = UNSET


@dataclass(frozen=True, kw_only=True)
class CategoryRecord(Record):
    level: int | Unset = UNSET
    """Which category field of the ticket it fills: 1 to 4."""
    value: str | Unset = UNSET
    """The text the PSA wants written, which may be a whole path such as `A>B`."""
    name: str | Unset = UNSET
    parent: Text = UNSET
    """The category one level up that it belongs to."""
    is_active: Flag = UNSET


@dataclass(frozen=True, kw_only=True)
class OutcomeRecord(Record):
    name: str | Unset = UNSET
    label: Text = UNSET
    long_label: Text = UNSET
    colour: Text = UNSET
    sequence: Number = UNSET
    is_hidden: Flag = UNSET
    new_status: Text = UNSET
    hide_from_client: Flag = UNSET
    must_add_note: Flag = UNSET
    must_assign: Flag = UNSET
    sla_hold: Flag = UNSET
    sla_release: Flag = UNSET
    sends_email: Flag = UNSET
    default_seconds: Seconds = UNSET
    ticket_types: tuple[str, ...] | Unset = UNSET
    child_ticket_type: Text = UNSET


@dataclass(frozen=True, kw_only=True)
class Interval:
    """Open hours of one weekday (0 Monday), local wall times as minutes after midnight, half-open."""

    weekday: int
    opens: int
    closes: int


@dataclass(frozen=True, kw_only=True)
class HolidayRecord:
    """Local dates, both included, on which the calendar is closed; open within `opens` to `closes` (minutes after
    midnight) where these are given."""

    name: str
    starts_on: date
    ends_on: date
    opens: int | None = None
    closes: int | None = None


@dataclass(frozen=True, kw_only=True)
class CalendarRecord(Record):
    name: str | Unset = UNSET
    time_zone: Text = UNSET
    is_always_open: Flag = UNSET
    intervals: tuple[Interval, ...] | Unset = UNSET
    holidays: tuple[HolidayRecord, ...] | Unset = UNSET


@dataclass(frozen=True, kw_only=True)
class TargetRecord:
    """What a policy promises for one priority, in seconds; None where it promises nothing.

    `in_days` says that the PSA counts days, which are not 24 hours on a business calendar. `calendar`: the one that
    this priority has of its own; None = the policy's.
    """

    priority: str
    response_seconds: int | None
    resolution_seconds: int | None
    response_in_days: bool = False
    resolution_in_days: bool = False
    calendar: str | None = None


@dataclass(frozen=True, kw_only=True)
class PolicyRecord(Record):
    name: str | Unset = UNSET
    calendar: Text = UNSET
    targets: tuple[TargetRecord, ...] | Unset = UNSET
