"""One macro in every PSA: its own status, agent and time; where it cannot be had, the reason comes first."""

from __future__ import annotations

import re
from typing import Any

import pytest
from django.test import Client as Browser
from django.urls import reverse

from helpdesk.accounts.models import User
from helpdesk.actions.models import Action, Macro, TimeEntry
from helpdesk.core.origin import Origin
from helpdesk.desk.macro_use import macros_for, plan, run_macro
from helpdesk.directory.models import PsaAccount
from helpdesk.directory.services import agent_of
from helpdesk.outbox.models import OutboxItem
from helpdesk.tickets.models import Ticket
from helpdesk.tickets.services import change_ticket
from tests.factories import NOW, make_account, make_agent, make_contact, make_organisation, make_status, make_ticket
from tests.people import make_dana, make_theo

pytestmark = pytest.mark.django_db
HTMX = {"HX-Request": "true"}
MARKER = "7a2b6d4e-0000-4000-8000-000000000001"
ROLES = [{"key": "11", "name": "Engineer", "is_default": True, "teams": []}]
FINAL = [{"from_categories": ["closed"], "text": "Closed is final"}]
WHY = [{"to_categories": ["escalated"], "needs": ["escalation_reason"], "text": "Escalation reason is required"}]
DONE = [{"to_categories": ["resolved"], "needs": ["resolution"], "text": "Resolution is required"}]
TOGETHER = [{"verb": "assign", "fields": ["agent", "agent_role"], "text": "Both or neither"}]


@pytest.fixture
def halo(db: None) -> PsaAccount:
    make_organisation()
    return make_account("halo", title="HaloPSA", capabilities={"action_with_status": True, "time_in_action": True})


@pytest.fixture
def theo(halo: PsaAccount) -> User:
    return make_theo(halo)


@pytest.fixture
def macro(theo: User) -> Macro:
    return Macro.objects.create(
        name="fixed, please check", body="Hi {{contact.first_name}}, it works.", kind="reply",
        status_category="waiting_client", minutes=5, assigns="me",
    )  # fmt: skip


def ticket_of(account: PsaAccount, **values: Any) -> Ticket:
    contact = make_contact(psa_account=account, first_name="Aoife", email="aoife@northwind.test")
    return make_ticket(psa_account=account, contact=contact, **values)


def planned(macro: Macro, ticket: Ticket, user: User) -> Any:
    return plan(macro, ticket, user, mine=agent_of(user.pk, ticket.psa_account_id))


def run(macro: Macro, ticket: Ticket, user: User, **answers: Any) -> Any:
    return run_macro(macro=macro, ticket=ticket, user=user, now=NOW, answers=answers)


def test_it_does_everything_in_one_act(halo: PsaAccount, theo: User, macro: Macro) -> None:
    ticket = ticket_of(halo)
    waiting = make_status("waiting_client", psa_account=halo, name="Waiting on Client")
    assert planned(macro, ticket, theo).does == "reply, Waiting on Client, to Theo Marsh, 5 min"
    assert run(macro, ticket, theo).state == "done"
    ticket.refresh_from_db()
    action = Action.objects.get()
    assert (action.body, action.is_internal, action.email_to) == (
        "<p>Hi Aoife, it works.</p>",
        False,
        "aoife@northwind.test",
    )
    assert (ticket.status, ticket.agent) == (waiting, agent_of(theo.pk, halo.pk))
    assert TimeEntry.objects.get().seconds == 300
    assign, write = OutboxItem.objects.in_lane(ticket.lane).order_by("sequence")
    assert set(assign.fields) == {"agent"}
    assert (write.fields["new_status"], write.fields["time_seconds"]) == (waiting.remote_id, 300)


