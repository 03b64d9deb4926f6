"""Where a filled database lives, and how a run gets a copy of its own to write into."""

from __future__ import annotations

import os
import shutil
import sqlite3
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from urllib.parse import urlsplit

from tests import services

ROOT = Path(__file__).resolve().parent.parent.parent
WORK = ROOT / "var" / "bench"
USUAL = 100_000


class CannotRun(Exception):
    """Said to the person, with what to do."""


@dataclass(frozen=True)
class Place:
    """A database by its URL; made, emptied and copied from outside."""

    url: str

    @property
    def is_sqlite(self) -> bool:
        return self.url.startswith("sqlite")

    @property
    def file(self) -> Path:
        return Path(self.url.removeprefix("sqlite:///"))

    @property
    def name(self) -> str:
        return urlsplit(self.url).path.lstrip("/")

    @property
    def exists(self) -> bool:
        if self.is_sqlite:
            return self.file.exists()
        with self._server() as connection:
            found = connection.execute("SELECT 1 FROM pg_database WHERE datname = %s", [self.name])
            return found.fetchone() is not None

    def beside(self, word: str) -> Place:
        """Another one on the same server, of this process, so that two runs never share one."""
        if self.is_sqlite:
            return Place(f"sqlite:///{self.file.with_suffix('')}-{word}{os.getpid()}.sqlite3")
        return Place(urlsplit(self.url)._replace(path=f"/{self.name}_{word}{os.getpid()}").geturl())

    def backends(self) -> list[int]:
        """Processes of the database that work for it, where the kernel lets us look at them."""
        if self.is_sqlite:
            return []
        with self._server() as connection:
            found = connection.execute("SELECT pid FROM pg_stat_activity WHERE datname = %s", [self.name])
            return [int(row[0]) for row in found]

    def make(self) -> None:
        """Empty, whatever was there."""
        self.drop()
        if self.is_sqlite:
            self.file.parent.mkdir(parents=True, exist_ok=True)
            return
        self._say("CREATE DATABASE {}")

    def drop(self) -> None:
        if self.is_sqlite:
            for end in ("", "-wal", "-shm"):
                self.file.with_name(self.file.name + end).unlink(missing_ok=True)
            return
        self._say("DROP DATABASE IF EXISTS {}")

    def become_copy_of(self, other: Place) -> None:
        self.drop()
        if self.is_sqlite:
            with closing(sqlite3.connect(other.file)) as connection:
                connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
            shutil.copyfile(other.file, self.file)
            return
        self._say("CREATE DATABASE {} TEMPLATE {}", other)

    def _say(self, statement: str, *others: Place) -> None:
        import psycopg
        from psycopg import sql

        names = [sql.Identifier(place.name) for place in (self, *others)]
        try:
            with self._server() as connection:
                connection.execute(sql.SQL(statement).format(*names))  # type: ignore[arg-type]
        except psycopg.errors.ObjectInUse as error:
            raise CannotRun(f"{error.diag.message_primary}. Close what is connected to it, then try again.") from None

    @contextmanager
    def _server(self) -> Iterator:  # type: ignore[type-arg]
        import psycopg

        with psycopg.connect(urlsplit(self.url)._replace(path="/postgres").geturl(), autocommit=True) as connection:
            yield connection


def place_for(tickets: int, *, sqlite: bool, is_other: bool = False) -> Place:
    """DATABASE_URL when given, else a database of its own per size on PostgreSQL when found, else a file.

    `is_other`: for growth, beside the one that was asked for.
    """
    given = os.environ.get("DATABASE_URL", "")
    if given and not sqlite and not is_other:
        return Place(given)
    server = services.postgres()
    if sqlite or not server.found:
        return Place(f"sqlite:///{WORK / f'desk-{tickets}.sqlite3'}")
    name = "helpdesk_bench" if tickets == USUAL else f"helpdesk_bench_{tickets}"
    return Place(urlsplit(server.place)._replace(path=f"/{name}").geturl())


def environment(place: Place) -> dict[str, str]:
    """What the product's settings read, for this process and for the servers: production, but for plain HTTP."""
    redis = services.redis()
    return {
        "DJANGO_SETTINGS_MODULE": "helpdesk.settings",
        "DATABASE_URL": place.url,
        "REDIS_URL": redis.place,
        "CELERY_BROKER_URL": "memory://",
        "SECRET_KEY": "only-for-the-benchmark-0123456789-abcdefghijklmnopqrstuvwxyz",
        "SECRETS_KEYS": "c29tZSAzMiBieXRlcyBmb3IgdGhlIHRlc3RzIG9ubHk=",
        "VAR_ROOT": str(WORK),
        "DEBUG": "0",
        "DEMO": "0",
        "HTTPS": "0",
        "LOG_LEVEL": "WARNING",
        "ALLOWED_HOSTS": "127.0.0.1,localhost",
    }


def use(place: Place) -> None:
    """Django of this process on that database. Once per process."""
    WORK.mkdir(parents=True, exist_ok=True)
    os.environ.update(environment(place))
    import django

    django.setup()


def switch(place: Place) -> None:
    """Django of this process on another database of the same kind."""
    from django.db import connection

    let_go()
    connection.settings_dict["NAME"] = str(place.file) if place.is_sqlite else place.name


def let_go() -> None:
    """Without a connection, so that the database can be copied or dropped."""
    from django.db import connection

    connection.close()


def filled(place: Place, *, tickets: int, seed: int, say=print, again: bool = False) -> None:  # type: ignore[no-untyped-def]
    """Make sure that the database holds this fill. Django must be set up on it already."""
    from django.core.management import call_command
    from django.db import connection

    from tests.bench import fill

    now = datetime.now(UTC)
    if not again and place.exists and fill.kept(tickets=tickets, seed=seed, now=now):
        # As an installation is brought up to date; nothing happens when it is.
        call_command("migrate", verbosity=0, interactive=False)
        connection.close()
        return
    connection.close()
    say(f"Filling {place.name if not place.is_sqlite else place.file} with {tickets} tickets")
    started, used = time.monotonic(), time.process_time()
    # Of the code as it is now: somebody may edit it meanwhile.
    mark = fill.fingerprint(tickets=tickets, seed=seed)
    place.make()
    call_command("migrate", verbosity=0, interactive=False)
    fill.fill(tickets=tickets, seed=seed, now=now, say=say)
    seconds = time.monotonic() - started
    fill.remember(mark=mark, now=now, seconds=seconds)
    connection.close()
    say(f"Filled in {seconds:.0f} s, {time.process_time() - used:.0f} s of them on a processor, the database's apart")
