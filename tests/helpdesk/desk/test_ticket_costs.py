"""What one ticket costs the database: the page, however long its story, and each kind of save.

The statements that open and close a transaction are counted, too. `PLAIN` are those of the frame: who is signed in.
"""

from __future__ import annotations

import json
import re
import uuid
from collections.abc import Callable
from datetime import timedelta
from html import unescape
from typing import Any

import pytest
from django.db import connection
from django.test import Client as Browser
from django.test.utils import CaptureQueriesContext

from helpdesk.actions.models import Action, ClientMail, Draft, TimeEntry
from helpdesk.core import live
from helpdesk.directory.models import PsaAccount
from helpdesk.outbox.models import OutboxItem
from helpdesk.sla import book
from helpdesk.tickets.models import SearchText, Ticket
from helpdesk.tickets.search import TEXT_LIMIT, matching, refresh_search_text
from helpdesk.tickets.writing import save_clocks
from tests.factories import (
    NOW,
    make_account,
    make_action,
    make_agent,
    make_contact,
    make_policy,
    make_status,
    make_target,
    make_team,
    make_ticket,
    make_time_entry,
)
from tests.people import make_theo

pytestmark = pytest.mark.django_db
HTMX = {"HX-Request": "true"}
MOST = 12


@pytest.fixture
def halo() -> PsaAccount:
    """This desk mails no replies here: a mail is a row of its own."""
    return make_account(client_mail={"reply": "psa", "status": "psa", "acknowledgement": "off"})


@pytest.fixture
def ticket(halo: PsaAccount) -> Ticket:
    contact = make_contact(psa_account=halo, email="amelia@northwind.test")
    policy = make_policy(psa_account=halo)
    ticket = make_ticket(contact=contact, sla_policy=policy, actions_pulled_at=NOW)
    make_target(policy, ticket.priority)
    for n in range(5):
        make_action(ticket, f"said {n}", occurred_at=NOW - timedelta(hours=n))
    refresh_search_text(ticket)
    return ticket


@pytest.fixture
def theo(client: Browser, halo: PsaAccount) -> Browser:
    client.force_login(make_theo(halo))
    return client


def cost(press: Callable[[], Any], code: int = 200) -> int:
    """Statements of one press; the one before it filled what is cached for half a minute."""
    book.current()  # kept by the process until something is promised anew
    with CaptureQueriesContext(connection) as seen:
        answer = press()
    assert answer.status_code == code, answer.content[:300]
    return len(seen)


def write(browser: Browser, ticket: Ticket, **given: str) -> Any:
    data = {"marker": str(uuid.uuid4()), "kind": "note", "visibility": "internal", "text": "Rolled the driver back."}
    return browser.post(f"/tickets/{ticket.pk}/actions/", data | given, headers=HTMX)


def test_a_note(theo: Browser, ticket: Ticket) -> None:
    write(theo, ticket)
    assert cost(lambda: write(theo, ticket)) <= MOST
    assert Action.objects.filter(ticket=ticket, sync_state="pending").count() == 2
    assert [i.sequence for i in OutboxItem.objects.in_lane(ticket.lane)] == [1, 2]
    ticket.refresh_from_db()
    assert ticket.sync_state == "pending"


def test_a_note_that_drops_its_draft(theo: Browser, ticket: Ticket) -> None:
    write(theo, ticket)
    theo.post(f"/tickets/{ticket.pk}/draft/", {"kind": "note", "text": "Rolled"}, headers=HTMX)
    assert Draft.objects.exists()
    assert cost(lambda: write(theo, ticket)) <= MOST
    assert not Draft.objects.exists()


def test_a_reply_with_time(theo: Browser, ticket: Ticket) -> None:
    given = {"kind": "reply", "visibility": "public", "to": "amelia@northwind.test", "time": "0:10", "billable": "yes"}
    write(theo, ticket, **given)
    assert cost(lambda: write(theo, ticket, **given)) <= MOST
    assert TimeEntry.objects.filter(action__kind="reply", agent__isnull=False, seconds=600).count() == 2


def test_a_reply_that_this_desk_mails(theo: Browser, ticket: Ticket, halo: PsaAccount) -> None:
    PsaAccount.objects.filter(pk=halo.pk).update(client_mail={"reply": "desk", "status": "psa"})
    given = {"kind": "reply", "visibility": "public", "to": "amelia@northwind.test"}
    write(theo, ticket, **given)
    assert cost(lambda: write(theo, ticket, **given)) <= MOST + 1  # the mail is a row of its own
    assert ClientMail.objects.filter(ticket=ticket, to="amelia@northwind.test").count() == 2