def test_a_status_that_the_psa_lists_goes_before_one_that_was_only_seen(
    halo: PsaAccount, theo: User, macro: Macro
) -> None:
    make_status("waiting_client", psa_account=halo, name="Waiting customer", is_placeholder=True, sequence=0)
    make_status("waiting_client", psa_account=halo, name="Pending", sequence=2)
    assert planned(macro, ticket_of(halo), theo).choice.label == "Pending"


def test_what_is_so_already_is_left_alone(halo: PsaAccount, theo: User, macro: Macro) -> None:
    waiting = make_status("waiting_client", psa_account=halo)
    ticket = ticket_of(halo, status=waiting, agent=agent_of(theo.pk, halo.pk))
    assert planned(macro, ticket, theo).does == "reply, 5 min"
    run(macro, ticket, theo)
    assert [item.verb for item in OutboxItem.objects.in_lane(ticket.lane)] == ["create_action"]


@pytest.mark.parametrize(
    ("capabilities", "rules", "values", "reason"),
    [
        ({}, [], {"status_category": "escalated"}, "has no status for “Escalated”"),
        ({"time_entry_create": False}, [], {}, "takes no time from here"),
        ({"needs_author": "time"}, [], {}, "books time on a person only"),
        ({"needs_author": "always"}, [], {"minutes": None}, "takes words of its own people only"),
        ({}, [], {"assigns": "me"}, "has no agent in Other"),
        ({}, [{"to_categories": ["waiting_client"], "text": "Not from here"}], {}, "Not from here"),
    ],
    ids=["no status", "no time", "time of nobody", "words of nobody", "no agent", "rule"],
)
def test_it_is_refused_before_anything_is_sent(
    theo: User, macro: Macro, capabilities: Any, rules: Any, values: Any, reason: str
) -> None:
    other = make_account("other", title="Other", capabilities=capabilities, transition_rules=rules)
    make_status("waiting_client", psa_account=other)
    Macro.objects.update(**{"assigns": "", **values})
    macro.refresh_from_db()
    ticket = ticket_of(other)
    assert reason in planned(macro, ticket, theo).refused
    result = run(macro, ticket, theo)
    assert result.state == "refused"
    assert reason in result.text
    assert not OutboxItem.objects.exists()
    assert not Action.objects.exists()


def test_a_final_state_is_left_by_nobody(halo: PsaAccount, theo: User, macro: Macro) -> None:
    PsaAccount.objects.update(transition_rules=FINAL)
    make_status("waiting_client", psa_account=halo)
    ticket = ticket_of(PsaAccount.objects.get(), status=make_status("closed", psa_account=halo))
    assert planned(macro, ticket, theo).refused == "Closed is final"


def test_an_owner_without_a_role_cannot_be_given_it(halo: PsaAccount, theo: User, macro: Macro) -> None:
    PsaAccount.objects.update(capabilities={"agent_roles": True}, required_fields=TOGETHER)
    make_status("waiting_client", psa_account=halo)
    ticket = ticket_of(PsaAccount.objects.get())
    agent = agent_of(theo.pk, halo.pk)
    assert agent is not None
    agent.roles = []
    agent.save()
    assert "has no active role" in planned(macro, ticket, theo).refused
    agent.roles = ROLES
    agent.save()
    assert run(macro, ticket, theo).state == "done"
    first = OutboxItem.objects.in_lane(ticket.lane).order_by("sequence")[0]
    assert first.fields == {"agent": agent.remote_id, "agent_role": "11"}


def test_what_the_client_is_told_is_the_resolution(halo: PsaAccount, theo: User, macro: Macro) -> None:
    PsaAccount.objects.update(transition_rules=DONE)
    Macro.objects.update(status_category="resolved")
    macro.refresh_from_db()
    make_status("resolved", psa_account=halo)
    ticket = ticket_of(PsaAccount.objects.get())
    assert planned(macro, ticket, theo).asks == ()
    assert run(macro, ticket, theo).state == "done"
    ticket.refresh_from_db()
    assert ticket.resolution == "Hi Aoife, it works."


