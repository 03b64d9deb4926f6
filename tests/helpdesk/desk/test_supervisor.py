"""The supervisor with real processes: small ones, that only sleep."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from helpdesk.desk.demo_parts import (
    CannotRun,
    age_of,
    check_ports,
    newest,
    port_of,
    progress,
    secrets_of,
    settings_of,
)
from helpdesk.desk.supervisor import (
    RUN_MARK,
    AlreadyRunning,
    RunFile,
    StepFailed,
    Supervisor,
    backoff,
    end_all,
    is_alive,
    marked,
    rotate,
    started_mark,
)
from tests import patience
from tests.patience import until

SLEEP = [sys.executable, "-c", "import time; print('here', flush=True); time.sleep(60)"]
DEAF = [
    sys.executable,
    "-c",
    "import signal,time; signal.signal(15, lambda *_: None); print('here', flush=True); time.sleep(60)",
]


@pytest.fixture
def said() -> list[str]:
    return []


@pytest.fixture
def house(tmp_path: Path, said: list[str]) -> Supervisor:
    return Supervisor(folder=tmp_path, env=dict(os.environ), say=said.append, patience=5)


# Processes ---
def test_starts_logs_and_stops(house: Supervisor) -> None:
    house.start("one", SLEEP)
    house.start("two", SLEEP)
    pids = [c.process.pid for c in house.children.values() if c.process]
    assert until(lambda: "here" in house.log_of("two").read_text())
    assert set(pids) <= set(house.run.leftovers())
    house.stop()
    assert not any(is_alive(pid) for pid in pids)
    assert house.run.leftovers() == []


def test_one_sigterm_for_each_then_the_hard_way(house: Supervisor) -> None:
    house.patience = 0.5
    house.start("deaf", DEAF)
    assert until(lambda: "here" in house.log_of("deaf").read_text())
    begun = time.monotonic()
    house.stop()
    assert time.monotonic() - begun > 0.4
    assert house.children["deaf"].process is not None
    assert house.children["deaf"].process.returncode == -signal.SIGKILL


def test_a_dead_child_starts_again_and_it_is_said(house: Supervisor, said: list[str]) -> None:
    house.start("web", SLEEP)
    first = house.children["web"].process
    assert first is not None
    first.kill()
    assert until(lambda: bool(house.watch() or said))
    assert "The web was killed by SIGKILL. It starts again in 1 s" in said[0]

    def is_back() -> bool:
        house.watch()
        process = house.children["web"].process
        return process is not None and process is not first and process.poll() is None

    assert until(is_back)
    house.stop()


def test_backoff_grows_to_half_a_minute() -> None:
    assert [backoff(n) for n in (1, 2, 3, 4, 5, 6, 60)] == [1, 2, 4, 8, 16, 30, 30]


def test_step_gives_its_words_or_its_reason(house: Supervisor) -> None:
    assert house.begin("step", [sys.executable, "-c", "print('done')"])() == "done\n"
    with pytest.raises(StepFailed, match="no such thing"):
        house.begin("step", [sys.executable, "-c", "raise SystemExit('no such thing')"])()


def test_signal_ends_a_step_that_is_under_way(tmp_path: Path) -> None:
    script = (
        "import os, sys; from pathlib import Path\n"
        "from helpdesk.desk.supervisor import Stopped, Supervisor\n"
        "house = Supervisor(folder=Path(sys.argv[1]), env=dict(os.environ), say=print, patience=5)\n"
        "house.listen(); house.run.take()\n"
        "try:\n    house.begin('long', [sys.executable, '-c', 'import time; time.sleep(60)'])()\n"
        "except Stopped:\n    house.stop(); house.run.release(); print('orderly')\n"
    )
    process = subprocess.Popen([sys.executable, "-c", script, str(tmp_path)], stdout=subprocess.PIPE, text=True)
    assert until(lambda: bool(marked(str(tmp_path))))
    process.send_signal(signal.SIGTERM)
    assert process.communicate(timeout=patience.SECONDS)[0] == "orderly\n"
    assert marked(str(tmp_path)) == []
    assert not (tmp_path / "run.pid").exists()


# What a crash leaves ---
def test_second_run_is_refused_and_a_stale_file_is_taken_over(tmp_path: Path) -> None:
    first = RunFile(tmp_path)
    first.take()
    assert (tmp_path / "run.pid").read_text() == f"{os.getpid()}\n"
    with pytest.raises(AlreadyRunning, match=str(os.getpid())):
        RunFile(tmp_path).take()
    first.release()
    (tmp_path / "run.pid").write_text("1\n")
    RunFile(tmp_path).take()


def test_leftovers_of_a_killed_supervisor_are_found_and_ended(house: Supervisor, tmp_path: Path) -> None:
    house.start("orphan", SLEEP)
    pid = house.children["orphan"].process.pid  # type: ignore[union-attr]
    found = RunFile(tmp_path).leftovers()
    assert found == [pid]
    # This test is the parent: a thread of the system must reap what end_all ends.
    assert end_all(found, patience=5) == 1
    assert until(lambda: not is_alive(pid))
    house.stop()


def test_a_number_that_now_belongs_to_another_program_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "run.json").write_text(
        json.dumps({"children": [{"name": "web", "pid": os.getpid(), "started": "long ago"}]})
    )
    assert RunFile(tmp_path).leftovers() == []
    (tmp_path / "run.json").write_text("half a fi")
    assert RunFile(tmp_path).leftovers() == []


def test_started_mark_tells_processes_apart() -> None:
    assert started_mark(os.getpid()) == started_mark(os.getpid()) != ""
    assert started_mark(2**22 + 1) == ""
    assert RUN_MARK not in os.environ


def test_rotate_keeps_one_older_piece(tmp_path: Path) -> None:
    path = tmp_path / "web.log"
    path.write_text("x" * 100)
    rotate(path, limit=1000)
    assert path.stat().st_size == 100
    rotate(path, limit=50)
    assert (path.stat().st_size, (tmp_path / "web.log.1").stat().st_size) == (0, 100)
    rotate(tmp_path / "none.log", limit=50)


# Parts ---
def test_ports_that_are_taken_name_the_setting() -> None:
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        port = other.getsockname()[1]
        with pytest.raises(CannotRun, match=f"make run PORT={port + 10}"):
            check_ports({"PORT": port, "SANDBOX_PORT": 1 + port})
    with pytest.raises(CannotRun, match="two different"):
        check_ports({"PORT": 8000, "SANDBOX_PORT": 8000})


def test_port_of() -> None:
    assert port_of({}, "PORT", 8000) == 8000
    assert port_of({"PORT": ""}, "PORT", 8000) == 8000
    assert port_of({"PORT": "9001"}, "PORT", 8000) == 9001
    for text in ("x", "0", "70000", "-1"):
        with pytest.raises(SystemExit, match="PORT="):
            port_of({"PORT": text}, "PORT", 8000)


def test_secrets_are_made_once_and_kept_private(tmp_path: Path) -> None:
    path = tmp_path / "secrets.env"
    first = secrets_of({}, path)
    assert path.stat().st_mode & 0o777 == 0o600
    assert secrets_of({}, path) == first
    assert len(first["SECRET_KEY"]) >= 50
    assert secrets_of({"SECRET_KEY": "mine"}, path) == {**first, "SECRET_KEY": "mine"}
    path.write_text("SECRET_KEY=kept\n")
    again = secrets_of({}, path)
    assert again["SECRET_KEY"] == "kept"
    assert again["SECRETS_KEYS"] in path.read_text()


def test_settings_fall_back_to_files(tmp_path: Path, said: list[str]) -> None:
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        port = closed.getsockname()[1]
    given = {"DATABASE_URL": f"postgres://u:secret@127.0.0.1:{port}/d", "REDIS_URL": f"redis://127.0.0.1:{port}/0"}
    found = settings_of(given, var=tmp_path, port=8000, sandbox_port=8100, say=said.append)
    assert found["DATABASE_URL"] == f"sqlite:///{tmp_path}/desk.sqlite3"
    assert (found["REDIS_URL"], found["CELERY_BROKER_URL"], found["DEMO"]) == ("", "filesystem://", "1")
    assert len(said) == 2
    assert "secret" not in str(said)


def test_settings_keep_what_answers(tmp_path: Path, said: list[str]) -> None:
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        redis = f"redis://127.0.0.1:{other.getsockname()[1]}/0"
        found = settings_of({"REDIS_URL": redis}, var=tmp_path, port=1, sandbox_port=2, say=said.append)
    assert (found["REDIS_URL"], found["CELERY_BROKER_URL"]) == (redis, redis)
    assert said == []


def test_age_and_progress() -> None:
    now = datetime(2026, 11, 17, tzinfo=UTC)
    assert age_of("2026-11-13T00:00:00+00:00\n", now) == timedelta(days=4)
    assert age_of("rubbish", now) is None
    assert age_of("2026-11-13T00:00:00", now) is None
    assert (
        progress('{"pull": [{"account": "halo", "done": 1300, "total": 2000}]}')
        == "open tickets of halo: 1,300 of 2,000"
    )
    assert progress('{"pull": [{"account": "halo", "done": 0, "total": null}]}') == ""
    assert progress("<html>") == ""


def test_newest_changes_with_the_files(tmp_path: Path) -> None:
    before = newest(tmp_path)
    (tmp_path / "a.css").write_text("a")
    assert newest(tmp_path) != before


def test_it_goes_on_when_nobody_reads_it_any_more() -> None:
    """As after a closed terminal: what is said last must not keep it from ending its children."""
    reading, writing = os.pipe()
    os.close(reading)
    said = (
        "import sys; from helpdesk.desk.supervisor import say_to;"
        "say = say_to(sys.stdout); say('a line'); say('Stopping.'); sys.stderr.write('went on')"
    )
    found = subprocess.run(
        [sys.executable, "-c", said], stdout=writing, stderr=subprocess.PIPE, text=True, timeout=60, check=False
    )
    os.close(writing)
    assert (found.returncode, found.stderr) == (0, "went on")