def test_time_alone(theo: Browser, ticket: Ticket) -> None:
    write(theo, ticket)
    assert cost(lambda: write(theo, ticket, text="", time="0:05")) <= MOST
    ticket.refresh_from_db()
    assert ticket.sync_state == "pending"


def test_a_status(theo: Browser, ticket: Ticket, halo: PsaAccount) -> None:
    waiting = make_status("waiting_client", psa_account=halo)
    write(theo, ticket)
    press = lambda: theo.post(f"/tickets/{ticket.pk}/status/", {"value": waiting.pk}, headers=HTMX)  # noqa: E731
    assert cost(press, 204) <= MOST + 1  # the statuses, once their half minute is over
    ticket.refresh_from_db()
    assert (ticket.status, ticket.sync_state) == (waiting, "pending")


def at(path: str) -> dict[str, str]:
    """What htmx tells of the page on which somebody pressed."""
    return {**HTMX, "HX-Current-URL": f"http://testserver{path}"}


def test_a_status_with_the_head_that_shows_it(theo: Browser, ticket: Ticket, halo: PsaAccount) -> None:
    waiting = make_status("waiting_client", psa_account=halo)
    page = f"/tickets/{ticket.pk}/"
    theo.post(f"{page}status/", {"value": ticket.status.pk}, headers=HTMX)
    said: list[Any] = []

    def press() -> Any:
        said.append(theo.post(f"{page}status/", {"value": waiting.pk}, headers=at(f"{page}?in=state%3Dall")))
        return said[-1]

    assert cost(press) <= MOST + 3  # the savepoint of this test's transaction, and the statuses
    assert said[0].headers["HX-Reswap"] == "none"
    head = theo.get(f"{page}part/head/?in=state%3Dall", headers=HTMX).content.decode()
    assert said[0].content.decode() == head, "the same as when it is fetched"
    assert str(waiting) in head
    undo = json.loads(said[0].headers["HX-Trigger"])["toast"]["undo_url"]
    assert undo.endswith(":" + ".".join(str(e.pk) for e in ticket.events.of_field("status")))
    theo.post(undo, headers=HTMX)
    assert Ticket.objects.get(pk=ticket.pk).status == ticket.status


def test_an_assignment_with_the_line_that_shows_it(theo: Browser, ticket: Ticket, halo: PsaAccount) -> None:
    agents = [make_agent(name, psa_account=halo) for name in ("Priya Nair", "Ben Otieno")]
    said: list[Any] = []

    def give(agent: Any, path: str = "/tickets/?state=all") -> Any:
        said.append(theo.post(f"/tickets/{ticket.pk}/set/agent/", {"value": f"a{agent.pk}"}, headers=at(path)))
        return said[-1]

    give(agents[0])
    assert cost(lambda: give(agents[1])) <= MOST
    line = said[-1].content.decode()
    assert line.startswith(f"<tr data-ticket={ticket.pk}>")
    assert "Otieno" in line
    assert line in theo.get("/tickets/?part=table", headers=HTMX).content.decode()
    assert b'id="head"' in give(agents[0], f"/tickets/{ticket.pk}/").content
    assert give(agents[1], "/board/").status_code == 204, "the board asks for its lanes"


def test_an_assignment_and_its_undo(theo: Browser, ticket: Ticket, halo: PsaAccount) -> None:
    agents = [make_agent(name, psa_account=halo) for name in ("Priya Nair", "Ben Otieno")]
    said: list[Any] = []

    def give(agent: Any) -> Any:
        said.append(theo.post(f"/tickets/{ticket.pk}/set/agent/", {"value": f"a{agent.pk}"}, headers=HTMX))
        return said[-1]

    give(agents[0])
    assert cost(lambda: give(agents[1]), 204) <= MOST
    back = json.loads(said[-1].headers["HX-Trigger"])["toast"]["undo_url"]
    assert cost(lambda: theo.post(back, headers=HTMX), 204) <= MOST
    ticket.refresh_from_db()
    assert ticket.agent == agents[0]


