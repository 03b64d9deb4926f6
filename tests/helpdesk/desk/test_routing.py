"""The settings' routing page: rules in an order that people see and change, the matrix, and who may."""

from __future__ import annotations

import re

import pytest
from django.db import connection
from django.test import Client as Browser
from django.test.utils import CaptureQueriesContext

from helpdesk.accounts.models import AuditEntry
from helpdesk.desk import routing as kept
from helpdesk.directory.models import Client, PsaAccount
from helpdesk.tickets.models import RoutingRule
from helpdesk.tickets.routing import MOST_RULES, rule_words, rules_of
from tests.factories import (
    make_account,
    make_agent,
    make_category,
    make_client,
    make_organisation,
    make_priority,
    make_rule,
    make_team,
    make_ticket,
    make_ticket_type,
)
from tests.people import EVERYBODY, make_ada

pytestmark = pytest.mark.django_db
HTMX = {"HX-Request": "true"}


@pytest.fixture
def halo(db: None) -> PsaAccount:
    make_organisation()
    account = make_account(title="HaloPSA")
    make_category("Network", psa_account=account)
    make_category("Outage", psa_account=account, level=2)
    make_ticket_type(psa_account=account)
    make_priority(2, psa_account=account)
    return account


@pytest.fixture
def acme(halo: PsaAccount) -> Client:
    return make_client("Acme", psa_account=halo)


@pytest.fixture
def ada(client: Browser, halo: PsaAccount) -> Browser:
    client.force_login(make_ada(halo))
    return client


def page(browser: Browser, **data: str) -> str:
    return browser.get("/settings/routing/", data).content.decode()


def words(account: PsaAccount) -> list[str]:
    return [rule_words(rule) for rule in rules_of(account.pk)]


def verbs() -> list[str]:
    return list(AuditEntry.objects.filter(verb__startswith="routing").order_by("pk").values_list("verb", flat=True))


def test_a_rule_is_made_seen_and_written_down(ada: Browser, halo: PsaAccount, acme: Client) -> None:
    field, priya = make_team("Field team"), make_agent("Priya")
    make_ticket(client=acme, category="Network")
    assert "No rule yet" in page(ada)
    kind, high = make_ticket_type("Alert"), make_priority(1)
    data = {
        "client_text": "acme", "category": "Network", "subcategory": "Outage", "ticket_type": kind.pk,
        "team": field.pk, "agent": priya.pk, "priority": high.pk,
    }  # fmt: skip
    answer = ada.post("/settings/routing/halo/add/", data)
    assert answer.url == "/settings/routing/?account=halo"
    rule = RoutingRule.objects.get()
    assert (rule.client, rule.ticket_type, rule.category, rule.subcategory) == (acme, kind, "Network", "Outage")
    assert (rule.team, rule.agent, rule.priority, rule.position) == (field, priya, high, 1)
    said = "Acme, type Alert, category Network, subcategory Outage → Field team, Priya, priority Critical"
    assert words(halo) == [said]
    assert said in page(ada)
    entry = AuditEntry.objects.get(verb="routing.add")
    assert (entry.subject, entry.detail["rule"]) == (f"routing_rule:{rule.pk}", said)
    assert entry.user is not None


def test_a_rule_is_changed_in_its_place(ada: Browser, halo: PsaAccount, acme: Client) -> None:
    first, second = make_rule(make_team("One")), make_rule(make_team("Two"), client=acme)
    text = ada.get(f"/settings/routing/{first.pk}/").content.decode()
    assert "Every ticket → One" in text
    ada.post(f"/settings/routing/{first.pk}/", {"team": make_team("Three").pk, "category": "Network"})
    assert words(halo) == ["category Network → Three", "Acme → Two"]
    assert [r.pk for r in rules_of(halo.pk)] == [first.pk, second.pk]
    detail = AuditEntry.objects.get(verb="routing.change").detail
    assert (detail["before"], detail["rule"]) == ("every ticket → One", "category Network → Three")
    team = RoutingRule.objects.get(pk=first.pk).team_id
    ada.post(f"/settings/routing/{first.pk}/", {"team": team, "category": "Network"})
    assert verbs() == ["routing.change"], "nothing changed, nothing written"


@pytest.mark.parametrize(
    ("data", "field", "text"),
    [
        ({}, "team", "Choose the team that the ticket goes to."),
        ({"team": "999999"}, "team", "Choose one from the list."),
        ({"client_text": "Nobody Ltd"}, "client_text", "No client of this name is known."),
        ({"client_text": "a\x00b"}, "client_text", "Null characters"),
        ({"client_text": "ac"}, "client_text", "Choose one of these."),
        ({"category": "Telex"}, "category", "Choose one from the list."),
    ],
)
def test_what_makes_no_sense_is_named(ada: Browser, acme: Client, data: dict, field: str, text: str) -> None:
    team = make_team("Field team")
    answer = ada.post("/settings/routing/halo/add/", {"team": team.pk, **data} if field != "team" else data)
    assert answer.status_code == 422
    assert text in answer.content.decode()
    assert not RoutingRule.objects.exists()


