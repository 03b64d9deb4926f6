"""HaloPSA's rules where people choose: errors block, warnings want one press, and never both at once."""

from __future__ import annotations

import pytest
from django.test import Client as Browser
from django.urls import reverse

from connectors.halopsa.rules import description
from helpdesk.core.rules import usual_targets
from helpdesk.directory.models import PsaAccount
from helpdesk.outbox.models import OutboxItem
from helpdesk.tickets.models import Status, Ticket
from tests.factories import make_account, make_organisation, make_status, make_ticket
from tests.people import make_dana, make_theo

pytestmark = pytest.mark.django_db
HTMX = {"HX-Request": "true"}
ALL_THE_SAME = "Do it all the same"


@pytest.fixture
def account(db: None) -> PsaAccount:
    make_organisation()
    told = description(outcomes=True, contracts=True, upload_bytes=20_000_000).to_json()
    return make_account("halo", title="HaloPSA", **told)


@pytest.fixture
def statuses(account: PsaAccount) -> dict[str, Status]:
    return {name: make_status(name, psa_account=account) for name in ("new", "open", "waiting", "resolved", "closed")}


@pytest.fixture
def dana(client: Browser, account: PsaAccount) -> Browser:
    make_theo(account)
    client.force_login(make_dana())
    return client


def press(dana: Browser, ticket: Ticket, status: Status, **more: str) -> tuple[int, str]:
    address = reverse("tickets:row_change", args=[ticket.pk, "status"])
    answer = dana.post(address, {"value": f"s{status.pk}", **more}, headers=HTMX)
    return answer.status_code, answer.content.decode()


@pytest.mark.parametrize(
    ("before", "after", "words"),
    [
        ("new", "open", "No agent assigned"),
        ("closed", "waiting", "not usually reopened"),
        ("waiting", "new", "Going back to New"),
    ],
)
def test_a_warning_wants_one_press(
    dana: Browser, statuses: dict[str, Status], before: str, after: str, words: str
) -> None:
    ticket = make_ticket(status=statuses[before])
    code, text = press(dana, ticket, statuses[after])
    assert code == 422
    assert words in text
    assert ALL_THE_SAME in text
    assert not OutboxItem.objects.exists()
    assert press(dana, ticket, statuses[after], confirmed="yes")[0] == 204
    ticket.refresh_from_db()
    assert ticket.status == statuses[after]


def test_what_is_drawn_goes_without_a_word(dana: Browser, account: PsaAccount, statuses: dict[str, Status]) -> None:
    ticket = make_ticket(status=statuses["open"])
    assert press(dana, ticket, statuses["waiting"])[0] == 204


def test_an_error_blocks_and_hides_the_warning(dana: Browser, statuses: dict[str, Status]) -> None:
    ticket = make_ticket(status=statuses["new"])
    code, text = press(dana, ticket, statuses["closed"])
    assert code == 422
    assert "Closing without In Progress step" in text  # said while it asks what was done
    code, text = press(dana, ticket, statuses["closed"], resolution=" ", confirmed="yes")
    assert code == 422
    assert "Resolution is required" in text
    assert "Closing without In Progress step" not in text
    assert press(dana, ticket, statuses["closed"], resolution="Cable replaced.", confirmed="yes")[0] == 204


def test_the_form_sends_what_it_asks_for(dana: Browser, account: PsaAccount, statuses: dict[str, Status]) -> None:
    wrong = dana.post("/tickets/new/", {"account": account.pk, "subject": "Scan to folder"}, headers=HTMX)
    assert wrong.status_code == 422
    text = wrong.content.decode()
    assert 'id="w-client"' in text
    assert "Scan to folder" in text
    assert not Ticket.objects.exists()


def test_what_is_usually_promised_comes_with_the_account(account: PsaAccount) -> None:
    assert usual_targets(account.capabilities) == {
        1: (900, 3600),
        2: (3600, 14_400),
        3: (14_400, 28_800),
        4: (28_800, 86_400),
    }
