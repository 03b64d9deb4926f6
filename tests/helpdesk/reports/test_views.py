from __future__ import annotations

import csv
import html
import io
import re
from collections.abc import Iterator
from datetime import date, datetime, timedelta
from typing import Any

import pytest
from django.db import connection
from django.test import Client as Browser
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from helpdesk.accounts.models import AuditEntry, User
from helpdesk.accounts.permissions import can
from helpdesk.directory.models import PsaAccount
from helpdesk.reports.export import safe_cell
from helpdesk.reports.metrics import METRICS
from helpdesk.reports.services import fold
from helpdesk.tickets.models import Ticket
from tests.factories import make_client, make_clock, make_organisation, make_status, make_ticket, make_time_entry
from tests.helpdesk.reports.histories import History
from tests.people import EVERYBODY, make_mona

pytestmark = [pytest.mark.django_db, pytest.mark.urls("tests.helpdesk.reports.urls")]


@pytest.fixture
def mona(client: Browser) -> Browser:
    client.force_login(make_mona())
    return client


def count_all() -> None:
    while fold(now=timezone.now()).is_more:
        pass


@pytest.fixture
def history(account: PsaAccount) -> History:
    make_organisation(time_zone="Europe/London")
    made = History(5, account, timezone.now() - timedelta(days=100))
    made.go_on(220)
    Ticket.objects.exclude(changed_at__lt=timezone.now()).update(changed_at=timezone.now())
    count_all()
    return made


def links(page: bytes, metric: str) -> list[tuple[str, str]]:
    """(address, what is written on it) of every link to the tickets behind a figure."""
    found = re.findall(r'<a href="(/reports/tickets/[^"]*)"[^>]*>([^<]*)</a>', page.decode())
    wanted = re.compile(rf"metric={metric}(&|$)")
    return [(href, text) for href, text in ((html.unescape(h), t) for h, t in found) if wanted.search(href)]


def behind(browser: Browser, href: str) -> list[str]:
    """Every ticket that the pages of a drill-down list; the number on top is the same."""
    rows: list[str] = []
    first = None
    while href:
        text = browser.get(href).content.decode()
        first = first or int(re.search(r'id="count">([\d,]+)', text)[1].replace(",", ""))  # type: ignore[index]
        rows += re.findall(r'<tr data-ticket="(\d+)"', text)
        following = re.search(r'href="([^"]*)" rel="next"', text)
        href = html.unescape(following[1]) if following else ""
    assert len(rows) == first or (not rows and not first)
    return rows


def file_rows(browser: Browser, href: str) -> list[dict[str, str]]:
    answer = browser.get(href.replace("/reports/tickets/", "/reports/csv/"))
    text = b"".join(answer.streaming_content).decode("utf-8-sig")  # type: ignore[attr-defined]
    return list(csv.DictReader(io.StringIO(text)))


WHOLE = {"opened": "opened", "finished": "finished", "resolution_breached": "resolution_breached",
         "reopened": "reopened", "escalated": "escalated"}  # fmt: skip


@pytest.mark.parametrize("query", ["?period=year", "?period=quarter&priority=2,3", "?period=month&compare=off"])
def test_numbers_equal_their_tickets_and_their_file_to_the_unit(mona: Browser, history: History, query: str) -> None:
    page = mona.get(f"/reports/{query}").content
    for metric, column in WHOLE.items():
        for href, text in [found for found in links(page, metric) if found[1].replace(",", "").isdecimal()][:9]:
            tickets = behind(mona, href)
            figure = int(text.replace(",", ""))
            # One ticket may be reopened several times.
            assert len(tickets) == len(set(tickets)) <= figure, (metric, href)
            assert len(tickets) == figure or METRICS[metric].is_sum, (metric, href)
            rows = file_rows(mona, href)
            assert len(rows) == len(tickets)
            assert sum(int(row[f"Counted: {column.replace('_', ' ')}"]) for row in rows) == figure
            assert sum(int(row["Counts in this figure (times or seconds)"]) for row in rows) == figure


def test_live_numbers_equal_their_tickets(mona: Browser, history: History) -> None:
    page = mona.get("/reports/?period=year").content
    seen = 0
    for metric in ("open", "unassigned", "waiting_long", "at_risk", "breached_now"):
        for href, text in links(page, metric):
            if text.isdecimal():
                assert len(behind(mona, href)) == int(text), href
                seen += 1
    assert seen > 10


