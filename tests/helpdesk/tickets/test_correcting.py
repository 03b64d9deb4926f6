"""Setting a clock right by hand: with a reason, on record, and taken back."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.test import Client as Browser
from django.utils import timezone

from helpdesk.accounts.models import AuditEntry
from helpdesk.core.errors import Refused, Stale
from helpdesk.tickets.correcting import correct_clock, undo_correction
from helpdesk.tickets.models import Correction, Ticket, TicketClock
from helpdesk.tickets.rederiving import rederive
from tests.factories import NOW, make_account, make_policy, make_target, make_ticket
from tests.people import make_cleo, make_mona, make_otto, make_theo

pytestmark = pytest.mark.django_db
NASTY = '"><script>alert(1)</script>'
HTMX = {"HX-Request": "true"}


def late_ticket(now: Any = NOW) -> Ticket:
    """Opened six hours ago, its resolution due two hours ago."""
    halo = make_account()
    policy = make_policy("Gold", psa_account=halo)
    found = make_ticket(psa_account=halo, sla_policy=policy, opened_at=now - timedelta(hours=6))
    make_target(policy, found.priority, response_seconds=None, resolution_seconds=4 * 3600)
    rederive(account_id=halo.pk, ids=[found.pk], now=now)
    found.refresh_from_db()
    return found


def correct(ticket: Ticket, what: str, **given: Any) -> Correction:
    user = make_mona(ticket.psa_account)
    values = {"kind": "resolution", "instant": None, "reason": "Called back", "user": user, "now": NOW, **given}
    return correct_clock(ticket=ticket, what=what, **values)


def clock_of(ticket: Ticket) -> TicketClock:
    return ticket.clocks.get(kind="resolution")


def test_an_end_lifts_the_breach_and_taking_it_back_brings_it_back() -> None:
    ticket = late_ticket()
    assert clock_of(ticket).state == "breached"
    made = correct(ticket, "finished", instant=NOW - timedelta(hours=3))
    clock = clock_of(ticket)
    assert (clock.state, clock.is_corrected, clock.finished_at) == ("met", True, NOW - timedelta(hours=3))
    entry = AuditEntry.objects.get(verb="clock.corrected")
    assert entry.subject == f"ticket:{ticket.pk}"
    assert (entry.detail["was"], entry.detail["is"], entry.detail["reason"]) == ("breached", "met", "Called back")
    undo_correction(correction=made, user=make_mona(), now=NOW + timedelta(minutes=1))
    clock = clock_of(ticket)
    assert (clock.state, clock.is_corrected) == ("breached", False)
    assert AuditEntry.objects.filter(verb="clock.correction_undone").count() == 1
    assert ticket.events.filter(field="correction").count() == 2
    with pytest.raises(Stale):
        undo_correction(correction=made, user=make_mona(), now=NOW)


def test_a_date_and_a_clock_that_does_not_count() -> None:
    ticket = late_ticket()
    correct(ticket, "due", instant=NOW + timedelta(hours=5))
    ticket.refresh_from_db()
    assert (ticket.clock_state, ticket.next_due_at) == ("running", NOW + timedelta(hours=5))
    correct(ticket, "due", instant=NOW + timedelta(hours=7))
    ticket.refresh_from_db()
    assert ticket.next_due_at == NOW + timedelta(hours=7)
    assert Correction.objects.filter(undone_at=None).count() == 1, "the newer one takes the older one's place"
    correct(ticket, "excluded", instant=NOW)
    ticket.refresh_from_db()
    assert ticket.clock_state == "not_started"
    assert Correction.objects.get(what="excluded").instant is None


def test_it_holds_when_the_ticket_is_worked_out_anew() -> None:
    ticket = late_ticket()
    correct(ticket, "due", instant=NOW + timedelta(hours=5))
    assert rederive(account_id=ticket.psa_account_id, ids=[ticket.pk], now=NOW) == 0
    assert clock_of(ticket).due_at == NOW + timedelta(hours=5)


@pytest.mark.parametrize(
    ("given", "field"),
    [
        ({"kind": "next"}, "kind"),
        ({"what": "moved"}, "what"),
        ({"reason": "  "}, "reason"),
        ({"reason": "\u200b \u2060"}, "reason"),
        ({"reason": "x" * 501}, "reason"),
        ({"reason": "a\x00b"}, "reason"),
        ({"instant": None}, "instant"),
        ({"instant": NOW - timedelta(hours=7)}, "instant"),
        ({"instant": NOW + timedelta(seconds=1)}, "instant"),
        ({"what": "due", "instant": NOW + timedelta(days=4000)}, "instant"),
    ],
)
def test_bad_input_is_refused_at_its_field(given: dict[str, Any], field: str) -> None:
    ticket = late_ticket()
    values = {"what": "finished", "instant": NOW - timedelta(hours=3), **given}
    with pytest.raises(Refused) as refused:
        correct(ticket, **values)
    assert list(refused.value.fields) == [field]
    assert not Correction.objects.exists()
    assert not AuditEntry.objects.filter(verb="clock.corrected").exists()


# The form -----------------------------------------------------------------------------------------------------------
@pytest.fixture
def ticket() -> Ticket:
    return late_ticket(timezone.now())


def form(**given: str) -> dict[str, str]:
    return {"kind": "resolution", "what": "excluded", "instant": "", "reason": f"Test {NASTY}", **given}


def browser_of(user: Any) -> Browser:
    browser = Browser()
    browser.force_login(user)
    return browser


def test_a_manager_corrects_and_takes_back(ticket: Ticket) -> None:
    mona = browser_of(make_mona(ticket.psa_account))
    address = f"/tickets/{ticket.pk}/clocks/"
    assert mona.post(f"{address}correct/", form()).status_code == 302
    made = Correction.objects.get()
    for page in (mona.get(address).content.decode(), mona.get(f"/tickets/{ticket.pk}/").content.decode()):
        assert "Corrected by Mona" in page
        assert "it does not count" in page
        assert "<script>alert" not in page
    answer = mona.post(f"{address}{made.pk}/undo/", headers=HTMX)
    assert answer.status_code == 200
    assert "Corrected by" not in answer.content.decode()
    assert mona.post(f"{address}{made.pk}/undo/").status_code == 404


def test_the_instant_is_in_the_readers_zone(ticket: Ticket) -> None:
    user = make_mona(ticket.psa_account)
    user.time_zone = "Asia/Tokyo"
    user.save()
    wanted = (timezone.now() - timedelta(hours=3)).replace(second=0, microsecond=0)
    typed = f"{wanted + timedelta(hours=9):%Y-%m-%dT%H:%M}"
    answer = browser_of(user).post(
        f"/tickets/{ticket.pk}/clocks/correct/", form(what="finished", instant=typed), headers=HTMX
    )
    assert answer.status_code == 200
    assert Correction.objects.get().instant == wanted


def test_a_bad_form_keeps_what_was_typed(ticket: Ticket) -> None:
    mona = browser_of(make_mona(ticket.psa_account))
    for instant in ("soon", "", "2999-01-01T00:00", "2001-01-01T00:00"):
        answer = mona.post(
            f"/tickets/{ticket.pk}/clocks/correct/", form(what="finished", instant=instant), headers=HTMX
        )
        assert answer.status_code == 422
        page = answer.content.decode()
        assert 'id="wrong-instant"' in page
        assert "&lt;script&gt;alert(1)" in page
        assert "<script>alert" not in page


def test_others_may_not(ticket: Ticket) -> None:
    theo = browser_of(make_theo(ticket.psa_account))
    assert theo.post(f"/tickets/{ticket.pk}/clocks/correct/", form()).status_code == 403
    assert "Correct a clock" not in theo.get(f"/tickets/{ticket.pk}/clocks/").content.decode()
    for client in (make_cleo(ticket.psa_account), make_otto(ticket.psa_account)):
        assert browser_of(client).post(f"/tickets/{ticket.pk}/clocks/correct/", form()).status_code == 403
    assert not Correction.objects.exists()
