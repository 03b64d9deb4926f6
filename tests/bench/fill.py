"""Fills a database as two years of pulls would have left it, the same for the same seed; kept until something changes.

Instants lead up to the moment of the fill, so that a filled database is used for a week at most.
"""

from __future__ import annotations

import ast
import hashlib
import inspect
import random
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import islice
from pathlib import Path
from types import ModuleType
from zoneinfo import ZoneInfo

from django.db import connection
from django.db.migrations.loader import MigrationLoader
from django.db.models import Max, Model

import connectors.sandbox.generator as generator
from helpdesk.actions import text
from helpdesk.actions.models import Action, Attachment, TimeEntry
from helpdesk.reports import contributions, counting, facts, quantiles, slices
from helpdesk.reports.models import (
    DailyMetric,
    FoldState,
    LateClock,
    OpenStretch,
    QuantileMark,
    TicketDay,
    TicketRaised,
)
from helpdesk.reports.services import organisation_zone
from helpdesk.reports.slices import SUMS, Contribution, SumKey
from helpdesk.tickets import clocks, promises, search, spans
from helpdesk.tickets.models import SearchText, Ticket, TicketClock, TicketEvent, TicketSpan
from tests.bench import desk, stories, tickets
from tests.bench.store import free_numbers, store

SEED = 2026
LONGEST_KEPT = timedelta(days=7)
BATCH = 2_000
_WRITERS: Sequence[ModuleType] = (desk, stories, tickets)
_PROMISES = (
    text.CLEANER_VERSION,
    search.TEXT_LIMIT,
    slices.SLICES,
    slices.SUMS,
    clocks.CLOCK_FIELDS,
    promises.USUAL_TARGETS,
)
"""What of the product, besides its migrations, makes old rows stale. The tests here see the rest."""
_TABLE = "bench_fill"


@dataclass(frozen=True)
class Filled:
    tickets: int
    seed: int
    at: datetime
    seconds: float
    is_new: bool = False


def fingerprint(*, tickets: int, seed: int) -> str:
    """Changes with the size, the seed, and the code that writes the rows. New migrations are applied to a kept fill."""
    found = hashlib.sha256(f"{tickets}:{seed}:{_PROMISES}".encode())
    for place in (*_WRITERS, inspect.getmodule(fingerprint)):
        found.update(_meaning(inspect.getsource(place)))  # type: ignore[arg-type]
    for path in sorted(Path(str(generator.__file__)).parent.glob("*.py")):
        found.update(_meaning(path.read_text()))
    return found.hexdigest()


def _meaning(source: str) -> bytes:
    """Without comments and layout."""
    return ast.dump(ast.parse(source)).encode()


def kept(*, tickets: int, seed: int, now: datetime) -> Filled | None:
    """The fill that this database holds; None when it holds another one, none, or one too old."""
    if _TABLE not in connection.introspection.table_names():
        return None
    loader = MigrationLoader(connection)
    if set(loader.applied_migrations) - set(loader.disk_migrations):
        return None  # filled by code that is newer, or went another way
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT fingerprint, filled_at, seconds FROM {_TABLE}")
        row = cursor.fetchone()
    if row is None or row[0] != fingerprint(tickets=tickets, seed=seed):
        return None
    at = datetime.fromisoformat(row[1])
    return Filled(tickets, seed, at, float(row[2])) if now - at < LONGEST_KEPT else None