def test_shares_and_time_are_those_of_their_tickets(mona: Browser, history: History) -> None:
    page = mona.get("/reports/?period=year").content.decode()
    href, text = links(page.encode(), "compliance")[0]
    met, judged = re.search(r"(\d+) of (\d+), with those open now", page).groups()  # type: ignore[union-attr]
    assert len(behind(mona, href)) == int(judged)
    assert text == f"{100 * int(met) / int(judged):.1f} %"
    href, text = links(page.encode(), "billable")[0]
    rows = file_rows(mona, href)
    assert text == f"{sum(int(row['Counted: billable seconds']) for row in rows) / 3600:.2f} h"
    assert len(rows) == len(behind(mona, href))


def test_nothing_is_a_dash_and_known_values_keep_their_rows(mona: Browser) -> None:
    make_status("new")
    text = mona.get("/reports/").content.decode()
    assert text.count(">-</a>") >= 4
    assert "NaN" not in text
    for word in ("Waiting on third party", "Escalated", "Critical", "Low"):
        assert word in text
    assert "are being counted" in text
    count_all()
    assert "are being counted" not in mona.get("/reports/").content.decode()


def test_the_mean_and_the_share_are_rounded_as_they_say(mona: Browser) -> None:
    now = timezone.now()
    closed = make_status("closed")
    for minutes, state in ((100, "met"), (101, "met"), (200, "breached")):
        ticket = make_ticket(status=closed, opened_at=now - timedelta(minutes=minutes), finished_at=now)
        make_clock(ticket, state=state, finished_at=now, due_at=now, is_retroactive=state == "breached")
    count_all()
    text = mona.get("/reports/?period=7d").content.decode()
    assert "66.7 %" in text
    assert "2.23 h" in text
    assert "1 retroactive" in text


@pytest.mark.parametrize(
    ("query", "said"),
    [
        ("from=2026-03-05&to=2026-03-01", "turned them round"),
        ("from=1970-01-01&to=2099-12-31", "five years"),
        ("period=fortnight", "not one of ours"),
        ("from=x&to=%00", "not a day"),
        ("client=999999", "Client “999999”"),
        ("priority=urgent&team=nobody&colour=red", "filter “colour”"),
        ("by=planet", "table by “planet”"),
        ("client=%27%3B--", "Left out"),
    ],
)
def test_what_makes_no_sense_is_said_and_costs_no_more(mona: Browser, query: str, said: str) -> None:
    mona.get("/reports/")
    with CaptureQueriesContext(connection) as queries:
        answer = mona.get(f"/reports/?{query}")
    assert answer.status_code == 200
    assert said in html.unescape(answer.content.decode())
    assert len(queries) <= 14
    assert mona.get(f"/reports/tickets/?{query}").status_code == 200


@pytest.mark.parametrize(
    "query", ["metric=soup", "metric=open&status=soup", "metric=opened&cursor=AAAA", "metric=open&cursor=eyJ4"]
)
def test_a_drill_down_that_nobody_knows(mona: Browser, query: str) -> None:
    answer = mona.get(f"/reports/tickets/?{query}")
    assert answer.status_code == 200
    assert "Left out" in answer.content.decode()


def test_filters_stand_in_the_address_and_go_one_by_one(mona: Browser) -> None:
    firm = make_client("Quayside Hotels")
    make_ticket(client=firm, opened_at=timezone.now())
    make_ticket(client=make_client("Lumen"), opened_at=timezone.now())
    count_all()
    text = mona.get("/reports/?client=quayside&priority=medium&compare=off").content.decode()
    assert "<b>Quayside Hotels</b>" in text
    assert f'href="/reports/?period=30d&amp;client={firm.pk}&amp;compare=off"' in text
    assert links(text.encode(), "opened")[0][1] == "1"


def test_every_metric_opens(mona: Browser, history: History) -> None:
    for metric in METRICS:
        assert mona.get(f"/reports/tickets/?period=year&metric={metric}").status_code == 200
        behind(mona, f"/reports/tickets/?period=year&metric={metric}")


@pytest.mark.parametrize("path", ["/reports/", "/reports/tickets/", "/reports/csv/"])
@pytest.mark.parametrize("name", list(EVERYBODY))
def test_only_those_who_may_see_reports(client: Browser, account: PsaAccount, path: str, name: str) -> None:
    person: User = EVERYBODY[name](account)
    client.force_login(person)
    flag = "reports.export" if path.endswith("csv/") else "reports.view"
    assert client.get(path).status_code == (200 if can(person, flag) else 403)
    assert client.post(path).status_code in (403, 405)
    if name in ("cleo", "otto"):
        assert client.get(path, headers={"HX-Request": "true"}).status_code == 403


def test_strangers_are_asked_to_sign_in(client: Browser) -> None:
    assert client.get("/reports/").status_code == 302


