"""A worker that is killed at any instant: another process goes on, nothing is missing, nothing is there twice."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

from django.conf import settings

from tests.connectors.sandbox.running import running_sandbox

ROOT = Path(__file__).resolve().parents[3]


def environment(folder: Path) -> dict[str, str]:
    return {
        **os.environ,
        "DATABASE_URL": f"sqlite:///{folder / 'desk.sqlite3'}",
        "SECRET_KEY": "x" * 50,
        "SECRETS_KEYS": ",".join(settings.SECRETS_KEYS),
        "VAR_ROOT": str(folder),
        "PSA_ALLOW_PRIVATE_ADDRESSES": "1",
        "REDIS_URL": "",
        "PYTHONPATH": str(ROOT),
    }


def manage(folder: Path, *args: str, timeout: int = 120) -> str:
    done = subprocess.run(
        [sys.executable, "manage.py", *args], env=environment(folder), cwd=ROOT, capture_output=True, text=True,
        timeout=timeout, check=False, stdin=subprocess.DEVNULL,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr[-1500:]
    return done.stdout


COUNTS = """
from helpdesk.tickets.models import Ticket
from helpdesk.actions.models import Action
from connectors.sync.models import Cursor
Cursor.objects.update(lease_until=None)
print(Ticket.objects.count(), Ticket.objects.values("remote_id").distinct().count(), Action.objects.count())
"""


def test_a_killed_first_reading_is_finished_by_the_next(tmp_path: Path) -> None:
    with running_sandbox(tickets=400) as sandbox:
        manage(tmp_path, "migrate", "-v0")
        pairs = ("client_id=demo", "client_secret=demo-secret", "calls_per_minute=1000000")
        manage(tmp_path, "connect", "halopsa", "halo", "--url", sandbox.halopsa, *(f"--set={p}" for p in pairs))
        for seconds in (1.2, 1.7, 2.6):
            worker = subprocess.Popen(
                [sys.executable, "manage.py", "pull"], env=environment(tmp_path), cwd=ROOT, stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
            )  # fmt: skip
            time.sleep(seconds)
            worker.send_signal(signal.SIGKILL)
            worker.wait()
            manage(tmp_path, "shell", "-v0", "-c", COUNTS)
        manage(tmp_path, "pull", "--json")
        tickets, distinct, actions = map(int, manage(tmp_path, "shell", "-v0", "-c", COUNTS).split())
        there = sandbox.control("GET", "state")["halopsa"]
        assert (tickets, distinct, actions) == (there["tickets"], there["tickets"], there["actions"])
