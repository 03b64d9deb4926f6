"""Mails to our own people: everything they need, in a thread of their own, and to nobody who is a client's."""

from __future__ import annotations

from typing import Any

import pytest
from django.core import mail as outbox

from helpdesk.accounts.choices import Role
from helpdesk.actions.choices import MailState
from helpdesk.actions.escalating import Asked, escalate_ticket
from helpdesk.actions.models import ClientMail
from helpdesk.core.origin import Origin
from helpdesk.portal.delivery import deliver_due
from helpdesk.tickets.models import Ticket
from tests.factories import NOW, make_account, make_client, make_contact, make_organisation, make_ticket
from tests.people import make_mona, make_theo

pytestmark = pytest.mark.django_db
WHY = "The ward cannot print <b>wristbands</b>."


@pytest.fixture
def ticket() -> Ticket:
    make_organisation(name="Harbour IT", time_zone="Europe/London")
    account = make_account(client_mail={"reply_to": "support@harbour.test"})
    contact = make_contact(make_client(psa_account=account), email="aoife@northwind.test")
    make_mona(account)
    return make_ticket(psa_account=account, contact=contact, client=contact.client, cc="boss@northwind.test")


def escalate(ticket: Ticket) -> ClientMail:
    theo = make_theo(ticket.psa_account)
    escalate_ticket(ticket=ticket, asked=Asked(reason=WHY), user=theo, origin=Origin.desk(theo), now=NOW)
    return ClientMail.objects.get()


def deliver() -> list[Any]:
    deliver_due(clock=lambda: NOW)
    return list(outbox.outbox)


def test_it_says_all_that_is_needed_to_judge_it(ticket: Ticket) -> None:
    escalate(ticket)
    (letter,) = deliver()
    assert (letter.to, letter.cc, letter.reply_to) == (["mona@harbour.test"], [], ["theo@harbour.test"])
    assert letter.subject == f"[{ticket.label}] Escalated: {ticket.subject}"
    for words in ("Theo Marsh escalated it", WHY, "Client: Northwind Dental", "Owner: nobody", "Status: In progress"):
        assert words in letter.body, words
    assert f"/tickets/{ticket.pk}/" in letter.body
    assert "&lt;b&gt;wristbands" in letter.alternatives[0][0]


def test_its_thread_is_not_the_clients(ticket: Ticket) -> None:
    escalate(ticket)
    (letter,) = deliver()
    assert letter.extra_headers["References"].startswith("<staff.")


@pytest.mark.parametrize("change", ["left", "client", "contact"])
def test_who_is_no_longer_ours_is_not_mailed(ticket: Ticket, change: str) -> None:
    mail, mona = escalate(ticket), make_mona()
    if change == "left":
        mona.is_active = False
    elif change == "client":
        mona.role = Role.CLIENT
    else:
        make_contact(ticket.client, email=mona.email.upper())
    mona.save()
    assert deliver() == []
    mail.refresh_from_db()
    assert mail.state == MailState.CANCELLED


def test_an_address_put_in_by_hand_is_not_mailed(ticket: Ticket) -> None:
    mail = escalate(ticket)
    ClientMail.objects.filter(pk=mail.pk).update(to="aoife@northwind.test, mona@harbour.test", cc="x@y.test")
    (letter,) = deliver()
    assert letter.recipients() == ["mona@harbour.test"]


def test_a_ticket_that_no_psa_knows_yet_is_told_of_all_the_same(ticket: Ticket) -> None:
    Ticket.objects.update(number="", remote_id=None)
    ticket.refresh_from_db()
    escalate(ticket)
    (letter,) = deliver()
    assert f"new-{ticket.pk}" in letter.subject
