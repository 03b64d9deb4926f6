"""Instants as PostgreSQL writes them: the same as by Django's own reader, whatever they are."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest
from django.db import DataError, connection
from django.db.backends.postgresql.psycopg_any import BaseTzLoader, register_tzloader

pytestmark = [
    pytest.mark.django_db,
    pytest.mark.skipif(connection.vendor != "postgresql", reason="only PostgreSQL writes instants this way"),
]
ODD = (
    "2026-03-29 01:00:00+00", "2026-11-22 10:11:12.5+00", "2026-11-22 10:11:12.000001+00", "0001-01-01 00:00:00+00",
    "9999-12-31 23:59:59.999999+00", "1850-06-01 12:00:00.120300+00", "2026-11-22 10:11:12+05:45",
)  # fmt: skip


def read(cursor: Any, text: str) -> datetime:
    cursor.execute("SELECT %s::timestamptz", [text])
    return cursor.fetchone()[0]  # type: ignore[no-any-return]


def told(cursor: Any, text: str) -> Any:
    """What is read, in all that a datetime has; "refused" for what lies beyond its years in the zone's words."""
    try:
        found = read(cursor, text)
    except DataError:
        return "refused"
    return found, found.tzinfo, found.fold


@pytest.mark.parametrize("zone", ["UTC", "Asia/Kathmandu", "America/St_Johns"])
@pytest.mark.parametrize("text", ODD)
def test_the_same_as_django_reads(text: str, zone: str) -> None:
    with connection.cursor() as cursor, connection.cursor() as plain:
        cursor.execute("SELECT set_config('TimeZone', %s, true)", [zone])
        register_tzloader(UTC, plain.cursor)
        assert told(cursor, text) == told(plain, text)


def test_ours_is_the_one_that_reads() -> None:
    with connection.cursor() as cursor:
        found = cursor.cursor.adapters.get_loader(1184, 0)
    assert issubclass(found, BaseTzLoader)
    assert found.__module__ == "helpdesk.core.instants"


def test_what_no_datetime_holds_is_refused_as_ever() -> None:
    with pytest.raises(DataError), connection.cursor() as cursor:
        read(cursor, "infinity")
