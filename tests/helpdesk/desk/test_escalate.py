"""The dialog that escalates, from a ticket, a row or in bulk; what marks an escalated ticket; and who is told of it."""

from __future__ import annotations

import json
from typing import Any

import pytest
from django.core.cache import cache
from django.test import Client as Browser
from django.urls import reverse

from helpdesk.actions.models import Action, Escalation, Notice
from helpdesk.core.formatting import FOREVER
from helpdesk.outbox.models import OutboxItem
from helpdesk.tickets.models import Priority, Ticket
from helpdesk.tickets.what_if import due_with
from tests.factories import NOW, make_account, make_agent, make_client, make_priority, make_team, make_ticket
from tests.people import make_cleo, make_dana, make_mona, make_theo

pytestmark = pytest.mark.django_db
MARKER = "7a2b6d4e-0000-4000-8000-00000000000a"
WHY = "The ward cannot print wristbands."
HTMX = {"HTTP_HX_REQUEST": "true"}


@pytest.fixture
def ticket() -> Ticket:
    account = make_account()
    make_mona(account)
    for rank in (1, 2):
        make_priority(rank, psa_account=account)
    return make_ticket(psa_account=account, client=make_client(psa_account=account))


@pytest.fixture
def dana(client: Browser, ticket: Ticket) -> Any:
    user = make_dana(ticket.psa_account)
    client.force_login(user)
    return user


def address(ticket: Ticket) -> str:
    return reverse("tickets:escalate", args=[ticket.pk])


def test_the_dialog_suggests_the_lead_and_the_next_rank(client: Browser, dana: Any, ticket: Ticket) -> None:
    lead = make_theo(ticket.psa_account)
    Ticket.objects.update(team=make_team(psa_account=ticket.psa_account, lead=lead))
    page = client.get(address(ticket)).content.decode()
    high = Priority.objects.get(rank=2)
    assert f'<option value="u{lead.pk}" selected>Theo Marsh</option>' in page
    assert f'<option value="p{high.pk}" selected>High, ' in page
    assert "Told at once: <b>Theo Marsh</b>" in page


def test_a_refused_reason_keeps_what_was_typed(client: Browser, dana: Any, ticket: Ticket) -> None:
    priya = make_agent(psa_account=ticket.psa_account)
    answer = client.post(address(ticket), {"reason": " ", "agent": f"a{priya.pk}", "marker": MARKER}, **HTMX)
    page = answer.content.decode()
    assert answer.status_code == 422
    assert "Say why" in page
    assert f'<option value="a{priya.pk}" selected>' in page
    assert MARKER in page
    assert not Escalation.objects.exists()
    long = client.post(address(ticket), {"reason": "x" * 2500, "marker": MARKER}, **HTMX)
    assert "At most 2000 characters; this has 2500." in long.content.decode()
    assert "x" * 2500 in long.content.decode()


def test_one_press_escalates_and_can_be_taken_back(client: Browser, dana: Any, ticket: Ticket) -> None:
    was = ticket.priority_id
    high = Priority.objects.get(rank=2)
    given = {"reason": WHY, "priority": f"p{high.pk}", "marker": MARKER}
    for _press in range(2):
        answer = client.post(address(ticket), given, **HTMX)
        assert answer.status_code == 204
    toast = json.loads(answer["HX-Trigger"])["toast"]
    assert toast["text"] == f"{ticket.label} is escalated, and Mona Castell told"
    assert Escalation.objects.count() == 1
    ticket.refresh_from_db()
    assert ticket.priority == high
    client.post(toast["undo_url"], **HTMX)
    ticket.refresh_from_db()
    assert ticket.priority_id == was
    assert Action.objects.present().count() == 1


def test_without_script_it_leads_back(client: Browser, dana: Any, ticket: Ticket) -> None:
    answer = client.post(address(ticket), {"reason": WHY, "marker": "no uuid", "back": ticket.get_absolute_url()})
    assert answer["Location"] == ticket.get_absolute_url()
    assert Escalation.objects.get().reason == WHY


def test_a_client_cannot(client: Browser, ticket: Ticket) -> None:
    client.force_login(make_cleo(ticket.psa_account))
    assert client.post(address(ticket), {"reason": WHY}).status_code == 403
    assert client.get(reverse("tickets:bulk_escalate"), {"pick": ticket.pk}).status_code == 403
    assert client.get("/notices/").status_code == 403


def test_many_at_once_with_a_result_for_each(client: Browser, dana: Any, ticket: Ticket) -> None:
    other = make_ticket(psa_account=make_account("other"))
    picks = [ticket.pk, other.pk]
    page = client.get(reverse("tickets:bulk_escalate"), {"pick": picks}).content.decode()
    assert "Escalate 2 tickets" in page
    empty = client.post("/tickets/bulk/", {"field": "escalate", "pick": picks, "reason": "", "marker": MARKER}, **HTMX)
    assert empty.status_code == 422
    priya = make_agent(psa_account=ticket.psa_account)
    given = {"field": "escalate", "pick": picks, "reason": WHY, "marker": MARKER, "priority": "up"}
    answer = client.post("/tickets/bulk/", given | {"agent": f"a{priya.pk}"}, **HTMX)
    page = answer.content.decode()
    assert "1 done, 1 refused" in page
    assert "Priya has no agent in Other" in page
    assert f'name="reason" value="{WHY}"' in page
    assert list(Escalation.objects.values_list("ticket", flat=True)) == [ticket.pk]
    ticket.refresh_from_db()
    assert (ticket.rank, ticket.agent) == (2, priya)
    assert client.post("/tickets/bulk/", given | {"pick": [other.pk]}, **HTMX).status_code == 204
    assert Escalation.objects.count() == 2
    assert {item.rank for item in OutboxItem.objects.all()} == {2}


