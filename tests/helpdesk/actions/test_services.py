"""Say and do things on a ticket: one press is one action, whatever it carries."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile

from helpdesk.actions.cleaning import cleaned
from helpdesk.actions.drafts import save_draft
from helpdesk.actions.files import store_file
from helpdesk.actions.models import Action, Attachment, Draft, TimeEntry
from helpdesk.actions.services import NewAction, add_action, edit_refused
from helpdesk.core.errors import Refused
from helpdesk.core.origin import Origin
from helpdesk.outbox import services as outbox
from helpdesk.outbox.choices import Reason
from helpdesk.outbox.models import OutboxItem
from tests.factories import NOW, make_account, make_action, make_status, make_ticket
from tests.people import make_theo

pytestmark = pytest.mark.django_db
MARKER = "7a2b6d4e-0000-4000-8000-000000000001"
LATER = NOW + timedelta(minutes=1)


def add(ticket, now=NOW, hold=0, **values: Any):
    theo = make_theo(ticket.psa_account)
    given = {"text": "Driver rolled back.", **values}
    return add_action(
        ticket=ticket, new=NewAction(**given), origin=Origin.desk(theo), now=now, user=theo, hold_seconds=hold
    )


def a_file(name: str = "log.txt", data: bytes = b"hello") -> Attachment:
    upload = SimpleUploadedFile(name, data)
    return store_file(upload=upload, name=name, account=make_account(), user=make_theo(), draft=None, now=NOW)


def test_a_note_is_internal_unless_somebody_decides() -> None:
    ticket = make_ticket()
    action = add(ticket)
    assert action.is_internal
    item = OutboxItem.objects.get()
    assert (item.verb, item.fields["is_internal"], item.fields["body_text"]) == (
        "create_action", True, "Driver rolled back.",
    )  # fmt: skip
    ticket.refresh_from_db()
    assert (ticket.sync_state, ticket.first_responded_at) == ("pending", None)


def test_a_reply_ends_the_response_clock_and_the_wait() -> None:
    ticket = make_ticket(client_replied_at=NOW)
    add(ticket, kind="reply", is_internal=False, email_to="a@client.test", sends_email=True)
    ticket.refresh_from_db()
    assert (ticket.first_responded_at, ticket.client_replied_at) == (NOW, None)
    assert OutboxItem.objects.get().fields["email_to"] == "a@client.test"


def test_text_time_and_status_in_one_press() -> None:
    ticket = make_ticket()
    done = make_status("resolved")
    action = add(ticket, seconds=1080, status=done, resolution="New toner")
    ticket.refresh_from_db()
    assert (ticket.status, ticket.resolution) == (done, "New toner")
    assert action.time_entry.seconds == 1080
    item = OutboxItem.objects.get()
    assert (item.fields["time_seconds"], item.fields["new_status"], item.fields["resolution"]) == (
        1080, done.remote_id, "New toner",
    )  # fmt: skip


def test_time_alone_is_no_action() -> None:
    entry = add(make_ticket(), text="", seconds=900)
    assert isinstance(entry, TimeEntry)
    assert not Action.objects.exists()
    assert OutboxItem.objects.get().subject == f"time:{entry.pk}"


def test_white_space_with_time_is_time_alone() -> None:
    assert isinstance(add(make_ticket(), text="  \n ", seconds=900), TimeEntry)


@pytest.mark.parametrize("values", [{}, {"text": "", "seconds": 900}])
def test_the_same_form_twice_is_one(values: dict[str, Any]) -> None:
    ticket = make_ticket()
    first, again = add(ticket, marker=MARKER, **values), add(ticket, now=LATER, marker=MARKER, **values)
    assert first == again
    assert OutboxItem.objects.count() == 1


@pytest.mark.parametrize(
    ("values", "field"),
    [
        ({"text": ""}, "text"),
        ({"text": "a\x00b"}, "text"),
        ({"text": "x" * 200_001}, "text"),
        ({"seconds": 0}, "seconds"),
        ({"seconds": 90_000}, "seconds"),
        ({"seconds": -60}, "seconds"),
        ({"occurred_at": NOW + timedelta(days=1)}, "occurred_at"),
        ({"kind": "reply", "is_internal": False, "text": "", "seconds": 60}, "text"),
    ],
)
def test_what_is_wrong_is_named_and_nothing_kept(values: dict[str, Any], field: str) -> None:
    with pytest.raises(Refused) as refusal:
        add(make_ticket(), **values)
    assert field in refusal.value.fields
    assert not OutboxItem.objects.exists()


def test_a_blocked_status_keeps_the_words_from_leaving() -> None:
    rules = [{"to_categories": ["closed"], "needs": ["resolution"], "text": "Resolution is required"}]
    ticket = make_ticket(psa_account=make_account(transition_rules=rules))
    with pytest.raises(Refused):
        add(ticket, status=make_status("closed"))
    assert not Action.objects.exists()


def test_files_go_with_their_action_and_never_public_through_an_internal_one() -> None:
    ticket = make_ticket(psa_account=make_account(capabilities={"attachments_upload": True}))
    file = a_file()
    add(ticket, files=[file], public_files=frozenset({file.pk}))
    file.refresh_from_db()
    assert (file.ticket, file.is_public, file.sync_state) == (ticket, False, "pending")
    first, second = OutboxItem.objects.order_by("sequence")
    assert second.depends_on == first


def test_a_psa_without_files_says_so() -> None:
    with pytest.raises(Refused) as refusal:
        add(make_ticket(), files=[a_file()])
    assert "files" in refusal.value.fields


def test_a_held_reply_can_be_taken_back() -> None:
    ticket = make_ticket()
    action = add(ticket, kind="reply", is_internal=False, hold=30)
    item = OutboxItem.objects.get()
    assert item.not_before_at == NOW + timedelta(seconds=30)
    outbox.discard_item(item=item, now=NOW)
    action.refresh_from_db()
    assert action.removed_at == NOW


@pytest.mark.parametrize("values", [{}, {"text": "", "seconds": 60}])
def test_sending_ends_the_draft(values: dict[str, Any]) -> None:
    ticket = make_ticket()
    save_draft(user=make_theo(ticket.psa_account), ticket=ticket, fields={"text": "half", "time": "0:01"}, now=NOW)
    add(ticket, **values)
    assert not Draft.objects.exists()


# ---- refused ----


def test_edit_what_was_refused_and_send_it_again() -> None:
    ticket = make_ticket()
    action = add(ticket, seconds=2400)
    outbox.refuse(item=OutboxItem.objects.get(), reason=Reason.VALIDATION, text="too long", now=NOW)
    item = OutboxItem.objects.get()
    edit_refused(item=item, origin=Origin.system(), now=LATER, text="Shorter", seconds=600, is_billable=False)
    item.refresh_from_db()
    action.refresh_from_db()
    assert (item.state, item.fields["body_text"], item.fields["time_seconds"]) == ("waiting", "Shorter", 600)
    assert "Shorter" in action.body_clean
    assert not TimeEntry.objects.get().is_billable


def test_a_discarded_action_leaves_the_page_with_its_time_and_status() -> None:
    ticket = make_ticket()
    ticket.confirmed = {"status": ticket.status.remote_id}
    ticket.save()
    before = ticket.status
    add(ticket, seconds=60, status=make_status("waiting"))
    outbox.discard_item(item=OutboxItem.objects.get(), now=LATER)
    ticket.refresh_from_db()
    assert ticket.status == before
    assert not Action.objects.present().exists()
    assert TimeEntry.objects.get().removed_at == LATER


# ---- drafts and cleaning ----


def test_an_empty_form_drops_the_draft() -> None:
    ticket, theo = make_ticket(), make_theo()
    save_draft(user=theo, ticket=ticket, fields={"text": "half"}, now=NOW)
    assert save_draft(user=theo, ticket=ticket, fields={"text": " "}, now=NOW) is None
    assert not Draft.objects.exists()


def test_with_files_on_it_the_draft_stays_but_not_its_words() -> None:
    ticket, theo = make_ticket(), make_theo()
    draft = save_draft(user=theo, ticket=ticket, fields={"text": "half"}, now=NOW)
    file = a_file()
    Attachment.objects.filter(pk=file.pk).update(draft=draft)
    save_draft(user=theo, ticket=ticket, fields={"text": ""}, now=LATER)
    draft.refresh_from_db()
    assert draft.fields == {"text": ""}


def test_stale_text_is_cleaned_on_reading() -> None:
    action = make_action(body='<b onclick="x()">hi</b><script>alert(1)</script>', body_is_html=True)
    cleaned([action])
    action.refresh_from_db()
    assert action.body_clean == "<b>hi</b>"
