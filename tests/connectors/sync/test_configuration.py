"""Statuses, outcomes and ticket types changed from here: each change arrives once, and a no is said in words."""

from __future__ import annotations

from typing import Any

import httpx
import pytest

from connectors.sync import cursors
from connectors.sync.models import Feed
from helpdesk.accounts.models import AuditEntry
from helpdesk.actions import configuring
from helpdesk.actions.config_kinds import KINDS, spelled
from helpdesk.actions.models import Outcome
from helpdesk.core.errors import Refused
from helpdesk.directory.models import Team
from helpdesk.outbox import services as outbox
from helpdesk.outbox.choices import Reason, State, Verb
from helpdesk.outbox.models import OutboxItem
from helpdesk.tickets import conflicts, rules
from helpdesk.tickets.models import Priority, Status, TicketType
from tests.connectors.sync.helpers import Desk, desk
from tests.people import make_ada

pytestmark = pytest.mark.django_db

WORDS = {
    "status": {
        "name": "Parked", "short_name": "PRK", "colour": "#123abc", "sequence": 77, "sla_action": "hold",
        "hold_hours": 8.0, "change_to": "9", "change_hours": 24.5, "counts_working_hours": True,
        "ignores_release": True, "is_quick": False, "ticket_types": ["1", "3"],
    },
    "outcome": {
        "name": "Park it", "label": "Park", "long_label": "Park it for a while", "colour": "#123abc", "sequence": 78,
        "new_status": "4", "default_seconds": 900, "child_ticket_type": "4", "hide_from_client": True,
        "sends_email": False, "must_add_note": True, "must_assign": True, "sla_hold": True, "sla_release": False,
        "is_hidden": False, "ticket_types": ["2"],
    },
    "ticket_type": {
        "name": "Project", "sequence": 79, "initial_status": "1", "reopened_status": "2", "after_client_status": "3",
        "after_agent_status": None, "default_priority": "4", "default_agent": None, "default_sla_policy": "1",
        "reopen_hours": 48.0, "auto_close_hours": 72, "agents_may_select": True, "clients_may_select": False,
        "client_may_reopen": False, "allow_attachments": False,
    },
}  # fmt: skip
PATHS = {"status": "Status", "outcome": "Outcome", "ticket_type": "TicketType"}


def there(found: Desk, word: str) -> list[dict[str, Any]]:
    """What the PSA has, in its own words."""
    params = {"showhidden": "true", "showinactive": "true"}
    with httpx.Client(base_url=f"{found.sandbox.halopsa}/api", headers=found.sandbox.token()) as api:
        rows: list[dict[str, Any]] = api.get(f"/{PATHS[word]}", params=params).json()
    return rows


def read_again(found: Desk) -> None:
    """The PSA's lists once more."""
    cursors.restart(account_id=found.account.pk, feeds=[Feed.REFERENCE.value])
    found.pull()


def named(found: Desk, word: str, name: str) -> list[dict[str, Any]]:
    return [row for row in there(found, word) if name in (row.get("name"), row.get("outcome"))]


def meddle(found: Desk, word: str, **values: Any) -> None:
    """Somebody changes it in the PSA."""
    with httpx.Client(base_url=f"{found.sandbox.halopsa}/api", headers=found.sandbox.token()) as api:
        assert api.post(f"/{PATHS[word]}", json=[values]).status_code == 201


def create(found: Desk, word: str, **values: Any) -> Any:
    return configuring.create_value(
        account=found.account, kind=KINDS[word], values={**WORDS[word], **values}, by=make_ada(), now=found.clock()
    )


def change(found: Desk, row: Any, **values: Any) -> None:
    configuring.change_value(row=row, values=values, by=make_ada(), now=found.clock())
    row.refresh_from_db()


def delete(found: Desk, row: Any) -> None:
    configuring.delete_value(row=row, by=make_ada(), now=found.clock())
    row.refresh_from_db()


@pytest.mark.parametrize("word", sorted(WORDS))
def test_every_field_arrives_and_comes_back(word: str) -> None:
    with desk(tickets=4) as found:
        row = create(found, word)
        row.refresh_from_db()
        assert (row.remote_id, row.sync_state) == (None, "pending")
        assert found.settle() == [State.DONE]
        row.refresh_from_db()
        assert row.remote_id
        assert row.sync_state == "sent"
        wanted = {**spelled(row), **WORDS[word]}
        assert spelled(row) == wanted
        assert {n: row.confirmed[n] for n in WORDS[word]} == WORDS[word]
        read_again(found)
        row.refresh_from_db()
        assert spelled(row) == wanted
        assert row.sync_state == ""
        assert len(named(found, word, str(WORDS[word]["name"]))) == 1
        assert KINDS[word].model.objects.filter(name=WORDS[word]["name"]).count() == 1


