"""One look at the clocks of a whole page: the words of each row's clock, and what the browser counts it from."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, tzinfo
from typing import Protocol

from django.utils.translation import gettext as _

from helpdesk.core.chips import Chip, chip, ticks
from helpdesk.core.formatting import ago
from helpdesk.sla.opening import hours_of


class Ticking(Protocol):
    """A row with a ticket's clock on it."""

    @property
    def next_clock(self) -> str: ...
    @property
    def clock_state(self) -> str: ...
    @property
    def next_due_at(self) -> datetime: ...
    @property
    def next_at_risk_at(self) -> datetime | None: ...
    @property
    def clock_seconds(self) -> int | None: ...
    @property
    def clock_calendar(self) -> int: ...


@dataclass(frozen=True)
class Reading:
    """One look at the clock for a whole page."""

    now: datetime
    zone: tzinfo

    def chip(self, row: Ticking) -> Chip:
        return chip(
            row.next_clock,
            row.clock_state,
            row.next_due_at,
            row.next_at_risk_at,
            row.clock_seconds,
            self.now,
            self.zone,
            hours_of(row.clock_calendar) if row.clock_calendar else None,
        )

    def ticks(self, row: Ticking, state: str) -> str:
        """What the browser's clock counts from."""
        if not ticks(row.next_due_at, row.clock_state, row.clock_seconds):
            return ""
        text = f" data-due={int(row.next_due_at.timestamp())}"
        if row.clock_seconds:
            text += f" data-stood={-row.clock_seconds}"
        if state == "running" and row.next_at_risk_at is not None:
            text += f" data-risk={int(row.next_at_risk_at.timestamp())}"
        return f"{text} data-cal={row.clock_calendar}" if row.clock_calendar else text

    def since(self, instant: datetime | None) -> str:
        """ "now", "2 min", "4 h", "1 d"."""
        if instant is None:
            return ""
        seconds = (self.now - instant).total_seconds()
        if seconds < 60:
            return _("now")
        return ago(seconds)
