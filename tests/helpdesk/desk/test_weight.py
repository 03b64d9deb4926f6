"""What the frame, the list and the board weigh: bytes before compression and queries, and what comes later."""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import timedelta
from typing import Any

import pytest
from django.core.cache import cache
from django.test import Client as Browser
from django.utils import timezone

from helpdesk.directory.models import Agent, PsaAccount
from helpdesk.sla import book
from helpdesk.tickets.models import Ticket
from helpdesk.tickets.rows import value
from tests.factories import make_account, make_agent, make_client, make_status, make_ticket
from tests.people import make_cleo, make_dana

pytestmark = pytest.mark.django_db
LIST = 40_000
BOARD = 240_000
FRAME = 8_500
SUBJECTS = (
    "X-ray PC 2 cannot print since the Windows update",
    "VPN drops every ten minutes for home workers",
    "New starter on Monday: laptop, mailbox, Teams",
    "Phone 214 rings but nobody hears anything",
)
CLIENTS = ("Brightwater Lettings", "Alder & Finch Solicitors", "Copperfield Schools Trust", "Orchard Vets")
PEOPLE = ("Priya Nair", "Tom Okafor", "Elena Rossi", "Jakub Novak", "Sara Lindgren", "Ben Carter", "Mei Tanaka")


@pytest.fixture
def dana(client: Browser) -> Any:
    user = make_dana(make_account(title="HaloPSA North"))
    client.force_login(user)
    return user


def fill(agents: Sequence[Agent | None], each: int) -> None:
    """Open tickets as a busy desk has them: most with a running clock, some on their way to the PSA."""
    now = timezone.now()
    account = PsaAccount.objects.get()
    clients = [make_client(name, psa_account=account) for name in CLIENTS]
    status = make_status(psa_account=account, name="In progress")
    owners = [agent and agent.pk for agent in agents]
    made: list[Ticket] = []
    for number in range(len(agents) * each):
        ticket = make_ticket(psa_account=account, status=status, client=clients[0]) if number == 0 else made[0]
        values = {
            f.attname: getattr(ticket, f.attname)
            for f in Ticket._meta.concrete_fields
            if f.name not in ("id", "marker")
        }
        due = now + timedelta(minutes=13 * number - 600)
        values |= {
            "remote_id": f"1{number:05}", "number": f"1{number:05}", "subject": SUBJECTS[number % 4],
            "client_id": clients[number % 4].pk, "agent_id": owners[number % len(owners)], "next_due_at": due,
            "next_at_risk_at": due - timedelta(hours=1), "sync_state": "" if number % 20 else "pending",
        }  # fmt: skip
        made.append(Ticket(**values))
    Ticket.objects.all().delete()
    Ticket.objects.bulk_create(made)


def test_fifty_rows(client: Browser, dana: Any, django_assert_max_num_queries: Any) -> None:
    fill([make_agent(name) for name in PEOPLE], 10)
    cache.clear()
    book.current()  # kept per process
    with django_assert_max_num_queries(6):
        page = client.get("/tickets/")
    assert page.content.count(b"<tr data-ticket=") == 50
    assert len(page.content) < LIST


def test_five_hundred_cards(client: Browser, dana: Any, django_assert_max_num_queries: Any) -> None:
    people = [make_agent(f"{name} {n}") for n in range(3) for name in PEOPLE]
    fill([None, *people[:19]], 27)
    cache.clear()
    book.current()  # kept per process
    with django_assert_max_num_queries(12):
        page = client.get("/board/")
    assert page.content.count(b"<article") == 500, "twenty lanes, one of them for what nobody has"
    assert len(page.content) < BOARD


def test_the_frame_by_itself(client: Browser, dana: Any) -> None:
    page = client.get("/tickets/?q=nothing-has-this").content.decode()
    around = re.sub(r"<main.*?</main>", "", page, flags=re.DOTALL)
    assert len(around.encode()) < FRAME


# What comes later ----------------------------------------------------------------------------------------------------
def later_of(client: Browser) -> str:
    return re.search(r'data-later="([^"]+)"', client.get("/tickets/").content.decode())[1]  # type: ignore[index]


def test_dialogs_come_once_and_are_kept(client: Browser, dana: Any) -> None:
    page = client.get("/tickets/").content.decode()
    assert "palette-dialog" not in page
    answer = client.get(later_of(client))
    assert answer["Cache-Control"] == "private, max-age=31536000, immutable"
    text = answer.content.decode()
    for part in ('id="palette"', 'id="keys"', 'id="toast-shape"', 'id="offline"', 'id="signed-out"'):
        assert part in text
    assert "csrf" not in text
    assert dana.name not in text


def test_an_old_address_gives_what_is_current_for_a_minute(client: Browser, dana: Any) -> None:
    old = re.sub(r"/\w+/$", "/0ld/", later_of(client))
    assert client.get(old)["Cache-Control"] == "private, max-age=60"
    assert client.get("/later/xx/0ld/").status_code == 404


def test_a_language_that_the_desk_does_not_know_gets_its_own(client: Browser, dana: Any) -> None:
    dana.language = "sv"
    dana.save()
    assert client.get(later_of(client)).status_code == 200


def test_clients_and_strangers_get_nothing_of_it(client: Browser, dana: Any) -> None:
    address = later_of(client)
    stranger, cleo = Browser(), Browser()
    cleo.force_login(make_cleo(make_account()))
    assert stranger.get(address).status_code == 302
    assert cleo.get(address).status_code == 403
    assert "data-later" not in cleo.get("/settings/personal/").content.decode()


# Attributes without quotes -------------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("text", "written"),
    [
        ("48207", "48207"),
        ("new-17", "new-17"),
        ("Priya", "Priya"),
        ("Priya Nair", '"Priya Nair"'),
        ("", '""'),
        ("x>y", '"x&gt;y"'),
        ('a"onclick=x', '"a&quot;onclick=x"'),
        ("a\tonclick=x", '"a\tonclick=x"'),
        ("a/", '"a/"'),
        ("a=b", '"a=b"'),
        ("`", '"`"'),
        ("Ö", "Ö"),
    ],
)
def test_only_a_word_goes_without_quotes(text: str, written: str) -> None:
    assert value(text) == written
