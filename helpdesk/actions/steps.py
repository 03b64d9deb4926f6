"""When somebody has to be told of a clock: the thresholds and levels on its way. Pure arithmetic.

A step passes at an instant of the clock and is told when the desk is open: at once around the clock, else at the next
opening. Levels count elapsed hours past the deadline, closed ones too.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from helpdesk.actions.choices import Trigger
from helpdesk.sla.hours import Calendar, NeverOpen
from helpdesk.sla.ledger import Run, crossed

LEVELS = (1, 2, 3)
LEVEL_HOURS = 4
"""Each level but the last is this long."""
WHOLE = 100
"""Per cent of a target: the deadline itself, which is level 1 where levels are raised."""
SECOND = timedelta(seconds=1)


@dataclass(frozen=True, kw_only=True)
class Step:
    """`at` is when it passes, `tell_at` the first open instant from then on. `level` of a threshold is its per cent."""

    trigger: str
    level: int
    at: datetime
    tell_at: datetime

    @property
    def weight(self) -> tuple[bool, int]:
        """What is worse is greater."""
        return self.trigger == Trigger.BREACH, self.level


@dataclass(frozen=True, kw_only=True)
class Clock:
    """What steps need to know of a clock as it stands. `due_at` None = its deadline is not known now.

    `run` None: nothing but a date is known, as where the PSA's own is shown; thresholds are then shares of the time
    between start and date.
    """

    started_at: datetime
    due_at: datetime | None
    calendar: Calendar
    run: Run | None = None
    breached_at: datetime | None = None
    is_over: bool = False
    is_paused: bool = False

    def is_breached(self, now: datetime) -> bool:
        return self.due_at is not None and self.due_at < now


def steps_of(clock: Clock, *, thresholds: Iterable[int], escalates: bool) -> list[Step]:
    """All that are passed or can be seen coming, the lightest first; none for a clock that is over."""
    if clock.is_over:
        return []
    shares = sorted({p for p in thresholds if p > 0 and not (escalates and p == WHOLE)})
    found = [_step(clock, Trigger.THRESHOLD, share, _passed(clock, share)) for share in shares]
    if escalates and clock.due_at is not None:
        for level in LEVELS:
            at = clock.due_at + timedelta(hours=LEVEL_HOURS * (level - 1))
            found.append(_step(clock, Trigger.BREACH, level, max(at, clock.breached_at or at)))
    return sorted((one for one in found if one is not None), key=lambda one: one.weight)


def due_steps(clock: Clock, steps: Sequence[Step], now: datetime) -> list[Step]:
    """Those that are to be told by now. A clock that stands still tells nothing, unless it is breached already."""
    if clock.is_paused and not clock.is_breached(now):
        return []
    return [one for one in steps if one.tell_at <= now and (one.trigger != Trigger.BREACH or clock.is_breached(now))]


def next_look(clock: Clock, steps: Sequence[Step], now: datetime) -> datetime | None:
    """When the next one may be told; None = never, as things stand."""
    if clock.is_paused and not clock.is_breached(now):
        return None
    waiting = [one.tell_at for one in steps if one.tell_at > now]
    if clock.due_at is not None and clock.due_at == now:
        waiting.append(now + SECOND)  # met in this very second is met: whether it is breached shows only then
    return min(waiting, default=None)


def _passed(clock: Clock, share: int) -> datetime | None:
    if clock.run is not None:
        return crossed(clock.run, share / WHOLE)
    if clock.due_at is None:
        return None
    return clock.started_at + (clock.due_at - clock.started_at) * share / WHOLE


def _step(clock: Clock, trigger: Trigger, level: int, at: datetime | None) -> Step | None:
    """A calendar that never opens again keeps nobody from being told of a breach."""
    if at is None:
        return None
    try:
        tell_at = clock.calendar.next_open(at)
    except NeverOpen:
        tell_at = at
    return Step(trigger=trigger.value, level=level, at=at, tell_at=max(tell_at, at))
