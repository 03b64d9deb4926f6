"""Why our deadline and the PSA's are not the same. Pure: worked out from the clock's own facts, by trying what fits.

What can be shown to give the PSA's instant is said; a date that somebody wrote in the PSA comes after that, since some
PSAs keep the SLA's date and a date of its own in one field.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from itertools import combinations

from helpdesk.sla.choices import ClockKind, Difference
from helpdesk.sla.hours import Calendar, Hours
from helpdesk.sla.ledger import Pause, Run, Terms, due_by, joined

SAME = timedelta(seconds=60)
"""PSAs round, and their clocks are not ours: what is this near is the same."""
MOST_PAUSES = 6
"""Up to so many pauses every choice of them is tried, beyond it each one alone."""
ALWAYS = Calendar(Hours(is_always=True))

Target = tuple[int, bool]
"""Seconds, and whether they are business days times 86,400."""


def why(
    *,
    kind: str,
    run: Run,
    ours: datetime | None,
    theirs: datetime | None,
    their_response_at: datetime | None = None,
    deadline_at: datetime | None = None,
    is_corrected: bool = False,
    targets: Sequence[Target] = (),
    calendars: Sequence[Calendar] = (),
) -> str:
    """A `Difference`; empty where both are the same, or one says nothing.

    `ours` None: the clock stands still, and is compared as if it had gone on, which is what PSAs show meanwhile.
    `their_response_at`: when the PSA takes the ticket as answered. `targets`: the others of the policy, `calendars`:
    those that the PSA may go by.
    """
    if theirs is None or not run.terms:
        return ""
    shown = ours or as_shown(run)
    if shown is None:
        return ""
    if is_same(shown, theirs):
        return Difference.RESPONSE if _answered_otherwise(kind, run, theirs, their_response_at) else ""
    if is_corrected:
        return Difference.HAND
    if kind == ClockKind.RESPONSE and their_response_at and is_same(_until(run, their_response_at), theirs):
        return Difference.RESPONSE
    over = _over(run)
    if any(is_same(due, theirs) for due in _other_pauses(run, over)):
        return Difference.PAUSE
    if any(is_same(due_by(run, _terms(run, target), over), theirs) for target in targets):
        return Difference.TARGET
    if any(is_same(due, theirs) for due in _other_hours(run, over, calendars)):
        return Difference.CALENDAR
    return Difference.HAND if deadline_at is not None and is_same(deadline_at, theirs) else Difference.UNKNOWN


def as_shown(run: Run) -> datetime | None:
    """Our date as if no pause went on."""
    return due_by(run, run.terms[-1], _over(run)) if run.terms else None


def is_same(due: datetime | None, theirs: datetime) -> bool:
    """Near enough that nobody would speak of two dates."""
    return due is not None and abs(due - theirs) <= SAME


def _over(run: Run) -> tuple[Pause, ...]:
    """The pauses that have ended: one that goes on has moved no date yet."""
    return tuple(p for p in joined(run.pauses, start=run.started_at) if p.to_at is not None)


def _answered_otherwise(kind: str, run: Run, due: datetime, theirs: datetime | None) -> bool:
    """Whether the same date was kept by one's first response, and missed by the other's."""
    if kind != ClockKind.RESPONSE or theirs is None or run.finished_at is None:
        return False
    return (run.finished_at <= due) != (theirs <= due) and abs(run.finished_at - theirs) > SAME


def _until(run: Run, answered_at: datetime) -> datetime | None:
    """Our date, had the clock ended there: later pauses move it no more."""
    if run.finished_at is not None and abs(run.finished_at - answered_at) <= SAME:
        return None
    cut = [p._replace(to_at=min(p.to_at or answered_at, answered_at)) for p in _over(run) if p.from_at < answered_at]
    return due_by(run, run.terms[-1], cut)


def _other_pauses(run: Run, pauses: Sequence[Pause]) -> Iterator[datetime | None]:
    """Our date with other pauses: none, some, and those that were, counted by the wall clock."""
    if not pauses:
        return
    terms = run.terms[-1]
    bare = due_by(run, terms, ())
    yield bare
    if bare is not None:
        yield bare + sum((p.to_at - p.from_at for p in pauses if p.to_at), timedelta())
    few = range(1, len(pauses)) if len(pauses) <= MOST_PAUSES else (1, len(pauses) - 1)
    for count in few:
        for chosen in combinations(pauses, count):
            yield due_by(run, terms, chosen)


def _terms(run: Run, target: Target) -> Terms:
    """Another target, from the start and by the same hours."""
    seconds, in_days = target
    return Terms(
        since=run.started_at,
        calendar=run.terms[-1].calendar,
        seconds=None if in_days else seconds,
        days=seconds // 86_400 if in_days else None,
    )


def _other_hours(run: Run, pauses: Sequence[Pause], calendars: Sequence[Calendar]) -> Iterator[datetime | None]:
    """Our date by other opening hours, with our pauses and without."""
    last = run.terms[-1]
    for calendar in (ALWAYS, *calendars):
        if calendar.hours == last.calendar.hours:
            continue
        other = last._replace(since=run.started_at, calendar=calendar, keeps_consumed=False)
        yield due_by(run, other, pauses)
        if pauses:
            yield due_by(run, other, ())
