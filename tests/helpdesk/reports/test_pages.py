"""The manager's pages beside the overview: their numbers, their files, what they cost and who may see them."""

from __future__ import annotations

import csv
import html
import io
import re
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.test import Client as Browser
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from openpyxl import load_workbook

from helpdesk.accounts.models import AuditEntry, User
from helpdesk.accounts.permissions import can
from helpdesk.core.formatting import duration, open_duration
from helpdesk.directory.models import Client, PsaAccount
from helpdesk.tickets.models import TicketEvent
from tests.factories import (
    make_account,
    make_agent,
    make_client,
    make_clock,
    make_organisation,
    make_status,
    make_ticket,
    make_time_entry,
)
from tests.helpdesk.reports.histories import History
from tests.helpdesk.reports.test_views import behind, count_all, file_rows, history, mona  # noqa: F401
from tests.people import EVERYBODY, make_theo

pytestmark = [pytest.mark.django_db, pytest.mark.urls("tests.helpdesk.reports.urls")]

PAGES = ["compliance", "times", "breaches", "backlog", "workload", "clients"]
ADDRESSES = [f"/reports/{page}/" for page in PAGES]
NUMBER = re.compile(r'<a href="(/reports/tickets/[^"]*metric=([a-z_]+)[^"]*)"[^>]*>([\d,]+)</a>')
SUMMED = {"response_met", "response_breached", "resolution_met", "resolution_breached", "retroactive", "finished",
          "answered", "opened", "open", "breached_now", "response_retroactive",
          "response_corrected", "resolution_corrected", "response_paused", "resolution_paused", "backlog", "resolution",
          "response", "answer_timed", "resolve_timed", "excluded"}  # fmt: skip


def numbers(page: str) -> list[tuple[str, str, int]]:
    """(address, metric, number) of every number that opens its tickets."""
    found = [(html.unescape(href), metric, int(text.replace(",", ""))) for href, metric, text in NUMBER.findall(page)]
    return [one for one in found if one[1] in SUMMED]


@pytest.mark.parametrize("by", ["client", "team", "agent", "priority", "type", "category", "account"])
def test_every_number_of_compliance_opens_that_many_tickets(mona: Browser, history: History, by: str) -> None:  # noqa: F811
    page = mona.get(f"/reports/compliance/?period=year&by={by}").content.decode()
    seen = [one for one in numbers(page) if one[2]]
    assert len(seen) > 5
    for href, _metric, number in seen[::3]:
        assert len(behind(mona, href)) == number, href


@pytest.mark.parametrize(
    "address",
    [
        "workload/?period=year",
        "clients/?period=year",
        "backlog/?period=quarter",
        "compliance/?period=quarter&by=day",
        *(
            f"workload/?period=year&by={by}"
            for by in ("team", "client", "priority", "type", "category", "account", "day")
        ),
        *(f"times/?period=year&by={by}" for by in ("agent", "category", "day")),
        "times/?period=year&clock=open",
    ],
)
def test_every_number_of_work_and_clients_opens_that_many_tickets(
    mona: Browser,  # noqa: F811
    history: History,  # noqa: F811
    address: str,
) -> None:
    page = mona.get(f"/reports/{address}").content.decode()
    seen = [one for one in numbers(page) if one[2]]
    assert len(seen) > 7
    for href, _metric, number in seen[::3]:
        assert len(behind(mona, href)) == number, href


def test_every_number_of_a_review_opens_that_many_tickets(mona: Browser, history: History) -> None:  # noqa: F811
    client = history.clients[0]
    page = mona.get(f"/reports/clients/{client.pk}/?period=year").content.decode()
    seen = [one for one in numbers(page) if one[2]]
    assert len(seen) > 5
    for href, _metric, number in seen[::2]:
        assert f"client={client.pk}" in href
        assert len(behind(mona, href)) == number, href


def cells(page: str) -> list[list[str]]:
    """Lines of the first table: what is written in each cell, without pictures and changes."""
    body = re.search(r"<tbody>(.*?)</table>", page, re.DOTALL)[1]  # type: ignore[index]
    wanted = re.compile(r"<t[hd](?! class=\"bar)[^>]*>(.*?)</t[hd]>")
    rows = re.findall(r"<tr>(.*?)</tr>", body, re.DOTALL)
    return [[html.unescape(re.sub(r"<[^>]+>", "", cell)) for cell in wanted.findall(row)] for row in rows]


