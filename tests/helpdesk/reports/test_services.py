from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from django.core.management import call_command
from django.db import connection
from django.test.utils import CaptureQueriesContext

from helpdesk.directory.models import PsaAccount
from helpdesk.reports.figures import ALL_COLUMNS, VERDICTS, Totals, lowest, sums
from helpdesk.reports.models import (
    DailyMetric,
    FoldState,
    LateClock,
    OpenStretch,
    Quantile,
    QuantileMark,
    TicketDay,
    TicketRaised,
)
from helpdesk.reports.services import fold, rebuild
from helpdesk.tickets.models import Ticket, TicketSpan
from tests.factories import NOW, make_organisation, make_status, make_ticket, make_time_entry
from tests.helpdesk.reports.histories import History

pytestmark = pytest.mark.django_db


def test_a_ticket_that_cannot_be_counted_stops_no_other() -> None:
    """A PSA's null date, west of Greenwich, lies before the first day there is."""
    make_organisation(time_zone="America/New_York")
    tickets = [make_ticket() for _ in range(5)]
    entry = make_time_entry(tickets[1], ended_at=datetime(1, 1, 1, tzinfo=UTC))
    fold(now=NOW)
    assert FoldState.objects.get().caught_up_at == NOW
    counted = TicketDay.objects.values_list("ticket_id", flat=True)
    assert sorted(counted) == [one.pk for one in tickets if one != tickets[1]]
    type(entry).objects.update(ended_at=NOW)
    fold(now=NOW + timedelta(minutes=1))
    assert TicketDay.objects.filter(ticket_id=tickets[1].pk).exists()


KEPT = (TicketDay, DailyMetric, OpenStretch, TicketRaised, LateClock, Quantile, TicketSpan)


def rows(model: Any) -> list[tuple[Any, ...]]:
    names = [f.attname for f in model._meta.concrete_fields if f.name != "id"]
    return sorted(model.objects.values_list(*names), key=repr)


def everything() -> dict[str, list[tuple[Any, ...]]]:
    return {model.__name__: rows(model) for model in KEPT}


def kept() -> list[tuple[Any, ...]]:
    return rows(DailyMetric)


def fold_all(now: Any) -> None:
    while fold(now=now).is_more:
        pass


def count_from_scratch(now: Any) -> None:
    for model in (*KEPT, QuantileMark, FoldState):
        model.objects.all().delete()
    fold_all(now)


@pytest.mark.parametrize("seed", range(12))
def test_counting_step_by_step_equals_counting_from_scratch(seed: int, account: PsaAccount) -> None:
    make_organisation(time_zone="Europe/London")
    history = History(seed, account, NOW - timedelta(days=90))
    for _ in range(12):
        history.go_on(12)
        fold(now=history.now, limit=history.random.choice([1, 3, 50]))
    history.deliver()
    fold_all(history.now)
    in_steps = everything()
    assert {"TicketDay", "TicketSpan", "OpenStretch", "LateClock", "Quantile"} <= {
        name for name, some in in_steps.items() if some
    }
    count_from_scratch(history.now)
    assert everything() == in_steps
    rebuild(now=history.now)
    assert everything() == in_steps


@pytest.mark.parametrize("seed", [3, 11])
def test_every_slice_says_the_same_as_the_contributions(seed: int, account: PsaAccount) -> None:
    history = History(seed, account, NOW - timedelta(days=200))
    history.go_on(250)
    fold_all(history.now)
    first, last = date(2026, 5, 9), date(2026, 12, 12)
    plain = sums(keys={}, first=first, last=last, columns=ALL_COLUMNS)[(1,)]
    own = history.random.choice(history.clients).pk
    for keys in (
        {},
        {"client": [own]},
        {"team": [0]},
        {"rank": [1, 2]},
        {"client": [own], "team": [0]},
        {"client": [own], "rank": [3]},
        {"agent": [history.agents[0].pk]},
        {"agent": [0], "rank": [1]},
    ):
        wanted = sums(keys=keys, first=first, last=last, columns=ALL_COLUMNS).get((1,))
        parts = list(TicketDay.objects.between(first, last).under(keys))
        for name in ("opened", "finished", "resolution_met", "resolution_breached", "billable_seconds", "reopened"):
            assert (wanted[name] if wanted else 0) == sum(getattr(p, name) for p in parts), (keys, name)
        assert (sum(wanted[f"answer_{i}"] for i in range(10)) if wanted else 0) == sum(p.answered for p in parts)
        for by in ("client", "team", "rank", "agent", "day"):
            split = sums(keys=keys, first=first, last=last, by=(by,), columns=ALL_COLUMNS)
            assert sum(t["finished"] for t in split.values()) == (wanted["finished"] if wanted else 0), (keys, by)
    assert plain["opened"] == Ticket.objects.present().filter(opened_at__date__gte=first).count()


def test_a_step_is_bounded_and_goes_on_where_it_stopped() -> None:
    for i in range(7):
        make_ticket(changed_at=NOW - timedelta(minutes=i))
    first = fold(now=NOW, limit=4)
    assert (first.tickets, first.is_more) == (4, True)
    assert FoldState.objects.get().caught_up_at is None
    fold_all(NOW)
    assert TicketDay.objects.count() == 7
    assert FoldState.objects.get().caught_up_at == NOW


def test_nothing_new_writes_nothing() -> None:
    make_ticket()
    fold_all(NOW)
    fold_all(NOW + timedelta(minutes=10))
    with CaptureQueriesContext(connection) as queries:
        assert fold(now=NOW + timedelta(minutes=11)).changed == 0
    rows = [q["sql"] for q in queries if "INSERT" in q["sql"] or "DELETE" in q["sql"]]
    assert rows == []


