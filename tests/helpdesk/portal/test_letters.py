"""What a client is mailed, whom it reaches, and that it arrives once."""

from __future__ import annotations

import smtplib
from datetime import datetime, timedelta
from email.message import EmailMessage
from typing import Any, ClassVar

import pytest
from django.core import mail as outgoing
from django.core.files.base import ContentFile
from django.core.mail.backends.base import BaseEmailBackend
from django.test import Client as Browser

from helpdesk.actions import mails
from helpdesk.actions.choices import MailState
from helpdesk.actions.models import Action, Attachment, ClientMail
from helpdesk.actions.services import NewAction, add_action
from helpdesk.core.origin import Origin
from helpdesk.directory.models import Contact, Organisation, PsaAccount
from helpdesk.outbox.models import OutboxItem
from helpdesk.portal import delivery, letters
from helpdesk.portal.models import StatusLink
from helpdesk.portal.services import revoke_link
from helpdesk.tickets.models import Ticket
from tests.factories import (
    NOW,
    make_account,
    make_action,
    make_client,
    make_clock,
    make_contact,
    make_organisation,
    make_status,
    make_ticket,
)
from tests.people import make_dana, make_theo

pytestmark = pytest.mark.django_db
DESK = {"acknowledgement": "desk", "reply": "desk", "status": "desk"}
CANARY = "canary7f3a"


@pytest.fixture
def firm() -> Organisation:
    return make_organisation(name="Harbour IT", colour="#0a7d55", time_zone="Europe/London", phone="020 7946 0000")


@pytest.fixture
def sam(firm: Organisation) -> Contact:
    halo = make_account(client_mail=DESK)
    client = make_client("Acme", psa_account=halo, domain="acme.test")
    return make_contact(client, first_name="Sam", last_name="Lee", email="sam@acme.test")


@pytest.fixture
def ticket(sam: Contact) -> Ticket:
    return make_ticket(contact=sam, remote_id="54321", subject="Scanner stopped", opened_at=NOW)


class Wrong(BaseEmailBackend):
    """A mail server in a bad mood."""

    error: ClassVar[Exception] = OSError("Connection refused")

    def send_messages(self, messages: Any) -> int:
        raise self.error


def mail_of(ticket: Ticket, occasion: str = "acknowledgement", **values: Any) -> ClientMail:
    given = {"to": "sam@acme.test", "not_before_at": NOW, "created_at": NOW, "key": f"{occasion}:{ticket.pk}", **values}
    return ClientMail.objects.create(ticket=ticket, occasion=occasion, **given)


def reply_to(ticket: Ticket, text: str = "Driver rolled back.\n\nIt scans again.", **values: Any) -> Action:
    theo = make_theo(ticket.psa_account)
    given = {"kind": "reply", "is_internal": False, "email_to": "sam@acme.test", "sends_email": True, **values}
    action = add_action(
        ticket=ticket, new=NewAction(text=text, **given), origin=Origin.desk(theo), now=NOW, user=theo
    )  # fmt: skip
    OutboxItem.objects.update(state="done")
    assert isinstance(action, Action)
    return action


def deliver(now: datetime = NOW) -> list[EmailMessage]:
    """What has left, as a mail program reads it."""
    outgoing.outbox.clear()
    delivery.deliver_due(clock=lambda: now)
    return list(outgoing.outbox)


def one(now: datetime = NOW) -> Any:
    found = deliver(now)
    assert len(found) == 1, [m.subject for m in found]
    return found[0]


def html_of(message: Any) -> str:
    return str(message.alternatives[0][0])


# ---- what it says ---------------------------------------------------------------------------------------------------


def test_an_acknowledgement_names_number_promise_and_a_link_that_opens(ticket: Ticket) -> None:
    make_clock(ticket, "response", due_at=NOW + timedelta(hours=1))
    mail_of(ticket)
    message = one()
    assert message.subject == "[54321] We have it: Scanner stopped"
    assert message.to == ["sam@acme.test"]
    assert message.from_email == "Harbour IT <helpdesk@localhost>"
    assert "Hello Sam," in message.body
    assert "Its number is 54321." in message.body
    assert "You hear from us by 15:22 today, London time." in message.body
    address = next(line for line in message.body.splitlines() if "/status/" in line)
    page = Browser().get(address.partition("localhost:8000")[2])
    assert page.status_code == 200
    assert "Scanner stopped" in page.content.decode()


