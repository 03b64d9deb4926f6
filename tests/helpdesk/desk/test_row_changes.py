"""One change from a row, its undo, and many at once with a result for each."""

from __future__ import annotations

import json
from typing import Any

import pytest
from django.test import Client as Browser

from helpdesk.desk import bulk
from helpdesk.outbox.models import OutboxItem
from tests.factories import make_account, make_agent, make_priority, make_status, make_ticket
from tests.people import make_dana, make_theo

pytestmark = pytest.mark.django_db
HTMX = {"HTTP_HX_REQUEST": "true"}


@pytest.fixture
def dana(client: Browser) -> Any:
    user = make_dana(make_account())
    client.force_login(user)
    return user


def test_assign_from_a_row_says_so_and_can_be_undone(client: Browser, dana: Any) -> None:
    ticket, priya = make_ticket(number="48207"), make_agent("Priya Nair")
    answer = client.post(f"/tickets/{ticket.pk}/set/agent/", {"value": f"a{priya.pk}"}, **HTMX)
    toast = json.loads(answer["HX-Trigger"])["toast"]
    ticket.refresh_from_db()
    assert (answer.status_code, ticket.agent, toast["text"]) == (204, priya, "48207 is Priya’s now")
    assert OutboxItem.objects.get().fields == {"agent": priya.remote_id}
    assert client.post(toast["undo_url"], **HTMX).status_code == 204
    ticket.refresh_from_db()
    assert ticket.agent is None


def test_without_script_a_change_goes_back_to_the_page(client: Browser, dana: Any) -> None:
    ticket = make_ticket()
    high = make_priority(2)
    answer = client.post(f"/tickets/{ticket.pk}/set/priority/", {"value": f"p{high.pk}", "back": "/tickets/?view=mine"})
    assert (answer.status_code, answer["Location"]) == (302, "/tickets/?view=mine")
    ticket.refresh_from_db()
    assert ticket.priority == high


def test_a_blocked_status_is_refused_with_its_reason(client: Browser, dana: Any) -> None:
    account = make_account()
    account.transition_rules = [{"to_categories": ["closed"], "level": "error", "text": "Resolve it first."}]
    account.save()
    ticket, closed = make_ticket(), make_status("closed")
    assert "Resolve it first." in client.get(f"/tickets/{ticket.pk}/choose/status/", **HTMX).content.decode()
    answer = client.post(f"/tickets/{ticket.pk}/set/status/", {"value": f"s{closed.pk}"}, **HTMX)
    assert answer.status_code == 422
    assert "Resolve it first." in answer.content.decode()


def test_a_warning_needs_one_more_press(client: Browser, dana: Any) -> None:
    account = make_account()
    account.transition_rules = [{"to_categories": ["resolved"], "level": "warning", "text": "No time was logged."}]
    account.save()
    ticket, resolved = make_ticket(), make_status("resolved")
    answer = client.post(f"/tickets/{ticket.pk}/set/status/", {"value": f"s{resolved.pk}"}, **HTMX)
    assert answer.status_code == 422
    assert "No time was logged." in answer.content.decode()
    assert "confirmed" in answer.content.decode()
    values = {"value": f"s{resolved.pk}", "confirmed": "yes", "resolution": ""}
    assert client.post(f"/tickets/{ticket.pk}/set/status/", values, **HTMX).status_code == 204


@pytest.mark.parametrize("value", ["", "x", "a0", "u999999", "s1", "-1", "a" + "9" * 30])
def test_values_that_are_none_are_refused(client: Browser, dana: Any, value: str) -> None:
    ticket = make_ticket()
    assert client.post(f"/tickets/{ticket.pk}/set/agent/", {"value": value}, **HTMX).status_code == 422
    assert client.post(f"/tickets/{ticket.pk}/set/subject/", {"value": value}).status_code == 404


def test_another_account_s_agent_is_refused_with_the_name(client: Browser, dana: Any) -> None:
    other = make_account("other", title="Other PSA")
    ticket, tom = make_ticket(), make_agent("Tom Hedley", psa_account=other)
    answer = client.post(f"/tickets/{ticket.pk}/set/agent/", {"value": f"a{tom.pk}"}, **HTMX)
    assert "Tom has no agent in Halo" in answer.content.decode()


