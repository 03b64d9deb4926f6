"""What the new-ticket form tells and fills in before anything is opened: routing, look-alikes, contracts, deadlines."""

from __future__ import annotations

import re
from datetime import timedelta

import pytest
from django.db import connection
from django.test import Client as Browser
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from helpdesk.directory.models import Client, PsaAccount
from helpdesk.outbox.models import OutboxItem
from helpdesk.tickets.models import Ticket, TicketType
from tests.factories import (
    make_account,
    make_agent,
    make_category,
    make_client,
    make_contact,
    make_contract,
    make_organisation,
    make_policy,
    make_priority,
    make_rule,
    make_site,
    make_status,
    make_target,
    make_team,
    make_ticket,
    make_ticket_type,
)
from tests.people import make_cleo, make_theo

pytestmark = pytest.mark.django_db
HTMX = {"HX-Request": "true"}
MARKER = "7a2b6d4e-0000-4000-8000-000000000002"
PRINTER = "Printer on 3rd floor does not print"
MOST_QUERIES = 12


@pytest.fixture
def halo(db: None) -> PsaAccount:
    make_organisation()
    account = make_account(title="HaloPSA", capabilities={"contracts": True})
    for category in ("new", "open", "closed"):
        make_status(category, psa_account=account)
    for rank in (1, 2, 3, 4):
        make_priority(rank, psa_account=account)
    make_ticket_type(psa_account=account)
    for value in ("Network", "Network>Wi-Fi", "Mail"):
        make_category(value, psa_account=account)
    return account


@pytest.fixture
def acme(halo: PsaAccount) -> Client:
    return make_client("Acme", psa_account=halo)


@pytest.fixture
def theo(client: Browser, halo: PsaAccount) -> Browser:
    client.force_login(make_theo(halo))
    return client


def parts(browser: Browser, client: Client, **data) -> str:
    given = {"account": client.psa_account_id, "client": client.pk, **data}
    return browser.get("/tickets/new/parts/", given, headers=HTMX).content.decode()


def post(browser: Browser, client: Client, **data):
    given = {"marker": MARKER, "account": client.psa_account_id, "client": client.pk, "subject": PRINTER, **data}
    return browser.post("/tickets/new/", given)


def value(html: str, name: str) -> str:
    """What the form holds under this name: of a select the chosen row, of an input its value."""
    box = re.search(rf'<select[^>]*name="{name}".*?</select>', html, re.DOTALL)
    if box:
        chosen = re.search(r'value="(\d*)" selected', box[0])
        return chosen[1] if chosen else ""
    found = re.search(rf'name="{name}" value="([^"]*)"', html)
    return found[1] if found else ""


# Routing ------------------------------------------------------------------------------------------------------------
def test_a_rule_fills_in_team_and_owner_while_the_form_is_filled(theo: Browser, acme: Client) -> None:
    field, priya = make_team("Field team"), make_agent("Priya")
    make_rule(field, client=acme, category="Network", agent=priya)
    assert value(parts(theo, acme), "team") == ""
    text = parts(theo, acme, category="Network>Wi-Fi")
    assert (value(text, "team"), value(text, "agent")) == (str(field.pk), str(priya.pk))
    assert "Routed by: Acme, category Network → Field team, Priya" in text
    # The category is taken back: what the rule had filled in goes with it.
    taken_back = {name: value(text, name) for name in ("team", "auto_team", "agent", "auto_agent")}
    text = parts(theo, acme, category="Mail", **taken_back)
    assert (value(text, "team"), value(text, "agent")) == ("", "")
    assert "Routed by" not in text


def test_a_persons_own_choice_wins_and_stays(theo: Browser, acme: Client) -> None:
    field, desk, priya = make_team("Field team"), make_team("Service desk"), make_agent("Priya")
    make_rule(field, client=acme, agent=priya)
    text = parts(theo, acme, team=desk.pk, auto_team=field.pk, agent=priya.pk, auto_agent=priya.pk)
    assert value(text, "team") == str(desk.pk)
    assert value(text, "agent") == "", "the rule's owner belongs to the rule's team"
    assert "Your choice. The rule says: Acme → Field team, Priya" in text
    again = {name: value(text, name) for name in ("team", "auto_team", "agent", "auto_agent")}
    assert value(parts(theo, acme, **again), "team") == str(desk.pk)
    emptied = parts(theo, acme, team="", auto_team=field.pk)
    assert (value(emptied, "team"), value(emptied, "auto_team")) == ("", "-")
    assert value(parts(theo, acme, team="", auto_team="-"), "team") == ""