def test_a_reply_reads_as_it_was_written(ticket: Ticket) -> None:
    make_action(ticket, "<p>It beeps <b>twice</b></p>", body_is_html=True, is_from_client=True, author_name="Sam Lee",
                occurred_at=NOW - timedelta(hours=1))  # fmt: skip
    reply_to(ticket)
    message = one()
    assert message.subject == "Re: [54321] Scanner stopped"
    assert message.from_email == '"Theo, Harbour IT" <helpdesk@localhost>'
    assert "Driver rolled back.\n\nIt scans again.\n\nTheo\nHarbour IT\n020 7946 0000" in message.body
    assert "> It beeps twice" in message.body
    assert "<p>Driver rolled back.</p><p>It scans again.</p>" in html_of(message)


def test_a_reply_that_solves_says_so(ticket: Ticket) -> None:
    reply_to(ticket, status=make_status("resolved", psa_account=ticket.psa_account))
    message = one(NOW + timedelta(minutes=5))
    assert "Your request 54321 is solved." in message.body
    assert "Driver rolled back." in message.body


@pytest.mark.parametrize(("category", "word"), [("resolved", "Solved"), ("closed", "Closed")])
def test_the_end_is_told_without_our_own_words(ticket: Ticket, category: str, word: str) -> None:
    status = make_status(category, psa_account=ticket.psa_account)
    reply_to(ticket, CANARY, kind="note", is_internal=True, sends_email=False, status=status, resolution=CANARY)
    message = one(NOW + timedelta(minutes=5))
    assert message.subject == f"[54321] {word}: Scanner stopped"
    assert CANARY not in message.message().as_string()


def test_opened_again_before_it_left_it_is_not_told(ticket: Ticket) -> None:
    mail_of(ticket, "status")
    assert deliver() == []
    assert ClientMail.objects.get().state == MailState.CANCELLED


def test_firm_colour_zone_and_language_of_the_reader(ticket: Ticket, sam: Contact) -> None:
    sam.user = make_dana(time_zone="America/New_York")
    sam.save()
    make_clock(ticket, "response", due_at=NOW + timedelta(hours=1))
    mail_of(ticket)
    message = one()
    assert "by 10:22 today, your time" in message.body
    assert 'bgcolor="#0a7d55"' in html_of(message)
    assert 'lang="en-gb"' in html_of(message)


def test_nothing_is_loaded_from_elsewhere(ticket: Ticket) -> None:
    action = reply_to(ticket)
    Action.objects.filter(pk=action.pk).update(
        body='<p>Hi<img src="https://evil.test/x.gif"><script>alert(1)</script>'
        '<a href="https://ok.test/">there</a></p><style>p{}</style><link rel=x href="https://evil.test/">',
        cleaner_version=0,
    )
    text = html_of(one())
    assert "evil.test" not in text
    for word in ("<img", "<script", "<style", "<link", "src=", "url(", "@import"):
        assert word not in text, word
    assert 'href="https://ok.test/"' in text


# ---- headers --------------------------------------------------------------------------------------------------------


def test_mails_of_a_ticket_hang_together_and_end_loops(ticket: Ticket) -> None:
    mail_of(ticket)
    reply_to(ticket)
    first, second = deliver()
    root = f"<ticket.{ticket.marker}@localhost>"
    for message in (first, second):
        assert (message.extra_headers["In-Reply-To"], message.extra_headers["References"]) == (root, root)
    assert first.extra_headers["Message-ID"] != second.extra_headers["Message-ID"]
    assert first.extra_headers["Auto-Submitted"] == "auto-generated"
    assert "Auto-Submitted" not in second.extra_headers


def test_answers_go_where_the_account_says(ticket: Ticket) -> None:
    PsaAccount.objects.update(client_mail={**DESK, "reply_to": "support@harbour.test"})
    mail_of(ticket)
    assert one().reply_to == ["support@harbour.test"]


def test_hostile_names_write_no_headers(ticket: Ticket, sam: Contact, firm: Organisation) -> None:
    bad = "Scan\r\nBcc: thief@evil.test\n\n<b>x</b>\u2028\u202e %s %(x)s {x}" + "y" * 150
    Ticket.objects.update(subject=bad)
    Contact.objects.update(first_name="Sam\r\nBcc: thief@evil.test")
    Organisation.objects.update(name='Harbour\nX-Evil: 1 "IT" <thief@evil.test>')
    mail_of(ticket)
    reply_to(ticket)
    for message in deliver():
        sent = message.message()
        assert sent["Bcc"] is None
        assert sent["X-Evil"] is None
        assert "\n" not in message.subject
        assert "\u202e" not in message.subject
        assert message.recipients() == ["sam@acme.test"]
        assert "<b>x</b>" not in html_of(message)
    assert {m.state for m in ClientMail.objects.all()} == {MailState.SENT}


