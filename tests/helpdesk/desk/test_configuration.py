"""The configuration page of the settings: what a PSA's values are and do, in words, and who sees it."""

from __future__ import annotations

import pytest
from django.db import connection
from django.test import Client as Browser
from django.test.utils import CaptureQueriesContext

from helpdesk.actions.text import html_to_text
from helpdesk.directory.models import PsaAccount
from tests.factories import (
    make_account,
    make_category,
    make_organisation,
    make_outcome,
    make_priority,
    make_status,
    make_team,
    make_ticket,
    make_ticket_type,
)
from tests.people import EVERYBODY, make_ada, make_mona

pytestmark = pytest.mark.django_db
ADDRESS = "/settings/configuration/"


@pytest.fixture
def halo(db: None) -> PsaAccount:
    make_organisation()
    return make_account(title="HaloPSA", capabilities={"outcomes": True})


@pytest.fixture
def ada(client: Browser, halo: PsaAccount) -> Browser:
    client.force_login(make_ada(halo))
    return client


def words(browser: Browser, **data: str) -> str:
    answer = browser.get(ADDRESS, data)
    assert answer.status_code == 200
    return " ".join(html_to_text(answer.content.decode()).split())


def test_a_status_says_what_it_does(ada: Browser, halo: PsaAccount) -> None:
    done = make_status("closed", name="Done", psa_account=halo)
    kind = make_ticket_type("Project", psa_account=halo, remote_id="9")
    parked = make_status(
        "waiting", name="Parked", short_name="PRK", psa_account=halo, colour="#123abc", is_quick=True,
        sla_action="hold",
        hold_hours=8, change_to=done, change_hours=24, counts_working_hours=True, ticket_types=["9", "77"],
    )  # fmt: skip
    kind.initial_status = kind.reopened_status = parked
    kind.save()
    make_ticket(status=parked)
    page = words(ada)
    for fact in (
        "Parked", "PRK", "Waiting, clock pauses", "Offered first", "Holds the SLA for at most 8 h",
        "Moves on to Done after 24 h of working hours", "Only for Project, #77", "Start of Project",
        "Reopened: Project",
    ):  # fmt: skip
        assert fact in page, fact
    assert 'fill="#123abc"' in ada.get(ADDRESS).content.decode()


def test_a_type_says_what_it_asks_for(ada: Browser, halo: PsaAccount) -> None:
    new = make_status("new", name="New", psa_account=halo)
    make_ticket_type(
        "Change", psa_account=halo, initial_status=new, default_team=make_team("Projects", psa_account=halo),
        required_fields=["description", "category"], allow_attachments=False, clients_may_select=False,
        reopen_hours=48, auto_close_hours=72, after_client_status=new,
    )  # fmt: skip
    page = words(ada, kind="types")
    for fact in (
        "Must have: description, category", "Starts as New", "Team Projects", "Only agents may choose it",
        "No attachments", "An answer reopens within 48 h", "Closed by itself 72 h after it was resolved",
        "After the client's answer: New",
    ):  # fmt: skip
        assert fact in page, fact


def test_outcomes_categories_and_priorities_are_there(ada: Browser, halo: PsaAccount) -> None:
    kind = make_ticket_type("Alert", psa_account=halo)
    waiting = make_status("waiting_client", name="Waiting", psa_account=halo)
    one = make_outcome(
        "Ask", psa_account=halo, new_status=waiting, must_add_note=True, must_assign=True, default_seconds=900,
        sla_hold=True, sends_email=True, child_ticket_type=kind,
    )  # fmt: skip
    one.ticket_types.add(kind)
    page = words(ada, kind="outcomes")
    for fact in (
        "Moves to Waiting", "Needs a note", "Needs an owner", "Books 15 min", "Holds the SLA", "Mails the client",
        "Opens a ticket of type Alert beneath", "Only for Alert",
    ):  # fmt: skip
        assert fact in page, fact
    make_category("Network", psa_account=halo, remote_id="1:5")
    make_category("Network>VPN", psa_account=halo, level=2, parent="1:5")
    page = words(ada, kind="categories")
    assert "Network, VPN" in page
    assert "Belongs to Network" in page
    make_priority(1, psa_account=halo, name="Fire")
    assert "Fire" in words(ada, kind="priorities")


def test_what_is_not_offered_any_more_stands_apart(ada: Browser, halo: PsaAccount) -> None:
    make_status("open", name="Working", psa_account=halo)
    make_status("open", name="Ancient", psa_account=halo, is_active=False)
    page = ada.get(ADDRESS).content.decode()
    assert page.index("Working") < page.index("1 not offered any more") < page.index("Ancient")


def test_a_psa_without_a_kind_is_not_asked_for_it(ada: Browser, halo: PsaAccount) -> None:
    make_account("atera", title="Atera", capabilities={"outcomes": False, "categories": False})
    page = ada.get(ADDRESS, {"account": "atera", "kind": "outcomes"}).content.decode()
    assert ">Outcomes</a>" not in page
    assert ">Categories</a>" not in page
    assert "Atera has not told any" in html_to_text(page)


@pytest.mark.parametrize("data", [{"account": "nobody"}, {"account": "\x00"}, {"kind": "x' OR 1"}, {"kind": "\x00"}])
def test_an_odd_address_shows_the_first(ada: Browser, halo: PsaAccount, data: dict[str, str]) -> None:
    make_status("open", name="Working", psa_account=halo)
    assert "Working" in words(ada, **data)


def test_without_an_account_it_says_so(client: Browser) -> None:
    make_organisation()
    client.force_login(make_ada())
    assert "No PSA account yet" in words(client)


@pytest.mark.parametrize("name", sorted(EVERYBODY))
def test_only_readers_of_settings_see_it(client: Browser, halo: PsaAccount, name: str) -> None:
    client.force_login(EVERYBODY[name](halo))
    assert client.get(ADDRESS).status_code == (200 if name in ("ada", "mona") else 403)


@pytest.mark.parametrize("kind", ["statuses", "types", "outcomes", "categories", "priorities"])
def test_ten_more_values_cost_no_more_queries(client: Browser, halo: PsaAccount, kind: str) -> None:
    client.force_login(make_mona(halo))
    status = make_status("open", psa_account=halo)
    one_type = make_ticket_type("Alert", psa_account=halo, initial_status=status)

    def more() -> None:
        make_status("open", psa_account=halo, change_to=status, change_hours=3)
        make_ticket_type("Alert", psa_account=halo, initial_status=status)
        make_outcome(psa_account=halo, new_status=status).ticket_types.add(one_type)
        make_category("Network", psa_account=halo)
        make_priority(2, psa_account=halo)

    def count() -> int:
        client.get(ADDRESS, {"kind": kind})
        with CaptureQueriesContext(connection) as queries:
            client.get(ADDRESS, {"kind": kind})
        return len(queries)

    more()
    before = count()
    for _ in range(10):
        more()
    assert count() == before
