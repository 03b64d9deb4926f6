"""What somebody changes in the PSA stands on an open board within two seconds: by the webhook, not by polling."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, expect

from tests.journeys.stack import running_stack, until
from tests.journeys.test_spine import number_of, sign_in

pytestmark = pytest.mark.browser

WITHIN_SECONDS = 2.0
TRIES = 6
"""On a busy machine one of a few has to be in time; without hooks none comes in ten minutes."""


def test_an_edit_in_the_psa_shows_on_an_open_board_at_once(browser: Browser, tmp_path: Path) -> None:
    with running_stack(tmp_path / "demo", SANDBOX_TICKETS="60", PSA_POLL_SECONDS="600") as stack:
        stack.control("POST", "live", {"rate": 0})
        admin = sign_in(browser, stack, "admin@demo.test")

        def is_registered() -> Any:
            admin.goto(f"{stack.desk}/settings/accounts/halo/")
            return admin.locator('[data-hook="waiting"], [data-hook="working"]').count()

        until(is_registered, seconds=60, what="the webhook is registered")
        dana = sign_in(browser, stack, "dispatcher@demo.test")
        dana.goto(f"{stack.desk}/board/?account=halo")
        card = dana.locator(".lane-owner .card").first
        pk, number = str(card.get_attribute("data-ticket")), number_of(card)
        took = []
        for n in range(TRIES):
            began = time.monotonic()
            stack.control("POST", f"halopsa/tickets/{number}", {"summary": f"By webhook, edit {n}"})
            expect(dana.locator(f'[data-ticket="{pk}"]')).to_contain_text(f"By webhook, edit {n}", timeout=30_000)
            took.append(time.monotonic() - began)
            if took[-1] < WITHIN_SECONDS:
                break
            time.sleep(3)
        assert min(took) < WITHIN_SECONDS, took
        admin.goto(f"{stack.desk}/settings/accounts/halo/")
        expect(admin.locator("#hook")).to_contain_text("last heard")
        admin.locator("#hook").scroll_into_view_if_needed()
        admin.screenshot(path=str(tmp_path / "hook.png"), full_page=True)
