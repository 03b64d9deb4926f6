"""The sandbox as a process: its flags, kill -9, signals, and big bodies in bounded memory."""

from __future__ import annotations

import ast
import base64
import hashlib
import os
import re
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest

from connectors.sandbox import IMITATIONS
from connectors.sandbox.generator import generated
from connectors.sandbox.sandbox import Sandbox
from tests import patience
from tests.connectors.sandbox.running import running_sandbox
from tests.patience import until

ROOT = Path(__file__).resolve().parents[3]


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@contextmanager
def process(*flags: str) -> Iterator[tuple[subprocess.Popen[str], str]]:
    """A sandbox of its own; the address it serves on."""
    port = free_port()
    chosen = () if "--psa" in flags else ("--psa", "halopsa")
    command = [sys.executable, "-m", "connectors.sandbox", "--port", str(port), *chosen, *flags]
    running = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    try:
        assert running.stdout is not None
        assert "ready" in running.stdout.readline()
        yield running, f"http://127.0.0.1:{port}"
    finally:
        running.kill()
        running.communicate()


def header(url: str) -> dict[str, str]:
    form = {"grant_type": "client_credentials", "client_id": "demo", "client_secret": "demo-secret"}
    return {"Authorization": "Bearer " + httpx.post(f"{url}/halopsa/auth/token", data=form).json()["access_token"]}


def test_goes_on_after_kill_9(tmp_path: Path) -> None:
    flags = ("--state", str(tmp_path / "state.sqlite3"), "--tickets", "40")
    with process(*flags) as (running, url):
        auth = header(url)
        made = httpx.post(f"{url}/halopsa/api/Tickets", headers=auth, json=[{"summary": "Kept"}]).json()
        file = [{"ticket_id": made["id"], "filename": "a.txt", "data_base64": "aGVsbG8="}]
        attachment = httpx.post(f"{url}/halopsa/api/Attachment", headers=auth, json=file).json()
        httpx.post(f"{url}/_control/clock", json={"offset_seconds": 60})
        os.kill(running.pid, signal.SIGKILL)
        running.wait()
    with process(*flags) as (_, url):
        api = f"{url}/halopsa/api"
        assert httpx.get(f"{api}/Tickets/{made['id']}", headers=auth).json()["summary"] == "Kept"
        assert httpx.get(f"{api}/Attachment/{attachment['id']}", headers=auth).content == b"hello"
        assert httpx.get(f"{url}/_control/state").json()["halopsa"]["tickets"] == 41
        assert httpx.get(f"{url}/_control/clock").json()["offset_seconds"] == 60
        rows = httpx.get(f"{url}/_control/requests?psa=halopsa").json()
        assert [row["applied"] for row in rows[:3]] == [False, True, True]


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_ends_cleanly_with_a_connection_open(number: signal.Signals) -> None:
    with process("--tickets", "0") as (running, url), httpx.Client() as client:
        client.get(f"{url}/_control/state")
        running.send_signal(number)
        assert running.wait(timeout=patience.SECONDS) == 0


@pytest.mark.parametrize(
    ("flags", "words"),
    [(["--profile", "other"], "invalid choice"), (["--load", "/nowhere"], "no such folder")],
)
def test_refuses_with_a_reason(flags: list[str], words: str) -> None:
    command = [sys.executable, "-m", "connectors.sandbox", "--port", str(free_port()), *flags]
    ended = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=patience.SECONDS, check=False)
    assert ended.returncode == 2
    assert words in ended.stderr


def private_memory(pid: int) -> int:
    """Bytes of memory that no file backs."""
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    return next(int(line.split()[1]) * 1024 for line in lines if line.startswith("RssAnon"))


@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="reads memory from /proc")
@pytest.mark.parametrize("way", ["json", "multipart"])
def test_big_upload_needs_little_memory(tmp_path: Path, way: str) -> None:
    block = os.urandom(3 * 1024 * 1024)
    repeats = 70
    digest = hashlib.sha256()
    for _ in range(repeats):
        digest.update(block)

    def as_json() -> Iterator[bytes]:
        yield b'[{"ticket_id":1,"filename":"big.bin","note":"a \\"b\\"","data_base64":"data:application/zip;base64,'
        text = base64.b64encode(block).replace(b"/", b"\\/")
        for _ in range(repeats):
            yield text
        yield b'"}]'

    def as_form() -> Iterator[bytes]:
        yield b'--xx\r\nContent-Disposition: form-data; name="ticket_id"\r\n\r\n1\r\n--xx\r\n'
        yield b'Content-Disposition: form-data; name="file"; filename="big.b"\r\nContent-Type: application/zip\r\n\r\n'
        for _ in range(repeats):
            yield block
        yield b"\r\n--xx--\r\n"

    with process("--tickets", "30", "--state", str(tmp_path / "s.sqlite3")) as (running, url):
        auth = header(url)
        before = private_memory(running.pid)
        kind = "application/json" if way == "json" else "multipart/form-data; boundary=xx"
        content = as_json() if way == "json" else as_form()
        answer = httpx.post(
            f"{url}/halopsa/api/Attachment", headers={**auth, "Content-Type": kind}, content=content, timeout=120
        )
        grown = private_memory(running.pid) - before
        assert answer.status_code == 201, answer.text
        assert answer.json()["filesize"] == repeats * len(block)
        stored = httpx.get(f"{url}/_control/halopsa/tickets/1").json()["attachments"]
        assert digest.hexdigest() in [row["sha256"] for row in stored]
        logged = httpx.get(f"{url}/_control/requests").json()[-1]["body"]
        assert digest.hexdigest() in str(logged)
        assert len(str(logged)) < 2_000
        received = hashlib.sha256()
        with httpx.stream("GET", f"{url}/halopsa/api/Attachment/{answer.json()['id']}", headers=auth) as download:
            for chunk in download.iter_bytes():
                received.update(chunk)
        assert received.digest() == digest.digest()
        assert grown < 64 * 1024 * 1024
        assert not list((tmp_path / "s.sqlite3.files").glob("body-*"))
        assert not list((tmp_path / "s.sqlite3.files").glob("in-*"))


