"""Fixtures that every test may ask for; rows come from tests/factories.py, people from tests/people.py."""

from __future__ import annotations

import os
from collections.abc import Iterator
from datetime import datetime
from typing import Any

import pytest
from django.conf import settings
from django.core.cache import cache

from helpdesk.directory.models import PsaAccount
from helpdesk.sla import book
from tests import patience, services
from tests.factories import NOW, make_account


@pytest.fixture
def now() -> datetime:
    return NOW


@pytest.fixture
def account(db: None) -> PsaAccount:
    return make_account()


@pytest.fixture(autouse=True)
def empty_cache() -> Iterator[None]:
    """Rate limits, live stamps and cached rows of one test say nothing to the next."""
    cache.clear()
    book.forget()
    yield
    cache.clear()


def pytest_configure(config: pytest.Config) -> None:
    """Playwright's loop runs in this thread; Django would take that for asynchronous code. And what is kept for
    seconds, in the cache or the book, outlives the slowest test, so that its requests cost the same queries."""
    os.environ.setdefault("DJANGO_ALLOW_ASYNC_UNSAFE", "true")
    settings.CACHES["default"]["BACKEND"] = "tests.patience.UnhurriedCache"
    book.RECENT_SECONDS = 3600
    config.option.rerun_show_tracebacks = True


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """A bare `pytest` runs what this machine can; `make test` says at its end what was left out, and why. A browser has
    one more try; the closing lines name it and show what went wrong, so that the race is mended and not hidden."""
    can_rerun = config.pluginmanager.hasplugin("rerunfailures")
    found: dict[str, services.Service] = {}
    for item in items:
        if can_rerun and item.get_closest_marker("browser"):
            item.add_marker(pytest.mark.flaky(reruns=1))
        for mark, look in (("browser", services.chromium), ("redis", services.redis)):
            if item.get_closest_marker(mark):
                service = found.setdefault(mark, look())
                if not service.found:
                    item.add_marker(pytest.mark.skip(reason=service.reason))


@pytest.fixture(scope="session")
def browser_type_launch_args(browser_type_launch_args: dict[str, Any]) -> dict[str, Any]:
    """The system's Chromium; nothing is downloaded. Without a sandbox of its own, since CI runs as root."""
    from playwright.sync_api import expect

    expect.set_options(timeout=patience.SECONDS * 1000)
    return {
        **browser_type_launch_args,
        "executable_path": os.environ.get("TEST_CHROMIUM") or services.chromium().place,
        "args": ["--no-sandbox", "--disable-gpu", "--disable-background-networking", "--disable-component-update"],
    }
