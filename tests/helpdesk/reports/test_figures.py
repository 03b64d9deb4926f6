"""Figures of a random history against the plainest count one can think of, and against the tickets behind them."""

from __future__ import annotations

import math
from datetime import date, datetime, timedelta
from statistics import median
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from helpdesk.actions.choices import Trigger
from helpdesk.actions.models import Escalation
from helpdesk.directory.groups import link
from helpdesk.directory.models import PsaAccount
from helpdesk.reports import drill, export, figures
from helpdesk.reports.filters import Filters, read_filters
from helpdesk.reports.metrics import METRICS, age_name, find_metric
from helpdesk.reports.models import CategoryName, TicketDay
from helpdesk.reports.periods import MOST_DAYS, Period
from helpdesk.reports.services import fold
from helpdesk.reports.slices import AGE_EDGES, COUNTERS, IN_CATEGORY, KINDS
from helpdesk.tickets.choices import FINISHED
from helpdesk.tickets.correcting import correct_clock, undo_correction
from helpdesk.tickets.models import Ticket, TicketSpan
from helpdesk.tickets.rederiving import rederive
from tests.factories import (
    NOW,
    make_account,
    make_client,
    make_organisation,
    make_policy,
    make_status,
    make_target,
    make_ticket,
)
from tests.helpdesk.reports.histories import History
from tests.people import make_mona

pytestmark = pytest.mark.django_db
ZONE = ZoneInfo("Europe/London")
SEEDS = [2, 7]


def period(first: date, last: date) -> Period:
    return Period(name="custom", first=first, last=last, before_first=first, before_last=last)


def count(now: datetime) -> None:
    while fold(now=now).is_more:
        pass


def told(seed: int, account: PsaAccount, steps: int = 220) -> History:
    make_organisation(time_zone="Europe/London")
    history = History(seed, account, NOW - timedelta(days=150))
    history.go_on(steps)
    history.deliver()
    count(history.now)
    return history


def behind(metric: str, last: date, first: date | None = None, filters: Filters | None = None) -> drill.Drill:
    found = find_metric(metric)
    assert found
    return drill.Drill(metric=found, filters=filters or Filters(), first=first or last, last=last, now=NOW)


def listed(wanted: drill.Drill) -> list[int]:
    return [pk for some in drill.every_key(wanted, Ticket.objects.present()) for pk in some]


def open_at_end_of(day: date) -> set[int]:
    """By the spans: the day ends where the next one begins."""
    end = datetime.combine(day + timedelta(days=1), datetime.min.time(), ZONE)
    spans = TicketSpan.objects.filter(from_at__lt=end, ticket__removed_at=None).exclude(category__in=FINISHED)
    return {s.ticket_id for s in spans if s.to_at is None or s.to_at >= end}


@pytest.mark.parametrize("seed", SEEDS)
def test_the_backlog_of_any_day_is_what_was_open_then(seed: int, account: PsaAccount) -> None:
    history = told(seed, account)
    last = history.now.astimezone(ZONE).date()
    own = read_filters({"team": str(history.teams[0].pk), "priority": "1,2,3"})
    assert any(one.open for one in figures.backlog_by_day(period(last - timedelta(days=60), last), own))
    for filters in (Filters(), own, read_filters({"category": "Network"}), read_filters({"agent": "none"})):
        for level in figures.backlog_by_day(period(last - timedelta(days=120), last), filters)[::9]:
            tickets = listed(behind("backlog", level.day, filters=filters))
            seen = filters.apply(Ticket.objects.present()).values_list("pk", flat=True)
            assert sorted(tickets) == sorted(open_at_end_of(level.day) & set(seen)), level
            assert level.open == len(tickets) == figures.backlog_on(level.day, filters)[0]
            ages = figures.ages_on(level.day, filters)
            for age in ages:
                assert len(listed(behind(age.metric, level.day, filters=filters))) == age.number
            assert sum(age.number for age in ages) == level.open
            by_client = figures.backlog_on(level.day, filters, "client")
            assert sum(by_client.values()) == level.open


