"""Resolving tells the client what was done, where somebody wants that, and keeps colleagues' words apart."""

from __future__ import annotations

from typing import Any

import pytest

from helpdesk.actions.models import Action, Draft
from helpdesk.actions.resolving import add_with_summary, resolve_ticket
from helpdesk.actions.services import NewAction
from helpdesk.core.errors import Refused
from helpdesk.core.origin import Origin
from helpdesk.directory.models import PsaAccount
from helpdesk.outbox.models import OutboxItem
from helpdesk.tickets.models import Status, Ticket
from tests.factories import NOW, make_account, make_client, make_contact, make_outcome, make_status, make_ticket
from tests.people import make_theo

pytestmark = pytest.mark.django_db
MARKER = "7a2b6d4e-0000-4000-8000-000000000001"
DONE = "The driver is pinned."
RULES = [{"to_categories": ["resolved", "closed"], "needs": ["resolution"], "text": "Resolution is required"}]


@pytest.fixture
def ticket() -> Ticket:
    account = make_account(transition_rules=RULES, capabilities={"resolution_field": True, "outcomes": True})
    contact = make_contact(make_client(psa_account=account), email="aoife@northwind.test")
    return make_ticket(psa_account=account, contact=contact)


@pytest.fixture
def resolved(ticket: Ticket) -> Status:
    return make_status("resolved", psa_account=ticket.psa_account)


def resolve(ticket: Ticket, status: Status, text: str = DONE, *, is_shared: bool = True) -> Ticket:
    theo = make_theo(ticket.psa_account)
    return resolve_ticket(
        ticket=ticket, status=status, text=text, is_shared=is_shared, origin=Origin.desk(theo), now=NOW, user=theo
    )


def add(ticket: Ticket, *, summary: str = DONE, is_shared: bool = True, **values: Any) -> Any:
    theo = make_theo(ticket.psa_account)
    return add_with_summary(
        ticket=ticket, new=NewAction(**{"marker": MARKER, **values}), summary=summary, is_shared=is_shared,
        origin=Origin.desk(theo), now=NOW, user=theo,
    )  # fmt: skip


def told() -> list[tuple[str, bool]]:
    return [(i.fields["body_text"], i.fields["is_internal"]) for i in OutboxItem.objects.order_by("sequence")]


def test_one_write_resolves_and_tells(ticket: Ticket, resolved: Status) -> None:
    Draft.objects.create(user=make_theo(ticket.psa_account), ticket=ticket, fields={"text": "Half"}, saved_at=NOW)
    done = resolve(ticket, resolved)
    item = OutboxItem.objects.get()
    assert (item.verb, item.fields["kind"], item.fields["is_internal"]) == ("create_action", "reply", False)
    assert (item.fields["new_status"], item.fields["resolution"]) == (resolved.remote_id, DONE)
    assert (item.fields["email_to"], item.fields["send_email"]) == ("aoife@northwind.test", True)
    assert (done.status, done.resolution) == (resolved, DONE)
    assert Action.objects.get().author_user == make_theo(ticket.psa_account)
    assert Draft.objects.exists(), "what is half typed on the page stays"


@pytest.mark.parametrize("has_field", [True, False])
@pytest.mark.parametrize("is_shared", [True, False])
def test_two_presses_at_once_tell_the_client_once(
    ticket: Ticket, resolved: Status, has_field: bool, is_shared: bool
) -> None:
    PsaAccount.objects.update(capabilities={"resolution_field": has_field}, transition_rules=[])
    first, second = (Ticket.objects.select_related("status", "psa_account").get(pk=ticket.pk) for _ in range(2))
    resolve(first, resolved, is_shared=is_shared)
    before = (OutboxItem.objects.count(), Action.objects.count())
    assert resolve(second, resolved, is_shared=is_shared).status == resolved
    assert (OutboxItem.objects.count(), Action.objects.count()) == before


def test_kept_internal_it_is_a_change_of_fields(ticket: Ticket, resolved: Status) -> None:
    done = resolve(ticket, resolved, is_shared=False)
    assert OutboxItem.objects.get().verb == "update_ticket"
    assert done.resolution == DONE
    assert not Action.objects.exists()