def test_it_is_marked_in_list_board_and_ticket_and_can_be_asked_for(client: Browser, dana: Any, ticket: Ticket) -> None:
    plain = make_ticket(psa_account=ticket.psa_account)
    client.post(address(ticket), {"reason": WHY, "marker": MARKER}, **HTMX)
    cache.clear()
    mark = "<b class=esc title=Escalated>Escalated</b>"
    for page in ("/tickets/", "/board/"):
        content = client.get(page).content.decode()
        assert content.count(mark) == 1, page
        assert plain.subject in content
    for query in ("view=escalated", "escalated=yes"):
        rows = client.get(f"/tickets/?{query}").content.decode()
        assert (f"data-ticket={ticket.pk}>" in rows, f"data-ticket={plain.pk}>" in rows) == (True, False)
    page = client.get(ticket.get_absolute_url()).content.decode()
    assert "Escalated by Dana Whitlock" in page
    assert "escalated it to Mona Castell" in page
    assert "Mail to mona@harbour.test is on its way" in page


def test_a_ticket_in_the_psas_own_status_is_marked_too(client: Browser, dana: Any, ticket: Ticket) -> None:
    Ticket.objects.update(status_category="escalated")
    assert "<b class=esc" in client.get("/tickets/?escalated=yes").content.decode()


def test_who_is_told_sees_it_until_seen(
    client: Browser, dana: Any, ticket: Ticket, django_capture_on_commit_callbacks: Any
) -> None:
    client.post(address(ticket), {"reason": WHY, "marker": MARKER}, **HTMX)
    mona = make_mona()
    client.force_login(mona)
    assert 'count-hot">1<' in client.get("/rail/").content.decode()
    page = client.get("/notices/").content.decode()
    assert (WHY in page, "1 not seen yet" in page) == (True, True)
    notice = Notice.objects.get()
    with django_capture_on_commit_callbacks(execute=True):
        assert client.post(f"/notices/{notice.pk}/")["Location"] == ticket.get_absolute_url()
    assert 'count-hot">' not in client.get("/rail/").content.decode().split("rail-views")[0]
    client.force_login(dana)
    assert client.post(f"/notices/{notice.pk}/").status_code == 404


def test_all_at_once_are_seen(client: Browser, ticket: Ticket, dana: Any) -> None:
    client.post(address(ticket), {"reason": WHY, "marker": MARKER}, **HTMX)
    client.force_login(make_mona())
    client.post("/notices/seen/")
    assert not Notice.objects.unseen().exists()


def test_more_notices_cost_no_more_queries(client: Browser, ticket: Ticket, django_assert_max_num_queries: Any) -> None:
    mona = make_mona()
    client.force_login(mona)

    def tell(count: int) -> None:
        for _each in range(count):
            one = make_ticket(psa_account=ticket.psa_account)
            note = Action.objects.create(ticket=one, occurred_at=NOW)
            made = Escalation.objects.create(ticket=one, action=note, reason=WHY, user=mona, at=NOW)
            Notice.objects.create(user=mona, escalation=made, created_at=NOW)

    tell(1)
    client.get("/notices/")
    cache.clear()
    with django_assert_max_num_queries(8):
        client.get("/notices/")
    tell(54)
    cache.clear()
    with django_assert_max_num_queries(8):
        page = client.get("/notices/").content.decode()
    assert page.count("<li data-new>") == 50
    older = page.split("?before=")[1].split('"')[0]
    assert client.get(f"/notices/?before={older}").content.decode().count("<li data-new>") == 5
    assert client.get("/notices/?before=x").status_code == 200


def test_the_deadline_of_another_priority_is_the_one_it_then_has(dana: Any, client: Browser, ticket: Ticket) -> None:
    high = Priority.objects.get(rank=2)
    said = due_with(ticket, [high], NOW)[high.pk]
    assert said < FOREVER
    client.post(address(ticket), {"reason": WHY, "priority": f"p{high.pk}", "marker": MARKER}, **HTMX)
    ticket.refresh_from_db()
    assert ticket.next_due_at == said


def test_the_palette_offers_it_on_the_open_ticket(client: Browser, dana: Any, ticket: Ticket) -> None:
    url = f"http://testserver{ticket.get_absolute_url()}"
    page = client.get("/palette/?q=>esc", HTTP_HX_CURRENT_URL=url, **HTMX).content.decode()
    assert f'href="{address(ticket)}" data-dialog="escalate"' in page