def test_the_client_is_picked_from_those_that_fit(ada: Browser, acme: Client) -> None:
    team, other = make_team("Field team"), make_client("Acme Dental")
    text = ada.post("/settings/routing/halo/add/", {"team": team.pk, "client_text": "acm"}).content.decode()
    assert text.count('type="radio" name="client"') == 2
    ada.post("/settings/routing/halo/add/", {"team": team.pk, "client_text": "acm", "client": other.pk})
    assert RoutingRule.objects.get().client == other
    # A tick left over from before does not outlive a change of the letters.
    ada.post("/settings/routing/halo/add/", {"team": team.pk, "client_text": "acme", "client": "999999"})
    assert RoutingRule.objects.last().client == acme


def test_clients_and_teams_of_another_account_are_not_taken(ada: Browser, acme: Client) -> None:
    other = make_account("other")
    team, client = make_team(psa_account=other), make_client("Foreign", psa_account=other)
    assert ada.post("/settings/routing/halo/add/", {"team": team.pk}).status_code == 422
    data = {"team": make_team("Field team").pk, "client_text": "Foreign", "client": client.pk}
    assert ada.post("/settings/routing/halo/add/", data).status_code == 422


def test_the_preview_says_it_in_words_before_anything_is_kept(ada: Browser, acme: Client) -> None:
    team = make_team("Field team")
    make_rule(team, client=acme)
    make_ticket(client=acme, category="Network")
    data = {"look": "yes", "team": team.pk, "client_text": "acme", "category": "Network"}
    answer = ada.post("/settings/routing/halo/add/", data, headers=HTMX)
    text = answer.content.decode()
    assert answer.status_code == 200
    assert "<b>Acme, category Network → Field team</b>" in text
    assert "1 open ticket fits" in text
    assert "Never reached: rule 1 takes all of these before." in text
    assert 'id="rule-clients"' in text
    assert RoutingRule.objects.count() == 1
    plain = ada.post("/settings/routing/halo/add/", {**data, "client_text": "acme"}).content.decode()
    assert "<h2>Add a rule</h2>" in plain
    assert "Acme, category Network → Field team" in plain
    assert RoutingRule.objects.count() == 1


def test_the_order_is_changed_without_script(ada: Browser, halo: PsaAccount) -> None:
    one, _two, three = (make_rule(make_team(name), category=name) for name in ("One", "Two", "Three"))
    text = page(ada)
    assert len(re.findall(r'value="up"[^>]* disabled', text)) == 1
    assert len(re.findall(r'value="down"[^>]* disabled', text)) == 1
    answer = ada.post(f"/settings/routing/{three.pk}/move/", {"way": "up"})
    assert answer.url == f"/settings/routing/?account=halo#rule-{three.pk}"
    assert [r.category for r in rules_of(halo.pk)] == ["One", "Three", "Two"]
    ada.post(f"/settings/routing/{one.pk}/move/", {"way": "down"})
    ada.post(f"/settings/routing/{three.pk}/move/", {"way": "up"})
    assert [(r.category, r.position) for r in rules_of(halo.pk)] == [("Three", 1), ("One", 2), ("Two", 3)]
    assert verbs() == ["routing.move", "routing.move"], "the first one cannot go up"


def test_switched_off_and_on(ada: Browser, halo: PsaAccount) -> None:
    rule = make_rule(make_team("Field team"))
    ada.post(f"/settings/routing/{rule.pk}/switch/")
    assert not RoutingRule.objects.get().is_active
    assert "Switch on rule 1" in page(ada)
    ada.post(f"/settings/routing/{rule.pk}/switch/", {"on": "yes"})
    ada.post(f"/settings/routing/{rule.pk}/switch/", {"on": "yes"})
    assert verbs() == ["routing.off", "routing.on"]


def test_deleting_asks_first(ada: Browser, halo: PsaAccount) -> None:
    rule, rest = make_rule(make_team("Field team")), make_rule(make_team("Rest"))
    text = ada.get(f"/settings/routing/{rule.pk}/delete/").content.decode()
    assert "Every ticket → Field team" in text
    assert RoutingRule.objects.count() == 2
    ada.post(f"/settings/routing/{rule.pk}/delete/")
    rest.refresh_from_db()
    assert [(r.pk, r.position) for r in RoutingRule.objects.all()] == [(rest.pk, 1)]
    assert AuditEntry.objects.get(verb="routing.delete").detail["rule"] == "every ticket → Field team"
    assert ada.post(f"/settings/routing/{rule.pk}/delete/").status_code == 404
    assert ada.get(f"/settings/routing/{'9' * 30}/").status_code == 404


