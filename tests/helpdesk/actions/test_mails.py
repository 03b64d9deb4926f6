"""Who is mailed about what, when a mail may leave, and what never becomes one."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import pytest

from helpdesk.actions import mails
from helpdesk.actions.choices import MailState
from helpdesk.actions.models import Action, ClientMail, TimeEntry
from helpdesk.actions.services import NewAction, add_action, add_client_reply, edit_refused
from helpdesk.core.errors import Stale
from helpdesk.core.origin import Origin
from helpdesk.directory.models import PsaAccount
from helpdesk.outbox import services as outbox
from helpdesk.outbox.choices import Reason, State
from helpdesk.outbox.models import OutboxItem
from helpdesk.tickets.models import Ticket
from helpdesk.tickets.services import change_ticket
from tests.factories import NOW, make_account, make_contact, make_status, make_ticket
from tests.people import make_theo

pytestmark = pytest.mark.django_db
DESK = {"acknowledgement": "desk", "reply": "desk", "status": "desk"}
LATER = NOW + timedelta(minutes=1)


@pytest.fixture
def halo() -> PsaAccount:
    return make_account(client_mail=DESK, capabilities={"attachments_upload": True})


@pytest.fixture
def ticket(halo: PsaAccount) -> Ticket:
    return make_ticket(contact=make_contact(psa_account=halo, email="sam@acme.test"), psa_account=halo)


def say(ticket: Ticket, now: datetime = NOW, hold: int = 0, **values: Any) -> Any:
    theo = make_theo(ticket.psa_account)
    given = {
        "kind": "reply", "text": "It works again.", "is_internal": False, "email_to": "sam@acme.test",
        "sends_email": True, **values,
    }  # fmt: skip
    return add_action(
        ticket=ticket, new=NewAction(**given), origin=Origin.desk(theo), now=now, user=theo, hold_seconds=hold
    )


def move(*states: str, now: datetime = NOW, **values: Any) -> OutboxItem:
    """Take the newest item through what a worker does with it."""
    item = outbox.claim(now=now, lease_seconds=30)[0]
    for state in states:
        if state == "done":
            assert outbox.complete(item=item, now=now)
        if state == "refused":
            assert outbox.refuse(item=item, reason=Reason.VALIDATION, text="No such outcome", now=now)
        if state == "postponed":
            assert outbox.postpone(item=item, until=now + timedelta(hours=9), text="down", now=now)
    return item


def due(now: datetime) -> list[str]:
    return [m.occasion for m in ClientMail.objects.due(now)]


# ---- who mails ------------------------------------------------------------------------------------------------------


def test_a_reply_is_written_with_its_mail(ticket: Ticket) -> None:
    action = say(ticket, email_cc="kim@acme.test, sam@acme.test")
    mail = ClientMail.objects.get()
    assert (mail.key, mail.occasion, mail.action, mail.state) == (f"reply:{action.pk}", "reply", action, "waiting")
    assert (mail.to, mail.cc) == ("sam@acme.test", "kim@acme.test")
    assert OutboxItem.objects.get().fields["mailed_by"] == "desk"


@pytest.mark.parametrize("who", ["psa", "off"])
def test_the_desk_keeps_quiet_when_it_is_not_its_turn(ticket: Ticket, who: str) -> None:
    ticket.psa_account.client_mail = dict.fromkeys(DESK, who)
    ticket.psa_account.save()
    say(ticket, status=make_status("resolved", psa_account=ticket.psa_account))
    mails.queue_acknowledgement(ticket=ticket, now=NOW)
    assert not ClientMail.objects.exists()
    assert OutboxItem.objects.get().fields["mailed_by"] == who


def test_a_refused_press_leaves_no_mail(ticket: Ticket) -> None:
    ticket.psa_account.transition_rules = [{"to_categories": ["closed"], "needs": ["resolution"], "text": "Why?"}]
    ticket.psa_account.save()
    with pytest.raises(Exception, match="Why"):
        say(ticket, status=make_status("closed", psa_account=ticket.psa_account))
    assert not ClientMail.objects.exists()


@pytest.mark.parametrize(
    "values",
    [
        {"kind": "note", "is_internal": True},
        {"kind": "reply", "is_internal": True},
        {"kind": "note", "is_internal": False},
        {"kind": "call", "is_internal": True},
        {"kind": "call", "is_internal": False},
        {"kind": "system", "is_internal": False},
        {"sends_email": False},
        {"email_to": ""},
        {"email_to": "nobody, @, a@b, x@y.test\nBcc:z@y"},
        {"text": "", "seconds": 900, "kind": "note"},
    ],
)
def test_what_never_becomes_a_mail(ticket: Ticket, values: dict[str, Any]) -> None:
    """Whatever a form claims: no internal text, no call or note, and nobody who is no address."""
    say(ticket, **values)
    found = [m.recipients for m in ClientMail.objects.all()]
    assert found in ([], [["x@y.test"]])
    assert bool(found) == ("\n" in values.get("email_to", ""))


def test_queueing_itself_refuses_an_internal_action(ticket: Ticket) -> None:
    action = say(ticket)
    item = OutboxItem.objects.get()
    ClientMail.objects.all().delete()
    for values in ({"is_internal": True}, {"kind": "note"}, {"is_from_client": True}):
        for name, value in values.items():
            setattr(action, name, value)
        assert mails.queue_reply(action=action, item=item, now=NOW) is None
        action.refresh_from_db()


def test_the_clients_own_words_are_not_mailed_back(ticket: Ticket) -> None:
    add_client_reply(ticket=ticket, contact=ticket.contact, text="Still broken", origin=Origin.client(ticket.contact),
                     now=NOW)  # fmt: skip
    assert not ClientMail.objects.exists()


def test_the_same_press_twice_is_one_mail(ticket: Ticket) -> None:
    marker = "7a2b6d4e-0000-4000-8000-000000000001"
    say(ticket, marker=marker), say(ticket, marker=marker)
    assert ClientMail.objects.count() == 1


# ---- solved ---------------------------------------------------------------------------------------------------------


def test_solving_a_ticket_tells_the_contact_after_second_thoughts(ticket: Ticket) -> None:
    done = make_status("resolved", psa_account=ticket.psa_account)
    change_ticket(ticket=ticket, changes={"status": done}, origin=Origin.desk(make_theo()), now=NOW)
    move("done")
    assert due(NOW + timedelta(seconds=19)) == []
    assert due(NOW + timedelta(seconds=20)) == ["status"]


def test_closing_what_is_solved_says_nothing_twice(ticket: Ticket) -> None:
    theo = Origin.desk(make_theo())
    for category in ("resolved", "closed"):
        status = make_status(category, psa_account=ticket.psa_account)
        change_ticket(ticket=ticket, changes={"status": status}, origin=theo, now=NOW)
    assert ClientMail.objects.count() == 1


def test_a_change_that_came_from_the_psa_is_the_psas_to_tell(ticket: Ticket) -> None:
    done = make_status("resolved", psa_account=ticket.psa_account)
    change_ticket(ticket=ticket, changes={"status": done}, origin=Origin.psa("Pat"), now=NOW)
    assert not ClientMail.objects.exists()


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        ({}, ["reply"]),
        ({"kind": "note", "is_internal": True}, ["status"]),
        ({"text": "", "seconds": 900, "kind": "note", "is_internal": True}, ["status"]),
    ],
)
def test_one_press_is_one_mail(ticket: Ticket, values: dict[str, Any], expected: list[str]) -> None:
    """A reply that also solves says so itself; a note that solves sends the status, never the note."""
    say(ticket, status=make_status("resolved", psa_account=ticket.psa_account), **values)
    assert [m.occasion for m in ClientMail.objects.all()] == expected
    assert not ClientMail.objects.filter(occasion="status", action__isnull=False).exists()


# ---- when it may leave ----------------------------------------------------------------------------------------------


def test_it_waits_for_the_number_and_for_acceptance(halo: PsaAccount) -> None:
    contact = make_contact(psa_account=halo, email="sam@acme.test")
    ticket = make_ticket(contact=contact, psa_account=halo, remote_id=None, number="")
    say(ticket)
    move("done")
    assert due(LATER + timedelta(days=9)) == []
    Ticket.objects.update(number="54321")
    assert due(NOW) == ["reply"]


def test_undo_send_holds_the_mail_too(ticket: Ticket) -> None:
    say(ticket, hold=30)
    move("done", now=NOW + timedelta(seconds=30))
    assert due(NOW + timedelta(seconds=29)) == []
    assert due(NOW + timedelta(seconds=30)) == ["reply"]


def test_a_reply_taken_back_was_never_mailed(ticket: Ticket) -> None:
    say(ticket, hold=30)
    outbox.discard_item(item=OutboxItem.objects.get(), now=NOW)
    assert ClientMail.objects.get().state == MailState.CANCELLED
    assert due(NOW + timedelta(days=1)) == []


def test_a_refused_reply_waits_for_a_person(ticket: Ticket) -> None:
    say(ticket)
    item = move("refused")
    assert due(NOW + timedelta(days=30)) == []
    outbox.discard_item(item=item, now=LATER)
    assert ClientMail.objects.get().state == MailState.CANCELLED


def test_a_refused_reply_that_is_mended_goes_once_with_its_new_address(ticket: Ticket) -> None:
    say(ticket)
    item = move("refused")
    much_later = NOW + timedelta(hours=5)
    edit_refused(item=item, origin=Origin.desk(make_theo()), now=much_later, text="Better", email_to="kim@acme.test")
    assert due(much_later) == []
    move("done", now=much_later)
    assert due(much_later) == ["reply"]
    assert ClientMail.objects.get().to == "kim@acme.test"


def test_a_psa_that_does_not_answer_is_waited_for_so_long(ticket: Ticket) -> None:
    say(ticket)
    move("postponed")
    assert due(NOW + mails.PATIENCE - timedelta(seconds=1)) == []
    assert due(NOW + mails.PATIENCE) == ["reply"]


def test_what_was_mailed_stays_on_the_ticket_when_it_is_discarded(ticket: Ticket) -> None:
    action = say(ticket, seconds=900)
    item = move("postponed")
    mail = mails.claim(now=NOW + mails.PATIENCE)
    assert mail is not None
    mails.complete(mail=mail, now=NOW + mails.PATIENCE)
    outbox.discard_item(item=item, now=NOW + timedelta(hours=1))
    action.refresh_from_db()
    assert (action.removed_at, action.sync_state) == (None, "")
    assert TimeEntry.objects.get().removed_at is not None
    assert ClientMail.objects.get().state == MailState.SENT


# ---- claim and settle -----------------------------------------------------------------------------------------------


def test_one_mail_is_claimed_once_and_again_when_its_worker_is_lost(ticket: Ticket) -> None:
    say(ticket)
    move("done")
    first = mails.claim(now=NOW)
    assert first is not None
    assert mails.claim(now=NOW) is None
    after = NOW + timedelta(seconds=mails.LEASE_SECONDS + 1)
    second = mails.claim(now=after)
    assert second is not None
    assert (second.pk, second.marker) == (first.pk, first.marker)
    assert mails.complete(mail=second, now=after)
    assert not mails.postpone(mail=first, text="late", now=after), "who lost the lease changes nothing"
    assert ClientMail.objects.get().state == MailState.SENT


def test_tries_end_and_a_person_may_try_again(ticket: Ticket) -> None:
    say(ticket)
    move("done")
    now, tries = NOW, 0
    while (mail := mails.claim(now=now)) is not None:
        tries += 1
        mails.postpone(mail=mail, text="no answer", now=now)
        now = max(now, ClientMail.objects.get().not_before_at)
    found = ClientMail.objects.get()
    assert (found.state, found.attempts, tries) == (MailState.FAILED, 7, 7)
    mails.retry_mail(mail=found, now=now)
    with pytest.raises(Stale):
        mails.retry_mail(mail=found, now=now)
    assert due(now) == ["reply"]


def test_a_mail_given_up_stays_given_up(ticket: Ticket) -> None:
    say(ticket)
    move("done")
    mail = mails.claim(now=NOW)
    assert mail is not None
    mails.postpone(mail=mail, text="550 no such user", now=NOW, is_final=True)
    mails.give_up_mail(mail=mail)
    assert due(NOW + timedelta(days=1)) == []
    assert OutboxItem.objects.get().state == State.DONE


def test_who_mails_is_settled_at_the_press(ticket: Ticket) -> None:
    """The setting changes while the reply is on its way: still one mail, from the one that was named."""
    action: Action = say(ticket)
    PsaAccount.objects.update(client_mail=dict.fromkeys(DESK, "psa"))
    item = OutboxItem.objects.get(subject=action.subject_key)
    assert (item.fields["send_email"], item.fields["mailed_by"]) == (True, "desk")
