"""What this machine offers to tests that need more than Python: PostgreSQL, Redis, Chromium."""

from __future__ import annotations

import os
import shutil
from dataclasses import dataclass
from urllib.parse import urlsplit

POSTGRES_URLS = ("postgres://postgres@127.0.0.1:5432/postgres", "postgres://postgres:postgres@127.0.0.1:5432/postgres")
REDIS_URL = "redis://127.0.0.1:6379/15"
CHROMIUM_NAMES = ("/usr/bin/chromium", "chromium", "chromium-browser", "google-chrome", "google-chrome-stable")


@dataclass(frozen=True)
class Service:
    """A place to reach the service, or the reason why there is none."""

    name: str
    place: str = ""
    reason: str = ""

    @property
    def found(self) -> bool:
        return bool(self.place)


def postgres() -> Service:
    given = os.environ.get("TEST_DATABASE_URL")
    reason = ""
    for url in [given] if given else POSTGRES_URLS:
        reason = _why_not_postgres(url)
        if not reason:
            return Service("PostgreSQL", place=url)
    return Service("PostgreSQL", reason=reason)


def redis() -> Service:
    import redis as client

    url = os.environ.get("TEST_REDIS_URL") or REDIS_URL
    try:
        with client.Redis.from_url(url, socket_timeout=3, socket_connect_timeout=3) as connection:
            connection.ping()
    except client.RedisError as error:
        return Service("Redis", reason=f"nothing usable at {_address(url)} ({_first_line(error)})")
    return Service("Redis", place=url)


def chromium() -> Service:
    for name in CHROMIUM_NAMES:
        path = shutil.which(name)
        if path:
            return Service("Chromium", place=path)
    return Service("Chromium", reason="no Chromium or Chrome is installed")


def _why_not_postgres(url: str) -> str:
    """Empty when a test database can be created there. Django connects to `postgres` when the named one is absent."""
    import psycopg

    maintenance = urlsplit(url)._replace(path="/postgres").geturl()
    try:
        with psycopg.connect(maintenance, connect_timeout=3) as connection:
            row = connection.execute(
                "SELECT rolcreatedb OR rolsuper FROM pg_roles WHERE rolname = current_user"
            ).fetchone()
    except psycopg.Error as error:
        return f"nothing usable at {_address(url)} ({_first_line(error)})"
    return "" if row and row[0] else f"the role at {_address(url)} may not create databases"


def _address(url: str) -> str:
    """Host and port only: a password never reaches a log."""
    parts = urlsplit(url)
    return f"{parts.hostname or 'localhost'}:{parts.port or 'standard port'}"


def _first_line(error: Exception) -> str:
    return (str(error).strip() or type(error).__name__).splitlines()[0]