@pytest.mark.parametrize("address", ["helpdesk@localhost", "", "sam@acme.test\nBcc: a@b.test", "sam", '"x"@y.test'])
def test_nobody_to_mail(ticket: Ticket, address: str) -> None:
    """Ourselves (a loop), no address, two in one, no address at all."""
    Contact.objects.update(email=address)
    mail_of(ticket, to=address)
    assert deliver() == []


def test_a_notice_goes_to_who_is_the_contact_now(ticket: Ticket, sam: Contact) -> None:
    mail_of(ticket)
    Ticket.objects.update(contact=make_contact(sam.client, email="kim@acme.test"))
    assert one().to == ["kim@acme.test"]
    assert ClientMail.objects.get().to == "kim@acme.test"


@pytest.mark.parametrize("values", [{"is_active": False}, {"erased_at": NOW}])
def test_who_left_is_not_written_to(ticket: Ticket, values: dict[str, Any]) -> None:
    mail_of(ticket)
    Contact.objects.update(**values)
    assert deliver() == []


# ---- internal stays internal ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "values",
    [{"is_internal": True}, {"kind": "note"}, {"kind": "system"}, {"removed_at": NOW}, {"is_from_client": True}],
)
def test_what_turned_internal_meanwhile_never_leaves(ticket: Ticket, values: dict[str, Any]) -> None:
    action = reply_to(ticket, CANARY)
    Action.objects.filter(pk=action.pk).update(**values)
    assert deliver() == []
    assert ClientMail.objects.get().state == MailState.CANCELLED


def test_even_a_row_that_names_an_internal_note_mails_nothing(ticket: Ticket) -> None:
    note = make_action(ticket, CANARY, is_internal=True, kind="reply")
    other = make_action(make_ticket(psa_account=ticket.psa_account), CANARY, kind="reply")
    for action in (note, other):
        mail_of(ticket, "reply", action=action, key=f"x:{action.pk}")
    mail_of(ticket, "reply", key="x:none")
    assert deliver() == []


def test_internal_words_around_a_reply_stay_here(ticket: Ticket) -> None:
    """Notes, system lines, resolution and internal files stand on the ticket; none is in any mail of it."""
    make_action(ticket, CANARY, is_internal=True, occurred_at=NOW - timedelta(minutes=5))
    make_action(ticket, CANARY, is_internal=True, is_from_client=True, occurred_at=NOW - timedelta(minutes=5))
    make_action(ticket, CANARY, kind="system", is_from_client=True, occurred_at=NOW - timedelta(minutes=5))
    Ticket.objects.update(resolution=CANARY, description=CANARY, escalation_reason=CANARY)
    action = reply_to(ticket)
    attach(ticket, action, name=f"{CANARY}.txt", is_public=False)
    attach(ticket, make_action(ticket, "note", is_internal=True), name=f"{CANARY}2.txt")
    attach(ticket, None, name=f"{CANARY}3.txt")
    mail_of(ticket)
    done = Ticket.objects.get()
    done.status = make_status("closed", psa_account=ticket.psa_account)
    done.status_category = "closed"
    done.save()
    mail_of(ticket, "status")
    found = deliver()
    assert len(found) == 3
    for message in found:
        assert CANARY not in message.message().as_string()


# ---- who may read along ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize("extra", ["stranger@else.test", "kim@acme.test"])
def test_a_link_that_may_answer_goes_to_one_person_only(ticket: Ticket, sam: Contact, extra: str) -> None:
    make_contact(sam.client, email="kim@acme.test")
    make_action(ticket, "It beeps", is_from_client=True, occurred_at=NOW - timedelta(hours=1))
    reply_to(ticket, email_cc=extra)
    message = one()
    assert message.recipients() == ["sam@acme.test", extra]
    assert "/status/" not in message.body
    assert f"/portal/tickets/{ticket.pk}/" in message.body
    assert ("It beeps" in message.body) == (extra == "kim@acme.test"), "a stranger does not read the client's words"


def test_another_person_of_the_client_gets_a_link_of_their_own(ticket: Ticket, sam: Contact) -> None:
    kim = make_contact(sam.client, email="Kim@acme.test")
    reply_to(ticket, email_to="kim@acme.test")
    one()
    assert StatusLink.objects.get().contact == kim


def test_a_namesake_at_another_client_gets_none(ticket: Ticket) -> None:
    make_contact(make_client("Other", psa_account=ticket.psa_account), email="otto@other.test")
    reply_to(ticket, email_to="otto@other.test")
    assert "http" not in one().body
    assert not StatusLink.objects.exists()