def test_routing_goes_out_with_the_creation_itself(theo: Browser, acme: Client) -> None:
    field = make_team("Field team")
    make_rule(field, category="Network", priority=make_priority(2, psa_account=acme.psa_account, name="Rush"))
    post(theo, acme, category="Network")
    ticket = Ticket.objects.get()
    assert (ticket.team, ticket.priority.name) == (field, "Rush")
    item = OutboxItem.objects.get()
    assert (item.verb, item.fields["team"]) == ("create_ticket", field.remote_id)


def test_a_team_chosen_by_hand_goes_out(theo: Browser, acme: Client) -> None:
    field, desk = make_team("Field team"), make_team("Service desk")
    make_rule(field)
    post(theo, acme, team=desk.pk, auto_team=field.pk)
    assert Ticket.objects.get().team == desk


def test_a_team_taken_out_by_hand_stays_out(theo: Browser, acme: Client) -> None:
    field = make_team("Field team")
    make_rule(field)
    post(theo, acme, team="", auto_team=field.pk)
    assert Ticket.objects.get().team is None


def test_the_types_own_team_comes_after_the_rules(theo: Browser, acme: Client) -> None:
    desk, field = make_team("Service desk"), make_team("Field team")
    TicketType.objects.update(default_team=desk)
    assert "Routed by: type Incident" in parts(theo, acme)
    make_rule(field, client=acme)
    assert value(parts(theo, acme), "team") == str(field.pk)


def test_a_rule_of_a_team_that_left_is_skipped_without_a_word_of_error(theo: Browser, acme: Client) -> None:
    make_rule(make_team("Old team", is_active=False), client=acme)
    assert post(theo, acme).status_code == 302
    assert Ticket.objects.get().team is None


def test_a_psa_without_teams_gets_none(theo: Browser, acme: Client) -> None:
    acme.psa_account.capabilities = {"teams": False}
    acme.psa_account.save()
    make_rule(make_team("Field team"), agent=make_agent("Priya"))
    assert post(theo, acme).status_code == 302
    ticket = Ticket.objects.get()
    assert (ticket.team, ticket.agent.name) == (None, "Priya")


def test_what_was_judged_for_this_ticket_goes_before_the_rule(theo: Browser, acme: Client) -> None:
    make_rule(make_team(), priority=make_priority(4, psa_account=acme.psa_account, name="Whenever"))
    assert "selected>Whenever</option>" in parts(theo, acme)
    text = parts(theo, acme, impact="1", urgency="1")
    assert "selected>Critical</option>" in text


def test_the_matrix_of_the_account_counts(theo: Browser, acme: Client) -> None:
    acme.psa_account.settings = {"priority_matrix": {"11": 4, "33": "odd"}}
    acme.psa_account.save()
    assert "selected>Low</option>" in parts(theo, acme, impact="1", urgency="1").split('id="f-priority"')[1]
    text = parts(theo, acme, impact="3", urgency="3").split('id="f-priority"')[1].split("</select>")[0]
    assert "selected>Low</option>" in text, "nonsense in the settings is as we ship it"


# Told already? --------------------------------------------------------------------------------------------------------
def similar(browser: Browser, client: Client, subject: str) -> str:
    data = {"account": client.psa_account_id, "client": client.pk, "subject": subject}
    return browser.get("/tickets/new/similar/", data, headers=HTMX).content.decode()


def test_look_alikes_are_shown_while_the_subject_is_typed(theo: Browser, acme: Client) -> None:
    ticket = make_ticket(PRINTER, client=acme)
    make_ticket(PRINTER, client=make_client("Umbrella"))
    text = similar(theo, acme, "printer 3rd floor")
    assert text.count(f'href="/tickets/{ticket.pk}/"') == 1
    assert "looks the same" in text
    assert text.count('href="/tickets/') == 2, "the one ticket, and the client's list"
    assert "href=" not in similar(theo, acme, "New laptop")
    assert "href=" not in similar(theo, make_client("Nobody"), PRINTER)
    assert theo.get("/tickets/new/similar/").status_code == 302


def test_clients_are_told_of_no_ticket(acme: Client) -> None:
    browser = Browser()
    browser.force_login(make_cleo(acme.psa_account))
    assert browser.get("/tickets/new/similar/", headers=HTMX).status_code == 403


@pytest.mark.parametrize("odd", ["²", "9" * 40, "-1", "x"])
def test_odd_keys_show_nothing(theo: Browser, halo: PsaAccount, odd: str) -> None:
    answer = theo.get("/tickets/new/similar/", {"account": odd, "client": odd, "subject": "x"}, headers=HTMX)
    assert answer.status_code == 200