def test_undo_takes_back_only_one_s_own(client: Browser, dana: Any) -> None:
    ticket, priya = make_ticket(), make_agent("Priya Nair")
    answer = client.post(f"/tickets/{ticket.pk}/set/agent/", {"value": f"a{priya.pk}"}, **HTMX)
    undo = json.loads(answer["HX-Trigger"])["toast"]["undo_url"]
    client.force_login(make_theo())
    client.post(undo, **HTMX)
    ticket.refresh_from_db()
    assert ticket.agent == priya


def test_bulk_gives_a_result_per_ticket_and_retries_the_failed(client: Browser, dana: Any) -> None:
    other = make_account("other", title="Other PSA")
    here = [make_ticket() for _ in range(3)]
    there = make_ticket(psa_account=other)
    picks = [t.pk for t in (*here, there)]
    priya = make_agent("Priya Nair")
    chooser = client.get("/tickets/bulk/choose/agent/", {"pick": picks}, **HTMX).content.decode()
    assert "Give 4 tickets to" in chooser
    answer = client.post("/tickets/bulk/", {"pick": picks, "field": "agent", "value": f"a{priya.pk}"}, **HTMX)
    text = answer.content.decode()
    assert "3 done, 1 refused" in text
    assert "Priya has no agent in Other PSA" in text
    assert f'name="pick" value="{there.pk}"' in text
    assert f'name="pick" value="{here[0].pk}"' not in text


def test_bulk_over_all_matching_works_in_parts(client: Browser, dana: Any) -> None:
    for _ in range(60):
        make_ticket()
    done = make_ticket(status=make_status("closed"))
    high = make_priority(2)
    values = {"all": "yes", "query": "?agent=none", "field": "priority", "value": "2"}
    answer = client.post("/tickets/bulk/", values, **HTMX)
    parts = 1
    while answer.context["spelt"]:
        answer = client.post("/tickets/bulk/", {"job": answer.context["spelt"]}, **HTMX)
        parts += 1
    assert (parts, answer.context["job"].done, answer.context["job"].total) == (3, 60, 60)
    done.refresh_from_db()
    assert done.priority != high
    assert OutboxItem.objects.filter(rank=2).count() == 60


def test_a_job_of_somebody_else_or_a_forged_one_is_not_done(client: Browser, dana: Any) -> None:
    theirs = bulk.Job(user_id=dana.pk + 1, name="agent", value="none", label="x", rest=[1], total=1).spell()
    for job in (theirs, "forged", theirs[:-2] + "xx"):
        assert client.post("/tickets/bulk/", {"job": job}).status_code == 404


def test_a_few_that_all_went_well_are_a_toast_with_its_undo(client: Browser, dana: Any) -> None:
    tickets, priya = [make_ticket() for _ in range(3)], make_agent("Priya Nair")
    picks = [t.pk for t in tickets]
    answer = client.post("/tickets/bulk/", {"pick": picks, "field": "agent", "value": f"a{priya.pk}"}, **HTMX)
    assert answer.status_code == 204
    told = json.loads(answer["HX-Trigger"])
    assert told["toast"]["text"] == "3 tickets are Priya’s now"
    assert "desk:handled" in told
    back = client.post(told["toast"]["undo_url"], **HTMX)
    assert "3 tickets are back" in back["HX-Trigger"]


def test_unknown_tickets_answer_a_toast_to_script_and_a_page_to_others(client: Browser, dana: Any) -> None:
    for address, values in (
        ("/tickets/bulk/", {"pick": 999, "field": "agent", "value": "none"}),
        ("/board/move/", {"ticket": 999, "lane": "owner"}),
    ):
        answer = client.post(address, values, **HTMX)
        assert (answer.status_code, answer.content) == (404, b"")
        assert "no longer there" in answer["HX-Trigger"]
        assert client.post(address, values).status_code == 404
