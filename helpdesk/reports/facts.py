"""What reports want of tickets, read in a handful of queries whatever the number of tickets."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import NamedTuple

from helpdesk.actions.models import Escalation, TimeEntry
from helpdesk.reports import burns
from helpdesk.reports.contributions import ClockFacts, Facts, RaisedFacts, TimeFacts
from helpdesk.reports.lateness import CLOCK, facts_of, read_burns
from helpdesk.reports.models import CategoryName
from helpdesk.reports.slices import Keys, Late
from helpdesk.sla.choices import ClockSource, ClockState
from helpdesk.tickets import spans
from helpdesk.tickets.models import Ticket, TicketClock

_COLUMNS = (
    "pk", "removed_at", "client_id", "team_id", "rank", "agent_id", "ticket_type_id", "category", "psa_account_id",
    "status_category", "opened_at", "finished_at", "first_responded_at", "escalated_at",
)  # fmt: skip


class Known(NamedTuple):
    """Facts of the tickets that are here; stories of those that were deleted in their PSA, too."""

    facts: dict[int, Facts]
    stories: dict[int, spans.Story]


def read_facts(ids: Sequence[int], now: datetime) -> Known:
    """ticket -> its facts. A ticket that is gone, here or in the PSA, has none."""
    rows = list(Ticket.objects.only_ids(ids).order_by().values(*_COLUMNS))
    stories = spans.read_stories(
        {
            row["pk"]: spans.Standing(
                opened_at=row["opened_at"], category=row["status_category"], finished_at=row["finished_at"],
                agent=row["agent_id"] or 0, team=row["team_id"] or 0,
            )
            for row in rows
        }
    )  # fmt: skip
    rows = [row for row in rows if row["removed_at"] is None]
    here = [row["pk"] for row in rows]
    clocks, time, raised = _clocks(here), _time(here), _raised(here)
    late = _late(clocks, now)
    names = _category_keys(row["category"] for row in rows)
    found = {}
    for row in rows:
        pk = row["pk"]
        own = clocks.get(pk, _Clocks([], []))
        found[pk] = Facts(
            keys=Keys(
                client=row["client_id"] or 0, team=row["team_id"] or 0, rank=row["rank"], agent=row["agent_id"] or 0,
                type=row["ticket_type_id"] or 0, category=names.get(row["category"], 0),
                account=row["psa_account_id"],
            ),
            status=row["status_category"],
            opened_at=row["opened_at"],
            finished_at=row["finished_at"],
            first_responded_at=row["first_responded_at"],
            escalated_at=row["escalated_at"] or stories[pk].escalated_at,
            is_excluded=own.is_excluded,
            stretches=stories[pk].stretches,
            clocks=own.judged,
            time=time.get(pk, ()),
            raised=raised.get(pk, ()),
            late=late.get(pk, ()),
        )  # fmt: skip
    return Known(found, stories)


def _category_keys(names: Iterable[str]) -> dict[str, int]:
    """Keys of names; a new one gets its key here."""
    wanted = {name for name in names if name}
    if not wanted:
        return {}
    found = dict(CategoryName.objects.filter(name__in=wanted).values_list("name", "pk"))
    if new := sorted(wanted - found.keys()):
        CategoryName.objects.bulk_create([CategoryName(name=name) for name in new], ignore_conflicts=True)
        found = dict(CategoryName.objects.filter(name__in=wanted).values_list("name", "pk"))
    return found


class _Clocks(NamedTuple):
    judged: list[ClockFacts]
    late: list[burns.Facts]
    """Those that ended, now or in an earlier cycle, after their deadline."""
    is_excluded: bool = False


def _clocks(ids: Sequence[int]) -> Mapping[int, _Clocks]:
    rows = TicketClock.objects.filter(ticket__in=ids).order_by("pk")
    found: dict[int, _Clocks] = {}
    columns = ("ticket", "kind", "state", "burned_seconds", "paused_seconds", "earlier", *CLOCK)
    for ticket, kind, state, burned, paused, earlier, *clock in rows.values_list(*columns):
        _due_at, at, _breached_at, late, is_corrected, source = clock
        own = found.get(ticket, _Clocks([], []))
        own.judged.extend(_cycle(kind, *one) for one in earlier if one[0])
        if state == ClockState.NOT_STARTED and source == ClockSource.HAND:
            own = own._replace(is_excluded=True)
        if at is not None and state in (ClockState.MET, ClockState.BREACHED):
            own.judged.append(
                ClockFacts(
                    kind=kind, is_breached=state == ClockState.BREACHED, finished_at=at, is_retroactive=late,
                    is_corrected=is_corrected, burned=burned, paused=paused,
                )
            )  # fmt: skip
        if at is not None and (state == ClockState.BREACHED or any(one[1] for one in earlier)):
            own.late.append(facts_of(kind, clock))
        found[ticket] = own
    return found


def _late(clocks: Mapping[int, _Clocks], now: datetime) -> Mapping[int, list[Late]]:
    asked = {pk: own.late for pk, own in clocks.items() if own.late}
    burnt = read_burns(asked, now)
    return {
        pk: [
            Late(one.kind, one.due_at, one.ended_at, burnt[pk, one.kind].kept())
            for one in sorted(some, key=lambda one: one.kind)
            if one.ended_at
        ]
        for pk, some in asked.items()
    }


def _cycle(kind: str, at: str, is_breached: bool, is_late: bool, burned: int, paused: int) -> ClockFacts:
    """A cycle that ended before its ticket was reopened and started anew."""
    return ClockFacts(
        kind=kind, is_breached=is_breached, finished_at=datetime.fromisoformat(at), is_retroactive=is_late,
        burned=burned, paused=paused,
    )  # fmt: skip


def _time(ids: Sequence[int]) -> Mapping[int, list[TimeFacts]]:
    rows = TimeEntry.objects.filter(ticket__in=ids, removed_at=None, action__removed_at=None).order_by("pk")
    found: dict[int, list[TimeFacts]] = {}
    for ticket, agent, at, seconds, billable in rows.values_list(
        "ticket", "agent", "ended_at", "seconds", "is_billable"
    ):
        found.setdefault(ticket, []).append(
            TimeFacts(agent=agent or 0, ended_at=at, seconds=seconds, is_billable=billable)
        )
    return found


def _raised(ids: Sequence[int]) -> Mapping[int, list[RaisedFacts]]:
    found: dict[int, list[RaisedFacts]] = {}
    rows = Escalation.objects.filter(ticket__in=ids).order_by("pk")
    for ticket, at, trigger, level in rows.values_list("ticket", "at", "trigger", "level"):
        found.setdefault(ticket, []).append(RaisedFacts(at, trigger, level))
    return found
