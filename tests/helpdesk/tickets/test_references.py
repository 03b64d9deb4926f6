"""What a ticket points to comes in its own statement, as fresh as the ticket itself."""

from __future__ import annotations

from typing import Any

import pytest
from django.db import connection, transaction
from django.test.utils import CaptureQueriesContext

from helpdesk.directory.models import PsaAccount
from helpdesk.tickets.models import Status, Ticket, TicketType
from helpdesk.tickets.references import SETS
from helpdesk.tickets.rows import row_facts
from helpdesk.tickets.writing import hold_ticket, lock_ticket
from tests.factories import make_account, make_agent, make_contact, make_policy, make_status, make_team, make_ticket
from tests.people import make_theo

pytestmark = pytest.mark.django_db
HOSTILE = """O'Neil "<b>" \\ {remote_id} %s ж"""


@pytest.fixture
def ticket() -> Ticket:
    halo = make_account(capabilities={"sites": True, "n": 1.5, "word": HOSTILE}, required_fields=["subject", None])
    contact = make_contact(psa_account=halo, last_name=HOSTILE)
    kind = TicketType.objects.create(psa_account=halo, name=HOSTILE, allow_attachments=False, remote_id="9")
    agent = make_agent(psa_account=halo, user=make_theo())
    return make_ticket(
        psa_account=halo, contact=contact, client=contact.client, ticket_type=kind, agent=agent,
        team=make_team(psa_account=halo), sla_policy=make_policy(psa_account=halo),
        parent=make_ticket(psa_account=halo, subject=HOSTILE),
    )  # fmt: skip


@pytest.mark.parametrize(("name", "read"), [("full", "in_full"), ("page", "for_page"), ("preview", "for_preview")])
def test_every_reference_is_what_the_database_holds(ticket: Ticket, name: str, read: str) -> None:
    with CaptureQueriesContext(connection) as seen:
        (found,) = getattr(Ticket.objects.filter(pk=ticket.pk), read)()
        shown = {path: _values(found, path, columns) for path, columns in SETS[name].items()}
    assert len(seen) == 1
    plain = Ticket.objects.get(pk=ticket.pk)
    assert shown == {path: _values(plain, path, columns) for path, columns in SETS[name].items()}
    assert shown["contact"][1] == HOSTILE


def _values(ticket: Ticket, path: str, columns: str) -> list[Any]:
    row: Any = ticket
    for part in path.split("__"):
        row = getattr(row, part)
    fields = [row._meta.get_field(name) for name in columns.split()] if row is not None else []
    return [getattr(row, f.attname) for f in fields]


def test_yes_and_no_stay_yes_and_no(ticket: Ticket) -> None:
    found = Ticket.objects.in_full().get(pk=ticket.pk)
    assert found.ticket_type is not None
    assert found.ticket_type.allow_attachments is False


def test_what_is_not_there_costs_no_query() -> None:
    bare = make_ticket(client=None)
    with CaptureQueriesContext(connection) as seen:
        found = Ticket.objects.for_page().get(pk=bare.pk)
        assert (found.site, found.contact, found.agent, found.team, found.parent, found.contract) == (None,) * 6
    assert len(seen) == 1


def test_many_tickets_one_query(ticket: Ticket) -> None:
    for _turn in range(10):
        make_ticket(psa_account=ticket.psa_account)
    with CaptureQueriesContext(connection) as seen:
        assert all(str(one.status) and one.psa_account.title for one in Ticket.objects.in_full())
    assert len(seen) == 1


def test_a_rule_that_was_just_changed_is_the_one_that_counts(ticket: Ticket) -> None:
    """Neither account nor status are kept anywhere, however they were written."""
    Ticket.objects.in_full().get(pk=ticket.pk)
    PsaAccount.objects.filter(pk=ticket.psa_account_id).update(transition_rules=[{"needs": ["resolution"]}])
    Status.objects.filter(pk=ticket.status_id).update(sla_clock="paused")
    found = Ticket.objects.in_full().get(pk=ticket.pk)
    assert found.psa_account.transition_rules == [{"needs": ["resolution"]}]
    assert found.status.sla_clock == "paused"


def test_the_row_that_is_held_brings_them_too(ticket: Ticket) -> None:
    other = make_status("waiting", psa_account=ticket.psa_account)
    read = Ticket.objects.in_full().get(pk=ticket.pk)
    Ticket.objects.filter(pk=ticket.pk).update(status=other)
    with transaction.atomic(), CaptureQueriesContext(connection) as seen:
        held = lock_ticket(ticket.pk)
        assert (held.status, str(held.contact)) == (other, str(ticket.contact))
    assert len(seen) == 1
    with transaction.atomic():
        assert hold_ticket(read).status == other


def test_they_are_no_column_of_the_ticket(ticket: Ticket) -> None:
    """It is saved like any other."""
    found = Ticket.objects.in_full().get(pk=ticket.pk)
    found.subject = "Printer"
    found.save()
    assert not [name for name in found.__dict__ if name.startswith("references")]
    found.refresh_from_db()
    assert (found.subject, found.psa_account.capabilities["word"]) == ("Printer", HOSTILE)


def test_a_row_names_what_it_points_to_without_a_join(ticket: Ticket) -> None:
    with CaptureQueriesContext(connection) as seen:
        (row,) = row_facts(Ticket.objects.filter(pk=ticket.pk)[:5], ("contact", "team", "type"))
    assert " JOIN " not in seen[0]["sql"]
    assert (row.client, row.status, row.priority) == (str(ticket.client), ticket.status.name, ticket.priority.name)
    assert (row.account, row.mark) == (ticket.psa_account.title, "halo-teal")
    assert ticket.agent is not None
    assert ticket.agent.user is not None
    assert (row.agent, row.person) == (ticket.agent.name, ticket.agent.user.name)
    assert (row.contact, row.team, row.kind) == (str(ticket.contact), str(ticket.team), HOSTILE)
    (bare,) = row_facts(Ticket.objects.filter(pk=make_ticket(client=None).pk), ("contact", "team", "type"))
    assert (bare.client, bare.agent, bare.person, bare.owner, bare.contact, bare.team) == (
        None,
        None,
        None,
        "",
        "",
        None,
    )
    (plain,) = row_facts(Ticket.objects.filter(pk=ticket.pk))
    assert (plain.contact, plain.team, plain.kind) == ("", None, None)