def test_where_work_ends_in_one_way_only_that_one_is_taken(halo: PsaAccount, theo: User, macro: Macro) -> None:
    Macro.objects.update(status_category="resolved", assigns="")
    complete = make_status("closed", psa_account=halo, name="Complete")
    found = planned(Macro.objects.get(), ticket_of(halo), theo)
    assert (found.choice.status, found.does) == (complete, "reply, Complete, 5 min")


def test_a_missing_reason_is_asked_for_in_place(client: Browser, halo: PsaAccount, theo: User, macro: Macro) -> None:
    PsaAccount.objects.update(transition_rules=WHY)
    Macro.objects.update(status_category="escalated")
    escalated = make_status("escalated", psa_account=halo)
    ticket = ticket_of(PsaAccount.objects.get())
    client.force_login(theo)
    listed = client.get(reverse("tickets:macros", args=[ticket.pk]), headers=HTMX).content.decode()
    assert "asks why" in listed
    page = client.get(f"/tickets/{ticket.pk}/?macro={macro.pk}").content.decode()
    assert f'<option value="{escalated.pk}" data-needs="escalation_reason" selected>' in page
    assert "Hi Aoife, it works." in page
    result = run(Macro.objects.get(), ticket, theo)
    assert (result.state, result.text) == ("refused", "Escalation reason is required")
    assert not OutboxItem.objects.exists()
    assert run(Macro.objects.get(), ticket, theo, reason="All stand still").state == "done"


def test_the_list_greys_what_cannot_be_had_and_says_why(
    client: Browser, halo: PsaAccount, theo: User, macro: Macro
) -> None:
    ticket = ticket_of(halo)
    client.force_login(theo)
    listed = client.get(reverse("tickets:macros", args=[ticket.pk]), headers=HTMX).content.decode()
    assert 'aria-disabled="true"' in listed
    assert "HaloPSA has no status for “Waiting on client”" in listed
    assert "data-macro" not in listed
    page = client.get(f"/tickets/{ticket.pk}/?macro={macro.pk}").content.decode()
    assert "HaloPSA has no status for “Waiting on client”" in page
    assert "Hi Aoife" not in page


def test_the_composer_gives_the_ticket_to_whom_the_macro_names(
    client: Browser, halo: PsaAccount, theo: User, macro: Macro
) -> None:
    make_status("waiting_client", psa_account=halo)
    ticket = ticket_of(halo)
    client.force_login(theo)
    page = client.get(f"/tickets/{ticket.pk}/?macro={macro.pk}").content.decode()
    assert f'<option value="u{theo.pk}" selected>Theo Marsh</option>' in page
    form = {"marker": MARKER, "kind": "note", "text": "Looked at it.", "assignee": f"u{theo.pk}"}
    assert client.post(f"/tickets/{ticket.pk}/actions/", form, headers=HTMX).status_code == 200
    ticket.refresh_from_db()
    assert ticket.agent == agent_of(theo.pk, halo.pk)
    stranger = make_agent("Ann", psa_account=make_account("other"))
    wrong = client.post(f"/tickets/{ticket.pk}/actions/", {**form, "assignee": f"a{stranger.pk}"}, headers=HTMX)
    assert wrong.status_code == 422
    assert 'id="composer-assignee-wrong"' in wrong.content.decode()


def test_ten_more_macros_cost_no_more(
    halo: PsaAccount, theo: User, macro: Macro, django_assert_max_num_queries: Any
) -> None:
    make_status("waiting_client", psa_account=halo)
    ticket = Ticket.objects.in_full().get(pk=ticket_of(halo).pk)
    for number in range(10):
        Macro.objects.create(name=f"macro {number}", body="x", assigns="me", status_category="waiting_client")
    with django_assert_max_num_queries(4):
        assert len(macros_for(ticket, theo)) == 11


# ---- over many tickets ----


