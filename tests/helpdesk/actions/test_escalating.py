"""Escalating is one act: note, values, mark, mail and notice, once, and never a word of it to the client."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from helpdesk.actions.escalating import Asked, escalate_ticket, next_priority, people_to_tell
from helpdesk.actions.models import Action, ClientMail, Escalation, Notice
from helpdesk.actions.services import edit_refused
from helpdesk.actions.telling import staff_addresses
from helpdesk.actions.wishes import save_wishes
from helpdesk.core.errors import Refused
from helpdesk.core.origin import Origin
from helpdesk.directory.models import PsaAccount
from helpdesk.outbox.choices import State
from helpdesk.outbox.models import OutboxItem
from helpdesk.portal.delivery import deliver_due
from helpdesk.tickets.models import Status, Ticket
from helpdesk.tickets.services import change_ticket
from helpdesk.tickets.undoing import undo_change
from tests.factories import (
    NOW,
    make_account,
    make_agent,
    make_client,
    make_contact,
    make_priority,
    make_status,
    make_team,
    make_ticket,
)
from tests.people import make_mona, make_theo

pytestmark = pytest.mark.django_db
MARKER = "7a2b6d4e-0000-4000-8000-000000000009"
WHY = "The ward cannot print wristbands."
WITH_STATUS = {"escalated_status": True, "resolution_field": True}
NEEDS_REASON = [{"to_categories": ["escalated"], "needs": ["escalation_reason"], "text": "Reason is required"}]


def make_one(**capabilities: Any) -> Ticket:
    rules = NEEDS_REASON if capabilities.get("escalated_status") else []
    account = make_account(transition_rules=rules, capabilities=capabilities)
    contact = make_contact(make_client(psa_account=account), email="aoife@northwind.test")
    make_mona(account)
    return make_ticket(psa_account=account, contact=contact, client=contact.client)


def escalate(ticket: Ticket, *, now: Any = NOW, **values: Any) -> Escalation:
    theo = make_theo(ticket.psa_account)
    asked = Asked(**{"reason": WHY, "marker": MARKER, **values})
    return escalate_ticket(ticket=ticket, asked=asked, user=theo, origin=Origin.desk(theo), now=now)


def sent() -> list[tuple[str, dict[str, Any]]]:
    return [(i.verb, i.fields) for i in OutboxItem.objects.order_by("sequence")]


def test_where_the_psa_has_a_status_it_goes_there_with_its_reason() -> None:
    ticket = make_one(**WITH_STATUS)
    escalated = make_status("escalated", psa_account=ticket.psa_account)
    high = make_priority(2, psa_account=ticket.psa_account)
    priya = make_agent(psa_account=ticket.psa_account)
    made = escalate(ticket, agent=priya, priority=high)
    ticket.refresh_from_db()
    assert (ticket.status, ticket.agent, ticket.priority) == (escalated, priya, high)
    assert (ticket.escalation_reason, ticket.escalated_at, ticket.is_escalated) == (WHY, NOW, True)
    (note, said), (change, fields) = sent()
    assert (note, change) == ("create_action", "update_ticket")
    assert said["is_internal"]
    assert said["body_text"].startswith(f"Escalated: {WHY}")
    assert "Told: Mona Castell" in said["body_text"]
    assert fields == {
        "status": escalated.remote_id, "priority": high.remote_id, "agent": priya.remote_id, "escalation_reason": WHY,
    }  # fmt: skip
    assert made.told == "Mona Castell"


def test_elsewhere_our_own_mark_stands_for_it() -> None:
    ticket = make_one()
    was = ticket.status
    high = make_priority(2, psa_account=ticket.psa_account)
    escalate(ticket, priority=high)
    ticket.refresh_from_db()
    assert (ticket.status, ticket.escalated_at, ticket.escalation_reason) == (was, NOW, WHY)
    assert [verb for verb, _fields in sent()] == ["create_action", "update_ticket"]
    assert sent()[1][1] == {"priority": high.remote_id}
    assert list(Ticket.objects.escalated()) == [ticket]


def test_a_psa_without_the_status_it_speaks_of_is_escalated_here() -> None:
    ticket = make_one(**WITH_STATUS)
    escalate(ticket)
    ticket.refresh_from_db()
    assert ticket.is_escalated
    assert sent()[1][1] == {"escalation_reason": WHY}


def test_the_same_form_twice_is_one_escalation() -> None:
    ticket = make_one()
    assert escalate(ticket).pk == escalate(ticket).pk
    assert (Action.objects.count(), Notice.objects.count(), ClientMail.objects.count()) == (1, 1, 1)


def test_escalated_again_keeps_the_first_instant() -> None:
    ticket = make_one()
    escalate(ticket)
    escalate(ticket, now=NOW + timedelta(hours=2), marker=None, reason="Still nobody there")
    ticket.refresh_from_db()
    assert (ticket.escalated_at, ticket.escalation_reason) == (NOW, "Still nobody there")
    assert Escalation.objects.count() == 2


@pytest.mark.parametrize(("reason", "field"), [("  ", "reason"), ("x" * 2001, "reason"), ("a\x00b", "reason")])
def test_a_reason_is_wanted(reason: str, field: str) -> None:
    with pytest.raises(Refused) as caught:
        escalate(make_one(), reason=reason)
    assert set(caught.value.fields) == {field}
    assert not OutboxItem.objects.exists()


def test_ended_work_is_not_escalated() -> None:
    account = make_account()
    ticket = make_ticket(psa_account=account, status=make_status("closed", psa_account=account))
    with pytest.raises(Refused):
        escalate(ticket)


def test_an_owner_of_another_account_is_refused_and_nothing_is_kept() -> None:
    ticket = make_one()
    with pytest.raises(Refused) as caught:
        escalate(ticket, agent=make_agent(psa_account=make_account("other")))
    assert set(caught.value.fields) == {"agent"}
    assert not Action.objects.exists()


def test_the_lead_is_told_else_every_manager_but_never_oneself() -> None:
    ticket = make_one()
    mona, theo = make_mona(), make_theo()
    assert people_to_tell(ticket, but=theo) == [mona]
    assert people_to_tell(ticket, but=mona) == []
    ticket.team = make_team(psa_account=ticket.psa_account, lead=theo)
    ticket.save()
    assert people_to_tell(ticket, but=None) == [theo]
    assert people_to_tell(ticket, but=theo) == [mona]


def test_this_desk_mails_where_the_psa_does_not() -> None:
    ticket = make_one()
    escalate(ticket)
    mail = ClientMail.objects.get()
    assert (mail.occasion, mail.to, mail.item, mail.not_before_at) == ("escalation", "mona@harbour.test", None, NOW)
    assert list(ClientMail.objects.due(NOW)) == [mail]


def test_a_psa_that_mails_gets_an_internal_action_to_the_manager() -> None:
    ticket = make_one(staff_mail=True)
    escalate(ticket)
    assert not ClientMail.objects.exists()
    note, mail = [fields for _verb, fields in sent()]
    assert "is_to_staff" not in note
    assert (mail["is_to_staff"], mail["is_internal"], mail["mailed_by"]) == (True, True, "psa")
    assert (mail["email_to"], mail["title"]) == ("mona@harbour.test", f"[{ticket.label}] Escalated: {ticket.subject}")
    for words in (ticket.subject, WHY, "Client: Northwind Dental", "Owner: nobody", ticket.get_absolute_url()):
        assert words in mail["body_text"]


def test_an_address_of_the_client_is_never_mailed() -> None:
    ticket = make_one(staff_mail=True)
    mona = make_mona()
    make_contact(ticket.client, email="MONA@harbour.test")
    assert staff_addresses(ticket, [mona]) == []
    escalate(ticket)
    assert len(sent()) == 1
    assert Notice.objects.get().user == mona


def test_a_refused_mail_to_our_own_people_goes_to_nobody_else() -> None:
    ticket = make_one(staff_mail=True)
    escalate(ticket)
    item = OutboxItem.objects.last()
    assert item is not None
    OutboxItem.objects.filter(pk=item.pk).update(state=State.REFUSED)
    item.refresh_from_db()
    with pytest.raises(Refused):
        edit_refused(item=item, origin=Origin.system(), now=NOW, email_to="aoife@northwind.test")


def test_undo_takes_the_values_and_the_mark_back_and_leaves_the_note() -> None:
    ticket = make_one(**WITH_STATUS)
    make_status("escalated", psa_account=ticket.psa_account)
    was = (ticket.status_id, ticket.priority_id)
    escalate(ticket, priority=make_priority(1, psa_account=ticket.psa_account))
    theo = make_theo()
    events = list(ticket.events.made_by(theo.pk, NOW).values_list("pk", flat=True))
    undo_change(ticket=ticket, event_ids=events, origin=Origin.desk(theo), now=NOW + timedelta(seconds=5))
    ticket.refresh_from_db()
    assert (ticket.status_id, ticket.priority_id) == was
    assert (ticket.escalated_at, ticket.escalation_reason) == (None, "")
    assert Action.objects.present().count() == 1
    assert Escalation.objects.get().ended_at == NOW + timedelta(seconds=5)


def test_the_next_priority_is_one_rank_up() -> None:
    ticket = make_one()
    account: PsaAccount = ticket.psa_account
    choices = [make_priority(rank, psa_account=account) for rank in (1, 2, 3, 4)]
    found = next_priority(ticket, choices)
    assert found is not None
    assert found.rank == ticket.rank - 1
    ticket.rank = 1
    assert next_priority(ticket, choices) is None


# ---- by choosing the status -----------------------------------------------------------------------------------------


def choose_escalated(ticket: Ticket, *, reason: str = WHY) -> Ticket:
    theo = make_theo(ticket.psa_account)
    known = Status.objects.filter(psa_account=ticket.psa_account, category="escalated").first()
    status = known or make_status("escalated", psa_account=ticket.psa_account)
    changes = {"status": status, "escalation_reason": reason} if reason else {"status": status}
    return change_ticket(ticket=ticket, changes=changes, origin=Origin.desk(theo), now=NOW)


def test_choosing_the_status_tells_the_same_people_and_marks_it() -> None:
    ticket = make_one(**WITH_STATUS)
    choose_escalated(ticket)
    ticket.refresh_from_db()
    made = Escalation.objects.get()
    assert (ticket.escalated_at, ticket.escalation_reason) == (NOW, WHY)
    assert (made.trigger, made.reason, made.told, made.action) == ("person", WHY, "Mona Castell", None)
    assert Notice.objects.get().user == make_mona()
    mail = ClientMail.objects.get()
    assert (mail.occasion, mail.to, mail.escalation) == ("escalation", "mona@harbour.test", made)


def test_where_no_reason_is_asked_the_status_is_the_reason() -> None:
    ticket = make_one()
    choose_escalated(ticket, reason="")
    ticket.refresh_from_db()
    assert ticket.escalation_reason == "Moved to Escalated"


def test_escalating_into_the_status_tells_once() -> None:
    ticket = make_one(**WITH_STATUS)
    make_status("escalated", psa_account=ticket.psa_account)
    escalate(ticket)
    assert (Escalation.objects.count(), Notice.objects.count(), ClientMail.objects.count()) == (1, 1, 1)


def test_undo_of_the_chosen_status_takes_the_mark_back_and_its_mail_never_leaves() -> None:
    ticket = make_one(**WITH_STATUS)
    choose_escalated(ticket)
    theo = make_theo()
    events = list(ticket.events.made_by(theo.pk, NOW).values_list("pk", flat=True))
    undo_change(ticket=ticket, event_ids=events, origin=Origin.desk(theo), now=NOW + timedelta(seconds=5))
    ticket.refresh_from_db()
    assert (ticket.is_escalated, ticket.escalated_at, ticket.escalation_reason) == (False, None, "")
    deliver_due(clock=lambda: NOW + timedelta(seconds=9))
    assert ClientMail.objects.get().state == "cancelled"


def test_undo_keeps_the_mark_of_an_earlier_escalation() -> None:
    ticket = make_one()
    first = NOW - timedelta(hours=3)
    escalate(ticket, now=first, marker=None, reason="First")
    escalate(ticket, priority=make_priority(1, psa_account=ticket.psa_account))
    theo = make_theo()
    events = list(ticket.events.made_by(theo.pk, NOW).values_list("pk", flat=True))
    undo_change(ticket=ticket, event_ids=events, origin=Origin.desk(theo), now=NOW + timedelta(seconds=5))
    ticket.refresh_from_db()
    assert (ticket.escalated_at, ticket.escalation_reason) == (first, "First")


def test_undo_of_leaving_the_status_is_no_news() -> None:
    ticket = make_one(**WITH_STATUS)
    choose_escalated(ticket)
    theo, later = make_theo(), NOW + timedelta(minutes=5)
    back = make_status("open", psa_account=ticket.psa_account, name="Again")
    change_ticket(ticket=ticket, changes={"status": back}, origin=Origin.desk(theo), now=later)
    events = list(ticket.events.made_by(theo.pk, later).values_list("pk", flat=True))
    undo_change(ticket=ticket, event_ids=events, origin=Origin.desk(theo), now=later + timedelta(seconds=5))
    ticket.refresh_from_db()
    assert ticket.status_category == "escalated"
    assert Escalation.objects.count() == 1


def test_a_status_that_the_psa_tells_of_tells_nobody() -> None:
    ticket = make_one()
    status = make_status("escalated", psa_account=ticket.psa_account)
    change_ticket(ticket=ticket, changes={"status": status}, origin=Origin.psa("Halo"), now=NOW)
    assert not Escalation.objects.exists()


# ---- how each wants to hear of it -----------------------------------------------------------------------------------


def test_who_wants_no_mail_of_it_gets_none_and_still_the_notice() -> None:
    ticket = make_one()
    save_wishes(user=make_mona(), desk=[], mail=[])
    escalate(ticket)
    assert Notice.objects.get().user == make_mona()
    assert not ClientMail.objects.exists()


def test_a_psa_that_mails_is_not_asked_to_mail_who_wants_none() -> None:
    ticket = make_one(staff_mail=True)
    save_wishes(user=make_mona(), desk=[], mail=[])
    escalate(ticket)
    assert len(sent()) == 1