def as_number(text: str) -> Any:
    text = text.replace(",", "")
    return None if text == "-" else float(text) if re.fullmatch(r"-?[\d.]+", text) else text


TABLES = {"compliance": 3, "times": 2, "workload": 1, "clients": 1, "backlog": 4}


def as_shown(value: Any, text: str) -> bool:
    """Whether a value of a file is what the page says: times stand in minutes there, and in words here."""
    if value in (None, ""):
        return text in ("", "-")
    if re.search(r"\d (min|h|d)\b", text):
        said = {duration(int(value) * 60), open_duration(int(value) * 60), "1 min" if not int(value) else ""}
        return re.sub(r"^(≈|over) ", "", text) in said
    number = as_number(text)
    return float(value) == number if isinstance(number, float) else str(value) == text


@pytest.mark.parametrize("name", list(TABLES))
@pytest.mark.parametrize("more", ["", "&by=day", "&by=priority&clock=open"])
def test_page_csv_and_workbook_hold_the_same_numbers(mona: Browser, history: History, name: str, more: str) -> None:  # noqa: F811
    query = f"?period=year&compare=off&all=1{more}"
    page = mona.get(f"/reports/{name}/{query}").content.decode()
    shown = [cells(f"<tbody>{text}</table>") for text in re.findall(r"<tbody>(.*?)</table>", page, re.DOTALL)]
    assert len(shown) == TABLES[name]
    book = load_workbook(io.BytesIO(mona.get(f"/reports/files/{name}.xlsx{query}").content))
    text = mona.get(f"/reports/files/{name}.csv{query}").content.decode("utf-8-sig")
    parts = [list(csv.reader(io.StringIO(part)))[2:] for part in text.split("\r\n\r\n")][-len(shown) :]
    for lines, sheet, rows in zip(shown, book.worksheets[-len(shown) :], parts, strict=True):
        assert lines
        for taken in (list(sheet.iter_rows(min_row=2, values_only=True)), rows):
            assert len(taken) == len(lines)
            for line, row in zip(lines, taken, strict=True):
                assert line[0] == row[0]
                assert all(as_shown(v, t) for t, v in zip(line[1:], row[1:], strict=True)), (line, row)


BREACHES = ["resolution", "response", "open"]


@pytest.mark.parametrize("kind", BREACHES)
def test_each_breached_ticket_stands_with_a_reason(mona: Browser, history: History, kind: str) -> None:  # noqa: F811
    address = f"/reports/breaches/?period=year&kind={kind}"
    page = mona.get(address).content.decode()
    href = html.unescape(re.search(r'id="count" href="([^"]*)">(\d+)', page)[1])  # type: ignore[index]
    rows: list[str] = []
    while True:
        rows += re.findall(r'<li data-ticket="(\d+)"', page)
        assert len(re.findall(r'class="reason">[^<]{12,}\.</span>', page)) == page.count("<li data-ticket=")
        following = re.search(r'href="([^"]*)" rel="next"', page)
        if not following:
            break
        page = mona.get(html.unescape(following[1])).content.decode()
    assert rows == behind(mona, href)


def test_the_reason_names_who_and_how_long(mona: Browser) -> None:  # noqa: F811
    now = timezone.now()
    opened = now - timedelta(hours=6)
    ticket = make_ticket("Till is down", status=make_status("closed"), opened_at=opened, finished_at=now)
    make_clock(
        ticket, state="breached", started_at=opened, due_at=now - timedelta(hours=1), finished_at=now, source="psa",
        breached_at=now - timedelta(hours=1), is_corrected=True,
    )  # fmt: skip
    TicketEvent.objects.create(
        ticket=ticket, field="agent", new="1", new_label="Priya Nair", at=now - timedelta(hours=1), known_at=now,
        origin="psa",
    )  # fmt: skip
    count_all()
    for address in ("/reports/breaches/?period=7d", "/reports/latest/?period=7d"):
        page = html.unescape(mona.get(address).content.decode())
        assert "Waited 5 h without an owner before Priya Nair took it; 1 h over." in page
        assert "corrected by hand" in page
        assert "by the PSA’s own date" in page
    review = html.unescape(mona.get(f"/reports/clients/{ticket.client_id}/?period=7d").content.decode())
    assert "before Priya took it" in review
    assert "Nair" not in review


