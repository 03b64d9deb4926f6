"""A fourth PSA is one folder and one line in the registry: connected, pulled onto the board, and written to."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from django.test import Client as Browser

from connectors import registry
from connectors.sync import accounts, pull, push
from connectors.sync.accounts import Wanted
from helpdesk.tickets.models import Status, Ticket
from tests.connectors.fourth.connector import TICKETS
from tests.connectors.sync.helpers import Clock
from tests.people import make_ada, make_dana

pytestmark = pytest.mark.django_db
LINE = "tests.connectors.fourth.connector:FourthConnector"


@pytest.fixture
def found(monkeypatch: pytest.MonkeyPatch) -> Iterator[Ticket]:
    monkeypatch.setitem(registry.CONNECTORS, "fourth", LINE)
    TICKETS["t-1"] = {"subject": "The scanner smokes", "status": "todo", "number": "F-1", "agent": None}
    make_dana()
    wanted = Wanted.sort(kind="fourth", name="north", url="https://fourth.test", values={"key": "secret"})
    account = accounts.connect(wanted=wanted, clock=Clock())[0]
    assert not pull.pull_to_end(account, clock=Clock()).errors
    yield Ticket.objects.get()
    TICKETS.clear()


@pytest.fixture
def dana(found: Ticket) -> Browser:
    browser = Browser()
    browser.force_login(make_dana())
    return browser


def page(browser: Browser, address: str) -> str:
    answer = browser.get(address)
    assert answer.status_code == 200, address
    return answer.content.decode()


def test_its_ticket_stands_on_the_board_and_in_the_list(dana: Browser, found: Ticket) -> None:
    board = page(dana, "/board/")
    assert f"data-ticket={found.pk}" in board
    assert "The scanner smokes" in board
    assert "Fourth PSA" in board
    assert "Acme Instruments" in page(dana, "/tickets/?account=north")
    assert "Fourth PSA" in page(dana, found.get_absolute_url())
    new = page(dana, "/tickets/new/")
    assert "Fourth PSA" in new
    assert 'name="team"' not in new  # it has none
    page(dana, "/board/?group=status")
    page(dana, "/board/?group=team")


def test_the_settings_know_it(found: Ticket) -> None:
    ada = Browser()
    ada.force_login(make_ada())
    for address in ("accounts/", "accounts/north/", "sync/", "mapping/north/"):
        assert "Fourth PSA" in page(ada, f"/settings/{address}")


def test_a_change_at_the_desk_reaches_it(dana: Browser, found: Ticket) -> None:
    wanted = Status.objects.get(psa_account=found.psa_account, remote_id="doing")
    form = {"value": f"s{wanted.pk}", "confirmed": "yes"}
    answer = dana.post(f"{found.get_absolute_url()}set/status/", form, headers={"HX-Request": "true"})
    assert answer.status_code in (200, 204), answer.content
    drained = push.drain(clock=Clock())
    assert drained.states
    assert TICKETS["t-1"]["status"] == "doing"