@pytest.mark.parametrize("seed", SEEDS)
def test_every_sum_is_that_of_the_tickets_behind_it(seed: int, account: PsaAccount) -> None:
    history = told(seed, account)
    last = history.now.astimezone(ZONE).date()
    days = period(last - timedelta(days=70), last)
    for filters in (Filters(), read_filters({"type": str(history.types[0].pk)}), read_filters({"account": "halo"})):
        totals = figures.whole(days, filters)
        rows = list(TicketDay.objects.between(days.first, days.last).under(filters.dimensions))
        assert {n: totals[n] for n in COUNTERS} == {n: sum(getattr(row, n) for row in rows) for n in COUNTERS}
        for metric in METRICS.values():
            if metric.is_live or metric.source != "days" or metric.without or metric.key == "compliance":
                continue
            wanted = behind(metric.key, days.last, days.first, filters)
            tickets = listed(wanted)
            assert len(tickets) == len(set(tickets)) == drill.count(wanted, Ticket.objects.none())
            assert set(tickets) == {r.ticket_id for r in rows if any(getattr(r, n) for n in metric.counters)}
            figure = sum(totals[name] for name in metric.counters)
            in_file = [row[-1] for row in export.rows(wanted, Ticket.objects.present(), ZONE)]
            assert sum(in_file) == (figure if metric.key != "counted" else len(tickets))
            if metric.is_sum:
                assert drill.times_in_all(wanted) == sum(drill.times(wanted, tickets).values()) == figure
            elif all(name.endswith("_seconds") for name in metric.counters):
                assert drill.booked_in_all(wanted) == sum(drill.booked(wanted, tickets).values()) == figure
            elif metric.key != "counted":
                assert len(tickets) == figure, metric.key


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize("dimension", ["client", "team", "agent", "rank", "type", "category", "account"])
def test_lines_of_a_dimension_add_up(seed: int, dimension: str, account: PsaAccount) -> None:
    history = told(seed, account, 120)
    last = history.now.astimezone(ZONE).date()
    days = period(last - timedelta(days=50), last)
    whole = figures.whole(days, Filters())
    lines = figures.by(dimension, days, Filters())
    assert len({line.key for line in lines}) == len(lines) >= 1
    assert all(line.name for line in lines)
    for name in COUNTERS:
        assert sum(line.totals[name] for line in lines) == whole[name], name
    name = "priority" if dimension == "rank" else dimension
    for line in lines:
        own = read_filters({name: "none" if not line.key else str(line.key)})
        assert len(listed(behind("opened", days.last, days.first, own))) == line.totals["opened"], line


@pytest.mark.parametrize("seed", SEEDS)
def test_medians_of_whole_months_are_exact_and_others_are_near(seed: int, account: PsaAccount) -> None:
    history = told(seed, account)
    values = {kind: history_values(kind) for kind in KINDS}
    client = str(history.clients[0].pk)
    checked = 0
    for first, last in (
        (date(2026, 7, 1), date(2026, 7, 31)), (date(2026, 7, 1), date(2026, 9, 30)),
        (date(2026, 1, 1), date(2026, 12, 31)), (date(2026, 7, 6), date(2026, 7, 12)),
    ):  # fmt: skip
        for filters in (Filters(), read_filters({"client": client}), read_filters({"priority": "2"})):
            keys = filters.dimensions
            for kind, found in figures.all_quantiles(period(first, last), filters).items():
                wanted = sorted(
                    v for row, v in values[kind]
                    if first <= row.day <= last and all(getattr(row, n) in ids for n, ids in keys.items())
                )  # fmt: skip
                if not wanted:
                    assert found == (None, None, True)
                    continue
                checked += 1
                assert found == (round(median(wanted)), wanted[math.ceil(0.9 * len(wanted)) - 1], True)
                assert figures.quantiles(kind, period(first, last), filters) == found
    assert checked > 10
    two = read_filters({"client": client, "priority": "1,2,3,4"})
    assert not figures.quantiles("resolve", period(date(2026, 1, 1), date(2026, 12, 31)), two).is_exact
    odd = figures.quantiles("resolve", period(date(2026, 7, 2), date(2026, 10, 30)), Filters())
    assert odd.median
    assert not odd.is_exact


def history_values(kind: str) -> list[tuple[TicketDay, int]]:
    measure = KINDS[kind]
    return [(r, getattr(r, measure.seconds)) for r in TicketDay.objects.all() if getattr(r, measure.flag)]