def test_the_first_press_warns_and_the_second_opens(theo: Browser, acme: Client) -> None:
    ticket = make_ticket(PRINTER, client=acme, number="1042")
    answer = post(theo, acme, subject="Printer on the 3rd floor")
    text = answer.content.decode()
    assert answer.status_code == 422
    assert "Open ticket 1042 “Printer on 3rd floor does not print” looks the same:" in text
    assert f'<a class="link" href="/tickets/{ticket.pk}/">open it</a>, or create anyway.' in text
    assert "Create anyway" in text
    assert Ticket.objects.count() == 1
    second = {"seen": value(text, "seen"), "confirmed": value(text, "confirmed")}
    assert post(theo, acme, subject="Printer on the 3rd floor", **second).status_code == 302
    assert Ticket.objects.count() == 2


def test_another_look_alike_warns_anew(theo: Browser, acme: Client) -> None:
    make_ticket(PRINTER, client=acme)
    text = post(theo, acme).content.decode()
    make_ticket("VPN drops for everybody", client=acme)
    answer = post(theo, acme, subject="VPN drops", seen=value(text, "seen"), confirmed="yes")
    assert answer.status_code == 422
    assert "VPN drops for everybody” looks the same" in answer.content.decode()


def test_required_words_and_look_alikes_are_asked_for_at_once(theo: Browser, acme: Client) -> None:
    make_ticket(PRINTER, client=acme)
    account = acme.psa_account
    account.required_fields = [{"verb": "create", "fields": ["team"], "text": "No ticket without a queue"}]
    account.save()
    text = post(theo, acme).content.decode()
    assert "No ticket without a queue" in text
    assert "looks the same:" not in text, "what must be mended comes first"
    assert value(text, "seen") == ""


# Contracts and deadlines ----------------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("days", "wanted"),
    [
        ({}, ""),
        ({"ends_on": 0}, ""),
        ({"ends_on": -1}, "Acme has no active contract: “Managed Silver” ended on"),
        ({"starts_on": 1}, "Acme has no active contract."),
        ({"starts_on": 0, "ends_on": 9}, ""),
        ({"is_active": False}, "Acme has no active contract."),
    ],
)
def test_a_contract_counts_by_its_dates(theo: Browser, acme: Client, days: dict, wanted: str) -> None:
    today = timezone.localdate()
    values = {k: v if isinstance(v, bool) else today + timedelta(days=v) for k, v in days.items()}
    make_contract(acme, **values)
    text = parts(theo, acme)
    assert wanted in text
    assert ("no active contract" in text) is bool(wanted)
    assert ("no active contract" in theo.get("/tickets/new/", {"client": acme.pk}).content.decode()) is bool(wanted)


def test_without_any_contract_known_nothing_is_said(theo: Browser, acme: Client) -> None:
    assert "no active contract" not in parts(theo, acme)


def test_both_deadlines_follow_the_chosen_priority(theo: Browser, halo: PsaAccount, acme: Client) -> None:
    policy = make_policy(psa_account=halo)
    high = make_priority(2, psa_account=halo, name="Rush")
    make_target(policy, high, response_seconds=86400 * 40, resolution_seconds=86400 * 80)
    TicketType.objects.update(default_sla_policy=policy)
    text = parts(theo, acme, priority=high.pk)
    hint = re.search(r'id="h-priority">([^<]*)<', text)
    assert hint
    ahead = [f"{timezone.now() + timedelta(days=days):%b}" for days in (40, 80)]
    assert re.match(r"Response due .+, resolution .+", hint[1])
    assert all(month in hint[1] for month in ahead), hint[1]


# Cost -----------------------------------------------------------------------------------------------------------------
@pytest.mark.parametrize("address", ["/tickets/new/", "/tickets/new/parts/", "/tickets/new/similar/"])
def test_page_and_fragments_ask_little_whatever_there_is(theo: Browser, acme: Client, address: str) -> None:
    account = acme.psa_account
    policy = make_policy(psa_account=account)
    TicketType.objects.update(default_sla_policy=policy)
    headers = {} if address == "/tickets/new/" else HTMX

    def more() -> None:
        for n in range(10):
            make_ticket(f"{PRINTER} {n}", client=acme)
            make_rule(make_team(), client=acme, category="Network")
            make_contact(acme)
            make_site(acme)
            make_agent(f"Agent {n}")
            make_contract(acme)

    def ask() -> int:
        data = {"account": account.pk, "client": acme.pk, "subject": PRINTER, "category": "Network"}
        with CaptureQueriesContext(connection) as seen:
            assert theo.get(address, data, headers=headers).status_code == 200
        return len(seen)

    def queries() -> int:
        """The least of three: what the page's frame keeps for two seconds may run out in between."""
        return min(ask() for _turn in range(3))

    more()
    few = queries()
    more()
    assert queries() == few <= MOST_QUERIES
