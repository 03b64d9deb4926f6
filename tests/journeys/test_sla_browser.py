"""SLA settings, the ledger and what is escalated, in a browser: by axe in every state, by keys, without script."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone
from playwright.sync_api import expect

from helpdesk.actions.models import Escalation
from helpdesk.directory.models import PsaAccount
from helpdesk.sla.models import EVER, Calendar, OpenInterval, Policy, PolicyUse, Target
from helpdesk.tickets.models import Ticket, TicketEvent
from helpdesk.tickets.rederiving import rederive
from tests.factories import make_account, make_organisation, make_policy, make_priority, make_status, make_target
from tests.factories import make_ticket as make_bare_ticket
from tests.journeys.test_board_browser import sign_in
from tests.people import make_ada

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]
RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"]


@pytest.fixture
def halo(db: None) -> PsaAccount:
    make_organisation(time_zone="Europe/London")
    return make_account(title="HaloPSA")


@pytest.fixture
def ada(page: Any, live_server: Any, halo: PsaAccount) -> Any:
    page.set_viewport_size({"width": 1440, "height": 900})
    sign_in(page, live_server, make_ada(halo))
    return page


@pytest.fixture
def office(halo: PsaAccount) -> Calendar:
    """Open on weekdays; its holiday feed has failed."""
    row = Calendar.objects.create(
        name="Office", time_zone="Europe/London", holiday_country="GB", feed_problem="The feed failed: no such place"
    )
    for weekday in range(5):
        OpenInterval.objects.create(calendar=row, weekday=weekday, opens=540, closes=1050)
    return row


@pytest.fixture
def gold(halo: PsaAccount, office: Calendar) -> Policy:
    row = Policy.objects.create(name="Gold", calendar=office, on_reopen="restarts")
    for rank in (1, 2, 3, 4):
        Target.objects.create(
            policy=row, priority=str(rank), rank=rank, response_seconds=1800, resolution_seconds=4 * 3600
        )
    return row


@pytest.fixture
def ticket(halo: PsaAccount, gold: Policy) -> Ticket:
    """Reopened, late, escalated; its policy counts for the whole account."""
    PolicyUse.objects.create(policy=gold, psa_account=halo, from_at=EVER)
    opened = timezone.now() - timedelta(days=9)
    row = make_bare_ticket("Scanner jams", psa_account=halo, opened_at=opened)
    closed, waiting = (make_status(c, psa_account=halo) for c in ("closed", "waiting_client"))
    moves = [(row.status, waiting), (waiting, row.status), (row.status, closed), (closed, row.status)]
    for number, (old, new) in enumerate(moves, 1):
        TicketEvent.objects.create(
            ticket=row, field="status", old=str(old.pk), new=str(new.pk), old_label=old.name, new_label=new.name,
            at=opened + timedelta(days=number), known_at=opened, origin="psa", remote_key=f"k{number}",
        )  # fmt: skip
    rederive(account_id=halo.pk, ids=[row.pk], now=timezone.now())
    for trigger, level in (("breach", 3), ("threshold", 75), ("unassigned", 1)):
        Escalation.objects.create(
            ticket=row, trigger=trigger, level=level, clock="" if trigger == "unassigned" else "resolution",
            reason="SLA violated by 65 hours", at=opened + timedelta(days=6), told="Mona Castell",
        )  # fmt: skip
    return row


@pytest.fixture
def theirs(halo: PsaAccount) -> Policy:
    row = make_policy("Silver", psa_account=halo)
    for number in (1, 2):
        make_target(row, make_priority(1, name=f"P1 {number}"), resolution_seconds=number * 3600)
    return row


def found_by_axe(page: Any) -> str:
    from axe_playwright_python.sync_playwright import Axe

    page.wait_for_timeout(200)
    found = Axe().run(page, options={"runOnly": RULES})
    return re.sub(r"\s+", " ", found.generate_report())[:3000] if found.violations_count else ""


def is_wider_than_the_window(page: Any) -> bool:
    return bool(page.evaluate("document.documentElement.scrollWidth > innerWidth + 1"))


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [1440, 390])
def test_axe_finds_nothing(
    ada: Any, live_server: Any, ticket: Ticket, theirs: Policy, scheme: str, width: int
) -> None:  # fmt: skip
    gold, office = Policy.objects.get(name="Gold"), Calendar.objects.get()
    old = Policy.objects.create(name="Bronze", archived_at=timezone.now())
    ada.emulate_media(color_scheme=scheme)
    ada.set_viewport_size({"width": width, "height": 900})
    sla = "/settings/sla/"
    for path in (
        sla, f"{sla}calendars/", f"{sla}calendars/{office.pk}/", f"{sla}calendars/add/", f"{sla}policies/{gold.pk}/",
        f"{sla}policies/{theirs.pk}/", f"{sla}policies/{old.pk}/", f"{sla}uses/?find=gold",
        f"{sla}uses/client/{ticket.client_id}/", "/escalations/", "/escalations/?trigger=breach", "/settings/notices/",
        f"/tickets/{ticket.pk}/clocks/",
    ):  # fmt: skip
        ada.goto(live_server.url + path)
        assert found_by_axe(ada) == "", path
        assert not is_wider_than_the_window(ada), path
    for closed in ada.locator("#clocks summary").all():
        closed.click()
    assert found_by_axe(ada) == "", "all of the ledger open"
    ada.goto(f"{live_server.url}{sla}policies/{gold.pk}/")
    ada.fill("[name=resolution_1]", "2")
    ada.click("#sla-look")
    ada.locator("#sla-preview").wait_for()
    assert found_by_axe(ada) == "", "the preview"
    ada.fill("[name=resolution_1]", "-2")
    ada.fill("[name=thresholds]", "soon")
    ada.click("#sla-look")
    ada.locator("form .wrong").first.wait_for()
    assert found_by_axe(ada) == "", "refused"


def test_empty_pages_pass_too(ada: Any, live_server: Any, halo: PsaAccount) -> None:
    for path in ("/settings/sla/", "/settings/sla/calendars/", "/settings/sla/uses/", "/escalations/"):
        ada.goto(live_server.url + path)
        assert found_by_axe(ada) == "", path


def tab_to(page: Any, selector: str, most: int = 150) -> None:
    """By the tab key alone, as somebody without a mouse gets there; what has the focus can be seen."""
    for _ in range(most):
        if page.evaluate("(s) => document.activeElement.matches(s)", selector):
            assert page.evaluate("(() => { const s = getComputedStyle(document.activeElement);"
                                 " return s.outlineStyle !== 'none' || s.boxShadow !== 'none'; })()")  # fmt: skip
            return
        page.keyboard.press("Tab")
    raise AssertionError(f"{selector} is out of reach")


def test_on_a_phone_the_tab_that_one_is_at_is_in_view(ada: Any, live_server: Any) -> None:
    ada.set_viewport_size({"width": 390, "height": 800})
    ada.goto(f"{live_server.url}/settings/sla/")
    at = ada.locator(".settings-nav [aria-current]")
    expect(at).to_have_text("SLA")
    expect(at).to_be_in_viewport(ratio=0.9)


def test_a_policy_is_changed_by_keys_alone(ada: Any, live_server: Any, gold: Policy) -> None:
    ada.goto(f"{live_server.url}/settings/sla/policies/{gold.pk}/")
    tab_to(ada, "[name=resolution_1]")
    ada.keyboard.press("Control+a")
    ada.keyboard.type("3")
    ada.keyboard.press("Enter")
    ada.locator("#sla-preview").wait_for()
    tab_to(ada, "button[value=save]:not(.hush)")
    ada.keyboard.press("Enter")
    ada.locator("text=Gold is saved.").wait_for()
    assert ada.locator("[name=resolution_1]").input_value() == "3"


def test_hours_are_added_by_keys_and_one_goes_on_typing_there(ada: Any, live_server: Any, office: Calendar) -> None:
    ada.goto(f"{live_server.url}/settings/sla/calendars/{office.pk}/")
    tab_to(ada, "button[value=add-5]")
    ada.keyboard.press("Enter")
    ada.locator("[name=d5-0-opens]:focus").wait_for()


@pytest.fixture
def plain(browser: Any, live_server: Any, halo: PsaAccount) -> Any:
    """Ada, in a browser that runs no script."""
    context = browser.new_context(java_script_enabled=False)
    page = context.new_page()
    sign_in(page, live_server, make_ada(halo))
    yield page
    context.close()


def test_without_script_everything_is_read_and_saved(plain: Any, live_server: Any, ticket: Ticket) -> None:
    gold, office = Policy.objects.get(name="Gold"), Calendar.objects.get()
    plain.goto(f"{live_server.url}/settings/sla/policies/{gold.pk}/")
    plain.fill("[name=resolution_1]", "3")
    plain.click("#sla-look")
    assert "another deadline" in plain.locator("#sla-preview").inner_text()
    plain.click("button[value=save]:not(.hush)")
    assert "Gold is saved." in plain.content()
    plain.goto(f"{live_server.url}/settings/sla/calendars/{office.pk}/")
    plain.click("button[value=add-5]")
    plain.fill("[name=d5-0-opens]", "10:00")
    plain.fill("[name=d5-0-closes]", "14:00")
    plain.click("#sla-look")
    plain.click("button[value=save]:not(.hush)")
    assert "Office is saved." in plain.content()
    plain.goto(f"{live_server.url}/tickets/{ticket.pk}/clocks/")
    assert "Before it was reopened" in plain.content()
    plain.click(".correct-box > summary")
    plain.fill("#correct-reason", "Called the client.")
    plain.select_option("#correct-what", "excluded")
    plain.click("form.correct button")
    assert "The clock is corrected." in plain.content()
    plain.goto(f"{live_server.url}/escalations/")
    assert "Scanner jams" in plain.content()