def test_many_at_once_lose_nothing() -> None:
    with running_sandbox(tickets=30) as sandbox:
        auth = sandbox.token()

        def work(number: int) -> list[int]:
            with httpx.Client(base_url=f"{sandbox.halopsa}/api", headers=auth, timeout=30) as api:
                body = [{"ticket_id": 1 + number % 3, "outcome_id": 7, "note": f"note {number}", "timetaken": 0.25}]
                answers = [api.post("/Actions", json=body).status_code for _ in range(10)]
                return [*answers, api.get("/Tickets").status_code]

        before = sandbox.control("GET", "state")["halopsa"]["actions"]
        with ThreadPoolExecutor(12) as pool:
            codes = [code for found in pool.map(work, range(24)) for code in found]
        assert set(codes) == {200, 201}
        assert sandbox.control("GET", "state")["halopsa"]["actions"] == before + 240
        rows = [row for row in sandbox.requests() if row["path"].endswith("/Actions")]
        assert [row["applied"] for row in rows] == [True] * 240


def test_a_crash_while_generating_leaves_nothing_half_done(tmp_path: Path) -> None:
    state = tmp_path / "state.sqlite3"
    command = [sys.executable, "-m", "connectors.sandbox", "--port", str(free_port()), "--state", str(state),
               "--psa", "halopsa"]  # fmt: skip
    started = subprocess.Popen([*command, "--tickets", "60000"], cwd=ROOT, stdout=subprocess.PIPE)
    log = state.with_name("state.sqlite3-wal")
    until(lambda: log.exists() and log.stat().st_size > 4_000_000)
    started.kill()
    started.communicate()
    with process("--state", str(state), "--tickets", "25") as (_, url):
        assert httpx.get(f"{url}/_control/state").json()["halopsa"]["tickets"] == 25


def test_all_of_them_unless_told_otherwise_and_what_a_crash_left_empty_is_filled(tmp_path: Path) -> None:
    """Killed between two of them: the next start gives the others their part, and the first no second one."""
    flags = ("--state", str(tmp_path / "state.sqlite3"), "--tickets", "60", "--seed", "3")
    every = [word for psa in IMITATIONS for word in ("--psa", psa)]
    first = next(iter(IMITATIONS))
    with running_sandbox(tickets=60, seed=3, psas=tuple(IMITATIONS)) as sandbox:
        whole = {psa: row["tickets"] for psa, row in sandbox.control("GET", "state").items()}
    with Sandbox(state=tmp_path / "state.sqlite3", psas=tuple(IMITATIONS)) as half:
        half.load(generated(tickets=60, seed=3, now_ms=half.clock.now()), only=[first])
        assert half.empty() == list(IMITATIONS)[1:]
    for more in (every, every):
        with process(*flags, *more) as (_, url):
            state = httpx.get(f"{url}/_control/state").json()
            assert {psa: row["tickets"] for psa, row in state.items()} == whole
    command = [sys.executable, "-m", "connectors.sandbox", "--help"]
    told = subprocess.run(
        command, cwd=ROOT, capture_output=True, text=True, timeout=patience.SECONDS, check=True
    ).stdout
    assert all(psa in told for psa in IMITATIONS)


def test_imitations_know_neither_connectors_nor_django() -> None:
    psas = "|".join(IMITATIONS)
    forbidden = re.compile(rf"(django|helpdesk|connectors\.(base|sync|registry)|connectors\.({psas})\.(?!sandbox))")
    homes = [ROOT / "connectors/sandbox", *(ROOT / module.replace(".", "/") for module in IMITATIONS.values())]
    files = [path for home in homes for path in home.rglob("*.py")]
    assert len(files) > 60
    for path in files:
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            names = [node.module or ""] if isinstance(node, ast.ImportFrom) else []
            names += [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
            assert [name for name in names if forbidden.match(name)] == [], path