def test_what_is_wrong_stands_at_the_rule(ada: Browser, acme: Client) -> None:
    gone = make_rule(make_team("Old team", is_active=False), client=acme)
    stranger = make_agent("Priya", teams=[make_team("Elsewhere")])
    make_rule(make_team("Field team"), client=acme, agent=stranger)
    make_rule(make_team("Service desk"), client=acme)
    text = page(ada)
    assert "Old team is not in use any more: this rule is skipped." in text
    assert "Priya does not belong to Field team." in text
    assert "Contradicts rule 2, which asks for the same and comes first." in text
    form = ada.get(f"/settings/routing/{gone.pk}/").content.decode()
    assert "Old team (not in use any more)" in form
    saved = ada.post(f"/settings/routing/{gone.pk}/", {"team": gone.team_id})
    assert saved.status_code == 422
    assert "This is not in use any more: choose another one." in saved.content.decode()


def test_a_psa_without_teams_routes_to_an_owner(ada: Browser, halo: PsaAccount) -> None:
    halo.capabilities = {"teams": False}
    halo.save()
    assert 'name="team"' not in ada.get("/settings/routing/halo/add/").content.decode()
    assert ada.post("/settings/routing/halo/add/", {}).status_code == 422
    assert ada.post("/settings/routing/halo/add/", {"agent": make_agent("Priya").pk}).status_code == 302
    assert words(halo) == ["every ticket → Priya"]


def test_there_is_an_end_to_rules(ada: Browser, halo: PsaAccount) -> None:
    team = make_team("Field team")
    RoutingRule.objects.bulk_create(
        RoutingRule(psa_account=halo, team=team, position=n, category=str(n)) for n in range(MOST_RULES)
    )
    answer = ada.post("/settings/routing/halo/add/", {"team": team.pk})
    assert answer.status_code == 422
    assert "An account takes at most 200 rules." in answer.content.decode()
    assert page(ada).count("Switch off rule") == MOST_RULES


def test_each_account_has_its_own(ada: Browser, halo: PsaAccount) -> None:
    other = make_account("second", title="Other PSA")
    make_rule(make_team("Here"))
    make_rule(make_team("There", psa_account=other))
    assert ("There" in page(ada, account="second"), ">Here" in page(ada, account="second")) == (True, False)
    assert "There" not in page(ada, account="halo")
    assert ada.get("/settings/routing/nobody/add/").status_code == 404


def test_the_matrix_is_kept_checked_and_written_down(ada: Browser, halo: PsaAccount) -> None:
    halo.settings = {"tenant": "acme"}
    halo.save()
    cells = {f"cell_{cell}": "3" for cell in ("11", "12", "13", "21", "22", "23", "31", "32", "33")}
    assert ada.post("/settings/routing/halo/matrix/", cells | {"cell_11": "2"}).status_code == 302
    halo.refresh_from_db()
    assert halo.settings["tenant"] == "acme"
    assert (halo.settings["priority_matrix"]["11"], halo.settings["priority_matrix"]["33"]) == (2, 3)
    assert AuditEntry.objects.get(verb="routing.matrix").detail["11"] == [1, 2]
    box = page(ada).split('name="cell_11"')[1].split("</select>")[0]
    assert '<option value="2" selected>' in box
    for wrong in ("9", "", "x"):
        answer = ada.post("/settings/routing/halo/matrix/", cells | {"cell_11": wrong})
        assert answer.status_code == 422
        assert 'aria-invalid="true"' in answer.content.decode()
    halo.refresh_from_db()
    assert halo.settings["priority_matrix"]["11"] == 2


@pytest.mark.parametrize("name", ["dana", "theo", "mona", "cleo", "otto"])
def test_only_administrators(halo: PsaAccount, name: str) -> None:
    rule = make_rule(make_team("Field team"))
    browser = Browser()
    browser.force_login(EVERYBODY[name](halo))
    one = f"/settings/routing/{rule.pk}/"
    for address in ("/settings/routing/", "/settings/routing/halo/add/", one, f"{one}delete/"):
        assert browser.get(address).status_code == 403
    for address in ("/settings/routing/halo/add/", "/settings/routing/halo/matrix/", one, f"{one}move/",
                    f"{one}switch/", f"{one}delete/"):  # fmt: skip
        assert browser.post(address, {"team": rule.team_id}).status_code == 403
    assert RoutingRule.objects.get().is_active
    assert "/settings/routing/" not in browser.get("/settings/").content.decode()


def test_the_settings_lead_there(ada: Browser) -> None:
    assert "/settings/routing/" in ada.get("/settings/").content.decode()


def test_more_rules_ask_no_more(ada: Browser, halo: PsaAccount) -> None:
    def queries() -> int:
        with CaptureQueriesContext(connection) as seen:
            page(ada)
        return len(seen)

    make_rule(make_team("One"), agent=make_agent())
    queries()
    few = queries()
    for n in range(10):
        make_rule(
            make_team(f"Team {n}"), client=make_client(f"Client {n}"), agent=make_agent(), priority=make_priority()
        )
    assert queries() == few <= 15


def test_two_admins_at_once_keep_one_order(halo: PsaAccount) -> None:
    ada = make_ada(halo)
    rules = [make_rule(make_team(str(n)), position=1) for n in range(3)]
    kept.move_rule(rule=rules[2], is_up=True, by=ada, now=halo.created_at)
    assert [r.position for r in rules_of(halo.pk)] == [1, 2, 3]
