from __future__ import annotations

import pytest

from helpdesk.directory.models import PsaAccount
from helpdesk.tickets.models import Ticket
from helpdesk.tickets.search import by_number, matching, refresh_search_text, search_tickets
from tests.factories import make_account, make_action, make_client, make_ticket
from tests.people import make_cleo, make_dana, make_otto

pytestmark = pytest.mark.django_db


def indexed(**values: object) -> Ticket:
    ticket = make_ticket(**values)  # type: ignore[arg-type]
    refresh_search_text(ticket)
    return ticket


@pytest.mark.parametrize("query", ["print", "PRINT driver", "toner", "Müller", "kestrel", "drum-unit", "#4711", "4711"])
def test_words_are_found_in_subject_description_people_notes_and_number(account: PsaAccount, query: str) -> None:
    client = make_client("Kestrel Joinery", psa_account=account)
    ticket = make_ticket(
        subject="Printing stops", description="<p>the driver of Müller</p>", client=client, number="4711"
    )
    make_action(ticket, "<p>Toner and drum-unit replaced</p>")
    refresh_search_text(ticket)
    indexed(subject="Wi-Fi drops in aisle 9")
    assert list(matching(query, Ticket.objects.all())) == [ticket]


@pytest.mark.parametrize("query", ['"', "* OR", "a AND (", "':*", "NEAR(", "\\", "%", "   ", "&|!", "(" * 50])
def test_a_query_is_words_and_never_syntax(account: PsaAccount, query: str) -> None:
    indexed(subject="Printing stops")
    assert list(matching(query, Ticket.objects.all())) == []


def test_a_changed_text_forgets_its_old_words(account: PsaAccount) -> None:
    ticket = indexed(subject="Scanner")
    ticket.subject = "Label printer"
    ticket.save()
    refresh_search_text(ticket)
    assert not matching("scanner", Ticket.objects.all()).exists()
    assert matching("label", Ticket.objects.all()).exists()


def test_newest_first_and_only_what_the_person_may_see(account: PsaAccount) -> None:
    client = make_client(psa_account=account)
    first, second = (indexed(subject=f"VPN drops {n}", client=client) for n in (1, 2))
    assert search_tickets("vpn", user=make_dana(), limit=5) == [second, first]
    assert search_tickets("vpn", user=make_cleo(account, client), limit=5) == [second, first]
    assert search_tickets("vpn", user=make_otto(account), limit=5) == []


def test_a_number_of_several_accounts_gives_all(account: PsaAccount) -> None:
    mine = make_ticket(number="500", psa_account=account)
    other = make_ticket(number="500", psa_account=make_account("second"))
    waiting = make_ticket(number="", remote_id=None, psa_account=account)
    dana = make_dana()
    assert by_number("#500", user=dana) == [mine, other]
    assert by_number(f"new-{waiting.pk}", user=dana) == [waiting]
    assert by_number("501", user=dana) == []
