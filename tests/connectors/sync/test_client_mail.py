"""From the form to the client's mailbox: one mail, with the PSA's number and a link that opens, or the PSA's own."""

from __future__ import annotations

import pytest
from django.core import mail
from django.test import Client as Browser

from helpdesk.actions import mails
from helpdesk.actions.models import ClientMail
from helpdesk.directory.models import Contact
from helpdesk.portal import delivery
from helpdesk.tickets.models import Ticket
from tests.connectors.sync.helpers import Desk, desk

pytestmark = pytest.mark.django_db(transaction=True)
MARKER = "7a2b6d4e-0000-4000-8000-00000000000a"


def choose(found: Desk, who: str) -> None:
    found.account.client_mail = dict.fromkeys(("acknowledgement", "reply", "status"), who)
    found.account.save(update_fields=["client_mail"])


def open_ticket(found: Desk, browser: Browser) -> Ticket:
    """Through the form, as a person does it."""
    contact = Contact.objects.filter(psa_account=found.account, is_active=True).exclude(email="").first()
    assert contact is not None
    values = {
        "marker": MARKER, "account": found.account.pk, "client": contact.client_id, "contact": contact.pk,
        "subject": "Scanner stopped", "description": "Since noon",
    }  # fmt: skip
    for _press in range(2):
        browser.post("/tickets/new/", {**values, "confirmed": "yes"})
    return Ticket.objects.get(marker=MARKER)


def test_a_new_ticket_is_acknowledged_once_with_its_number(client: Browser) -> None:
    with desk(tickets=5) as found:
        choose(found, "desk")
        client.force_login(found.user)
        ticket = open_ticket(found, client)
        delivery.deliver_due(clock=found.clock)
        assert mail.outbox == [], "it waits for the number"
        assert ClientMail.objects.get().occasion == "acknowledgement"
        assert set(found.settle()) == {"done"}
        for _ring in range(3):
            delivery.deliver_due(clock=found.clock)
        (message,) = mail.outbox
        remote = found.remote(ticket)
        assert message.subject == f"[{remote['id']}] We have it: Scanner stopped"
        assert message.to == [ticket.contact.email if ticket.contact else ""]
        assert remote["sendack"] is False, "never both"
        address = next(line for line in str(message.body).splitlines() if "/status/" in line)
        page = Browser().get("/" + address.split("/", 3)[3])
        assert page.status_code == 200
        assert "Scanner stopped" in page.content.decode()


@pytest.mark.parametrize(("who", "told"), [("psa", True), ("off", False)])
def test_the_psa_is_told_whether_to_acknowledge(client: Browser, who: str, told: bool) -> None:
    with desk(tickets=5) as found:
        choose(found, who)
        client.force_login(found.user)
        ticket = open_ticket(found, client)
        assert set(found.settle()) == {"done"}
        delivery.deliver_due(clock=found.clock)
        assert mail.outbox == []
        assert found.remote(ticket)["sendack"] is told


@pytest.mark.parametrize(("who", "ours", "theirs"), [("desk", 1, False), ("psa", 0, True), ("off", 0, False)])
def test_a_reply_is_mailed_by_exactly_one(client: Browser, who: str, ours: int, theirs: bool) -> None:
    with desk(tickets=5) as found:
        choose(found, who)
        client.force_login(found.user)
        ticket = found.ticket(contact__isnull=False)
        assert ticket.contact is not None
        values = {"marker": MARKER, "kind": "reply", "to": ticket.contact.email, "text": "Try it now, please."}
        client.post(f"/tickets/{ticket.pk}/actions/", {**values, "confirmed": "recipients"})
        choose(found, "psa" if who == "desk" else "desk")  # changed while it is under way
        found.settle()
        delivery.deliver_due(clock=found.clock)
        assert len(mail.outbox) == ours
        rows = found.sandbox.control("GET", f"halopsa/tickets/{ticket.remote_id}")["actions"]
        assert bool(rows[-1].get("sendemail")) is theirs


def test_a_psa_that_is_down_keeps_the_reply_back_only_so_long(client: Browser) -> None:
    with desk(tickets=5) as found:
        choose(found, "desk")
        client.force_login(found.user)
        ticket = found.ticket(contact__isnull=False)
        assert ticket.contact is not None
        found.fault("status_before", path="/Actions", status=503, times=99)
        values = {"marker": MARKER, "kind": "reply", "to": ticket.contact.email, "text": "Try it now, please."}
        client.post(f"/tickets/{ticket.pk}/actions/", {**values, "confirmed": "recipients"})
        found.push()
        delivery.deliver_due(clock=found.clock)
        assert mail.outbox == []
        found.clock.advance(mails.PATIENCE.total_seconds() + 1)
        delivery.deliver_due(clock=found.clock)
        assert len(mail.outbox) == 1