def test_mails_to_one_person_share_a_link_until_staff_closes_it(ticket: Ticket) -> None:
    mail_of(ticket)
    reply_to(ticket)
    texts = [next(line for line in m.body.splitlines() if "/status/" in line) for m in deliver()]
    assert texts[0] == texts[1]
    assert StatusLink.objects.count() == 1
    revoke_link(link=StatusLink.objects.get(), user=make_dana(), now=NOW)
    reply_to(ticket, "Once more")
    assert texts[0] not in one().body
    assert StatusLink.objects.filter(revoked_at=None).count() == 1


# ---- files ----------------------------------------------------------------------------------------------------------


def attach(ticket: Ticket, action: Action | None, data: bytes = b"bytes", **values: Any) -> Attachment:
    file = Attachment(
        **{
            "psa_account": ticket.psa_account, "ticket": ticket, "action": action, "name": "photo.png",
            "content_type": "image/png", "is_public": True, "created_at": NOW, "size": len(data), **values,
        }
    )  # fmt: skip
    file.file.save("x", ContentFile(data), save=False)
    file.save()
    return file


def test_public_files_of_the_reply_go_with_it(ticket: Ticket) -> None:
    action = reply_to(ticket)
    attach(ticket, action)
    attach(ticket, action, name="page.html", content_type="text/html")
    found = [(name, data, kind) for name, data, kind in one().attachments]
    assert found == [("photo.png", b"bytes", "image/png"), ("page.html", b"bytes", "application/octet-stream")]


def test_what_is_too_big_or_not_here_is_named(ticket: Ticket) -> None:
    action = reply_to(ticket)
    attach(ticket, action, name="huge.zip", size=letters.MOST_BYTES + 1)
    gone = attach(ticket, action, name="gone.txt")
    gone.file.storage.delete(str(gone.file.name))
    message = one()
    assert not message.attachments
    assert "huge.zip" in message.body
    assert "gone.txt" in message.body


# ---- arriving -------------------------------------------------------------------------------------------------------


def test_a_worker_killed_on_the_way_sends_the_very_same_mail_again(ticket: Ticket) -> None:
    reply_to(ticket)
    claimed = mails.claim(now=NOW)
    assert claimed is not None
    before = letters.write_letter(claimed, now=NOW)
    assert deliver() == []
    again = one(NOW + timedelta(seconds=mails.LEASE_SECONDS + 1))
    assert again.extra_headers["Message-ID"] == before.message().extra_headers["Message-ID"]
    assert again.body == before.message().body
    assert deliver(NOW + timedelta(days=1)) == []


@pytest.mark.parametrize(
    ("error", "state", "words"),
    [
        (OSError("Connection refused"), "waiting", "the mail server does not answer: Connection refused"),
        (smtplib.SMTPServerDisconnected("closed"), "waiting", "the mail server does not answer: closed"),
        (smtplib.SMTPAuthenticationError(535, b"bad"), "waiting", "the mail server refuses us: 535 bad"),
        (smtplib.SMTPDataError(451, b"later"), "waiting", "451 later"),
        (smtplib.SMTPDataError(554, b"spam"), "failed", "554 spam"),
        (smtplib.SMTPRecipientsRefused({"sam@acme.test": (550, b"no such user")}), "failed",
         "sam@acme.test: 550 no such user"),
        (smtplib.SMTPRecipientsRefused({"sam@acme.test": (450, b"greylisted")}), "waiting",
         "sam@acme.test: 450 greylisted"),
        (RuntimeError("bug"), "waiting", "RuntimeError in the desk"),
    ],
)  # fmt: skip
def test_what_a_mail_server_says(ticket: Ticket, settings: Any, error: Exception, state: str, words: str) -> None:
    settings.EMAIL_BACKEND = f"{__name__}.Wrong"
    Wrong.error = error
    mail_of(ticket)
    delivery.deliver_due(clock=lambda: NOW)
    found = ClientMail.objects.get()
    assert (found.state, found.error_text, found.attempts) == (state, words, 1)
    settings.EMAIL_BACKEND = "django.core.mail.backends.locmem.EmailBackend"
    if state == "waiting":
        one(NOW + timedelta(seconds=31))


def test_a_mail_that_cannot_leave_holds_nobody_up(ticket: Ticket) -> None:
    reply_to(ticket, CANARY)
    Action.objects.update(is_internal=True)
    mail_of(ticket)
    assert one().subject.startswith("[54321] We have it")
