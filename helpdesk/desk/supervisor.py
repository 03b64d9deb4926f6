"""Starts a few processes, keeps them running, ends them. Standard library only, knows nothing of Django.

Each child leads its own process group, so that Ctrl-C reaches this process alone and each child hears SIGTERM once.
Every child carries RUN_MARK in its environment: what a kill -9 of this process leaves behind is found by it and ended.
"""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
import shutil
import signal
import subprocess
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, TextIO

RUN_MARK = "HELPDESK_RUN"
PATIENCE_SECONDS = 20.0
"""From SIGTERM to SIGKILL."""
LOG_BYTES = 10_000_000
LONGEST_PAUSE_SECONDS = 30.0
STEADY_SECONDS = 60.0
"""A child that lived this long has recovered: its next death counts as the first."""


class AlreadyRunning(Exception):
    """Another live supervisor holds the folder. The argument is its process id."""


class Stopped(Exception):
    """Somebody asked us to end while a step was under way."""


class StepFailed(Exception):
    """A step ended with an error; the argument is what it said."""


def backoff(deaths: int) -> float:
    """Seconds before the next start: 1, 2, 4 ... 30."""
    return min(LONGEST_PAUSE_SECONDS, 2.0 ** max(0, deaths - 1))


def started_mark(pid: int) -> str:
    """When a process started, in the system's own words; empty when it is gone. Tells a reused number apart."""
    try:
        # The name may hold spaces and brackets: count fields from behind it.
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[19]
    except (OSError, IndexError):
        if Path("/proc/self/stat").exists():
            return ""
    found = subprocess.run(["ps", "-o", "lstart=", "-p", str(pid)], capture_output=True, text=True, check=False)
    return found.stdout.strip()


def marked(mark: str) -> list[int]:
    """Processes that carry this mark in their environment (Linux; empty elsewhere)."""
    wanted = f"{RUN_MARK}={mark}".encode()
    found = []
    for folder in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError):
            if wanted in (folder / "environ").read_bytes().split(b"\0"):
                found.append(int(folder.name))
    return [pid for pid in found if pid != os.getpid()]


def is_alive(pid: int) -> bool:
    """False for a zombie too: it only waits for its parent to notice."""
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    with contextlib.suppress(OSError, IndexError):
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    return True


def end_all(pids: Iterable[int], *, patience: float = PATIENCE_SECONDS) -> int:
    """SIGTERM, wait, SIGKILL. How many there were."""
    left = [pid for pid in pids if is_alive(pid)]
    count = len(left)
    for number in (signal.SIGTERM, signal.SIGKILL):
        for pid in left:
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.kill(pid, number)
        deadline = time.monotonic() + (patience if number == signal.SIGTERM else 5)
        while left and time.monotonic() < deadline:
            left = [pid for pid in left if is_alive(pid)]
            time.sleep(0.05)
    return count