@pytest.mark.parametrize("seed", SEEDS)
def test_escalations_by_trigger_and_level(seed: int, account: PsaAccount) -> None:
    history = told(seed, account)
    last = history.now.astimezone(ZONE).date()
    days = period(last - timedelta(days=100), last)
    lines = figures.escalations(days, Filters())
    rows = [
        e for e in Escalation.objects.filter(ticket__removed_at=None)
        if days.first <= e.at.astimezone(ZONE).date() <= days.last
    ]  # fmt: skip
    assert {line.trigger for line in lines} == set(Trigger.values)
    assert sum(line.times for line in lines) == len(rows) == figures.whole(days, Filters())["raised"]
    for line in lines:
        same = [e for e in rows if e.trigger == line.trigger and line.level in (None, e.level)]
        wanted = behind(line.metric, days.last, days.first)
        assert line.times == len(same) == drill.times_in_all(wanted)
        assert line.tickets == len({e.ticket_id for e in same}) == len(listed(wanted))


@pytest.mark.parametrize("seed", SEEDS)
def test_the_time_spent_is_that_of_the_spans(seed: int, account: PsaAccount) -> None:
    told(seed, account)
    everything = period(date(2026, 1, 1), date(2026, 12, 31))
    spans = TicketSpan.objects.filter(ticket__removed_at=None, to_at__isnull=False).exclude(category__in=FINISHED)
    ends = {pk: max(s.to_at for s in spans if s.ticket_id == pk and s.to_at) for pk in {s.ticket_id for s in spans}}
    still = set(Ticket.objects.present().open().values_list("pk", flat=True))
    wanted = dict.fromkeys(IN_CATEGORY, 0.0)
    for span in spans:
        # A ticket that is open again has a stretch that has not ended: none of its time counts yet.
        begun = last_opening(span.ticket_id) if span.ticket_id in still else ends[span.ticket_id]
        if span.to_at and (span.ticket_id not in still or (begun and span.to_at <= begun)):
            wanted[span.category] += (span.to_at - span.from_at).total_seconds()
    found = {one.category: one.seconds for one in figures.waiting(everything, Filters())}
    assert found == {name: int(value) for name, value in wanted.items()}
    now = figures.waiting_now(Filters(), tickets=Ticket.objects.present(), now=NOW)
    assert sum(one.number for one in now) == len(still)


def last_opening(ticket: int) -> datetime | None:
    finished = TicketSpan.objects.filter(ticket=ticket, category__in=FINISHED).order_by("-to_at").first()
    return finished.to_at if finished else None


def test_ages_of_now_are_by_days_of_the_organisation(account: PsaAccount) -> None:
    make_organisation(time_zone="Europe/London")
    opened = [
        NOW.replace(hour=0, minute=30),
        NOW - timedelta(hours=15),
        NOW - timedelta(days=8),
        NOW.replace(year=2025),
    ]
    for at in opened:
        make_ticket(opened_at=at)
    count(NOW)
    ages = figures.ages_now(Filters(), tickets=Ticket.objects.all(), now=NOW, zone=ZONE)
    assert {age.name: age.number for age in ages if age.number} == {
        "today": 1, "1 to 2 days": 1, "7 to 13 days": 1, "90 days and more": 1,
    }  # fmt: skip
    for age in ages:
        wanted = behind(age.metric, NOW.date())
        assert drill.count(wanted, Ticket.objects.all()) == len(listed(wanted)) == age.number
    assert [age.name for age in ages] == [age_name(i) for i in range(len(AGE_EDGES) + 1)]


def test_linked_clients_are_one_customer(account: PsaAccount) -> None:
    other = make_account("tenant two")
    one, two = make_client("Northwind", psa_account=account), make_client("Northwind Ltd", psa_account=other)
    third = make_client("Contoso", psa_account=account)
    for client in (one, two, two, third):
        make_ticket(client=client, opened_at=NOW)
    link(client_ids=[one.pk, two.pk], user_id=make_mona().pk, now=NOW)
    count(NOW)
    days = period(NOW.date(), NOW.date())
    lines = figures.by("client", days, Filters(), linked=True)
    assert [(line.name, line.totals["opened"], line.keys) for line in lines] == [
        ("Northwind", 3, (one.pk, two.pk)), ("Contoso", 1, (third.pk,)),
    ]  # fmt: skip
    own = read_filters({"client": str(two.pk)})
    assert len(listed(behind("opened", NOW.date(), filters=own))) == 3
    assert len(figures.by("client", days, Filters())) == 3