def test_escalations_stand_by_what_raised_them_and_to_which_level(mona: Browser, history: History) -> None:  # noqa: F811
    page = mona.get("/reports/compliance/?period=year").content.decode()
    page = page[page.index('id="escalations"') :]
    found = [(html.unescape(h), int(n)) for h, n in re.findall(r'<a href="([^"]*metric=raised_[^"]*)">(\d+)</a>', page)]
    assert sum(number for _href, number in found[::2]) > 5
    for (href, times), (_same, tickets) in zip(found[::2], found[1::2], strict=True):
        assert len(behind(mona, href)) == tickets
        rows = file_rows(mona, href)
        assert len(rows) == tickets
        assert sum(int(row["Counts in this figure (times or seconds)"]) for row in rows) == times


def test_medians_are_exact_where_they_are_kept_and_marked_where_not(mona: Browser) -> None:  # noqa: F811
    now = timezone.now()
    today = now.date()
    for minutes in (61, 62, 63, 100):
        opened = now - timedelta(minutes=minutes)
        make_ticket(opened_at=opened, finished_at=now, status=make_status("closed"))
    count_all()
    month = cells(mona.get("/reports/times/?period=month").content.decode())
    assert month[2][1:5] == ["4", "1 h 11 min", "1 h 02 min", "1 h 40 min"]
    odd = f"from={(today - timedelta(days=40)).replace(day=2)}&to={today}"
    assert cells(mona.get(f"/reports/times/?{odd}").content.decode())[2][3].startswith("≈ ")
    assert "90 % within 1 h 40 min" in mona.get("/reports/?period=month").content.decode()


def test_ten_clients_are_reviewed_in_ten_clicks(mona: Browser) -> None:  # noqa: F811
    now, closed = timezone.now(), make_status("closed")
    for i in range(10):
        client = make_client(f"Client {i}")
        for n in range(10):
            ticket = make_ticket(client=client, status=closed, opened_at=now, finished_at=now)
            make_clock(ticket, state="breached" if n < i else "met", finished_at=now, due_at=now)
    count_all()
    page = mona.get("/reports/clients/?period=7d").content.decode()
    href: Any = re.search(r'href="(/reports/clients/\d+/[^"]*)">', page)
    seen = []
    while href:
        page = mona.get(html.unescape(href[1])).content.decode()
        seen.append(re.search(r"<h1>(.*?)</h1>", page)[1])  # type: ignore[index]
        href = re.search(r'href="([^"]*)" rel="next"', page)
    assert seen == [f"Client {i}" for i in range(9, -1, -1)]


def test_owners_of_two_accounts_who_are_one_person_are_one_line(mona: Browser, account: PsaAccount) -> None:  # noqa: F811
    now, theo = timezone.now(), make_theo(account)
    for psa in (account, make_account("second")):
        agent = make_agent("Theo Marsh", psa_account=psa, user=theo)
        status = make_status("closed", psa_account=psa)
        ticket = make_ticket(psa_account=psa, agent=agent, status=status, opened_at=now, finished_at=now)
        make_clock(ticket, state="met", finished_at=now)
        make_time_entry(ticket, 5400, agent=agent, ended_at=now, is_billable=True)
    count_all()
    for address in ("/reports/workload/?period=7d", "/reports/compliance/?period=7d&by=agent"):
        page = mona.get(address).content.decode()
        page = page[page.index('id="by-agent"') :]
        lines = [row for row in cells(page) if row[0] == "Theo Marsh"]
        assert len(lines) == 1
        found = [one for one in numbers(page) if "agent=" in one[0] and one[2]]
        assert {number for _href, _metric, number in found} == {2}
        assert len(behind(mona, found[0][0])) == 2
    assert "3.00" in mona.get("/reports/workload/?period=7d").content.decode()


