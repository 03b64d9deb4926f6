"""The board: lanes, what changed, drops and why not, presence, and no query per card."""

from __future__ import annotations

import json
import re
from datetime import timedelta
from typing import Any

import pytest
from django.test import Client as Browser
from django.utils import timezone

from helpdesk.desk import presence
from tests.factories import (
    make_account,
    make_agent,
    make_client,
    make_priority,
    make_status,
    make_team,
    make_ticket,
    make_time_entry,
)  # fmt: skip
from tests.people import make_cleo, make_dana, make_theo

pytestmark = pytest.mark.django_db
HTMX = {"HTTP_HX_REQUEST": "true"}


@pytest.fixture
def dana(client: Browser) -> Any:
    user = make_dana(make_account(title="HaloPSA"))
    client.force_login(user)
    return user


def lane_of(text: str, title: str) -> str:
    return next(part for part in text.split("<section")[1:] if f">{title}</h2>" in part)


def cards_in(text: str) -> list[int]:
    return [int(n) for n in re.findall(r"<article class=card data-ticket=(\d+)", text)]


def test_nobody_s_tickets_first_by_deadline_then_a_lane_per_person(client: Browser, dana: Any) -> None:
    other = make_account("other", title="Other")
    theo = make_theo(make_account())
    twin = make_agent("T. Marsh", psa_account=other, user=theo)
    loner = make_agent("Lone Agent")
    now = timezone.now()
    late, soon = (make_ticket(next_due_at=now + timedelta(hours=h)) for h in (5, 1))
    one, two = make_ticket(agent=theo.agents.first()), make_ticket(agent=twin, psa_account=other)
    three = make_ticket(agent=loner)
    text = client.get("/board/").content.decode()
    assert cards_in(lane_of(text, "Needs an owner")) == [soon.pk, late.pk]
    assert set(cards_in(lane_of(text, "Theo Marsh"))) == {one.pk, two.pk}
    assert cards_in(lane_of(text, "Lone Agent")) == [three.pk]
    assert "T. Marsh" not in text


@pytest.mark.parametrize("group", ["agent", "team", "status", "priority", "client", "nonsense"])
def test_every_grouping_shows_every_open_ticket(client: Browser, dana: Any, group: str) -> None:
    tickets = [make_ticket(team=make_team() if i else None, agent=make_agent() if i else None) for i in range(4)]
    make_ticket(status=make_status("closed"))
    answer = client.get(f"/board/?group={group}")
    assert sorted(cards_in(answer.content.decode())) == sorted(t.pk for t in tickets)


def test_opens_on_one_s_own_teams_and_one_name_is_one_team(client: Browser, dana: Any) -> None:
    other = make_account("other", title="Other")
    desk, twin, field = make_team(), make_team(psa_account=other), make_team("Field")
    make_agent("Inside One", teams=[desk])
    make_agent("Inside Two", psa_account=other, teams=[twin])
    make_agent("Outside", teams=[field])
    shown, hidden, free = make_ticket(team=desk), make_ticket(team=field), make_ticket()
    client.post("/board/teams/", {"team": desk.pk})
    text = client.get("/board/").content.decode()
    assert "Inside One" in text
    assert "Inside Two" in text
    assert "Outside" not in text
    assert set(cards_in(text)) == {shown.pk, free.pk}
    assert hidden.pk in cards_in(client.get("/board/?team=all").content.decode())


def test_booked_is_today_s_time_and_the_estimates(client: Browser, dana: Any) -> None:
    agent = make_agent("Priya Nair")
    ticket = make_ticket(agent=agent, estimate_seconds=5400)
    make_time_entry(ticket, 3600, agent=agent, ended_at=timezone.now())
    make_time_entry(ticket, 3600, agent=agent, ended_at=timezone.now() - timedelta(days=2))
    assert "<b>2.5</b> / 7.5" in lane_of(client.get("/board/").content.decode(), "Priya Nair")