def test_it_runs_over_many_with_a_result_for_each(client: Browser, halo: PsaAccount, theo: User, macro: Macro) -> None:
    other = make_account("other", title="Other")
    make_status("waiting_client", psa_account=halo)
    tickets = [ticket_of(halo), ticket_of(halo), ticket_of(other)]
    client.force_login(make_dana(halo))
    Macro.objects.update(assigns="")
    pick = {"field": "macro", "pick": [t.pk for t in tickets]}
    chooser = client.get(reverse("tickets:bulk_choose", args=["macro"]), pick, headers=HTMX).content.decode()
    assert f'value="{macro.pk}" data-label="fixed, please check"' in chooser
    form = {**pick, "value": macro.pk}
    asked = client.post(reverse("tickets:bulk"), form, headers=HTMX)
    assert asked.status_code == 422
    assert "Hi Aoife, it works." in asked.content.decode()
    assert "Other has no status for" in asked.content.decode()
    assert "Run on 3 tickets" in asked.content.decode()
    assert not OutboxItem.objects.exists()
    result = client.post(reverse("tickets:bulk"), {**form, "run": "yes"}, headers=HTMX).content.decode()
    assert "2 done, 1 refused" in result
    assert "Other has no status for “Waiting on client”" in result
    assert Action.objects.count() == 2
    assert {item.rank for item in OutboxItem.objects.all()} == {2}


def test_a_press_that_arrives_twice_tells_no_client_twice(
    client: Browser, halo: PsaAccount, theo: User, macro: Macro
) -> None:
    """A second click before the answer to the first, or the browser's own way back and once more."""
    make_status("waiting_client", psa_account=halo)
    tickets = [ticket_of(halo), ticket_of(halo)]
    client.force_login(make_dana(halo))
    Macro.objects.update(assigns="")
    form = {"field": "macro", "pick": [t.pk for t in tickets], "value": macro.pk}
    asked = client.post(reverse("tickets:bulk"), form).content.decode()
    hidden = dict(re.findall(r'type="hidden" name="(run|marker)" value="([^"]+)"', asked))
    for _press in range(2):
        assert client.post(reverse("tickets:bulk"), {**form, **hidden}).status_code == 200
    assert Action.objects.count() == 2
    assert OutboxItem.objects.count() == 2


def test_a_draft_of_mine_survives_a_macro_over_many(halo: PsaAccount, theo: User, macro: Macro) -> None:
    from helpdesk.actions.drafts import draft_of, save_draft

    make_status("waiting_client", psa_account=halo)
    ticket = ticket_of(halo)
    save_draft(user=theo, ticket=ticket, fields={"text": "Half a sentence"}, now=NOW)
    assert run(macro, ticket, theo).state == "done"
    assert draft_of(theo, ticket) is not None


def test_a_macro_that_closes_goes_the_way_that_the_psa_wants(halo: PsaAccount, theo: User, macro: Macro) -> None:
    rules = [{"from_values": ["o"], "to_values": ["c"], "text": "Resolve it first", "via": "resolved"}]
    PsaAccount.objects.update(transition_rules=rules)
    Macro.objects.update(status_category="closed", assigns="")
    account, opened = PsaAccount.objects.get(), make_status("open", psa_account=halo, remote_id="o")
    make_status("resolved", psa_account=halo, name="Resolved")
    make_status("closed", psa_account=halo, remote_id="c", name="Closed")
    ticket = ticket_of(account, status=opened)
    found = Macro.objects.get()
    assert "Resolved, then Closed" in planned(found, ticket, theo).does
    assert run(found, ticket, theo).state == "warned"
    done = run_macro(macro=found, ticket=ticket, user=theo, now=NOW, answers={}, is_confirmed=True)
    assert done.state == "done"
    ticket.refresh_from_db()
    assert ticket.status.name == "Closed"
    change_ticket(ticket=ticket, changes={"subject": "x"}, origin=Origin.desk(theo), now=NOW)
