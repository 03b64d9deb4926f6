"""One lane per person on the board, and the settings where people of the PSAs are joined and separated."""

from __future__ import annotations

import json
from typing import Any

import pytest
from django.core.cache import cache
from django.test import Client as Browser

from helpdesk.accounts.models import AuditEntry
from helpdesk.directory.models import Agent, Team
from helpdesk.tickets.models import Ticket
from tests.factories import make_account, make_agent, make_team, make_ticket
from tests.people import make_ada, make_cleo, make_dana, make_mona, make_theo

pytestmark = pytest.mark.django_db
HTMX = {"HTTP_HX_REQUEST": "true"}
PAGE = "/settings/people/agents/"


def callum(account: str, email: str = "callum@msp.test", **values: Any) -> Agent:
    return make_agent("Callum Reid", psa_account=make_account(account), email=email, **values)


@pytest.fixture
def ada(client: Browser) -> Any:
    user = make_ada()
    client.force_login(user)
    return user


def lanes(page: str) -> int:
    return page.count(">Callum Reid</h2>")


def test_two_agents_of_one_e_mail_are_one_lane_with_all_their_tickets(client: Browser) -> None:
    client.force_login(make_dana())
    first, second = callum("halo"), callum("atera")
    mine = [make_ticket(psa_account=one.psa_account, agent=one) for one in (first, second)]
    page = client.get("/board/").content.decode()
    assert lanes(page) == 1
    lane = page.split(f"id=lane-a{first.pk} ")[1].split("</section>")[0]
    assert all(f"data-ticket={one.pk}>" in lane for one in mine)


def test_a_drop_gives_it_to_their_agent_in_the_tickets_own_account(client: Browser) -> None:
    client.force_login(make_dana())
    first, second = callum("halo"), callum("atera")
    ticket, stray = make_ticket(psa_account=second.psa_account), make_ticket(psa_account=make_account("autotask"))
    drop = {"lane": f"a{first.pk}", "group": "agent", "confirmed": "yes"}
    client.post("/board/move/", drop | {"ticket": ticket.pk}, **HTMX)
    ticket.refresh_from_db()
    assert ticket.agent == second
    asked = client.get("/board/targets/", {"lanes": f"a{first.pk}", "ticket": [ticket.pk, stray.pk]}).json()
    assert "Callum has no agent in Autotask" in asked["refused"][f"a{first.pk}"]
    answer = client.post("/board/move/", drop | {"ticket": stray.pk}, **HTMX)
    assert "Callum has no agent in Autotask" in json.loads(answer["HX-Trigger"])["toast"]["detail"]
    answer = client.post(f"/tickets/{ticket.pk}/set/agent/", {"value": f"a{first.pk}"}, **HTMX)
    assert answer.status_code == 204


def test_one_entry_in_the_filter_and_the_bulk_chooser(client: Browser) -> None:
    client.force_login(make_dana())
    first, second = callum("halo"), callum("atera")
    tickets = [make_ticket(psa_account=one.psa_account, agent=one) for one in (first, second)]
    picks = {"pick": [one.pk for one in tickets]}
    assert client.get("/tickets/bulk/choose/agent/", picks).content.decode().count('data-label="Callum Reid"') == 1
    page = client.get("/tickets/filters/?filter=agent").content.decode()
    assert page.count("Callum Reid") == 1
    rows = client.get(f"/tickets/?agent={second.pk}").content.decode()
    assert rows.count("<tr data-ticket=") == 2


def test_join_and_separate_are_kept_and_audited(client: Browser, ada: Any) -> None:
    first, second = callum("halo"), callum("atera", "c.reid@elsewhere.test")
    assert client.post(f"{PAGE}join/", {"agent": first.pk, "other": second.pk}).status_code == 302
    page = client.get("/board/").content.decode()
    assert lanes(page) == 1
    assert client.post(f"{PAGE}{second.pk}/").status_code == 302
    assert lanes(client.get("/board/").content.decode()) == 2
    client.post(f"{PAGE}join/", {"agent": first.pk, "other": second.pk})
    client.post(f"{PAGE}{first.pk}/")
    assert lanes(client.get("/board/").content.decode()) == 2, "the one it was named after leaves, too"
    client.post(f"{PAGE}{first.pk}/", {"email": "1"})
    first.refresh_from_db()
    assert first.joined_as == ""
    verbs = list(AuditEntry.objects.order_by("pk").values_list("verb", flat=True))
    assert verbs == ["agents.join", "agents.separate", "agents.join", "agents.separate", "agents.by_email"]


def test_what_cannot_be_joined_says_why_and_keeps_the_choice(client: Browser, ada: Any) -> None:
    first = callum("halo")
    twin = make_agent("Cal Reid", psa_account=first.psa_account, email="cal@msp.test")
    answer = client.post(f"{PAGE}join/", {"agent": first.pk, "other": twin.pk})
    assert answer.status_code == 422
    assert "Both have an agent in Halo" in answer.content.decode()
    assert answer.content.decode().count(" selected") == 2
    for other in (first.pk, "", "x", 10**9):
        assert client.post(f"{PAGE}join/", {"agent": first.pk, "other": other}).status_code == 422
    signed = callum("atera", user=make_theo())
    assert client.post(f"{PAGE}{signed.pk}/").status_code == 422


def test_who_may_look_and_who_may_change(client: Browser) -> None:
    first = callum("halo")
    for make, look in ((make_mona, 200), (make_dana, 403), (make_cleo, 403)):
        client.force_login(make(first.psa_account))
        assert client.get(PAGE).status_code == look
        assert client.get("/settings/people/teams/").status_code == look
        assert client.post(f"{PAGE}{first.pk}/").status_code == 403
        assert client.post(f"{PAGE}join/", {"agent": first.pk}).status_code == 403
        assert client.post("/settings/people/teams/", {"team": "x"}).status_code == 403


def test_the_lead_of_a_team_is_set_in_every_psa_that_has_it(client: Browser, ada: Any) -> None:
    for account in ("halo", "atera"):
        make_team("Service desk", psa_account=make_account(account))
    theo = make_theo()
    address = "/settings/people/teams/"
    client.post(address, {"team": "Service desk", "lead": theo.pk})
    assert set(Team.objects.values_list("lead", flat=True)) == {theo.pk}
    assert f'value="{theo.pk}" selected' in client.get(address).content.decode()
    for wrong in ({"team": "Gone", "lead": theo.pk}, {"team": "Service desk", "lead": make_cleo().pk}):
        assert client.post(address, wrong).status_code == 422
    client.post(address, {"team": "Service desk", "lead": ""})
    assert not Team.objects.exclude(lead=None).exists()
    assert AuditEntry.objects.filter(verb="team.lead").count() == 2


def test_more_people_cost_no_more_queries(client: Browser, ada: Any, django_assert_max_num_queries: Any) -> None:
    def hire(start: int) -> None:
        for number in range(start, start + 10):
            for account in ("halo", "atera"):
                make_agent(f"P{number}", psa_account=make_account(account), email=f"p{number}@msp.test")
                make_team(f"T{number}", psa_account=make_account(account))

    hire(0)
    for page in (PAGE, "/settings/people/teams/"):
        client.get(page)
        cache.clear()
        with django_assert_max_num_queries(9):
            client.get(page)
    hire(10)
    for page in (PAGE, "/settings/people/teams/"):
        cache.clear()
        with django_assert_max_num_queries(9):
            assert "P19" in client.get(page).content.decode() or "T19" in client.get(page).content.decode()
    assert not Ticket.objects.exists()
