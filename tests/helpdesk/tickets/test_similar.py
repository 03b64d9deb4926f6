"""Two subjects, one matter? A table of what people write, and a look that stays small."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from helpdesk.tickets.similar import LIKE, compare, rank, similar_open, words_of
from tests.factories import NOW, make_client, make_status, make_ticket

PRINTER = "Printer on 3rd floor does not print"


@pytest.mark.parametrize(
    ("mine", "theirs", "wanted"),
    [
        (PRINTER, "Printer on 3rd floor", "same"),
        (PRINTER, "printer on the 3rd floor is not printing since Monday", "same"),
        (PRINTER, "3rd floor: PRINTERS jam", "same"),
        (PRINTER, "Printer on 4th floor does not print", "like"),
        (PRINTER, "New laptop for reception", "other"),
        (PRINTER, "Floor polish", "other"),
        ("Printer", PRINTER, "like"),
        ("Disk full on SRV01", "Disk full on SRV02", "like"),
        ("Disk full on SRV01", "SRV01 disk is full again", "same"),
        ("Outlook keeps asking for password", "Outlook password prompt keeps coming", "same"),
        ("Password reset for Anna", "Password reset for Ben", "same"),
        ("VPN", "vpn", "same"),
        ("VPN", "Wi-Fi", "other"),
        ("Émail stopped", "email stopped", "same"),
        ("Drucker geht nicht", "Der Drucker druckt nicht", "like"),
        ("Zugriff auf Laufwerk G fehlt", "Laufwerk G: kein Zugriff", "same"),
        ("", PRINTER, "other"),
        ("please help urgent", "urgent: please help", "other"),
        ("!!! ???", "??? !!!", "other"),
        ("共有フォルダ", "共有フォルダ", "same"),
    ],
)
def test_what_looks_the_same(mine: str, theirs: str, wanted: str) -> None:
    there, back = (compare(words_of(a), words_of(b)) for a, b in ((mine, theirs), (theirs, mine)))
    assert there == back
    assert ("same" if there.is_same else "like" if there.score >= LIKE else "other") == wanted


def test_the_likest_comes_first() -> None:
    known = [(1, "Toner for the printer"), (2, "Printer on 3rd floor jams"), (3, "Door"), (4, PRINTER)]
    assert [key for key, _likeness in rank(PRINTER, known)] == [4, 2]
    assert [key for key, _likeness in rank("printer", known)] == [1, 4, 2]


@pytest.mark.django_db
def test_only_open_ones_of_the_same_client() -> None:
    acme = make_client("Acme")
    mine = make_ticket(PRINTER, client=acme)
    make_ticket(PRINTER, client=acme, status=make_status("closed"))
    make_ticket(PRINTER, client=acme, removed_at=NOW)
    make_ticket(PRINTER, client=make_client("Umbrella"))
    assert [(one.ticket.pk, one.is_same) for one in similar_open(acme.pk, "Printer 3rd floor")] == [(mine.pk, True)]
    assert similar_open(acme.pk, " ") == []


@pytest.mark.django_db
def test_the_newest_two_hundred_are_looked_at_in_two_queries() -> None:
    acme = make_client("Acme")
    make_ticket(PRINTER, client=acme, opened_at=NOW - timedelta(days=400))
    newest = make_ticket(f"{PRINTER} again", client=acme, opened_at=NOW)
    for n in range(199):
        make_ticket(f"Request {n}", client=acme, opened_at=NOW - timedelta(days=1))
    with CaptureQueriesContext(connection) as seen:
        found = similar_open(acme.pk, PRINTER)
    assert [one.ticket.pk for one in found] == [newest.pk]
    assert len(seen) == 2
