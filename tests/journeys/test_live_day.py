"""A day in which everybody works: clients and PSA users in the PSA, dispatcher and technician in the desk, at once.

Afterwards both sides are the same, field by field, and nothing waits. The suite has a few seconds of it; a whole day at
a hundred times its speed (a quarter of an hour, and minutes to compare) runs with

    LIVE_DAY_SECONDS=864 LIVE_DAY_TICKETS=600 pytest -s -o faulthandler_timeout=0 tests/journeys/test_live_day.py
"""

from __future__ import annotations

import json
import os
import random
import re
import subprocess
import sys
import time
import uuid
from collections import Counter
from pathlib import Path
from typing import Any

import httpx

from tests.journeys.stack import PASSWORD, ROOT, Stack, running_stack
from tests.patience import until

SECONDS = float(os.environ.get("LIVE_DAY_SECONDS", "8"))
TICKETS = os.environ.get("LIVE_DAY_TICKETS", "40")
RATE = float(os.environ.get("LIVE_DAY_RATE", "400"))
"""Events a minute: a hundred times the demo's own pace."""
QUIET_SECONDS = 240 + SECONDS
HTMX = {"HX-Request": "true"}


class Person:
    """Somebody at the desk who picks a ticket and does something, through the pages' own addresses."""

    def __init__(self, stack: Stack, email: str, dice: random.Random) -> None:
        self.dice, self.done = dice, Counter[str]()
        self.http = httpx.Client(base_url=stack.desk, timeout=60, follow_redirects=True)
        form = {"login": email, "password": PASSWORD, **self._token("/accounts/login/")}
        assert self.http.post("/accounts/login/", data=form, headers={"Referer": stack.desk}).status_code == 200
        assert "sessionid" in self.http.cookies

    def _token(self, path: str = "") -> dict[str, str]:
        if path:
            self.http.get(path)
        return {"csrfmiddlewaretoken": self.http.cookies.get("csrftoken") or ""}

    def act(self) -> None:
        ids = re.findall(r'data-ticket="?(\d+)', self.http.get("/tickets/").text)
        if not ids:
            return
        pk = self.dice.choice(list(dict.fromkeys(ids)))
        verb = self.dice.choice(("agent", "priority", "status", "note", "note", "reply"))
        if verb in ("note", "reply"):
            self._write(pk, verb)
        else:
            self._choose(pk, verb)

    def _choose(self, pk: str, field: str) -> None:
        page = self.http.get(f"/tickets/{pk}/choose/{field}/", headers=HTMX).text
        options = re.findall(r'name="?value"? value="?(\w+)"?(?! disabled)', page)
        if options:
            form = {"value": self.dice.choice(options), **self._token()}
            answer = self.http.post(f"/tickets/{pk}/set/{field}/", data=form, headers=HTMX)
            assert answer.status_code in (200, 204, 404, 422), answer.text[:500]
            self.done[field if answer.is_success else "refused by our own rules"] += 1

    def _write(self, pk: str, kind: str) -> None:
        form = {
            "marker": str(uuid.uuid4()), "kind": kind, "text": f"Looked at it, number {self.dice.random()}",
            "time": "0:15", **self._token(),
        }  # fmt: skip
        answer = self.http.post(f"/tickets/{pk}/actions/", data=form, headers=HTMX)
        assert answer.status_code in (200, 404, 422), answer.text[:500]
        self.done[kind if answer.is_success else "refused by our own rules"] += 1


def manage(stack: Stack, *words: str) -> tuple[Any, int]:
    """A command beside the running desk: what it prints as JSON, and its exit status."""
    hidden = ("DATABASE_URL", "REDIS_URL", "CELERY_BROKER_URL", "SECRET_KEY", "SECRETS_KEYS", "DEMO", "BASE_URL")
    env = {k: v for k, v in os.environ.items() if k not in hidden} | {"VAR_ROOT": str(stack.var)}
    command = [sys.executable, "manage.py", *words, "--json"]
    found = subprocess.run(command, cwd=ROOT, env=env, capture_output=True, text=True, check=False)
    assert found.stdout, found.stderr[-2000:]
    return json.loads(found.stdout.strip().splitlines()[-1]), found.returncode


def outbox(stack: Stack) -> dict[str, int]:
    """Items that are not done, by state, as the metrics tell."""
    text = httpx.get(f"{stack.desk}/metrics", timeout=30).text
    rows = re.findall(r'^helpdesk_outbox_items\{account="\w+",state="(\w+)"\} (\d+)', text, re.MULTILINE)
    return {state: int(float(number)) for state, number in rows}


def give_up_refused(stack: Stack) -> int:
    """What a person does with changes that the PSA refused, or that somebody there was faster with."""
    admin = Person(stack, "admin@demo.test", random.Random(0))
    count = 0
    while items := re.findall(r"/settings/sync/(\d+)/discard/", admin.http.get("/settings/sync/").text):
        for pk in dict.fromkeys(items):
            answer = admin.http.post(f"/settings/sync/{pk}/discard/", data=admin._token())
            assert answer.status_code == 200
            count += 1
    return count


def test_after_a_busy_day_both_sides_are_the_same(tmp_path: Path) -> None:
    with running_stack(tmp_path / "demo", SANDBOX_TICKETS=TICKETS) as stack:
        before = stack.control("GET", "live")["events"]
        stack.control("POST", "live", {"rate": RATE})
        people = [
            Person(stack, "dispatcher@demo.test", random.Random(1)),
            Person(stack, "technician@demo.test", random.Random(2)),
        ]
        ends = time.monotonic() + SECONDS
        enough = RATE / 60 * SECONDS / 3

        def has_happened() -> int:
            return int(stack.control("GET", "live")["events"]) - before

        # On a busy machine a day lasts until something has happened on both sides.
        while time.monotonic() < ends or has_happened() <= enough or sum(p.done.total() for p in people) < 3:
            assert time.monotonic() < ends + QUIET_SECONDS, "nothing happens in the PSAs, or at the desk"
            for person in people:
                person.act()
            time.sleep(0.2)
        stack.control("POST", "live", {"rate": 0})
        events = has_happened()

        def is_sent() -> bool:
            states = outbox(stack)
            return bool(states) and not any(n for state, n in states.items() if state != "refused")

        until(is_sent, seconds=QUIET_SECONDS, what="everything sent")
        given_up = give_up_refused(stack)
        assert manage(stack, "pull")[1] == 0

        def all_read() -> Any:
            """A worker may still be reading actions."""
            answer, status = manage(stack, "compare")
            found = answer["accounts"]
            return None if any(report["waiting"] for report in found) else (found, status)

        reports, status = until(all_read, seconds=QUIET_SECONDS + SECONDS, what="everything read")
        state = stack.control("GET", "state")
        desk = people[0].done + people[1].done
        sys.stdout.write(
            f"\n{events} events in the PSAs, {desk.total()} changes at the desk {dict(desk)}, {given_up} given up\n"
        )
        for report in reports:
            sys.stdout.write(
                f"{report['name']}: {report['tickets']} tickets, {report['actions']} actions, {report['attachments']} "
                f"files compared in {report['calls']} calls; {report['difference_count']} differences\n"
            )
            assert report["differences"][:20] == []
            assert (report["missing_here"], report["missing_there"], report["waiting"]) == ([], [], [])
        assert status == 0
        assert sum(r["tickets"] for r in reports) == sum(row["tickets"] for row in state.values())
        assert not any(outbox(stack).values())
        assert events > enough
        assert desk.total() > 2
