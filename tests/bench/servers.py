"""Servers of a run, as production starts them: gunicorn with the product's own settings, Redis, the sandbox."""

from __future__ import annotations

import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from tests.bench.browser import Browser
from tests.bench.places import ROOT, WORK, CannotRun

PROCESSES, THREADS = 2, 8
READY_SECONDS = 120


def free_port() -> int:
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return int(found.getsockname()[1])


@dataclass(frozen=True)
class Server:
    port: int
    pid: int

    @property
    def workers(self) -> list[int]:
        """The processes that answer."""
        children = Path(f"/proc/{self.pid}/task/{self.pid}/children").read_text().split()
        return [int(pid) for pid in children]

    def browser(self) -> Browser:
        return Browser(self.port)


@contextmanager
def gunicorn(name: str, app: str, ready: str, environment: Mapping[str, str]) -> Iterator[Server]:
    """`app` answers `ready` with 200 before this goes on."""
    port = free_port()
    command = [sys.executable, "-m", "gunicorn", "--config", "helpdesk/gunicorn.py", app]
    sizes = {"PORT": str(port), "WEB_WORKERS": str(PROCESSES), "WEB_THREADS": str(THREADS)}
    with process(name, command, {**environment, **sizes}) as pid:
        _wait(name, port, ready, pid)
        yield Server(port, pid)


@contextmanager
def process(name: str, command: list[str], environment: Mapping[str, str]) -> Iterator[int]:
    """A child in a group of its own, gone with everything it started when this ends."""
    log = WORK / f"{name}.log"
    with log.open("wb") as out:
        child = subprocess.Popen(
            command, cwd=ROOT, env={**os.environ, **environment}, stdout=out, stderr=out, start_new_session=True
        )
        try:
            yield child.pid
        finally:
            os.killpg(child.pid, signal.SIGTERM)
            try:
                child.wait(timeout=20)
            except subprocess.TimeoutExpired:
                os.killpg(child.pid, signal.SIGKILL)
                child.wait()


def _wait(name: str, port: int, path: str, pid: int) -> None:
    until = time.monotonic() + READY_SECONDS
    while time.monotonic() < until:
        try:
            if Browser(port).get(path).status == 200:
                return
        except OSError:
            pass
        if not Path(f"/proc/{pid}").exists() or _is_zombie(pid):
            break
        time.sleep(0.2)
    raise CannotRun(f"{name} does not answer. The end of its log:\n{(WORK / f'{name}.log').read_text()[-2000:]}")


def _is_zombie(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] == "Z"
    except OSError:
        return True


@contextmanager
def own_redis(found: str) -> Iterator[str]:
    """A Redis of this run's own, so that nobody else's keys are touched; else the one that was found; else none."""
    program = shutil.which("redis-server")
    if program is None:
        yield found
        return
    port = free_port()
    command = [program, "--port", str(port), "--bind", "127.0.0.1", "--save", "", "--appendonly", "no"]
    with process("redis", command, {}):
        until = time.monotonic() + 20
        while time.monotonic() < until:
            try:
                socket.create_connection(("127.0.0.1", port), timeout=1).close()
                break
            except OSError:
                time.sleep(0.05)
        yield f"redis://127.0.0.1:{port}/0"


@contextmanager
def sandbox(tickets: int, seed: int) -> Iterator[str]:
    """The PSA imitations with so many tickets; their address."""
    port = free_port()
    command = [
        sys.executable, "-m", "connectors.sandbox", "--port", str(port), "--tickets", str(tickets), "--seed", str(seed),
        "--psa", "halopsa",
    ]  # fmt: skip
    with process("sandbox", command, {}) as pid:
        _wait("sandbox", port, "/_control/state", pid)
        yield f"http://127.0.0.1:{port}"
