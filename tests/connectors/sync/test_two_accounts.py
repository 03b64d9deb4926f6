"""Two accounts of one PSA, each on a sandbox of its own: told apart everywhere, and neither touches the other."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

import pytest
from django.core.cache import cache
from django.test import Client as Browser

from connectors.sync.accounts import connect
from helpdesk.accounts.models import AuditEntry
from helpdesk.directory.choices import Health
from helpdesk.directory.models import PsaAccount
from helpdesk.tickets.models import Status, Ticket
from helpdesk.tickets.services import change_ticket
from tests.connectors.sandbox.running import running_sandbox
from tests.connectors.sync.helpers import Clock, Desk, wanted
from tests.people import make_ada, make_dana, make_mona, make_theo

pytestmark = pytest.mark.django_db


@dataclass
class Two:
    north: Desk
    south: Desk


@pytest.fixture
def two() -> Iterator[Two]:
    clock = Clock()
    with running_sandbox(tickets=8, seed=1) as first, running_sandbox(tickets=8, seed=2) as second:
        desks = []
        for sandbox, name, calls in ((first, "halo-north", "600"), (second, "halo-south", "300")):
            account = connect(wanted=wanted(sandbox, name, calls_per_minute=calls), clock=clock)[0]
            desks.append(Desk(sandbox, clock, account, make_theo()))
            assert not desks[-1].pull().errors
        for desk in desks:
            desk.account.refresh_from_db()
        yield Two(*desks)


def test_they_are_told_apart_wherever_they_stand(two: Two, client: Browser) -> None:
    north, south = two.north.account, two.south.account
    assert (north.title, south.title) == ("HaloPSA", "HaloPSA halo-south")
    assert (north.code, south.code) == ("N", "S")
    assert north.colour != south.colour
    client.force_login(make_dana())
    cache.clear()
    for page in ("/tickets/", "/board/", two.south.ticket().get_absolute_url()):
        content = client.get(page).content.decode()
        marks = set(re.findall(r"data-psa=\"?([\w-]+)\"?", content))
        assert f"{south.mark}-{south.colour}" in marks, page
        assert re.search(r"data-code=\"?S\"?", content), page
    assert f"{north.mark}-{north.colour}" in client.get("/tickets/").content.decode()
    only = client.get(f"/tickets/?account={south.name}&state=all").content.decode()
    assert set(re.findall(r"data-psa=([\w-]+)", only)) == {f"{south.mark}-{south.colour}"}


def test_each_has_its_own_mapping_health_and_budget(two: Two) -> None:
    north, south = two.north.account, two.south.account
    assert (north.calls_per_minute, south.calls_per_minute) == (600, 300)
    same = Status.objects.filter(remote_id="3")
    assert set(same.values_list("psa_account", flat=True)) == {north.pk, south.pk}
    same.filter(psa_account=south).update(category="waiting_client", is_edited=True)
    two.north.pull(), two.south.pull()
    assert same.get(psa_account=south).category == "waiting_client"
    assert same.get(psa_account=north).category == "waiting"
    two.south.fault("status_before", method="GET", status=503, times=99)
    for _try in range(6):
        two.south.pull()
        two.south.clock.advance(60)
    two.north.pull()
    for account in (north, south):
        account.refresh_from_db()
    assert (north.health, south.health == Health.OK) == (Health.OK, False)


def test_one_number_in_both_gives_both_and_a_change_goes_to_its_own(two: Two, client: Browser) -> None:
    ticket = two.north.ticket()
    twin = Ticket.objects.filter(psa_account=two.south.account, remote_id=ticket.remote_id).first()
    assert twin is not None
    client.force_login(make_dana())
    page = client.get(f"/palette/?q=%23{ticket.number}", HTTP_HX_REQUEST="true").content.decode()
    assert all(one.get_absolute_url() in page for one in (ticket, twin))
    before = two.south.remote(twin)["summary"]
    change_ticket(ticket=ticket, changes={"subject": "Only north"}, origin=two.north.origin, now=two.north.clock())
    assert set(two.north.settle()) == {"done"}
    assert two.north.remote(ticket)["summary"] == "Only north"
    assert two.south.remote(twin)["summary"] == before


def test_an_administrator_changes_how_one_is_shown(two: Two, client: Browser) -> None:
    south = two.south.account
    address = f"/settings/accounts/{south.name}/look/"
    client.force_login(make_mona())
    assert client.post(address, {"title": "x"}).status_code == 403
    client.force_login(make_ada())
    wrong = client.post(address, {"title": "HaloPSA", "colour": "red", "code": "N"})
    assert wrong.status_code == 422
    assert 'value="HaloPSA"' in wrong.content.decode()
    taken = client.post(address, {"title": "halopsa", "colour": "plum", "code": "n"})
    assert "Another account is called that." in taken.content.decode()
    assert client.post(address, {"title": "Harbour South", "colour": "plum", "code": "hs"}).status_code == 302
    south.refresh_from_db()
    assert (south.title, south.colour, south.code) == ("Harbour South", "plum", "HS")
    assert AuditEntry.objects.filter(verb="account.look").count() == 1
    account = connect(wanted=wanted(two.south.sandbox, south.name), clock=two.south.clock)[0]
    assert (account.title, account.colour) == ("Harbour South", "plum"), "another connection keeps how it is shown"
    assert PsaAccount.objects.count() == 2
