"""The reason of a late clock: told from kept rows as from the ledger itself."""

from __future__ import annotations

import html
import re
from collections import Counter
from datetime import timedelta

import pytest
from django.db import connection
from django.test import Client as Browser
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from helpdesk.directory.models import PsaAccount
from helpdesk.reports.burns import kept_burn
from helpdesk.reports.models import LateClock
from helpdesk.reports.reasons import Names
from helpdesk.sla.book import current
from helpdesk.tickets.ledger import ledgers_of
from helpdesk.tickets.models import Ticket, TicketClock
from tests.factories import make_agent, make_clock, make_status, make_ticket
from tests.helpdesk.reports.histories import History
from tests.helpdesk.reports.test_views import count_all, history, mona  # noqa: F401

pytestmark = [pytest.mark.django_db, pytest.mark.urls("tests.helpdesk.reports.urls")]


def reasons(mona: Browser, address: str) -> list[str]:  # noqa: F811
    page = mona.get(address).content.decode()
    return [html.unescape(text) for text in re.findall(r'class="reason">([^<]*)</span>', page)]


def test_a_kept_reason_is_that_of_the_ledger(mona: Browser, history: History) -> None:  # noqa: F811
    addresses = [f"/reports/breaches/?period=year&kind={kind}" for kind in ("resolution", "response")]
    addresses += [f"/reports/clients/{client.pk}/?period=year" for client in history.clients]
    kept = [reasons(mona, address) for address in addresses]
    assert LateClock.objects.exists()
    assert all(kept[:2])
    LateClock.objects.all().delete()
    assert [reasons(mona, address) for address in addresses] == kept


def test_it_names_the_hours_that_the_ledger_page_names(history: History) -> None:  # noqa: F811
    """Of clocks whose run is still as it was counted: the history sets some of them by hand."""
    now, compared = timezone.now(), 0
    for late in LateClock.objects.filter(kind="resolution"):
        ticket = Ticket.objects.for_rows().get(pk=late.ticket_id)
        ledger = next(one for one in ledgers_of(ticket, current(), now) if one.clock.kind == late.kind)
        names = Names(agent=str(ticket.agent or ""), team=str(ticket.team or ""), status=ticket.status.name)
        burn = kept_burn(late.burn)
        if not burn.is_ours:
            continue
        held: dict[str, Counter[str]] = {"agent": Counter(), "team": Counter()}
        for part in map(names.of, burn.parts):
            held["agent"][part.agent or "Nobody"] += part.seconds
            held["team"][part.team or "No team"] += part.seconds
        for name, seconds in ledger.burn:
            if name in held:
                assert {who: n for who, n in held[name].items() if n} == {who: n for who, n in seconds if n}
        compared += 1
    assert compared


def test_what_is_not_counted_yet_is_read_from_its_ledger(mona: Browser, account: PsaAccount) -> None:  # noqa: F811
    now, priya = timezone.now(), make_agent("Priya Nair", psa_account=account)
    opened = now - timedelta(hours=3)
    for _ in range(2):
        ticket = make_ticket(
            psa_account=account, agent=priya, opened_at=opened, finished_at=now, status=make_status("closed")
        )
        make_clock(ticket, state="breached", due_at=now - timedelta(hours=1), finished_at=now, source="psa")
    count_all()
    whole = reasons(mona, "/reports/breaches/?period=7d")
    assert len(whole) == 2
    assert all(text.startswith("Priya Nair had it all the time") for text in whole)
    priya.name = "Priya Rao"
    priya.save()
    LateClock.objects.filter(ticket_id=ticket.pk).delete()
    assert reasons(mona, "/reports/breaches/?period=7d") == [text.replace("Nair", "Rao") for text in whole]


def test_kept_reasons_read_no_ledger(mona: Browser, history: History) -> None:  # noqa: F811
    mona.get("/reports/breaches/?period=year")
    with CaptureQueriesContext(connection) as queries:
        mona.get("/reports/breaches/?period=year")
    read = " ".join(query["sql"] for query in queries)
    assert LateClock._meta.db_table in read
    assert "tickets_ticketevent" not in read
    assert TicketClock._meta.db_table not in read
