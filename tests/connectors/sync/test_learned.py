"""A PSA that lists neither technicians nor all statuses, gives comments no id and keeps time apart."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from connectors.base.configuration import StatusRecord
from connectors.base.records import ActionRecord, TicketRecord, TimeRecord
from connectors.sync import action_feed, inbound, inbound_actions, reference
from connectors.sync.keys import Keys
from helpdesk.actions import mirror
from helpdesk.actions.models import Action, TimeEntry
from helpdesk.directory.models import Agent, PsaAccount
from helpdesk.tickets.models import Status, Ticket
from tests import factories

pytestmark = pytest.mark.django_db
NOW = datetime(2026, 3, 2, 9, tzinfo=UTC)
CAPABILITIES = {"list_agents": False, "list_statuses": False, "comment_ids": False, "time_in_action": False,
                "attachment_counts": False}  # fmt: skip


@pytest.fixture
def account() -> PsaAccount:
    return factories.make_account("other", capabilities=CAPABILITIES)


def apply(account: PsaAccount, **values: Any) -> Ticket:
    record = TicketRecord(
        **{"remote_id": "5", "subject": "S", "status": "Open", "priority": "High", "opened_at": NOW} | values
    )
    inbound.apply(account=account, rows=[record], keys=Keys(account.pk), now=NOW)
    return Ticket.objects.get(psa_account=account, remote_id="5")


def test_an_agent_is_learned_from_a_ticket_and_named_when_a_name_comes(account: PsaAccount) -> None:
    assert str(apply(account, agent="7").agent) == "#7"
    apply(account, agent="7", agent_name="Jane Tech", agent_email="jane@msp.example")
    agent = Agent.objects.get(psa_account=account)
    assert (agent.name, agent.email, agent.is_active) == ("Jane Tech", "jane@msp.example", True)
    apply(account, agent="7", agent_name="Somebody Else")
    agent.refresh_from_db()
    assert agent.name == "Jane Tech"


def test_where_agents_are_listed_a_ticket_names_nobody(account: PsaAccount) -> None:
    PsaAccount.objects.filter(pk=account.pk).update(capabilities={})
    apply(account, agent="7")
    apply(account, agent="7", agent_name="Jane Tech")
    assert Agent.objects.get(psa_account=account).name == "#7"


@pytest.mark.parametrize(("flag", "is_active"), [(False, True), (True, False)])
def test_a_status_that_only_tickets_name_is_offered_and_never_retired(
    account: PsaAccount, flag: bool, is_active: bool
) -> None:
    account.capabilities = CAPABILITIES | {"list_statuses": flag}
    account.save()
    ticket = apply(account, status="Waiting customer")
    assert (str(ticket.status), ticket.status_category, ticket.status.is_mapped) == ("Waiting customer", "open", False)
    assert ticket.status.is_active is is_active
    rows = (StatusRecord(remote_id="Open", name="Open", category="open"),)
    reference.apply(account=account, kind="statuses", rows=rows, keys=Keys(account.pk), now=NOW)
    assert Status.objects.get(psa_account=account, name="Waiting customer").is_active is is_active


# Comments


def comment(key: str = "f" * 64, body: str = "Found it", **more: Any) -> ActionRecord:
    values: dict[str, Any] = {"kind": "note", "is_internal": True, "author_agent": "7", "author_name": "Jane Tech",
                              "author_email": "jane@msp.example", "occurred_at": NOW}  # fmt: skip
    return ActionRecord(remote_id=key, ticket="5", body=body, **(values | more))


def pulled(account: PsaAccount, ticket: Ticket, *rows: ActionRecord) -> list[Action]:
    inbound_actions.apply_actions(account=account, ticket=ticket, rows=rows, keys=Keys(account.pk), now=NOW, up_to=NOW)
    return list(Action.objects.filter(ticket=ticket, removed_at=None).order_by("pk"))


def test_a_comment_is_known_by_its_fingerprint(account: PsaAccount) -> None:
    ticket = apply(account)
    (first,) = pulled(account, ticket, comment())
    assert (first.remote_id, first.fingerprint, first.author_name) == (None, "f" * 64, "Jane Tech")
    assert Agent.objects.get(psa_account=account).email == "jane@msp.example"
    assert [a.pk for a in pulled(account, ticket, comment())] == [first.pk]
    assert len(pulled(account, ticket, comment(), comment(key="e" * 64))) == 2


def test_our_own_comment_comes_back_as_itself(account: PsaAccount) -> None:
    ticket = apply(account)
    (copy,) = pulled(account, ticket, comment())
    ours = factories.make_action(ticket, sync_state="sending", remote_id=None)
    mirror.confirm_action(subject=ours.subject_key, remote_id="f" * 64, now=NOW, is_fingerprint=True)
    assert not Action.objects.filter(pk=copy.pk).exists()
    assert [(a.pk, a.fingerprint, a.remote_id) for a in pulled(account, ticket, comment())] == [
        (ours.pk, "f" * 64, None)
    ]


# Time


def hours(key: str = "9", **more: Any) -> TimeRecord:
    values: dict[str, Any] = {
        "agent": "7", "author_name": "Jane Tech", "started_at": NOW - timedelta(hours=1), "ended_at": NOW,
        "seconds": 3600, "is_billable": False, "note": "On the phone",
    }  # fmt: skip
    return TimeRecord(remote_id=key, ticket="5", **(values | more))


def booked(account: PsaAccount, ticket: Ticket, *rows: TimeRecord) -> list[TimeEntry]:
    inbound_actions.apply_times(ticket=ticket, rows=rows, keys=Keys(account.pk), now=NOW)
    return list(TimeEntry.objects.filter(ticket=ticket, removed_at=None).order_by("pk"))


def test_time_comes_changes_and_goes(account: PsaAccount) -> None:
    ticket = apply(account)
    (entry,) = booked(account, ticket, hours())
    assert (entry.remote_id, entry.seconds, entry.is_billable, entry.note) == ("9", 3600, False, "On the phone")
    assert (entry.author_name, str(entry.agent), entry.ended_at) == ("Jane Tech", "Jane Tech", NOW)
    assert [e.seconds for e in booked(account, ticket, hours(seconds=60))] == [60]
    assert booked(account, ticket) == []
    assert [e.pk for e in booked(account, ticket, hours())] == [entry.pk]


def test_time_of_ours_is_known_by_its_end_and_length(account: PsaAccount) -> None:
    ticket = apply(account)
    values = {"ended_at": NOW, "sync_state": "sent", "author_name": "Priya Nair", "remote_id": None}
    ours = factories.make_time_entry(ticket, 3600, action=factories.make_action(ticket), **values)
    (entry,) = booked(account, ticket, hours(ended_at=NOW + timedelta(milliseconds=400)))
    assert (entry.pk, entry.remote_id, entry.author_name) == (ours.pk, "9", "Priya Nair")
    assert len(booked(account, ticket, hours(), hours(key="10", seconds=60))) == 2


# When to look


def test_comments_are_read_again_when_something_was_said(account: PsaAccount) -> None:
    ticket = apply(account, last_activity_at=NOW)
    assert list(action_feed.stale(account.pk)) == [ticket]
    Ticket.objects.filter(pk=ticket.pk).update(actions_pulled_at=NOW)
    assert not action_feed.stale(account.pk).exists()
    apply(account, last_activity_at=NOW + timedelta(seconds=1))
    assert list(action_feed.stale(account.pk)) == [ticket]


def test_files_are_asked_for_where_nobody_counts_them(account: PsaAccount) -> None:
    ticket = apply(account)
    assert inbound_actions.wants_files(account, ticket, ())
    account.capabilities = {}
    assert not inbound_actions.wants_files(account, ticket, ())