def test_a_line_of_what_is_gone_has_a_name(account: PsaAccount) -> None:
    client = make_client(psa_account=account)
    make_ticket(client=client, opened_at=NOW)
    count(NOW)
    client.delete()
    (line,) = figures.by("client", period(NOW.date(), NOW.date()), Filters())
    assert line.name == f"gone, key {line.key}"


@pytest.mark.parametrize(
    ("first", "last", "days"),
    [
        (date(1976, 11, 17), date(2026, 11, 17), MOST_DAYS),
        (date(2026, 11, 18), date(2026, 11, 17), 0),
        (date(2031, 1, 1), date(2031, 1, 31), 31),
    ],
)
def test_a_strange_period_stays_bounded(account: PsaAccount, first: date, last: date, days: int) -> None:
    make_ticket(opened_at=NOW)
    count(NOW)
    asked = period(first, last)
    with CaptureQueriesContext(connection) as queries:
        assert len(figures.backlog_by_day(asked, Filters())) == days
        figures.by("client", asked, Filters())
        figures.escalations(asked, Filters())
        figures.waiting(asked, Filters())
        figures.all_quantiles(asked, Filters())
    assert len(queries) <= 8


def test_more_tickets_ask_no_more_queries(account: PsaAccount) -> None:
    def asked() -> int:
        days = period(date(2026, 1, 1), date(2026, 12, 31))
        with CaptureQueriesContext(connection) as queries:
            for dimension in ("client", "team", "agent", "rank", "type", "category", "account"):
                figures.by(dimension, days, Filters())
            figures.backlog_by_day(days, Filters())
            figures.ages_on(days.last, Filters())
            figures.all_quantiles(days, Filters())
        return len(queries)

    make_ticket(category="Network")
    count(NOW)
    before = asked()
    for number in range(10):
        make_ticket(category=f"Network {number}", client=make_client(f"Client {number}", psa_account=account))
    count(NOW)
    assert asked() == before
    assert CategoryName.objects.count() == 11


def test_an_unknown_figure_is_none() -> None:
    wrong: list[Any] = ["raised_nobody", "raised_breach_x", "raised_breach_99999", "opened_1", "_", ""]
    assert [find_metric(key) for key in wrong] == [None] * len(wrong)
    found = find_metric("raised_breach_2")
    assert found
    assert (found.level, found.trigger, str(found.label)) == (2, "breach", "SLA breached, level 2")
    assert str(find_metric("raised_threshold_75").label) == "Much of the target is used, 75 %"  # type: ignore[union-attr]
    assert str(find_metric("raised_stale_1").label) == "Client has not answered"  # type: ignore[union-attr]


def finished_late(account: PsaAccount) -> Ticket:
    """Opened six hours ago, resolved now; the resolution was due two hours ago."""
    policy = make_policy("Gold", psa_account=account)
    ticket = make_ticket(
        psa_account=account, sla_policy=policy, opened_at=NOW - timedelta(hours=6), resolved_at=NOW,
        status=make_status("resolved", psa_account=account),
    )  # fmt: skip
    make_target(policy, ticket.priority, response_seconds=None, resolution_seconds=4 * 3600)
    rederive(account_id=account.pk, ids=[ticket.pk], now=NOW)
    return ticket


def verdicts() -> dict[str, int]:
    count(NOW + timedelta(minutes=5))
    totals = figures.whole(period(NOW.date(), NOW.date()), Filters())
    names = ("finished", "resolution_met", "resolution_breached", "resolution_corrected", "excluded", "resolve_timed")
    return {name: totals[name] for name in names if totals[name]}


def test_corrections_are_reported_and_taken_back(account: PsaAccount) -> None:
    ticket, mona = finished_late(account), make_mona()
    late = {"finished": 1, "resolution_breached": 1, "resolve_timed": 1}
    assert verdicts() == late
    shared = {"ticket": ticket, "kind": "resolution", "reason": "Called back", "user": mona, "now": NOW}
    earlier = correct_clock(what="finished", instant=NOW - timedelta(hours=3), **shared)
    assert verdicts() == {"finished": 1, "resolution_met": 1, "resolution_corrected": 1, "resolve_timed": 1}
    undo_correction(correction=earlier, user=mona, now=NOW + timedelta(minutes=1))
    assert verdicts() == late
    correct_clock(what="excluded", instant=None, **shared)
    assert verdicts() == {"finished": 1, "excluded": 1}
    wanted = behind("excluded", NOW.date())
    assert listed(wanted) == [ticket.pk]
