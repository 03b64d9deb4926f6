"""Fixtures that every test may ask for; rows come from tests/factories.py, people from tests/people.py."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime

import pytest
from django.core.cache import cache

from helpdesk.directory.models import PsaAccount
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
    yield
    cache.clear()