def test_at_most_25_cards_and_the_rest_on_scroll(client: Browser, dana: Any) -> None:
    now = timezone.now()
    tickets = [make_ticket(next_due_at=now + timedelta(minutes=i // 2)) for i in range(60)]
    text = client.get("/board/").content.decode()
    seen = cards_in(text)
    assert len(seen) == 25
    while True:
        more = re.search(r'class="button button-small lane-more"[^>]* href="([^"]+)"', text)
        if not more:
            break
        text = client.get(more[1].replace("&amp;", "&"), **HTMX).content.decode()
        seen += cards_in(text)
    assert seen == [t.pk for t in tickets]
    assert client.get("/board/more/?lane=owner&cursor=forged").status_code == 404


def have(answer: Any) -> str:
    return ",".join(":".join(m) for m in re.findall(r"data-lane=(\S+) data-digest=(\S+)", answer.content.decode()))


def test_only_lanes_that_changed_are_sent(client: Browser, dana: Any) -> None:
    priya = make_agent("Priya Nair")
    make_agent("Joel Ward")
    ticket = make_ticket()
    page = client.get("/board/")
    assert client.get("/board/lanes/", {"have": have(page)}).status_code == 204
    client.post("/board/move/", {"ticket": ticket.pk, "lane": f"a{priya.pk}", "group": "agent"}, **HTMX)
    text = client.get("/board/lanes/", {"have": have(page)}).content.decode()
    assert text.count("<section") == 2
    assert cards_in(lane_of(text, "Priya Nair")) == [ticket.pk]
    assert "Everything has an owner" in text


def test_a_drop_assigns_and_its_undo_takes_it_back(client: Browser, dana: Any) -> None:
    priya, tickets = make_agent("Priya Nair"), [make_ticket(), make_ticket()]
    answer = client.post(
        "/board/move/", {"ticket": [t.pk for t in tickets], "lane": f"a{priya.pk}", "group": "agent"}, **HTMX
    )
    toast = json.loads(answer["HX-Trigger"])["toast"]
    assert (answer.status_code, toast["text"]) == (204, "2 tickets moved to Priya Nair")
    assert priya.tickets.count() == 2
    client.post(toast["undo_url"], **HTMX)
    assert priya.tickets.count() == 0


@pytest.mark.parametrize("in_team", [False, True])
def test_a_drop_answers_the_lanes_it_touched(client: Browser, dana: Any, in_team: bool) -> None:
    """As they come when they are asked for: asked for with what was answered, nothing looks different."""
    theo, team = make_theo(make_account()), make_team()
    theo.agents.get().teams.add(team)
    for n in range(30):
        one = make_ticket(agent=theo.agents.get() if n < 28 else None, team=team, estimate_seconds=900)
    make_time_entry(one, agent=theo.agents.get(), seconds=1800, ended_at=timezone.now())
    moved = make_ticket(team=team, next_due_at=timezone.now() - timedelta(days=900))
    scope: dict[str, Any] = {"team": team.pk} if in_team else {}
    board, key = client.get("/board/", scope), f"u{theo.pk}"
    digests = dict(re.findall(r"data-lane=(\S+) data-digest=(\S+)", board.content.decode()))
    fields = {"lane": key, "ticket": moved.pk, "have": f"owner:{digests['owner']}:2,{key}:{digests[key]}:26"}
    done = client.post("/board/move/", fields | scope, **HTMX)
    text = done.content.decode()
    assert (done.status_code, text.count("<section")) == (200, 2)
    before = cards_in(lane_of(board.content.decode(), "Theo Marsh"))
    assert cards_in(lane_of(text, "Theo Marsh")) == [moved.pk, *before]
    assert "29 open" in lane_of(text, "Theo Marsh")
    assert len(cards_in(lane_of(text, "Needs an owner"))) == 2
    counted = [f"{lane}:{number}" for lane, number in zip(have(done).split(","), (2, 26), strict=True)]
    assert client.get("/board/lanes/", scope | {"have": ",".join(counted)}, **HTMX).status_code == 204


def test_where_it_may_not_go_is_known_before_the_drop(client: Browser, dana: Any) -> None:
    other = make_account("other", title="Other PSA")
    tom, ticket = make_agent("Tom Hedley", psa_account=other), make_ticket()
    answer = client.get("/board/targets/", {"ticket": ticket.pk, "lanes": f"owner,a{tom.pk}", "group": "agent"}).json()
    assert list(answer["refused"]) == [f"a{tom.pk}"]
    assert "Tom has no agent in HaloPSA" in answer["refused"][f"a{tom.pk}"]
    answer = client.post("/board/move/", {"ticket": ticket.pk, "lane": f"a{tom.pk}", "group": "agent"}, **HTMX)
    assert answer.status_code == 422
    assert "stays where it was" in json.loads(answer["HX-Trigger"])["toast"]["text"]


def test_status_lanes_refuse_apply_or_ask(client: Browser, dana: Any) -> None:
    account = make_account()
    account.transition_rules = [{"to_categories": ["resolved"], "level": "error", "text": "Log time first."}]
    account.save()
    ticket = make_ticket()
    make_status("escalated")
    one, two = make_status("waiting_client", name="Waiting Customer"), make_status("waiting_client", name="On hold")
    make_status("resolved")
    query = {"ticket": ticket.pk, "group": "status", "lanes": "c-new,c-escalated,c-waiting_client,c-resolved,c-open"}
    answer = client.get("/board/targets/", query).json()
    assert set(answer["refused"]) == {"c-new", "c-resolved"}
    assert answer["refused"]["c-resolved"] == "Log time first."
    assert answer["asks"] == ["c-waiting_client"]
    drop = {"ticket": ticket.pk, "group": "status", "lane": "c-waiting_client"}
    asked = client.post("/board/move/", drop, **HTMX)
    assert asked.status_code == 422
    assert "Waiting Customer" in asked.content.decode()
    assert client.post("/board/move/", {**drop, "value": f"s{two.pk}"}, **HTMX).status_code == 204
    ticket.refresh_from_db()
    assert ticket.status == two != one
    assert client.post("/board/move/", {**drop, "lane": "c-escalated"}, **HTMX).status_code == 204


def test_priority_and_team_drops(client: Browser, dana: Any) -> None:
    ticket, desk, high = make_ticket(), make_team(), make_priority(2)
    client.post("/board/move/", {"ticket": ticket.pk, "group": "priority", "lane": "r2"}, **HTMX)
    client.post("/board/move/", {"ticket": ticket.pk, "group": "team", "lane": f"t{desk.pk}"}, **HTMX)
    ticket.refresh_from_db()
    assert (ticket.priority, ticket.team) == (high, desk)


def test_client_lanes_take_no_drop(client: Browser, dana: Any) -> None:
    ticket, firm = make_ticket(), make_client("Quayside")
    lane = f"k{firm.pk}"
    answer = client.get("/board/targets/", {"ticket": ticket.pk, "lanes": lane, "group": "client"}).json()
    assert lane in answer["refused"]
    assert client.post("/board/move/", {"ticket": ticket.pk, "lane": lane, "group": "client"}).status_code == 404


def test_ten_more_cards_and_lanes_cost_no_more_queries(
    client: Browser, dana: Any, django_assert_max_num_queries: Any
) -> None:
    make_ticket(agent=make_agent())
    client.get("/board/")
    with django_assert_max_num_queries(12) as few:
        client.get("/board/")
    for i in range(12):
        make_ticket(agent=make_agent(f"Agent {i}"))
    with django_assert_max_num_queries(12) as many:
        client.get("/board/")
    assert len(few) == len(many)


def test_hostile_text_stays_text(client: Browser, dana: Any) -> None:
    bad = '"><img src=x onerror=alert(1)>'
    make_ticket(bad, client=make_client(bad), agent=make_agent(bad), number=bad[:30])
    make_account("bad", title=bad[:60], mark='x" onclick="a')
    for group in ("agent", "client", "status"):
        text = client.get(f"/board/?group={group}&team={bad}&account={bad}").content.decode()
        assert "<img" not in text


def test_presence_comes_and_goes(client: Browser, dana: Any) -> None:
    ticket, theo = make_ticket(), make_theo(make_account())
    client.force_login(theo)
    assert client.post(f"/board/presence/{ticket.pk}/", {"typing": "1"}).status_code == 204
    now = timezone.now().timestamp()
    assert presence.present([ticket.pk], now=now) == {ticket.pk: [("Theo Marsh", True)]}
    assert presence.present([ticket.pk], but=theo.pk, now=now) == {}
    assert presence.present([ticket.pk], now=now + 30) == {}
    client.force_login(dana)
    assert "Theo Marsh is typing" in client.get("/board/").content.decode()
    client.force_login(theo)
    client.post(f"/board/presence/{ticket.pk}/", {"gone": "1"})
    assert presence.present([ticket.pk], now=now) == {}


def test_clients_get_nothing(client: Browser) -> None:
    client.force_login(make_cleo(make_account()))
    ticket = make_ticket()
    for path in ("", "lanes/", "more/", "targets/", "filter/"):
        assert client.get(f"/board/{path}").status_code == 403
    assert client.post("/board/move/", {"ticket": ticket.pk}).status_code == 403
    assert client.post(f"/board/presence/{ticket.pk}/").status_code == 403


def test_cards_say_who_has_them_unless_the_lane_does(client: Browser, dana: Any) -> None:
    make_ticket(agent=make_agent("Priya Nair"))
    assert "Owner: Priya Nair" in client.get("/board/?group=status").content.decode()
    assert "Owner: Priya Nair" not in client.get("/board/").content.decode()


def test_an_agent_nobody_could_be_has_a_lane_only_with_work(client: Browser, dana: Any) -> None:
    robot = make_agent("helpdesk API", email="")
    assert "helpdesk API" not in client.get("/board/").content.decode()
    make_ticket(agent=robot)
    assert "helpdesk API" in client.get("/board/").content.decode()
