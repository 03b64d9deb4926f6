"""Odd corners of the figures: cycles that began anew, linked customers, days at the rim of the calendar."""

from __future__ import annotations

import html
import re
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from django.test import Client as Browser
from django.utils import timezone

from helpdesk.directory.groups import link
from helpdesk.directory.models import PsaAccount
from helpdesk.reports import drill, export, figures, services
from helpdesk.reports.filters import Filters, read_filters
from helpdesk.reports.metrics import METRICS
from helpdesk.reports.periods import Period, read_period
from helpdesk.tickets.models import Ticket
from tests.factories import NOW, make_account, make_client, make_clock, make_organisation, make_status, make_ticket
from tests.helpdesk.reports.test_views import behind, count_all, mona  # noqa: F401
from tests.people import make_ada

pytestmark = [pytest.mark.django_db, pytest.mark.urls("tests.helpdesk.reports.urls")]
HOUR = timedelta(hours=1)
DAY = date(2026, 6, 1)


# ---- a ticket whose resolution began anew ---------------------------------------------------------------------------


@pytest.mark.parametrize("apart", [timedelta(hours=3), timedelta(days=3)], ids=["one day", "three days"])
def test_every_cycle_of_a_ticket_is_counted_and_stands_in_the_file_once(apart: timedelta) -> None:
    first, closed = datetime(2026, 6, 2, 9, tzinfo=UTC), make_status("closed")
    ticket = make_ticket(status=closed, opened_at=first - 5 * HOUR, finished_at=first + apart)
    make_clock(
        ticket, state="met", due_at=first + apart + HOUR, finished_at=first + apart, burned_seconds=1800,
        earlier=[[first.isoformat(), False, False, 7200, 0]],
    )  # fmt: skip
    services.rebuild(now=NOW)
    days = Period(name="custom", first=DAY, last=date(2026, 6, 30), before_first=DAY, before_last=DAY)
    for filters in (Filters(), read_filters({"client": str(ticket.client_id), "priority": str(ticket.rank)})):
        totals = figures.whole(days, filters)
        assert totals["resolution_met"] == totals["resolve_timed"] == 2
        assert sum(totals[name] for name in figures.BUCKETS_OF["resolve_work"]) == (
            1 if apart < timedelta(days=1) else 2
        )
        for metric in ("resolution_met", "resolution", "resolve_timed"):
            wanted = drill.Drill(
                metric=METRICS[metric], filters=filters, first=days.first, last=days.last, now=timezone.now()
            )
            seen = Ticket.objects.all()
            days_of = 1 if apart < timedelta(days=1) else 2
            assert [pk for some in drill.every_key(wanted, seen) for pk in some] == [ticket.pk] * days_of
            assert (drill.count(wanted, seen), drill.times_in_all(wanted)) == (days_of, 2)
            (row,) = export.rows(wanted, seen, UTC)
            assert row[-1] == 2
            said = dict(zip(export.header(UTC), row, strict=True))
            assert said["Counted: resolution met"] == 2


# ---- customers of several accounts ----------------------------------------------------------------------------------

NUMBER = re.compile(r'<a href="(/reports/tickets/[^"]*)"[^>]*>(\d+)</a>')


@pytest.fixture
def linked(account: PsaAccount) -> Any:
    """One customer in two accounts, with more in one than in the other, and somebody else."""
    make_organisation(time_zone="Europe/London")
    other = make_account(name="second", kind="autotask")
    rows = [make_client("Northwind", psa_account=one) for one in (account, other)]
    rows.append(make_client("Kestrel", psa_account=account))
    last = timezone.now() - timedelta(days=2)
    for client, count in zip(rows, (7, 6, 9), strict=True):
        closed, started = make_status("closed", psa_account=client.psa_account), last - 9 * HOUR
        for number in range(count):
            ticket = make_ticket(
                client=client, psa_account=client.psa_account, status=closed, opened_at=started, finished_at=last
            )
            make_clock(ticket, state="breached" if number < 3 else "met", due_at=last, finished_at=last)
        make_ticket(client=client, psa_account=client.psa_account, opened_at=last)
    link(client_ids=[rows[0].pk, rows[1].pk], user_id=make_ada().pk, now=timezone.now())
    count_all()
    return rows


@pytest.mark.parametrize("name", ["", "compliance/", "clients/"])
@pytest.mark.parametrize("more", ["", "&all=1", "&priority=1,2,3,4"])
def test_every_number_of_a_linked_customer_opens_that_many_tickets(
    mona: Browser, linked: Any, name: str, more: str  # noqa: F811
) -> None:  # fmt: skip
    text = mona.get(f"/reports/{name}?period=30d{more}").content.decode()
    seen = [(html.unescape(href), int(n)) for href, n in NUMBER.findall(text) if "client=" in href]
    assert seen
    for href, number in seen:
        assert len(behind(mona, href)) == number, href


# ---- the rim of the calendar ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("first", "last"),
    [("0003-01-01", "0007-12-31"), ("0001-01-01", "0001-01-02"), ("0004-02-29", "0008-02-28"), ("9999-12-31", "")],
)
def test_no_day_is_too_far_away(mona: Browser, first: str, last: str) -> None:  # noqa: F811
    for page in ("", "tickets/", "compliance/", "backlog/", "clients/"):
        assert mona.get(f"/reports/{page}?from={first}&to={last}").status_code == 200
    assert read_period({"from": first, "to": last}, today=DAY).before_first >= date.min
