"""The whole product as `make run` starts it, in a folder of its own, for tests that walk through it in a browser."""

from __future__ import annotations

import hashlib
import json
import os
import re
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tests import patience

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

ROOT = Path(__file__).resolve().parent.parent.parent
PASSWORD = "helpdesk-demo"
READY_SECONDS = 240
HOME = re.compile(r"/(board|tickets|portal|settings|reports)/")


@dataclass
class Stack:
    """Addresses of a running desk and its sandbox."""

    desk: str
    sandbox: str
    process: subprocess.Popen[str]
    var: Path

    def control(self, method: str, path: str, body: Any = None) -> Any:
        """One call of the sandbox's control API."""
        request = urllib.request.Request(
            f"{self.sandbox}/_control/{path}",
            method=method,
            data=None if body is None else json.dumps(body).encode(),
            headers={"Content-Type": "application/json"},
        )
        with urllib.request.urlopen(request, timeout=patience.SECONDS) as answer:
            text = answer.read()
        return json.loads(text) if text else None

    def ticket(self, remote_id: str) -> Any:
        return self.control("GET", f"halopsa/tickets/{remote_id}")


def free_ports(count: int) -> list[int]:
    held = [socket.socket() for _ in range(count)]
    try:
        for one in held:
            one.bind(("127.0.0.1", 0))
        return [one.getsockname()[1] for one in held]
    finally:
        for one in held:
            one.close()


@contextmanager
def running_stack(var: Path, **extra: str) -> Iterator[Stack]:
    """`manage.py demo` on free ports, without PostgreSQL and Redis; ended like Ctrl-C, with a check that it ends."""
    desk, sandbox = free_ports(2)
    hidden = ("DATABASE_URL", "REDIS_URL", "CELERY_BROKER_URL", "SECRET_KEY", "SECRETS_KEYS", "DEMO", "BASE_URL")
    env = {k: v for k, v in os.environ.items() if k not in hidden}
    env |= {"VAR_ROOT": str(var), "PORT": str(desk), "SANDBOX_PORT": str(sandbox), **extra}
    process = subprocess.Popen(
        [sys.executable, "manage.py", "demo"], cwd=ROOT, env=env, text=True,
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT, start_new_session=True,
    )  # fmt: skip
    stack = Stack(f"http://127.0.0.1:{desk}", f"http://127.0.0.1:{sandbox}", process, var)
    try:
        _wait_until_ready(process)
        yield stack
    finally:
        process.send_signal(signal.SIGTERM)
        try:
            process.wait(timeout=patience.SECONDS)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            raise


def _wait_until_ready(process: subprocess.Popen[str]) -> None:
    lines: list[str] = []
    deadline = time.monotonic() + READY_SECONDS
    assert process.stdout is not None
    for line in process.stdout:
        lines.append(line)
        if "Ctrl-C stops all of it" in line:
            return
        if time.monotonic() > deadline:
            break
    raise AssertionError("the demo did not start:\n" + "".join(lines))


def quiet(stack: Stack) -> Stack:
    """Nobody else works in the PSAs: what a test counts stays."""
    stack.control("POST", "live", {"rate": 0})
    return stack


def signed_in(browser: Browser, stack: Stack, who: str, *, script: bool = True) -> Page:
    """A browser of one of the demo's people, at the page that comes after signing in."""
    context = browser.new_context(viewport={"width": 1440, "height": 900}, java_script_enabled=script)
    page = context.new_page()
    page.set_default_timeout(patience.SECONDS * 1000)
    page.goto(f"{stack.desk}/accounts/login/")
    page.fill("input[name=login]", f"{who}@demo.test")
    page.fill("input[name=password]", PASSWORD)
    page.keyboard.press("Enter")
    page.wait_for_url(HOME)
    return page


def sha256(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()
