"""The next change to send is found by walking an index, not by sorting all that wait."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from django.db import connection

from helpdesk.outbox.choices import Verb
from helpdesk.outbox.models import OutboxItem
from tests.factories import make_account

pytestmark = pytest.mark.django_db
NOW = datetime(2026, 11, 20, 9, 0, tzinfo=UTC)


def test_thousands_that_wait_do_not_slow_the_claim_of_one() -> None:
    account = make_account()
    OutboxItem.objects.bulk_create(
        OutboxItem(
            psa_account=account, lane=f"ticket:{n % 1000}", sequence=n // 1000 + 1, verb=Verb.UPDATE_TICKET,
            subject=f"ticket:{n % 1000}", not_before_at=NOW, created_at=NOW,
        )
        for n in range(3000)
    )  # fmt: skip
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE outbox_outboxitem")
    due = OutboxItem.objects.due(NOW).filter(psa_account_id__in=[account.pk])
    assert [(i.lane, i.sequence) for i in due[:2]] == [("ticket:0", 1), ("ticket:1", 1)]
    if connection.vendor == "postgresql":  # SQLite cannot tell that bound values fit a partial index
        plan = due[:4].explain()
        assert "outbox_turn" in plan
        assert "Sort" not in plan
