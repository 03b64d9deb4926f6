"""The demo's three accounts on one desk: everybody is one person in all of them, and the mirror is whole."""

from __future__ import annotations

import io
import json
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from django.core.management import call_command
from django.core.management.base import CommandError

from connectors.sync import cursors, pull
from connectors.sync.models import Feed
from helpdesk.accounts.models import User
from helpdesk.desk.demo import ACCOUNTS, create_demo_people
from helpdesk.directory.models import PsaAccount
from helpdesk.sla.models import Policy, PolicyUse
from helpdesk.tickets.models import Ticket
from tests.connectors.sandbox.running import Running, running_sandbox
from tests.connectors.sync.helpers import Clock

pytestmark = pytest.mark.django_db
TICKETS = 400
KINDS = tuple(account.kind for account in ACCOUNTS)


def connect(sandbox: Running) -> str:
    out = io.StringIO()
    call_command("demo_accounts", "--sandbox", sandbox.url, stdout=out)
    return out.getvalue()


@pytest.fixture
def sandbox(settings: Any) -> Iterator[Running]:
    settings.DEMO = True
    with running_sandbox(tickets=TICKETS, psas=KINDS, rate_limit=(100_000, 60)) as running:
        yield running


def test_connected_once(sandbox: Running, settings: Any) -> None:
    assert len(connect(sandbox).splitlines()) == len(ACCOUNTS)
    assert dict(PsaAccount.objects.values_list("name", "kind")) == {one.name: one.kind for one in ACCOUNTS}
    assert set(PsaAccount.objects.values_list("calls_per_minute", flat=True)) == {10_000}
    assert connect(sandbox) == ""
    promised = {u.psa_account.name: u.policy.name for u in PolicyUse.objects.all() if u.psa_account}
    assert promised == {"autotask": "Around the clock", "atera": "Around the clock"}, "these tell no targets"
    assert Policy.objects.get(psa_account=None).versions.get().content["targets"]["1"]["response"] == [900, False]
    settings.DEMO = False
    with pytest.raises(CommandError):
        connect(sandbox)


def test_one_desk_over_three(sandbox: Running) -> None:
    connect(sandbox)
    clock = Clock()
    for account in PsaAccount.objects.all():
        assert not pull.pull_to_end(account, clock=clock).errors
    create_demo_people(now=clock())
    there = sandbox.control("GET", "state")
    for account in PsaAccount.objects.all():
        assert Ticket.objects.filter(psa_account=account).count() == there[account.kind]["tickets"]
        assert Ticket.objects.filter(psa_account=account).open().exists()
    for email in ("technician@demo.test", "dispatcher@demo.test"):
        agents = User.objects.get(email=email).agents.all()
        assert {agent.psa_account.kind for agent in agents} == set(KINDS), email
        assert len({agent.name for agent in agents}) == 1
    for email, theirs in (("client@demo.test", "Northwind Dental"), ("otherclient@demo.test", "Kestrel Joinery")):
        client = User.objects.get(email=email)
        assert {c.client.name for c in client.contacts.select_related("client")} == {theirs}
        assert set(Ticket.objects.visible_to(client).values_list("client__name", flat=True)) == {theirs}
    out = io.StringIO()
    call_command("compare", "--json", stdout=out)
    for report in json.loads(out.getvalue())["accounts"]:
        assert (report["differences"], report["missing_here"], report["missing_there"]) == ([], [], []), report["name"]


def test_open_tickets_of_all_go_before_the_backlog_of_any(sandbox: Running) -> None:
    """Two slices are at work on backlogs, and one account has no queue yet: it is read all the same."""
    connect(sandbox)
    clock = Clock()
    first, second, third = PsaAccount.objects.order_by("pk")
    for busy in (first, second):
        assert pull.tickets_slice(busy, clock=clock, lane=pull.QUEUE_LANE) is False
        assert cursors.take(account_id=busy.pk, feed=Feed.CLOSED_TICKETS, now=clock()) is not None
    PsaAccount.objects.update(next_pull_at=clock() + timedelta(hours=1))
    pull.pull_due(clock=clock)
    for account in (first, second, third):
        assert Ticket.objects.filter(psa_account=account).open().exists()
    assert not cursors.cursor_of(third.pk, Feed.CLOSED_TICKETS).finished_at