@pytest.mark.parametrize(
    ("email", "other", "names"),
    [
        ("ingrid@msp.test", "Ingrid@msp.test", ["Ingrid Solberg"]),
        ("ingrid@msp.test", "solberg@msp.test", ["Ingrid Solberg (HaloPSA)", "Ingrid Solberg (Tenant two)"]),
    ],
)
def test_owners_without_a_user_are_joined_by_address_or_told_apart(
    mona: Browser,  # noqa: F811
    email: str,
    other: str,
    names: list[str],
) -> None:
    now = timezone.now()
    for title, address in (("HaloPSA", email), ("Tenant two", other)):
        psa = make_account(title.lower(), title=title)
        agent = make_agent("Ingrid Solberg", psa_account=psa, email=address)
        for _ in range(3):
            status = make_status("closed", psa_account=psa)
            ticket = make_ticket(psa_account=psa, agent=agent, status=status, opened_at=now, finished_at=now)
            make_clock(ticket, state="breached", finished_at=now, due_at=now)
    count_all()
    for page in ("workload/?period=7d", "compliance/?period=7d&by=agent", "?period=7d&by=agent"):
        text = mona.get(f"/reports/{page}").content.decode()
        text = text[text.index('id="by') :]
        assert [row[0] for row in cells(text) if row[0].startswith("Ingrid")] == names, page
        found = [one for one in numbers(text) if "agent=" in one[0] and one[1] in ("finished", "resolution_breached")]
        assert {number for _href, _metric, number in found} == {6 // len(names)}, page
        assert all(len(behind(mona, href)) == number for href, _metric, number in found)


def test_a_review_holds_what_the_client_may_read_and_nobody_elses(mona: Browser) -> None:  # noqa: F811
    now = timezone.now()
    ours, theirs = make_client("Northwind"), make_client("Kestrel")
    make_ticket("Our printer", client=ours, opened_at=now, status=make_status("waiting_client"))
    make_ticket("Their secret", client=theirs, opened_at=now)
    count_all()
    page = mona.get(f"/reports/clients/{ours.pk}/").content.decode()
    assert "Our printer" in page
    assert "waits for an answer of yours" in page
    assert "Their secret" not in page
    assert "Kestrel" not in page
    assert mona.get("/reports/clients/999999/").status_code == 404


def test_more_tickets_than_a_workbook_is_made_of_leave_as_csv(
    mona: Browser,  # noqa: F811
    account: PsaAccount,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    for place in range(3):
        make_ticket(f"Ticket {place}", opened_at=timezone.now())
    count_all()
    address = "?metric=opened&period=7d"
    assert "/reports/xlsx/" in mona.get(f"/reports/tickets/{address}").content.decode()
    assert mona.get(f"/reports/xlsx/{address}").status_code == 200
    monkeypatch.setattr("helpdesk.reports.views.MOST_IN_WORKBOOK", 2)
    page = mona.get(f"/reports/tickets/{address}").content.decode()
    assert "/reports/csv/" in page
    assert "/reports/xlsx/" not in page
    instead = mona.get(f"/reports/xlsx/{address}", follow=True)
    assert instead.redirect_chain == [(f"/reports/csv/{address}", 302)]
    assert b"".join(instead.streaming_content).count(b"Ticket ") == 3


@pytest.mark.parametrize("path", [*ADDRESSES, "/reports/latest/", "/reports/files/compliance.csv",
                                  "/reports/files/overview.xlsx", "/reports/xlsx/"])  # fmt: skip
@pytest.mark.parametrize("name", list(EVERYBODY))
def test_only_those_who_may_see_reports(client: Browser, account: PsaAccount, path: str, name: str) -> None:
    person: User = EVERYBODY[name](account)
    client.force_login(person)
    flag = "reports.export" if "/files/" in path or "xlsx" in path else "reports.view"
    assert client.get(path).status_code == (200 if can(person, flag) else 403)
    assert client.post(path).status_code in (403, 405)


SENSELESS = [
    ("from=2026-03-05&to=2026-03-01", "turned them round"),
    ("from=1970-01-01&to=2019-12-31", "five years"),
    ("from=2076-01-01&to=2126-12-31", "still to come"),
    ("period=fortnight", "not one of ours"),
    ("from=x&to=%00", "not a day"),
    ("client=999999&colour=red", "filter “colour”"),
    ("by=planet&kind=soup&cursor=AAAA", "Left out"),
]


@pytest.mark.parametrize("name", [*PAGES, "client"])
@pytest.mark.parametrize(("query", "said"), SENSELESS)
def test_what_makes_no_sense_is_said_and_costs_no_more(mona: Browser, name: str, query: str, said: str) -> None:  # noqa: F811
    if name == "client":
        address, asked = f"/reports/clients/{make_client('Northwind').pk}/", query.replace("client=999999", "team=soup")
        said = "Left out" if "colour" in query else said
    else:
        address, asked = f"/reports/{name}/", query
    mona.get(address)
    with CaptureQueriesContext(connection) as queries:
        answer = mona.get(f"{address}?{asked}")
    assert answer.status_code == 200
    assert said in html.unescape(answer.content.decode())
    assert len(queries) <= 22, len(queries)
    if name != "client":
        taken = mona.get(f"/reports/files/{name}.csv?{asked}")
        assert taken.status_code == 200
        assert said in taken.content.decode() or name in ("breaches",)


@pytest.mark.parametrize("path", ["soup.csv", "overview.exe", "overview.pdfx", "review.csv", "review.csv?of=9999999",
                                  "review.csv?of=x", "tickets.csv"])  # fmt: skip
def test_files_that_nobody_knows(mona: Browser, path: str) -> None:  # noqa: F811
    assert mona.get(f"/reports/files/{path}").status_code == 404


def test_names_never_become_markup_nor_formulas(mona: Browser) -> None:  # noqa: F811
    nasty = '=HYPERLINK("http://x")"><script>alert(1)</script>'
    now, closed = timezone.now(), make_status("closed")
    ticket = make_ticket(nasty, client=make_client(nasty), status=closed, opened_at=now, finished_at=now)
    make_clock(ticket, state="breached", finished_at=now, due_at=now - timedelta(hours=1))
    make_time_entry(ticket, ended_at=now)
    count_all()
    for address in (*ADDRESSES, f"/reports/clients/{ticket.client_id}/", "/reports/latest/"):
        page = mona.get(address).content.decode()
        assert "<script>alert" not in page
        assert "style=" not in page
        assert not re.search(r"<script(?![^>]*src=)", page)
    for page in ("compliance", "breaches", "clients", "overview"):
        for row in csv.reader(io.StringIO(mona.get(f"/reports/files/{page}.csv").content.decode("utf-8-sig"))):
            assert not any(cell.startswith(("=", "+", "@")) for cell in row), row
        book = load_workbook(io.BytesIO(mona.get(f"/reports/files/{page}.xlsx").content))
        assert all(cell.data_type != "f" for one in book for row in one.iter_rows() for cell in row)
        assert any(cell.value == nasty for one in book for row in one.iter_rows() for cell in row)


def test_a_file_is_written_down(mona: Browser) -> None:  # noqa: F811
    make_organisation(name="Harbour IT")
    answer = mona.get("/reports/files/workload.xlsx?period=7d")
    assert 'filename="workload-' in answer["Content-Disposition"]
    entry = AuditEntry.objects.get()
    assert (entry.verb, entry.subject, entry.detail["format"]) == ("report.export", "report:workload", "xlsx")


def test_more_tickets_ask_no_more_queries(mona: Browser, account: PsaAccount) -> None:  # noqa: F811
    closed, firm = make_status("closed", psa_account=account), make_client("Firm", psa_account=account)

    def grow() -> None:
        now = timezone.now()
        for back in range(0, 40, 4):
            for client in (firm, make_client(f"C{back}", psa_account=account)):
                at = now - timedelta(days=back)
                ticket = make_ticket(
                    psa_account=account, client=client, status=closed, opened_at=at - timedelta(hours=3),
                    finished_at=at, changed_at=now,
                )  # fmt: skip
                make_clock(ticket, state="breached", finished_at=at, due_at=at - timedelta(hours=1))
                make_ticket(psa_account=account, client=client, opened_at=at)
        count_all()

    def ask(address: str) -> int:
        """The fewer of two: what is kept for some seconds may just have run out."""
        found = []
        for _ in range(3):
            with CaptureQueriesContext(connection) as queries:
                mona.get(address)
            found.append(len(queries))
        return min(found)

    addresses = [f"{address}?period=year" for address in (*ADDRESSES, "/reports/latest/",
                                                          f"/reports/clients/{firm.pk}/")]  # fmt: skip
    grow()
    before = [ask(address) for address in addresses]
    grow()
    assert [ask(address) for address in addresses] == before
    assert Client.objects.count() > 10
    assert max(before[:-1]) <= 10, before
    assert before[-1] <= 16, before


def test_what_presses_now_comes_after_the_overview(mona: Browser) -> None:  # noqa: F811
    now = timezone.now()
    make_ticket("Till is down", next_due_at=now + timedelta(minutes=20), next_at_risk_at=now - timedelta(minutes=5))
    make_ticket("Server is hot", next_due_at=now - timedelta(hours=1))
    count_all()
    page = mona.get("/reports/").content.decode()
    part = re.search(r'hx-get="(/reports/latest/[^"]*)"', page)
    assert part
    found = mona.get(html.unescape(part[1]), headers={"HX-Request": "true"}).content.decode()
    assert "<html" not in found
    pressing = found[found.index('id="pressing" hx-swap-oob') :]
    assert pressing.index("Till is down") < pressing.index("Server is hot")