def test_a_new_status_is_offered_once_the_psa_has_it() -> None:
    with desk(tickets=4) as found:
        row = create(found, "status", name="Waiting for the courier", ticket_types=[])
        ticket = found.ticket()
        assert row not in [c.status for c in rules.status_choices(ticket)]
        found.settle()
        row.refresh_from_db()
        assert row in [c.status for c in rules.status_choices(ticket)]
        assert (row.category, row.is_mapped) == ("waiting_third_party", True)


FAULTS: list[tuple[str, dict[str, Any]]] = [
    ("status_before", {"status": 503}),
    ("status_after", {"status": 503}),
    ("reset_after", {}),
    ("half_body", {}),
    ("wrong_body", {"body": "<html>gateway</html>"}),
    ("not_applied", {}),
]


@pytest.mark.parametrize(("mode", "values"), FAULTS, ids=[m for m, _v in FAULTS])
@pytest.mark.parametrize("verb", ["create", "change", "delete"])
def test_a_change_arrives_once_whatever_happens_to_the_answer(verb: str, mode: str, values: dict[str, Any]) -> None:
    with desk(tickets=4) as found:
        row = Status.objects.get(name="Pending") if verb == "change" else None
        if verb == "delete":
            row = create(found, "status")
            found.settle()
        method = "DELETE" if verb == "delete" else "POST"
        found.fault(mode, path="/Status", method=method, **values)
        if verb == "create":
            row = create(found, "status")
        elif verb == "change":
            change(found, row, name="Parked", is_quick=True)
        else:
            delete(found, row)
        assert set(found.settle()) == {State.DONE}
        assert len(named(found, "status", "Parked")) == (0 if verb == "delete" else 1)
        read_again(found)
        assert Status.objects.filter(name="Parked", is_active=True).count() == (0 if verb == "delete" else 1)


def test_a_pull_that_sees_it_first_makes_no_second_one() -> None:
    with desk(tickets=4) as found:
        row = create(found, "status", ticket_types=[])
        found.fault("reset_after", path="/Status", method="POST")
        found.push()
        read_again(found)
        copy = Status.objects.get(name="Parked", remote_id__isnull=False)
        assert copy.pk != row.pk
        ticket = found.ticket()
        type(ticket).objects.filter(pk=ticket.pk).update(status=copy)
        assert found.settle() == [State.DONE]
        row.refresh_from_db()
        ticket.refresh_from_db()
        assert (ticket.status_id, row.remote_id) == (row.pk, copy.remote_id)
        assert Status.objects.filter(name="Parked").count() == 1


@pytest.mark.parametrize("word", ["outcome", "ticket_type"])
def test_a_copy_that_a_pull_made_gives_way_with_all_its_types(word: str) -> None:
    """What it is only for stands on both by then."""
    with desk(tickets=4) as found:
        row = create(found, word)
        found.fault("reset_after", path=f"/{PATHS[word]}", method="POST")
        found.push()
        read_again(found)
        name = WORDS[word]["name"]
        copy = KINDS[word].model.objects.get(name=name, remote_id__isnull=False)
        assert copy.pk != row.pk
        other = Outcome.objects.exclude(name=name).order_by("pk").first()
        assert other is not None
        if word == "ticket_type":
            other.ticket_types.add(copy, row)
        assert found.settle() == [State.DONE]
        row.refresh_from_db()
        assert row.remote_id == copy.remote_id
        assert KINDS[word].model.objects.filter(name=name).count() == 1
        if word == "outcome":
            assert spelled(row)["ticket_types"] == WORDS[word]["ticket_types"]
        else:
            assert row in other.ticket_types.all()


def test_without_the_permission_the_psas_no_is_said_in_words() -> None:
    with desk(tickets=4) as found:
        status = Status.objects.get(name="Pending")
        found.fault("status_before", path="/Status", method="POST", status=403, times=None)
        change(found, status, name="Parked")
        assert found.settle() == [State.REFUSED]
        item = OutboxItem.objects.get()
        status.refresh_from_db()
        assert (item.reason, status.sync_state, status.name) == (Reason.AUTH, "refused", "Parked")
        assert "admin permission" in item.error_text
        found.sandbox.control("DELETE", "faults")
        outbox.retry_item(item=item, origin=found.origin, now=found.clock())
        found.clock.advance(700)  # the client remembers for a while that it may not
        assert found.settle() == [State.DONE]
        assert named(found, "status", "Parked")


