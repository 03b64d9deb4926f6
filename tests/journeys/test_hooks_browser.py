"""What somebody changes in the PSA stands on an open board at once: by the webhook, not by polling."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, expect

from tests.journeys.stack import quiet, running_stack, signed_in
from tests.journeys.test_spine import number_of
from tests.patience import until

pytestmark = pytest.mark.browser

POLL_SECONDS = "3600"
"""Without hooks nothing would come while the test waits."""


def test_an_edit_in_the_psa_shows_on_an_open_board_at_once(browser: Browser, tmp_path: Path) -> None:
    with running_stack(tmp_path / "demo", SANDBOX_TICKETS="60", PSA_POLL_SECONDS=POLL_SECONDS) as stack:
        quiet(stack)
        admin = signed_in(browser, stack, "admin")

        def is_registered() -> Any:
            admin.goto(f"{stack.desk}/settings/accounts/halo/")
            return admin.locator('[data-hook="waiting"], [data-hook="working"]').count()

        until(is_registered, what="the webhook is registered", seconds=180, page=admin)
        dana = signed_in(browser, stack, "dispatcher")
        dana.goto(f"{stack.desk}/board/?account=halo")
        card = dana.locator(".lane-owner .card").first
        pk, number = str(card.get_attribute("data-ticket")), number_of(card)
        for n in range(2):
            stack.control("POST", f"halopsa/tickets/{number}", {"summary": f"By webhook, edit {n}"})
            expect(dana.locator(f'[data-ticket="{pk}"]')).to_contain_text(f"By webhook, edit {n}", timeout=120_000)
        admin.goto(f"{stack.desk}/settings/accounts/halo/")
        expect(admin.locator("#hook")).to_contain_text("last heard")
        admin.locator("#hook").scroll_into_view_if_needed()
        admin.screenshot(path=str(tmp_path / "hook.png"), full_page=True)