@pytest.mark.parametrize(
    "text", ["=1+1", "+1", "-1", "@x", "\tx", "\rx", "\n=1", "  =cmd|' /C calc'!A0", "\uff1d1", " \uff20x"]
)
def test_a_spreadsheet_runs_nothing(text: str) -> None:
    assert safe_cell(text) == f"'{text}"


def test_a_file_holds_one_line_per_ticket_and_is_audited(mona: Browser) -> None:
    firm = make_client('=HYPERLINK("http://x")')
    ticket = make_ticket('@SUM(A1)\n"quoted", commas', client=firm, opened_at=timezone.now())
    make_time_entry(ticket, ended_at=timezone.now())
    count_all()
    rows = file_rows(mona, "/reports/tickets/?metric=opened&period=7d")
    assert [row["Subject"] for row in rows] == ['\'@SUM(A1)\n"quoted", commas']
    assert rows[0]["Client"].startswith("'=")
    assert rows[0]["Counted: billable seconds"] == "900"
    entry = AuditEntry.objects.get()
    assert (entry.verb, entry.subject, entry.detail["tickets"]) == ("report.export", "report:opened", 1)


def test_names_never_become_markup(mona: Browser) -> None:
    nasty = '"><script>alert(1)</script>'
    now = timezone.now()
    closed = make_status("closed")
    for _ in range(6):
        ticket = make_ticket(nasty, client=make_client(nasty), status=closed, opened_at=now, finished_at=now)
        make_clock(ticket, state="met", finished_at=now)
    make_ticket(nasty, client=make_client(nasty), opened_at=now, next_due_at=now - timedelta(hours=1))
    count_all()
    for address in ("/reports/?all=1", f"/reports/?client={nasty}", "/reports/tickets/?metric=opened"):
        page = mona.get(address).content.decode()
        assert "<script>alert" not in page
        assert "style=" not in page
        assert not re.search(r"<script(?![^>]*src=)", page)


def _days() -> Iterator[datetime]:
    now = timezone.now()
    for back in range(0, 330, 11):
        yield now - timedelta(days=back)


def test_more_tickets_ask_no_more_queries(mona: Browser, account: PsaAccount) -> None:
    closed = make_status("closed", psa_account=account)

    def grow() -> None:
        for at in _days():
            ticket = make_ticket(
                psa_account=account, client=make_client(f"C{at.day}", psa_account=account), status=closed,
                opened_at=at, finished_at=at, changed_at=timezone.now(),
            )  # fmt: skip
            make_clock(ticket, state="met", finished_at=at)
        make_ticket(psa_account=account, next_due_at=timezone.now() - timedelta(hours=1), opened_at=timezone.now())
        count_all()

    def ask(address: str) -> int:
        """The fewest of some: what is kept for some seconds may just have run out."""
        found = []
        for _ in range(3):
            with CaptureQueriesContext(connection) as queries:
                mona.get(address)
            found.append(len(queries))
        return min(found)

    addresses = ["/reports/?period=year", "/reports/tickets/?metric=finished&period=year",
                 "/reports/tickets/?metric=compliance&period=year"]  # fmt: skip
    grow()
    before = [ask(address) for address in addresses]
    grow()
    assert [ask(address) for address in addresses] == before
    assert max(before) <= 12, before


def test_days_of_the_zone_are_printed(mona: Browser, history: History) -> None:
    text = mona.get("/reports/").content.decode()
    assert "days in Europe/London" in text
    assert isinstance(history.now.date(), date)


def test_figures_of_a_period_before_stand_beside(mona: Browser) -> None:
    now: Any = timezone.now()
    make_ticket(opened_at=now)
    make_ticket(opened_at=now)
    make_ticket(opened_at=now - timedelta(days=8))
    count_all()
    text = mona.get("/reports/?period=7d").content.decode()
    assert '<span class="hush"> up</span>' in text
    alone = mona.get("/reports/?period=7d&compare=off&client=none").content.decode()
    assert '<span class="hush"> up</span>' not in alone


def test_the_first_finish_stands_beside_the_last_of_tickets_reopened(mona: Browser, history: History) -> None:
    text = mona.get("/reports/tickets/?period=year&metric=reopened").content.decode()
    rows = file_rows(mona, "/reports/tickets/?period=year&metric=reopened")
    known = [name for name in rows[0] if name.startswith("First finished")]
    assert ">First finished</th>" in text
    assert sum(1 for row in rows if row[known[0]]) > 2
    assert ">First finished</th>" not in mona.get("/reports/tickets/?period=year&metric=opened").content.decode()


def test_nothing_is_more_than_before_there_was_anything(mona: Browser) -> None:
    make_ticket(opened_at=timezone.now(), finished_at=timezone.now(), status=make_status("closed"))
    count_all()
    assert 'class="delta" data-bad' not in mona.get("/reports/?period=7d").content.decode()