@pytest.mark.parametrize("is_shared", [True, False])
def test_the_rule_holds(ticket: Ticket, resolved: Status, is_shared: bool) -> None:
    with pytest.raises(Refused) as refusal:
        resolve(ticket, resolved, "", is_shared=is_shared)
    assert "resolution" in refusal.value.fields
    assert not OutboxItem.objects.exists()


@pytest.mark.parametrize("is_shared", [True, False])
def test_a_psa_without_the_field_loses_no_word(ticket: Ticket, resolved: Status, is_shared: bool) -> None:
    PsaAccount.objects.update(capabilities={"resolution_field": False}, transition_rules=[])
    resolve(Ticket.objects.get(), resolved, is_shared=is_shared)
    assert told() == [(DONE, not is_shared)]
    assert "resolution" not in OutboxItem.objects.get().fields


def test_nobody_is_mailed_without_an_address(ticket: Ticket, resolved: Status) -> None:
    Ticket.objects.update(contact=None)
    resolve(Ticket.objects.get(), resolved)
    assert OutboxItem.objects.get().fields["send_email"] is False


# ---- composer ----


def test_a_public_reply_carries_the_summary(ticket: Ticket, resolved: Status) -> None:
    add(ticket, kind="reply", is_internal=False, text="All good.", status=resolved)
    assert told() == [(f"All good.\n\n{DONE}", False)]


def test_said_already_it_is_not_said_twice(ticket: Ticket, resolved: Status) -> None:
    add(ticket, kind="reply", is_internal=False, text=f"Hello. {DONE}", status=resolved)
    assert told() == [(f"Hello. {DONE}", False)]


def test_colleagues_words_never_join_the_clients(ticket: Ticket, resolved: Status) -> None:
    for _press in range(2):
        add(ticket, text="He had it unplugged.", seconds=300, status=resolved)
    assert told() == [("He had it unplugged.", True), (DONE, False)]
    first, last = OutboxItem.objects.order_by("sequence")
    assert ("new_status" in first.fields, last.fields["new_status"]) == (False, resolved.remote_id)
    assert (first.fields["time_seconds"], "time_seconds" in last.fields) == (300, False)
    ticket.refresh_from_db()
    assert (ticket.status, ticket.resolution) == (resolved, DONE)


def test_without_a_note_the_summary_is_the_action(ticket: Ticket, resolved: Status) -> None:
    add(ticket, seconds=300, status=resolved)
    assert told() == [(DONE, False)]
    assert OutboxItem.objects.get().fields["time_seconds"] == 300


def test_unshared_it_stays_inside(ticket: Ticket, resolved: Status) -> None:
    add(ticket, text="He had it unplugged.", status=resolved, is_shared=False)
    assert told() == [("He had it unplugged.", True)]
    ticket.refresh_from_db()
    assert ticket.resolution == DONE


def test_an_outcome_that_hides_goes_last_and_stays_hidden(ticket: Ticket, resolved: Status) -> None:
    close = make_outcome("Close", new_status=resolved)
    add(ticket, text="Duplicate of the other.", outcome=close, status=resolved)
    assert told() == [(DONE, False), ("Duplicate of the other.", True)]
    assert OutboxItem.objects.last().fields["outcome"] == close.remote_id


def test_an_outcome_that_needs_a_note_takes_the_summary_for_it(ticket: Ticket, resolved: Status) -> None:
    outcome = make_outcome("Resolve", new_status=resolved, hide_from_client=False, must_add_note=True, sends_email=True)
    add(ticket, kind="reply", is_internal=False, outcome=outcome)
    assert told() == [(DONE, False)]


def test_a_second_step_from_resolved_to_closed_tells_nobody(ticket: Ticket, resolved: Status) -> None:
    resolve(ticket, resolved, is_shared=False)
    add(Ticket.objects.get(), text="Bye", status=make_status("closed", psa_account=ticket.psa_account))
    assert not Action.objects.filter(is_internal=False).exists()
