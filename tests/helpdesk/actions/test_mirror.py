"""What a PSA says of a ticket's actions and files."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import pytest

from helpdesk.actions.choices import FileState
from helpdesk.actions.mirror import (
    RemoteAction,
    RemoteFile,
    apply_actions,
    apply_files,
    confirm_action,
    confirm_file,
)
from helpdesk.actions.models import Action, Attachment, TimeEntry
from helpdesk.actions.services import NewAction, add_action
from helpdesk.core.origin import Origin
from helpdesk.directory.models import PsaAccount
from helpdesk.tickets.models import Ticket
from helpdesk.tickets.search import matching
from tests.factories import make_ticket
from tests.people import make_theo

pytestmark = pytest.mark.django_db


@pytest.fixture
def ticket(account: PsaAccount) -> Ticket:
    return make_ticket(psa_account=account)


def remote(now: datetime, key: str = "2", **values: Any) -> RemoteAction:
    options = {k: values.pop(k) for k in ("marker", "seconds", "is_billable") if k in values}
    return RemoteAction(
        key=key,
        values={
            "kind": "note", "is_internal": True, "body": "<p>Toner replaced</p>", "body_is_html": True,
            "author_name": "Pat", "occurred_at": now, **values,
        },
        **options,
    )  # fmt: skip


def test_actions_and_time_arrive_once(ticket: Ticket, now: datetime) -> None:
    rows = [remote(now, "1"), remote(now, "2", seconds=900, is_billable=False)]
    assert apply_actions(ticket_id=ticket.pk, rows=rows, now=now, up_to=now) == 2
    assert apply_actions(ticket_id=ticket.pk, rows=rows, now=now, up_to=now) == 0
    entry = TimeEntry.objects.get()
    assert (entry.seconds, entry.is_billable, entry.action.remote_id) == (900, False, "2")
    ticket.refresh_from_db()
    assert ticket.actions_pulled_at == now
    assert list(matching("toner", Ticket.objects.all())) == [ticket]


def test_what_the_psa_deleted_leaves_and_may_come_back(ticket: Ticket, now: datetime) -> None:
    apply_actions(ticket_id=ticket.pk, rows=[remote(now, "1"), remote(now, "2")], now=now)
    apply_actions(ticket_id=ticket.pk, rows=[remote(now, "1")], now=now)
    assert list(Action.objects.present().values_list("remote_id", flat=True)) == ["1"]
    apply_actions(ticket_id=ticket.pk, rows=[remote(now, "1"), remote(now, "2")], now=now)
    assert Action.objects.present().count() == 2


def test_a_note_made_internal_in_the_psa_leaves_the_client(ticket: Ticket, now: datetime) -> None:
    apply_actions(ticket_id=ticket.pk, rows=[remote(now, is_internal=False)], now=now)
    assert Action.objects.public().exists()
    apply_actions(ticket_id=ticket.pk, rows=[remote(now, is_internal=True)], now=now)
    assert not Action.objects.public().exists()


def test_our_action_come_back_by_marker_stays_one_and_ours(ticket: Ticket, now: datetime) -> None:
    theo = make_theo(ticket.psa_account)
    new = NewAction(text="We are on it", kind="reply", is_internal=False, seconds=600)
    action = add_action(ticket=ticket, new=new, origin=Origin.desk(theo), now=now, user=theo)
    echo = remote(now, "5", marker=str(action.marker), body="<p>changed</p>", is_internal=False, seconds=600)
    apply_actions(ticket_id=ticket.pk, rows=[echo], now=now)
    action = Action.objects.get()
    assert (action.remote_id, action.author_user, action.body) == ("5", theo, "<p>We are on it</p>")
    assert TimeEntry.objects.get().remote_id == "5"


def test_a_copy_pulled_before_our_answer_was_stored_is_merged(ticket: Ticket, now: datetime) -> None:
    theo = make_theo(ticket.psa_account)
    action = add_action(ticket=ticket, new=NewAction(text="We are on it"), origin=Origin.desk(theo), now=now, user=theo)
    apply_actions(ticket_id=ticket.pk, rows=[remote(now, "5", body="We are on it")], now=now)
    assert Action.objects.count() == 2
    confirm_action(subject=f"action:{action.pk}", remote_id="5", now=now)
    assert [a.pk for a in Action.objects.all()] == [action.pk]


def test_time_alone_come_back_stays_a_time_entry(ticket: Ticket, now: datetime) -> None:
    theo = make_theo(ticket.psa_account)
    entry = add_action(ticket=ticket, new=NewAction(seconds=300), origin=Origin.desk(theo), now=now, user=theo)
    apply_actions(ticket_id=ticket.pk, rows=[remote(now, "6", marker=str(entry.marker), seconds=300)], now=now)
    assert (Action.objects.count(), TimeEntry.objects.get().remote_id) == (0, "6")


def test_a_clients_last_word_waits_for_an_answer(ticket: Ticket, now: datetime) -> None:
    from_client = remote(now, "3", is_internal=False, is_from_client=True)
    apply_actions(ticket_id=ticket.pk, rows=[from_client], now=now)
    ticket.refresh_from_db()
    assert ticket.client_replied_at == now
    answer = remote(now + timedelta(minutes=1), "4", is_internal=False)
    apply_actions(ticket_id=ticket.pk, rows=[from_client, answer], now=now)
    ticket.refresh_from_db()
    assert ticket.client_replied_at is None


def test_hostile_html_is_kept_raw_and_shown_clean(ticket: Ticket, now: datetime) -> None:
    bad = '<p onclick="x()">Hi<script>alert(1)</script><img src="http://evil.test/p.png"></p>'
    apply_actions(ticket_id=ticket.pk, rows=[remote(now, body=bad)], now=now)
    action = Action.objects.get()
    assert (action.body, action.body_clean) == (bad, "<p>Hi</p>")


def test_inline_images_become_files_to_fetch(ticket: Ticket, now: datetime) -> None:
    body = '<p><img src="https://psa.test/api/attachment/image/3f2b-11-aa99"></p>'
    apply_actions(ticket_id=ticket.pk, rows=[remote(now, body=body)], now=now)
    image = Attachment.objects.get()
    assert (image.inline_reference, image.state, image.is_public) == ("3f2b-11-aa99", FileState.REMOTE, False)
    assert f"/tickets/{ticket.pk}/images/3f2b-11-aa99/" in Action.objects.get().body_clean


def test_files_arrive_once_follow_their_action_and_leave(ticket: Ticket, now: datetime) -> None:
    apply_actions(ticket_id=ticket.pk, rows=[remote(now, "2", is_internal=False)], now=now)
    row = RemoteFile(remote_id="11", name="a.png", created_at=now, action_key="2", size=5, is_public=True)
    assert [apply_files(ticket_id=ticket.pk, rows=[row], now=now) for _ in range(2)] == [1, 0]
    file = Attachment.objects.get()
    assert (file.state, file.action.remote_id, file.is_public) == (FileState.REMOTE, "2", True)
    assert Ticket.objects.get().attachment_count == 1
    apply_files(ticket_id=ticket.pk, rows=[], now=now)
    assert not Attachment.objects.present().exists()
    assert Ticket.objects.get().attachment_count == 0


def test_a_public_file_of_an_internal_action_is_not_for_the_client(ticket: Ticket, now: datetime) -> None:
    apply_actions(ticket_id=ticket.pk, rows=[remote(now, "2")], now=now)
    row = RemoteFile(remote_id="11", name="a.png", created_at=now, action_key="2", size=5, is_public=True)
    apply_files(ticket_id=ticket.pk, rows=[row], now=now)
    assert not Attachment.objects.public().exists()


def test_confirming_a_file_removes_the_pulled_copy(ticket: Ticket, now: datetime) -> None:
    ours = Attachment.objects.create(
        ticket=ticket, psa_account=ticket.psa_account, name="a.txt", size=3, created_at=now
    )
    apply_files(ticket_id=ticket.pk, rows=[RemoteFile(remote_id="9", name="a.txt", created_at=now, size=3)], now=now)
    confirm_file(attachment_id=ours.pk, remote_id="9", now=now)
    assert [a.pk for a in Attachment.objects.filter(remote_id="9")] == [ours.pk]
