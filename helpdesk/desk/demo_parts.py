"""Parts of `make run`: ports, secrets, the children's environment, and how far it is. Standard library only."""

from __future__ import annotations

import base64
import json
import os
import secrets
import socket
import urllib.error
import urllib.request
from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from pathlib import Path
from urllib.parse import urlsplit

Say = Callable[[str], None]


class CannotRun(Exception):
    """Said to the person, with what to do."""


def port_of(environ: Mapping[str, str], name: str, default: int) -> int:
    text = environ.get(name) or str(default)
    if not text.isdigit() or not 0 < int(text) < 65536:
        raise SystemExit(f"{name}={text} is no port. Give a number, for example {name}={default}.")
    return int(text)


def check_ports(ports: Mapping[str, int]) -> None:
    """Raises CannotRun, naming the setting, when another program listens there."""
    if len(set(ports.values())) < len(ports):
        raise CannotRun(f"{' and '.join(ports)} must be two different ports.")
    for name, port in ports.items():
        with socket.socket() as trial:
            trial.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                trial.bind(("127.0.0.1", port))
            except OSError:
                raise CannotRun(
                    f"Port {port} is taken by another program. Choose another one: make run {name}={port + 10}"
                ) from None


def secrets_of(environ: Mapping[str, str], path: Path) -> dict[str, str]:
    """SECRET_KEY and SECRETS_KEYS: the person's own, else those of the first run, else new ones, kept for good."""
    kept = read_pairs(path)
    fresh = {
        "SECRET_KEY": lambda: secrets.token_urlsafe(50),
        "SECRETS_KEYS": lambda: base64.urlsafe_b64encode(os.urandom(32)).decode(),
    }
    for name, make in fresh.items():
        kept[name] = kept.get(name) or make()
    write_private(path, "".join(f"{name}={kept[name]}\n" for name in fresh))
    return {name: environ.get(name) or kept[name] for name in fresh}


def read_pairs(path: Path) -> dict[str, str]:
    if not path.exists():
        return {}
    pairs = (line.partition("=") for line in path.read_text().splitlines() if "=" in line)
    return {name.strip(): value.strip() for name, _eq, value in pairs}


def write_private(path: Path, text: str) -> None:
    """Whole or not at all, and for our eyes only."""
    draft = path.with_name(f"{path.name}.new")
    draft.unlink(missing_ok=True)
    with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
        file.write(text)
    draft.replace(path)


def settings_of(environ: Mapping[str, str], *, var: Path, port: int, sandbox_port: int, say: Say) -> dict[str, str]:
    """What the children's settings are read from. A database or Redis that does not answer is left out, and said."""
    database, redis = environ.get("DATABASE_URL", ""), environ.get("REDIS_URL", "")
    for name, url in (("DATABASE_URL", database), ("REDIS_URL", redis)):
        if url and not url.startswith("sqlite") and not answers(url):
            say(f"{name} names {urlsplit(url).hostname}, which does not answer: the demo uses files in {var}.")
            database, redis = ("", redis) if name == "DATABASE_URL" else (database, "")
    hosts = [*filter(None, environ.get("ALLOWED_HOSTS", "").split(",")), "localhost", "127.0.0.1", "[::1]"]
    return {
        "DEMO": "1",
        "DEBUG": "0",
        "HTTPS": "0",
        "VAR_ROOT": str(var),
        "DATABASE_URL": database or f"sqlite:///{var / 'desk.sqlite3'}",
        "REDIS_URL": redis,
        "CELERY_BROKER_URL": (environ.get("CELERY_BROKER_URL") or redis) if redis else "filesystem://",
        "PORT": str(port),
        "SANDBOX_PORT": str(sandbox_port),
        "BASE_URL": environ.get("BASE_URL") or f"http://localhost:{port}",
        "ALLOWED_HOSTS": ",".join(dict.fromkeys(hosts)),
        "WEB_WORKERS": environ.get("WEB_WORKERS") or "2",
        "WEB_THREADS": environ.get("WEB_THREADS") or "8",
        "PYTHONUNBUFFERED": "1",
    }


def answers(url: str) -> bool:
    parts = urlsplit(url)
    port = parts.port or {"redis": 6379}.get(parts.scheme, 5432)
    try:
        with socket.create_connection((parts.hostname or "127.0.0.1", port), timeout=2):
            return True
    except OSError:
        return False


def age_of(text: str, now: datetime) -> timedelta | None:
    try:
        return now - datetime.fromisoformat(text.strip())
    except (ValueError, TypeError):
        return None


def newest(*places: Path) -> str:
    """Changes whenever a file below changes, comes or goes."""
    files = [f for place in places for f in ([place] if place.is_file() else place.rglob("*")) if f.is_file()]
    return f"{len(files)} {max((f.stat().st_mtime_ns for f in files), default=0)}"


def ask(url: str) -> tuple[int, str]:
    """(status, body); status 0 when nobody answers."""
    try:
        with urllib.request.urlopen(url, timeout=5) as answer:
            return answer.status, answer.read(100_000).decode(errors="replace")
    except urllib.error.HTTPError as error:
        return error.code, error.read(100_000).decode(errors="replace")
    except OSError:
        return 0, ""


def progress(body: str) -> str:
    """How far the first pull is, from the body of /readyz: "open tickets of halo: 300 of 640"."""
    try:
        rows = json.loads(body).get("pull", [])
    except (ValueError, AttributeError):
        return ""
    parts = [
        f"open tickets of {row['account']}: {row['done']:,}" + (f" of {row['total']:,}" if row["total"] else "")
        for row in rows
        if row["done"]
    ]
    return ", ".join(parts)