def fill(*, tickets: int, seed: int, now: datetime, say=lambda _line: None) -> None:  # type: ignore[no-untyped-def]
    """Write everything into an empty, migrated database."""
    now = now.astimezone(UTC).replace(second=0, microsecond=0)
    dice = random.Random(seed)
    around = desk.build(dice, clients=min(desk.CLIENTS, max(4, tickets // 10)), now=now)
    clerk = Clerk(around, now, seed)
    told = stories.stories(str(seed), tickets, int(now.timestamp() * 1000), around.contacts, around.workers)
    done = 0
    with _without_word_index():
        while batch := list(islice(told, BATCH)):
            rows = clerk.rows(batch)
            for kind in (rows.tickets, rows.actions, rows.times, rows.files, rows.events, rows.clocks):
                store(kind)
            search.refresh_search_texts(rows.tickets)
            done += len(batch)
            say(f"{done} of {tickets} tickets written")
        say("words are indexed")
    free_numbers(Ticket, Action, TimeEntry, Attachment, TicketEvent, TicketClock)
    say("figures are counted")
    count_figures(now=now)
    _tidy()


def remember(*, mark: str, now: datetime, seconds: float) -> None:
    with connection.cursor() as cursor:
        cursor.execute(f"CREATE TABLE {_TABLE} (fingerprint text, filled_at text, seconds real)")
        cursor.execute(
            f"INSERT INTO {_TABLE} VALUES (%s, %s, %s)",
            [mark, now.isoformat(), seconds],
        )


class _without_word_index:
    """A GIN index is written five times as fast at the end. SQLite's hangs on triggers and stays."""

    def __enter__(self) -> None:
        self._definition = ""
        if connection.vendor == "postgresql":
            with connection.cursor() as cursor:
                cursor.execute("SET synchronous_commit = off")
                cursor.execute("SET maintenance_work_mem = '256MB'")
                cursor.execute(
                    "SELECT indexname, indexdef FROM pg_indexes WHERE tablename = %s AND indexdef LIKE %s",
                    [SearchText._meta.db_table, "%USING gin%"],
                )
                self._indexes = cursor.fetchall()
                for name, _definition in self._indexes:
                    cursor.execute(f"DROP INDEX {connection.ops.quote_name(name)}")

    def __exit__(self, *_error: object) -> None:
        if connection.vendor == "postgresql":
            with connection.cursor() as cursor:
                for _name, definition in self._indexes:
                    cursor.execute(definition)


def count_figures(*, now: datetime) -> None:
    """What `manage.py aggregate` would write, in bigger bites: the same facts, contributions and sums."""
    zone_name = organisation_zone()
    zone = ZoneInfo(zone_name)
    sums: dict[SumKey, list[int]] = {}
    ids = list(Ticket.objects.order_by("pk").values_list("pk", flat=True))
    numbers: dict[type[Model], Iterator[int]] = defaultdict(lambda: iter(range(1, 10**9)))

    def keep(rows: Iterable[Model]) -> None:
        rows = list(rows)
        for row in rows:
            row.pk = next(numbers[type(row)])
        store(rows)

    for start in range(0, len(ids), BATCH):
        known = facts.read_facts(ids[start : start + BATCH], now)
        keep(spans.span_rows({pk: story.spans for pk, story in known.stories.items()}))
        found = {pk: contributions.counted(one, zone) for pk, one in known.facts.items()}
        for place in range(4):
            keep(counting.row_of(pk, record) for pk, one in found.items() for record in one[place])
        parts = [part for one in found.values() for part in one.parts]
        keep(counting.quantile_marks(parts))
        _add_up(sums, parts)
    keep(DailyMetric(**key._asdict(), **dict(zip(SUMS, vector, strict=True))) for key, vector in sorted(sums.items()))
    free_numbers(TicketSpan, TicketDay, OpenStretch, TicketRaised, LateClock, DailyMetric, QuantileMark)
    while quantiles.refresh():
        pass
    last = Ticket.objects.order_by("-changed_at", "-pk").values_list("changed_at", "pk")[0]
    FoldState.objects.create(
        pk=1,
        time_zone=zone_name,
        caught_up_at=now,
        folded_at=now,
        cursors={
            "changed": [last[0].isoformat(), last[1]],
            "time": TimeEntry.objects.aggregate(m=Max("pk"))["m"] or 0,
            "events": TicketEvent.objects.aggregate(m=Max("pk"))["m"] or 0,
            "escalations": 0,
            "again": [last[0].isoformat(), last[1]],
            "patrol": 0,
        },
    )


def _add_up(sums: dict[SumKey, list[int]], parts: Sequence[Contribution]) -> None:
    for part in parts:
        counted = slices.sums_of(part)
        for key in slices.keys_of(part):
            total = sums.get(key)
            if total is None:
                total = sums[key] = [0] * len(SUMS)
            for i, value in counted:
                total[i] += value


def _tidy() -> None:
    """What autovacuum would have done in two years: without it no index is read alone."""
    with connection.cursor() as cursor:
        cursor.execute("VACUUM ANALYZE" if connection.vendor == "postgresql" else "ANALYZE")


def counts() -> Iterator[tuple[str, int]]:
    for model in (Ticket, Action, TimeEntry, Attachment, TicketEvent, TicketClock, SearchText, TicketDay, DailyMetric):
        yield str(model._meta.verbose_name_plural), model._default_manager.count()


Clerk = tickets.Clerk
