"""A clock's ledger as people read it: what ran and what stood still, why, and who used the time. Pure.

Running time is one line however many nights lie in it; what is folded stands in the line.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from django.utils.translation import gettext as _

from helpdesk.sla.hours import Calendar
from helpdesk.sla.ledger import Run, Slice, crossed, slices

FEW = 12
"""So many lines are shown; of more, the first and the last."""
FIRST = 3


@dataclass(frozen=True, kw_only=True)
class Happening:
    """Something that may have begun or ended a line. `is_seen`: it lies between two pulls, the instant is a guess."""

    at: datetime
    words: str
    by: str = ""
    is_seen: bool = False


@dataclass(frozen=True, kw_only=True)
class Line:
    """A stretch between two happenings. `seconds` is its open time; `closed` what of it lay outside open hours."""

    kind: str
    from_at: datetime
    to_at: datetime
    seconds: int
    cause: str
    by: str = ""
    is_seen: bool = False
    is_going_on: bool = False
    closed: Sequence[Slice] = field(default_factory=tuple)
    holidays: Sequence[str] = field(default_factory=tuple)


@dataclass(frozen=True, kw_only=True)
class Held:
    """Who or what had the ticket from an instant on; `name` empty = nobody."""

    from_at: datetime
    name: str


@dataclass(frozen=True, kw_only=True)
class Mark:
    """A share of the target, and when it was used (or will be). None: not as things stand."""

    percent: int
    at: datetime | None
    is_over: bool


def lines(
    run: Run, *, now: datetime, happened: Iterable[Happening], holidays: Mapping[str, tuple[datetime, datetime]]
) -> list[Line]:
    """The stretches of a clock in order. `holidays`: their names with the instants between which they close it."""
    at = {_second(h.at): h for h in sorted(happened, key=lambda h: h.at)}
    found: list[Line] = []
    run_slices: list[Slice] = []
    for one in _slices(run, now):
        if one.kind == "paused":
            found += _running(run_slices, at, holidays)
            run_slices = []
            begun = at.get(_second(one.from_at))
            found.append(
                Line(
                    kind="paused", from_at=one.from_at, to_at=one.to_at, seconds=one.seconds,
                    cause=begun.words if begun else one.cause, by=(begun.by if begun else "") or one.by,
                    is_seen=bool(begun and begun.is_seen),
                )
            )  # fmt: skip
        else:
            run_slices.append(one)
    found += _running(run_slices, at, holidays)
    return _with_end(found, run, now)


def _second(at: datetime) -> datetime:
    return at.replace(microsecond=0)


def _slices(run: Run, now: datetime) -> list[Slice]:
    """Without what is shorter than a second: open hours are counted in whole ones."""
    return [s for s in slices(run, until=now) if s.to_at - s.from_at >= timedelta(seconds=1)]


def _running(
    run_slices: Sequence[Slice],
    at: Mapping[datetime, Happening],
    holidays: Mapping[str, tuple[datetime, datetime]],
) -> list[Line]:
    if not run_slices:
        return []
    first, last = run_slices[0].from_at, run_slices[-1].to_at
    begun = at.get(_second(first))
    closed = tuple(s for s in run_slices if s.kind == "closed")
    names = tuple(name for name, (a, b) in holidays.items() if any(s.from_at < b and a < s.to_at for s in closed))
    seconds = sum(s.seconds for s in run_slices)
    return [
        Line(
            kind="running" if seconds or not closed else "closed", from_at=first, to_at=last, seconds=seconds,
            cause=begun.words if begun else "", by=begun.by if begun else "",
            is_seen=bool(begun and begun.is_seen), closed=closed, holidays=names,
        )
    ]  # fmt: skip


def _with_end(found: list[Line], run: Run, now: datetime) -> list[Line]:
    if found and (run.finished_at is None or run.finished_at > now):
        last = found[-1]
        found[-1] = Line(**{**vars(last), "is_going_on": True})
    return found


def folded(found: Sequence[Line]) -> tuple[Sequence[Line], Sequence[Line], Sequence[Line]]:
    """The first lines, those that are folded away between, and the last."""
    if len(found) <= FEW:
        return found, (), ()
    end = len(found) - (FEW - FIRST)
    return found[:FIRST], found[FIRST:end], found[end:]


def marks(run: Run, thresholds: Sequence[int], now: datetime) -> list[Mark]:
    """When each share of the target was used up."""
    end = min(run.finished_at, now) if run.finished_at else now
    found = []
    for percent in sorted({*thresholds, 100}):
        at = crossed(run, percent / 100)
        is_over = at is not None and at <= end
        if is_over or run.finished_at is None:
            found.append(Mark(percent=percent, at=at, is_over=is_over))
    return found


def burn(found: Sequence[Line], calendar: Calendar, held: Sequence[Held]) -> list[tuple[str, int]]:
    """Who used the running time, most first. `held` in order, the first from the start."""
    used: dict[str, int] = {}
    for place, one in enumerate(held):
        until = held[place + 1].from_at if place + 1 < len(held) else None
        for line in found:
            if line.kind != "running":
                continue
            start, end = max(line.from_at, one.from_at), min(line.to_at, until or line.to_at)
            if start < end:
                used[one.name] = used.get(one.name, 0) + calendar.elapsed(start, end)
    return sorted(((name, seconds) for name, seconds in used.items() if seconds), key=lambda u: -u[1])


def closed_words(closed: Sequence[Slice], holidays: Sequence[str]) -> str:
    """ "12 nights and weekends, Spring bank holiday": what a running line leaves out."""
    if not closed:
        return ""
    days = sum((s.to_at - s.from_at) > timedelta(hours=36) for s in closed)
    nights = len(closed) - days
    count = len(closed)
    if days and nights:
        words = _("%(n)d nights and weekends closed") % {"n": count}
    elif days:
        words = _("1 weekend closed") if days == 1 else _("%(n)d weekends closed") % {"n": days}
    else:
        words = _("1 night closed") if nights == 1 else _("%(n)d nights closed") % {"n": nights}
    return ", ".join([words, *holidays[:4]])


@dataclass(frozen=True, kw_only=True)
class Bar:
    """One part of the picture, in per cent of its width."""

    kind: str
    x: str
    width: str


def bars(run: Run, *, now: datetime, end: datetime) -> list[Bar]:
    """The slices side by side from the start to `end`; too many are drawn as the lines they make."""
    start, whole = run.started_at, (end - run.started_at).total_seconds()
    if whole <= 0:
        return []
    found = []
    for one in _slices(run, now)[:200]:
        x = (one.from_at - start).total_seconds() / whole
        width = (one.to_at - one.from_at).total_seconds() / whole
        kind = {"running": "run", "paused": "pause", "closed": "closed"}[one.kind]
        found.append(Bar(kind=kind, x=f"{100 * x:.2f}%", width=f"{100 * max(width, 0.002):.2f}%"))
    return found