@pytest.mark.parametrize("name", ["subject", "category", "team", "reported_by"])
def test_a_field(theo: Browser, ticket: Ticket, halo: PsaAccount, name: str) -> None:
    value = str(make_team(psa_account=halo).pk) if name == "team" else "Another"
    press = lambda: theo.post(f"/tickets/{ticket.pk}/field/{name}/", {"value": value}, headers=HTMX)  # noqa: E731
    assert cost(press) <= MOST
    ticket.refresh_from_db()
    assert ticket.events.get(field=name).new == value


# ---- what a cheap save must not lose ----


def test_a_new_note_is_found_at_once_and_the_newest_win(theo: Browser, ticket: Ticket) -> None:
    SearchText.objects.filter(ticket=ticket).update(text="")
    refresh_search_text(ticket)
    long = "filler " * (TEXT_LIMIT // 7)
    make_action(ticket, f"{long} oldest", occurred_at=NOW - timedelta(days=9))
    refresh_search_text(ticket)
    write(theo, ticket, text="Replaced the fuser unit.")
    text = SearchText.objects.get(ticket=ticket).text
    assert "fuser" in text
    assert len(text) <= TEXT_LIMIT
    assert text.startswith(f"{ticket.number}\n{ticket.subject}")
    assert list(matching("fuser", Ticket.objects.all())) == [ticket]
    whole = text
    refresh_search_text(ticket)
    assert sorted(SearchText.objects.get(ticket=ticket).text.split()[:40]) == sorted(whole.split()[:40])


def test_a_text_that_was_written_otherwise_is_made_anew(theo: Browser, ticket: Ticket) -> None:
    SearchText.objects.filter(ticket=ticket).update(text="something else")
    write(theo, ticket, text="Replaced the fuser unit.")
    text = SearchText.objects.get(ticket=ticket).text
    assert "fuser" in text
    assert "said 4" in text
    assert "something else" not in text


def test_what_is_refused_counts_for_more_than_what_waits(theo: Browser, ticket: Ticket) -> None:
    Ticket.objects.filter(pk=ticket.pk).update(sync_state="refused")
    write(theo, ticket)
    ticket.refresh_from_db()
    assert ticket.sync_state == "refused"


def test_the_same_form_twice_is_one_action(theo: Browser, ticket: Ticket) -> None:
    marker = str(uuid.uuid4())
    for _press in range(2):
        assert write(theo, ticket, marker=marker, text="", time="0:05").status_code == 200
    for _press in range(2):
        assert write(theo, ticket, marker=str(uuid.UUID(int=7))).status_code == 200
    assert TimeEntry.objects.count() == 1
    assert OutboxItem.objects.count() == 2


# ---- the page ----


def test_the_page(theo: Browser, ticket: Ticket) -> None:
    for n in range(50):
        action = make_action(ticket, f"<p>{'word ' * 400}{n}</p>", body_is_html=True, occurred_at=NOW)
        if n % 4 == 0:
            make_time_entry(ticket, action=action)
    spoken = 50 * len("word " * 400)
    theo.get(f"/tickets/{ticket.pk}/")
    with CaptureQueriesContext(connection) as seen:
        page = theo.get(f"/tickets/{ticket.pk}/").content
    assert len(seen) <= 10
    assert page.count(b'class="entry"') == 51
    assert (len(page) - spoken) <= 60_000


def test_a_page_just_opened_is_not_asked_for_again(
    theo: Browser, ticket: Ticket, django_capture_on_commit_callbacks: Any
) -> None:
    """Also after many tickets changed at once, which every ticket's page listens to beside its own."""

    def change(scope: str) -> None:
        with django_capture_on_commit_callbacks(execute=True):
            live.touch(scope)

    change(live.EVERY_TICKET)
    change(live.ticket_scope(ticket.pk))
    opened = theo.get(f"/tickets/{ticket.pk}/").content.decode()
    found = re.search(r'id="ticket"[^>]* data-live="([^"]+)" data-live-tag="([^"]+)"', opened)
    assert found is not None
    poll = lambda: theo.get(unescape(found[1]), headers={"If-None-Match": f'"{found[2]}"'}).status_code  # noqa: E731
    assert poll() == 304
    change(live.EVERY_TICKET)
    assert poll() == 200


# ---- beside a list ----


def test_the_preview(theo: Browser, ticket: Ticket) -> None:
    save_clocks(ticket, now=NOW)
    preview = lambda: theo.get(f"/tickets/{ticket.pk}/preview/", headers=HTMX)  # noqa: E731
    preview()
    assert cost(preview) <= 5
    assert preview().content.count(b'class="sla"') == 2
