"""The list: filters in the address, keyset pages, hostile text, and no query per row."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.test import Client as Browser
from django.utils import timezone

from helpdesk.core.formatting import FOREVER
from helpdesk.tickets.choices import Category
from helpdesk.tickets.models import SavedView, Ticket
from helpdesk.tickets.search import refresh_search_text
from tests.factories import (
    make_account,
    make_action,
    make_agent,
    make_client,
    make_clock,
    make_priority,
    make_status,
    make_team,
    make_ticket,
)  # fmt: skip
from tests.people import make_cleo, make_dana, make_mona, make_theo

pytestmark = pytest.mark.django_db
HTMX = {"HTTP_HX_REQUEST": "true"}


@pytest.fixture
def dana(client: Browser) -> Any:
    user = make_dana(make_account())
    client.force_login(user)
    return user


def numbers(answer: Any) -> list[int]:
    import re

    return [int(n) for n in re.findall(r"<tr data-ticket=(\d+)", answer.content.decode())]


def make_due(minutes: int, **values: Any) -> Ticket:
    due = timezone.now() + timedelta(minutes=minutes)
    return make_ticket(next_due_at=due, next_at_risk_at=due - timedelta(minutes=60), **values)


def test_open_tickets_next_deadline_first(client: Browser, dana: Any) -> None:
    late, soon, paused = make_due(200), make_due(20), make_ticket(next_due_at=FOREVER, clock_state="paused")
    done = make_ticket(status=make_status("closed"))
    found = numbers(client.get("/tickets/"))
    assert found == [soon.pk, late.pk, paused.pk]
    assert done.pk not in found
    assert numbers(client.get("/tickets/?state=closed")) == [done.pk]
    assert len(numbers(client.get("/tickets/?state=all"))) == 4


@pytest.mark.parametrize(
    "query",
    [
        "view=unassigned", "view=mine", "view=replied", "view=waiting", "view=breached", "view=due_week",
        "view=at_risk", "category=new,open", "status=In+Progress", "priority=high,critical", "priority=1",
        "team=Service+desk",
        "agent=none", "agent=me", "client=1", "account=halo", "type=incident", "due=today", "due=week",
        "due=2026-11-21", "due=8h", "due=3d", "due=overdue", "clock=at_risk,breached,paused,running", "replied=yes",
        "sync=pending,refused", "q=printer", "q=%22%27+--;+%25_%5C", "state=all&sort=-opened", "sort=client",
        "sort=-owner", "sort=status", "sort=updated", "sort=-number", "sort=subject", "sort=priority",
    ],
)  # fmt: skip
def test_every_filter_and_order_answers(client: Browser, dana: Any, query: str) -> None:
    make_team()
    make_due(30)
    assert client.get(f"/tickets/?{query}").status_code == 200


def test_filters_narrow(client: Browser, dana: Any) -> None:
    account = make_account()
    priya = make_agent("Priya Nair", psa_account=account)
    desk = make_team("Service desk", psa_account=account)
    high = make_due(50, priority=make_priority(2), agent=priya, team=desk)
    nobody = make_due(60)
    mine = make_due(70, agent=dana.agents.get())
    assert numbers(client.get("/tickets/?priority=high")) == [high.pk]
    assert numbers(client.get(f"/tickets/?agent={priya.pk}")) == [high.pk]
    assert numbers(client.get("/tickets/?team=Service+desk")) == [high.pk]
    assert numbers(client.get("/tickets/?agent=none")) == [nobody.pk]
    assert numbers(client.get("/tickets/?agent=none,me")) == [nobody.pk, mine.pk]
    assert numbers(client.get("/tickets/?view=mine")) == [mine.pk]
    assert numbers(client.get(f"/tickets/?agent=u{dana.pk}")) == [mine.pk]
    assert set(numbers(client.get("/tickets/?clock=at_risk"))) == {high.pk, nobody.pk}


def test_what_is_not_understood_is_left_out_and_said(client: Browser, dana: Any) -> None:
    make_due(30)
    answer = client.get("/tickets/?colour=red&priority=7&view=weird&sort=size&team=99&due=soon&cursor=nonsense")
    text = answer.content.decode()
    assert answer.status_code == 200
    assert len(numbers(answer)) == 1
    for word in ("colour", "Priority “7”", "weird", "size", "Team “99”", "Due “soon”", "page (this is the first)"):
        assert word in text


@pytest.mark.parametrize(
    "sort", ["due", "-due", "client", "-priority", "opened", "owner", "number", "-updated", "status"]
)
def test_pages_go_forth_and_back_without_a_gap(client: Browser, dana: Any, sort: str) -> None:
    clients = [make_client(name) for name in ("Alder", "Birch", "Cedar")]
    for i in range(120):
        make_due(i % 7 * 10, client=clients[i % 3])
    seen: list[int] = []
    address, pages = f"/tickets/?sort={sort}", []
    while address:
        answer = client.get(address)
        pages.append(numbers(answer))
        seen += pages[-1]
        address = answer.context["following"] and "/tickets/" + answer.context["following"]
        back = answer.context["previous"]
    assert len(seen) == len(set(seen)) == 120
    assert [len(p) for p in pages] == [50, 50, 20]
    assert numbers(client.get("/tickets/" + back)) == pages[1]


@pytest.mark.parametrize(
    "cursor", ["x", "WyJkdWUiLDEsMSwwXQ", "W10", "e30", "WyJkdWUiLHsiYXQiOiJ4In0sMSwwXQ", "%00", "a" * 3000]
)
def test_a_tampered_cursor_gives_the_first_page(client: Browser, dana: Any, cursor: str) -> None:
    ticket = make_due(5)
    answer = client.get(f"/tickets/?cursor={cursor}")
    assert numbers(answer) == [ticket.pk]
    assert "this is the first" in answer.content.decode()


def test_a_typed_number_jumps_to_its_ticket_and_several_give_a_list(client: Browser, dana: Any) -> None:
    one = make_due(5, number="48207")
    other = make_account("other", title="Other")
    a, b = make_due(5, number="777"), make_due(9, number="777", psa_account=other)
    for ticket in (one, a, b):
        refresh_search_text(ticket)
    answer = client.get("/tickets/?q=%2348207")
    assert (answer.status_code, answer["Location"]) == (302, one.get_absolute_url())
    assert numbers(client.get("/tickets/?q=777")) == [a.pk, b.pk]


def test_hostile_text_stays_text(client: Browser, dana: Any) -> None:
    bad = "\"><img src=x onerror=alert(1)>'`"
    make_due(5, subject=bad, number=bad[:30], client=make_client(bad), agent=make_agent(bad))
    text = client.get("/tickets/").content.decode()
    assert "<img" not in text
    assert "&lt;img src=x onerror=alert(1)&gt;" in text
    assert "<img" not in client.get(f"/tickets/?q={bad}&colour={bad}").content.decode()


def test_ten_more_rows_cost_no_more_queries(client: Browser, dana: Any, django_assert_max_num_queries: Any) -> None:
    for _ in range(3):
        make_due(5, agent=make_agent())
    client.get("/tickets/")
    with django_assert_max_num_queries(6):
        client.get("/tickets/")
    for _ in range(60):
        make_due(5, agent=make_agent())
    with django_assert_max_num_queries(6):
        answer = client.get("/tickets/")
    assert len(numbers(answer)) == 50
    with django_assert_max_num_queries(5):
        client.get("/tickets/?part=table")


def test_clients_get_nothing(client: Browser) -> None:
    ticket = make_due(5)
    client.force_login(make_cleo(make_account()))
    for path in ("", "filters/", "columns/", f"{ticket.pk}/preview/", f"{ticket.pk}/choose/agent/"):
        assert client.get(f"/tickets/{path}").status_code == 403
    assert client.post(f"/tickets/{ticket.pk}/set/agent/", {"value": "none"}).status_code == 403
    assert client.post("/tickets/bulk/", {"pick": ticket.pk, "field": "agent", "value": "none"}).status_code == 403


def test_columns_and_views_are_kept(client: Browser, dana: Any) -> None:
    make_due(5, team=make_team("Field"))
    client.post("/tickets/columns/", {"column": ["client", "due", "team"], "back": "?view=unassigned"})
    dana.refresh_from_db()
    assert dana.preferences["columns"] == ["client", "due", "team"]
    assert "Field" in client.get("/tickets/").content.decode()
    assert client.post("/tickets/views/", {"name": "", "query": "?priority=1"}, **HTMX).status_code == 422
    client.post("/tickets/views/", {"name": "Hot", "query": "?priority=1&nonsense=2", "shared": "yes"})
    view = SavedView.objects.get()
    assert (view.name, view.query, view.owner) == ("Hot", "priority=1", None)
    assert "<h1>Hot</h1>" in client.get("/tickets/?priority=1").content.decode()
    assert client.post("/tickets/views/", {"name": "Hot", "query": "?", "shared": "yes"}).status_code == 422
    client.force_login(make_theo())
    assert client.post(f"/tickets/views/{view.pk}/delete/").status_code == 403
    client.force_login(make_mona())
    client.post(f"/tickets/views/{view.pk}/delete/")
    assert not SavedView.objects.exists()


def test_an_open_redirect_is_not_possible(client: Browser, dana: Any) -> None:
    for back in ("https://evil.test/", "//evil.test/", "/\\evil.test", "javascript:alert(1)"):
        assert client.post("/tickets/columns/", {"back": back})["Location"] == "/tickets/"


def test_empty_because_of_filters_names_the_one_in_the_way(client: Browser, dana: Any) -> None:
    make_due(5)
    text = client.get("/tickets/?priority=1").content.decode()
    assert "No ticket matches" in text
    assert "there would be 1" in text


def test_filter_options_add_to_the_address(client: Browser, dana: Any) -> None:
    make_client("Quayside Hotels")
    text = client.get("/tickets/filters/?filter=priority&query=%3Fpriority%3D1%26agent%3Dnone").content.decode()
    assert "priority=1,2&amp;agent=none" in text
    assert "Quayside" not in client.get("/tickets/filters/?filter=client").content.decode()
    assert "Quayside" in client.get("/tickets/filters/?filter=client&typed=quay").content.decode()


def test_preview_shows_the_last_words_and_costs_the_same_for_a_long_story(
    client: Browser, dana: Any, django_assert_max_num_queries: Any
) -> None:
    ticket = make_due(5)
    make_clock(ticket)
    make_action(ticket, "<b>Hello</b><script>alert(1)</script>", body_is_html=True, is_internal=True)
    with django_assert_max_num_queries(8):
        text = client.get(f"/tickets/{ticket.pk}/preview/", **HTMX).content.decode()
    assert "<script" not in text
    assert 'data-visibility="internal"' in text
    for _ in range(20):
        make_action(ticket)
    with django_assert_max_num_queries(8):
        client.get(f"/tickets/{ticket.pk}/preview/", **HTMX)
    assert client.get("/tickets/999999/preview/").status_code == 404


def test_a_search_of_open_tickets_says_what_is_closed(client: Browser, dana: Any) -> None:
    done = make_status(Category.CLOSED, name="Closed")
    for ticket in (make_due(5, subject="Printer jam"), make_due(6, subject="Printer", status=done)):
        refresh_search_text(ticket)
    text = client.get("/tickets/?q=printer").content.decode()
    assert "1 more in closed" in text
    assert "?q=printer&amp;state=closed" in text
    assert "more in closed" not in client.get("/tickets/?q=printer&state=all").content.decode()
    closed = client.get("/tickets/?q=printer&state=closed").content.decode()
    assert "1 closed" in closed
    assert "1 open" not in closed


def test_short_numbers_leave_room_to_subjects(client: Browser, dana: Any) -> None:
    make_due(5, number="1930")
    assert '<col class="number-col short-col">' in client.get("/tickets/").content.decode()
    make_due(6, number="T20261121.0042")
    assert '<col class="number-col">' in client.get("/tickets/").content.decode()


def test_a_status_is_said_in_our_words_and_in_the_psas_where_nobody_has_mapped_it(client: Browser, dana: Any) -> None:
    names = {"Dispatched": True, "In Progress": True, "Awaiting parts": False}
    for name, is_mapped in names.items():
        make_ticket(status=make_status("open", name=name, is_mapped=is_mapped))
    make_ticket(priority=make_priority(1, name="VIP"), status=make_status("new", name="New"))
    text = client.get("/tickets/").content.decode()
    assert "<b class=status data-status=open title=Dispatched>In progress</b>" in text
    assert "<b class=status data-status=open>In progress</b>" in text, "the same word needs no second one"
    assert "<b class=status data-status=open>Awaiting parts</b>" in text
    assert "<b class=prio data-rank=1 title=VIP>Critical</b>" in text