class RunFile:
    """`run.pid` (a plain number, locked while we live) and `run.json` (our children) in the var folder."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.pid_path, self.json_path = folder / "run.pid", folder / "run.json"
        self._held: IO[str] | None = None

    def take(self) -> None:
        """Become the only one. Raises AlreadyRunning; a file that a crash left is simply taken over."""
        self.folder.mkdir(parents=True, exist_ok=True)
        held = open(self.pid_path, "a+", encoding="ascii")  # noqa: SIM115 - held open for as long as we live
        try:
            fcntl.flock(held, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            held.seek(0)
            raise AlreadyRunning(held.read().strip() or "?") from None
        held.seek(0)
        held.truncate()
        held.write(f"{os.getpid()}\n")
        held.flush()
        self._held = held

    def leftovers(self) -> list[int]:
        """Processes of an earlier run that outlived it."""
        found = set(marked(str(self.folder)))
        with contextlib.suppress(OSError, ValueError, KeyError, TypeError):
            for row in json.loads(self.json_path.read_text())["children"]:
                if row["started"] and started_mark(row["pid"]) == row["started"]:
                    found.add(row["pid"])
        return sorted(pid for pid in found if is_alive(pid))

    def write(self, children: Mapping[str, int]) -> None:
        rows = [{"name": n, "pid": pid, "started": started_mark(pid)} for n, pid in children.items()]
        draft = self.json_path.with_suffix(".new")
        draft.write_text(json.dumps({"pid": os.getpid(), "children": rows}, indent=1))
        draft.replace(self.json_path)

    def release(self) -> None:
        if self._held is not None:
            self.json_path.unlink(missing_ok=True)
            self.pid_path.unlink(missing_ok=True)
            self._held.close()
            self._held = None


@dataclass
class Child:
    name: str
    command: Sequence[str]
    process: subprocess.Popen[bytes] | None = None
    started_at: float = 0.0
    deaths: int = 0
    start_again_at: float | None = None


@dataclass
class Supervisor:
    """`say` prints one line to the person. All times are monotonic seconds."""

    folder: Path
    env: Mapping[str, str]
    say: Callable[[str], None]
    cwd: Path = field(default_factory=Path.cwd)
    patience: float = PATIENCE_SECONDS
    children: dict[str, Child] = field(default_factory=dict)
    is_stopping: bool = False
    _steps: list[subprocess.Popen[bytes]] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.run = RunFile(self.folder)
        self.logs = self.folder / "log"
        self.logs.mkdir(parents=True, exist_ok=True)

    def listen(self) -> None:
        """Ctrl-C, SIGTERM and a closed terminal ask us to end; a second one no longer waits."""
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            signal.signal(number, self._asked_to_end)

    def _asked_to_end(self, _number: int, _frame: object) -> None:
        if self.is_stopping:
            self.patience = 0.0
        self.is_stopping = True

    def log_of(self, name: str) -> Path:
        return self.logs / f"{name}.log"

    def _spawn(self, name: str, command: Sequence[str]) -> subprocess.Popen[bytes]:
        # Appending, so that the file can be cut while the child goes on writing.
        with open(self.log_of(name), "ab") as log:
            return subprocess.Popen(
                list(command),
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                env={**self.env, RUN_MARK: str(self.folder)},
                cwd=self.cwd,
                start_new_session=True,
            )

    # Steps: run to their end -----------------------------------------------------------------------------------------
    def begin(self, name: str, command: Sequence[str]) -> Callable[[], str]:
        """Start a step; calling what it gives back waits for its end and gives its output, or raises StepFailed."""
        where = self.log_of(name)
        where.unlink(missing_ok=True)
        process = self._spawn(name, command)
        self._steps.append(process)

        def finish() -> str:
            while process.poll() is None:
                if self.is_stopping:
                    raise Stopped
                time.sleep(0.02)
            said = where.read_text(errors="replace")
            if process.returncode:
                raise StepFailed(said.strip() or f"{name} ended with {process.returncode}")
            return said

        return finish

    # Children: run until the end -------------------------------------------------------------------------------------
    def start(self, name: str, command: Sequence[str]) -> None:
        child = self.children.setdefault(name, Child(name, command))
        rotate(self.log_of(name), limit=LOG_BYTES)
        child.process, child.started_at, child.start_again_at = self._spawn(name, command), time.monotonic(), None
        self._remember()

    def watch(self) -> None:
        """One look: start again what died and has waited out its pause, cut logs that grew."""
        for child in self.children.values():
            rotate(self.log_of(child.name), limit=LOG_BYTES)
            if child.start_again_at is not None:
                if time.monotonic() >= child.start_again_at:
                    self.start(child.name, child.command)
            elif child.process is not None and child.process.poll() is not None:
                self._died(child)

    def _died(self, child: Child) -> None:
        code = child.process.returncode if child.process else 0
        if time.monotonic() - child.started_at > STEADY_SECONDS:
            child.deaths = 0
        child.deaths += 1
        self._sweep(child)
        pause = backoff(child.deaths)
        child.start_again_at = time.monotonic() + pause
        how = f"was killed by {signal.Signals(-code).name}" if code < 0 else f"ended with {code}"
        self.say(f"The {child.name} {how}. It starts again in {pause:.0f} s; its log: {self.log_of(child.name)}")

    def _sweep(self, child: Child) -> None:
        """What a dead child's group still holds goes with it."""
        if child.process is not None:
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.killpg(child.process.pid, signal.SIGKILL)

    def _remember(self) -> None:
        self.run.write({c.name: c.process.pid for c in self.children.values() if c.process is not None})

    def stop(self) -> None:
        """SIGTERM once for each, newest first; what does not end in time is killed with its group."""
        self.is_stopping = True
        living = [p for p in self._steps if p.poll() is None]
        living += [c.process for c in reversed(self.children.values()) if c.process and c.process.poll() is None]
        for process in living:
            process.terminate()
        begun = time.monotonic()
        while any(p.poll() is None for p in living) and time.monotonic() - begun < self.patience:
            time.sleep(0.05)
        for process in living:
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.killpg(process.pid, signal.SIGKILL)
            process.wait()


def say_to(out: TextIO) -> Callable[[str], None]:
    """Prints lines. A terminal that was closed, or a pipe that nobody reads, keeps nobody from ending the children."""

    def say(line: str) -> None:
        try:
            print(line, file=out, flush=True)
        except OSError:
            nowhere = os.open(os.devnull, os.O_WRONLY)
            os.dup2(nowhere, out.fileno())
            os.close(nowhere)

    return say


def rotate(path: Path, *, limit: int) -> None:
    """Keep one older piece of a log; the file is cut in place because its writer holds it open."""
    with contextlib.suppress(FileNotFoundError):
        if path.stat().st_size > limit:
            shutil.copyfile(path, path.with_suffix(".log.1"))
            os.truncate(path, 0)
