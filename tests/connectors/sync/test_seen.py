"""Rows that were applied before in this very version cost one narrow query, however many they are."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from connectors.base.records import TicketRecord
from connectors.sync import inbound
from connectors.sync.keys import Keys
from helpdesk.tickets.models import Ticket
from tests.factories import make_account, make_priority, make_status

pytestmark = pytest.mark.django_db
NOW = datetime(2026, 11, 20, 9, 0, tzinfo=UTC)


def test_known_versions_are_neither_mapped_nor_locked() -> None:
    account = make_account()
    status, priority = make_status(psa_account=account), make_priority(psa_account=account)
    rows = [
        TicketRecord(
            remote_id=str(n), remote_updated_at=NOW, subject=f"ticket {n}", opened_at=NOW,
            status=str(status.remote_id), priority=str(priority.remote_id),
        )
        for n in range(1, 61)
    ]  # fmt: skip
    assert inbound.apply(account=account, rows=rows, keys=Keys(account.pk), now=NOW).created == 60
    with CaptureQueriesContext(connection) as queries:
        again = inbound.apply(account=account, rows=rows, keys=Keys(account.pk), now=NOW)
    assert (again.created, again.changed, again.unchanged) == (0, 0, 60)
    assert len(queries) == 1
    newer = replace(rows[0], remote_updated_at=NOW + timedelta(seconds=1), subject="other words")
    mixed = inbound.apply(account=account, rows=[newer, *rows[1:]], keys=Keys(account.pk), now=NOW)
    assert (mixed.changed, mixed.unchanged) == (1, 59)
    assert Ticket.objects.get(remote_id="1").subject == "other words"
    forced = inbound.apply(account=account, rows=rows[:2], keys=Keys(account.pk), now=NOW, is_forced=True)
    assert forced.changed == 2