def test_a_scope_without_admin_is_refused() -> None:
    with desk(tickets=4) as found:
        found.account.settings = {**found.account.settings, "scope": "all:standard"}
        found.account.save()
        create(found, "outcome")
        assert found.settle() == [State.REFUSED]
        assert OutboxItem.objects.get().reason == Reason.AUTH


def test_what_the_psa_changed_meanwhile_is_a_conflict() -> None:
    with desk(tickets=4) as found:
        status = Status.objects.get(name="Pending")
        meddle(found, "status", id=3, name="Parked by them", colour="#111111")
        change(found, status, name="Parked by us", is_quick=True)
        assert found.settle() == [State.REFUSED]
        item = OutboxItem.objects.get()
        assert (item.reason, item.base["name"], item.theirs) == (
            Reason.CONFLICT, "Pending", {"name": "Parked by them"},
        )  # fmt: skip
        status.refresh_from_db()
        assert (status.name, status.colour) == ("Parked by us", "#111111")
        configuring.take_theirs(item=item, now=found.clock())
        assert found.settle() == [State.DONE]
        status.refresh_from_db()
        assert (status.name, status.is_quick) == ("Parked by them", True)
        assert named(found, "status", "Parked by them")[0]["showonquickchange"] is True


def test_keeping_ours_goes_over_theirs() -> None:
    with desk(tickets=4) as found:
        outcome = Outcome.objects.get(name="Escalate")
        meddle(found, "outcome", id=14, outcome="Raise")
        change(found, outcome, name="Call for help")
        found.settle()
        conflicts.keep_mine(item=OutboxItem.objects.get(), origin=found.origin, now=found.clock())
        assert found.settle() == [State.DONE]
        assert len(named(found, "outcome", "Call for help")) == 1


def test_a_pull_never_overwrites_what_is_not_sent() -> None:
    with desk(tickets=4) as found:
        status, kind = Status.objects.get(name="Pending"), TicketType.objects.get(name="Problem")
        outcome = Outcome.objects.get(name="Escalate")
        unborn = create(found, "status")
        change(found, status, name="Parked too", change_to="9", change_hours=3.0)
        change(found, kind, initial_status="2")
        change(found, outcome, ticket_types=["4"])
        delete(found, Status.objects.get(name="On Hold"))
        meddle(found, "status", id=3, colour="#111111")
        read_again(found)
        for row in (status, kind, outcome, unborn):
            row.refresh_from_db()
        assert (status.name, status.colour, status.change_to.remote_id) == ("Parked too", "#111111", "9")  # type: ignore[union-attr]
        assert status.confirmed["name"] == "Pending"
        assert kind.initial_status.remote_id == "2"  # type: ignore[union-attr]
        assert [t.remote_id for t in outcome.ticket_types.all()] == ["4"]
        assert unborn.is_active
        assert not Status.objects.get(name="On Hold").is_active


def test_deleting_what_is_in_use_is_refused_in_the_psas_words() -> None:
    with desk(tickets=20) as found:
        status = found.ticket().status
        delete(found, status)
        assert (status.is_active, status.is_being_deleted) == (False, True)
        assert found.settle() == [State.REFUSED]
        item = OutboxItem.objects.get()
        assert "in use" in item.error_text
        outbox.discard_item(item=item, now=found.clock())
        status.refresh_from_db()
        assert (status.is_active, status.is_being_deleted, status.sync_state) == (True, False, "")


def test_deleting_what_is_gone_already_is_done() -> None:
    with desk(tickets=4) as found:
        outcome = Outcome.objects.get(name="Escalate")
        with httpx.Client(base_url=f"{found.sandbox.halopsa}/api", headers=found.sandbox.token()) as api:
            api.delete("/Outcome/14")
        delete(found, outcome)
        assert found.settle() == [State.DONE]
        outcome.refresh_from_db()
        assert (outcome.is_hidden, outcome.is_being_deleted) == (True, False)


def test_changing_what_is_gone_says_so() -> None:
    with desk(tickets=4) as found:
        outcome = Outcome.objects.get(name="Escalate")
        with httpx.Client(base_url=f"{found.sandbox.halopsa}/api", headers=found.sandbox.token()) as api:
            api.delete("/Outcome/14")
        change(found, outcome, name="Help")
        assert found.settle() == [State.REFUSED]
        assert OutboxItem.objects.get().reason == Reason.GONE
        outcome.refresh_from_db()
        assert outcome.is_hidden