def test_two_do_not_count_at_once() -> None:
    make_ticket()
    FoldState.objects.create(pk=1, busy_until=NOW + timedelta(minutes=1))
    assert fold(now=NOW).tickets == 0
    assert fold(now=NOW + timedelta(minutes=2)).tickets == 1


def test_a_change_committed_late_is_found() -> None:
    make_ticket(changed_at=NOW)
    fold_all(NOW)
    make_ticket(changed_at=NOW - timedelta(seconds=30))
    fold_all(NOW + timedelta(minutes=3))
    assert TicketDay.objects.count() == 2


def test_the_patrol_finds_what_nobody_told(account: PsaAccount) -> None:
    ticket = make_ticket()
    gone = make_ticket()
    fold_all(NOW)
    Ticket.objects.filter(pk=ticket.pk).update(rank=1)
    gone.delete()
    fold_all(NOW)
    assert list(TicketDay.objects.values_list("ticket_id", "rank")) == [(ticket.pk, 1)]


def test_another_time_zone_counts_every_day_anew() -> None:
    organisation = make_organisation(time_zone="UTC")
    make_ticket(opened_at=NOW.replace(hour=23, minute=30))
    fold_all(NOW)
    assert TicketDay.objects.get().day == date(2026, 11, 17)
    organisation.time_zone = "Asia/Kolkata"
    organisation.save()
    fold_all(NOW)
    assert TicketDay.objects.get().day == date(2026, 11, 18)
    assert {m.day for m in DailyMetric.objects.filter(slice="d")} == {date(2026, 11, 18)}


def test_a_transaction_stays_small(account: PsaAccount) -> None:
    make_status(psa_account=account)
    for _ in range(60):
        make_ticket(psa_account=account)
    with CaptureQueriesContext(connection) as queries:
        fold_all(NOW)
    inserts = [q["sql"] for q in queries if "INSERT INTO" in q["sql"] and "reports_ticketday" in q["sql"]]
    assert len(inserts) == (3 if connection.vendor == "sqlite" else 1)


def test_rebuilding_mends_sums_that_went_wrong(capsys: Any) -> None:
    make_ticket()
    make_ticket(opened_at=NOW - timedelta(days=40))
    fold_all(NOW)
    right = kept()
    DailyMetric.objects.filter(slice="d").update(opened=99)
    DailyMetric.objects.filter(slice="mc").delete()
    call_command("aggregate")
    assert kept() == right
    assert "2 tickets counted" in capsys.readouterr().out


@pytest.mark.parametrize("since", [None, "2026-11-01"])
def test_rebuilding_mends_medians_that_went_wrong(since: str | None, account: PsaAccount) -> None:
    for days in (0, 1, 400):
        opened = NOW - timedelta(days=days)
        ticket = make_ticket(opened_at=opened, status=make_status("closed", psa_account=account))
        Ticket.objects.filter(pk=ticket.pk).update(finished_at=opened + timedelta(hours=1 + days))
    fold_all(NOW)
    right = rows(Quantile)
    assert right
    Quantile.objects.filter(dimension="", day__year=2026).update(median=1)
    Quantile.objects.filter(dimension="client", day__year=2026).delete()
    call_command("aggregate", *(["--since", since] if since else []))
    assert rows(Quantile) == right


def test_rebuilding_since_a_day_leaves_the_rest(capsys: Any) -> None:
    make_ticket(opened_at=NOW - timedelta(days=90), changed_at=NOW - timedelta(days=90))
    make_ticket()
    fold_all(NOW)
    call_command("aggregate", "--since", "2026-11-01")
    assert "1 tickets counted" in capsys.readouterr().out


@pytest.mark.parametrize("seed", [4, 9])
def test_the_lowest_shares_are_those_of_the_contributions(seed: int, account: PsaAccount) -> None:
    """With periods that end early and late in a month, of which the rest is taken off, and after late changes."""
    history = History(seed, account, NOW - timedelta(days=150))
    own = history.random.choice(history.clients).pk
    for _ in range(2):
        history.go_on(90)
        fold_all(history.now)
        middle = history.now.date() - timedelta(days=20)
        for last in (middle.replace(day=9), middle.replace(day=22), history.now.date() + timedelta(days=1)):
            first = (last - timedelta(days=80)).replace(day=1)
            for keys, by in (({}, "client"), ({"team": [0]}, "client"), ({"client": [own], "rank": [2, 3]}, "agent")):
                parts: dict[int, Totals] = {}
                for part in TicketDay.objects.between(first, last).under(keys):
                    verdicts = Totals({name: getattr(part, name) for name in VERDICTS})
                    parts[getattr(part, by)] = Totals.of([parts.get(getattr(part, by), Totals()), verdicts], VERDICTS)
                wanted = {key: totals.values for key, totals in parts.items() if totals}
                found, total = lowest(keys=keys, first=first, last=last, dimension=by, fewest=3, limit=50)
                assert {key: totals.values for key, totals in found} == wanted, (last, keys)
                assert total == len(wanted)
                enough = [totals.percent("resolution") or 0.0 for _, totals in found if totals.judged("resolution") > 2]
                assert enough == sorted(enough)
                assert all(t.judged("resolution") > 2 for _, t in found[: len(enough)])
                assert lowest(keys=keys, first=first, last=last, dimension=by, fewest=3, limit=1) == (found[:1], total)