def test_a_name_that_the_psa_has_already_is_refused() -> None:
    with desk(tickets=4) as found:
        meddle(found, "status", name="Parked")
        row = create(found, "status")
        assert found.settle() == [State.REFUSED]
        item = OutboxItem.objects.get()
        assert "already" in item.error_text
        # Edited, it goes out again under another name.
        change(found, row, name="Parked here")
        assert found.settle() == [State.DONE]
        assert len(named(found, "status", "Parked here")) == 1
        assert OutboxItem.objects.get().verb == Verb.CREATE_CONFIG


def test_discarding_puts_back_what_the_psa_has() -> None:
    with desk(tickets=4) as found:
        status = Status.objects.get(name="Pending")
        change(found, status, name="Parked", ticket_types=["1"])
        outbox.discard_item(item=OutboxItem.objects.get(), now=found.clock())
        status.refresh_from_db()
        assert (status.name, status.ticket_types, status.sync_state) == ("Pending", [], "")
        row = create(found, "status")
        outbox.discard_item(item=OutboxItem.objects.last(), now=found.clock())  # type: ignore[arg-type]
        assert not Status.objects.filter(pk=row.pk).exists()


def test_a_new_one_that_never_left_just_goes() -> None:
    with desk(tickets=4) as found:
        row = create(found, "outcome")
        configuring.delete_value(row=row, by=make_ada(), now=found.clock())
        assert not Outcome.objects.filter(pk=row.pk).exists()
        assert found.settle() == [State.DISCARDED]


def test_the_order_is_changed_with_as_few_writes_as_can_be() -> None:
    with desk(tickets=4) as found:
        kind = KINDS["status"]
        names = [s.name for s in configuring.in_order(found.account.pk, kind)]
        second = Status.objects.get(name=names[1])
        configuring.move_value(row=second, is_up=True, by=make_ada(), now=found.clock())
        assert [s.name for s in configuring.in_order(found.account.pk, kind)] == [names[1], names[0], *names[2:]]
        assert found.settle() == [State.DONE] * 2
        read_again(found)
        assert configuring.in_order(found.account.pk, kind)[0] == second
        configuring.move_value(row=second, is_up=True, by=make_ada(), now=found.clock())
        assert OutboxItem.objects.count() == 2  # the first stays the first


def test_what_makes_no_sense_is_refused_here() -> None:
    with desk(tickets=4) as found:
        status = Status.objects.get(name="Pending")
        for values, field in (
            ({"name": " "}, "name"),
            ({"name": "on hold"}, "name"),
            ({"change_to": "9", "change_hours": None}, "change_hours"),
            ({"change_to": None, "change_hours": 2.0}, "change_to"),
            ({"change_to": "3", "change_hours": 2.0}, "change_to"),
        ):
            with pytest.raises(Refused) as refusal:
                change(found, status, **values)  # type: ignore[arg-type]
            assert list(refusal.value.fields) == [field]
        with pytest.raises(Refused):
            change(found, Outcome.objects.get(name="Escalate"), sla_hold=True, sla_release=True)
        found.account.capabilities = {**found.account.capabilities, "configure": []}
        found.account.save()
        with pytest.raises(Refused):
            change(found, Status.objects.get(name="Pending"), name="Parked")
        assert not OutboxItem.objects.exists()


def test_it_is_written_down_who_changed_what() -> None:
    with desk(tickets=4) as found:
        status = Status.objects.get(name="Pending")
        change(found, status, name="Parked")
        delete(found, create(found, "outcome") and Outcome.objects.get(name="Escalate"))
        verbs = list(AuditEntry.objects.filter(verb__startswith="config.").values_list("verb", flat=True))
        assert sorted(verbs) == ["config.change", "config.create", "config.delete"]
        entry = AuditEntry.objects.get(verb="config.change")
        assert entry.detail["before"] == {"name": "Pending"}
        assert entry.subject == f"status:{status.pk}"


def test_a_team_goes_by_its_name_and_comes_back_as_itself() -> None:
    with desk(tickets=4) as found:
        kind = TicketType.objects.get(name="Problem")
        other = Team.objects.exclude(pk=kind.default_team_id).filter(is_active=True).first()
        assert other is not None
        change(found, kind, default_team=other.remote_id)
        assert found.settle() == [State.DONE]
        assert named(found, "ticket_type", "Problem")[0]["default_team"] == other.name
        change(found, kind, default_team=None)
        assert found.settle() == [State.DONE] * 2
        read_again(found)
        kind.refresh_from_db()
        assert kind.default_team is None


def test_a_change_waits_for_the_creation() -> None:
    with desk(tickets=4) as found:
        row = create(found, "ticket_type")
        change(found, row, default_priority=Priority.objects.get(name="High").remote_id)
        assert found.settle() == [State.DONE] * 2
        row.refresh_from_db()
        assert row.default_priority.name == "High"
