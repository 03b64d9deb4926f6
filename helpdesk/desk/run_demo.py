"""`make run`: the whole demo on one machine, from an empty folder to a page that can be opened.

Nothing here needs Django's settings to be complete: the secrets are made here, and every step runs as a child with the
right environment. All state lives in the var folder, so that a stop or a kill at any point continues at the next run.
"""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from pathlib import Path

from helpdesk.desk.demo import ACCOUNTS, PASSWORD, unconnected
from helpdesk.desk.demo_parts import (
    CannotRun,
    Say,
    age_of,
    ask,
    check_ports,
    newest,
    port_of,
    progress,
    secrets_of,
    settings_of,
    write_private,
)
from helpdesk.desk.supervisor import AlreadyRunning, StepFailed, Stopped, Supervisor, end_all

OLD_AFTER = timedelta(days=3)
LIVE_PER_MINUTE = "4"
CALLS = "10000/60"
"""The PSAs' own allowances are for a desk that asks every half minute; the demo asks every three seconds."""
TICKETS, SEED = "2000", "7"
SIGN_INS = (
    ("dispatcher@demo.test", "who takes this, before it breaches"),
    ("technician@demo.test", "my queue, answer, log time"),
    ("manager@demo.test", "did we keep our promises"),
    ("admin@demo.test", "connections, mapping, people"),
    ("client@demo.test", "is anybody on it?"),
    ("otherclient@demo.test", "another company, sees nothing of the first"),
)


def run(*, root: Path, var: Path, environ: Mapping[str, str], say: Say, now: datetime) -> int:
    """0 after an orderly end, 1 when it could not start."""
    demo = Demo(root=root, var=var.absolute(), environ=environ, say=say, now=now)
    demo.house.listen()
    try:
        demo.open()
        demo.watch()
    except (Stopped, CannotRun, StepFailed) as reason:
        if not isinstance(reason, Stopped):
            say(str(reason))
            return 1
    finally:
        demo.close()
    return 0


class Demo:
    def __init__(self, *, root: Path, var: Path, environ: Mapping[str, str], say: Say, now: datetime) -> None:
        self.root, self.var, self.say, self.now = root, var, say, now
        self.began = time.monotonic()
        self.port = port_of(environ, "PORT", 8000)
        self.sandbox_port = port_of(environ, "SANDBOX_PORT", 8100)
        var.mkdir(parents=True, exist_ok=True)
        self.environ = environ
        self.house = Supervisor(folder=var, env={}, say=say, cwd=root)
        self.is_ours = False

    @property
    def address(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def sandbox(self) -> str:
        return f"http://127.0.0.1:{self.sandbox_port}"

    def python(self, *words: str) -> list[str]:
        return [sys.executable, *words]

    def manage(self, *words: str) -> list[str]:
        return self.python("manage.py", *words)

    # The steps, in order -------------------------------------------------------------------------------------------
    def open(self) -> None:
        try:
            self.house.run.take()
        except AlreadyRunning as other:
            raise CannotRun(f"The demo already runs here (process {other}). Stop it there with Ctrl-C.") from None
        self.is_ours = True
        self._end_leftovers()
        check_ports({"PORT": self.port, "SANDBOX_PORT": self.sandbox_port})
        self.house.env = self._environment()
        self._say_age()
        self.house.start("sandbox", self._sandbox_command())
        migrated = self.house.begin("migrate", self.manage("migrate", "--noinput", "--verbosity", "0"))
        collected = self._collect()
        migrated()
        self._done("database")
        people = json.loads(self.house.begin("people", self.manage("demo_people"))().strip().splitlines()[-1])
        collected()
        self._done("people and pages")
        self._serve()
        self._wait_for_sandbox()
        self._done("sandbox")
        self._connect(people.get("accounts", {}))
        self._wait_until_ready()
        self.house.begin("people", self.manage("demo_people"))()
        self._done("open tickets")
        self._say_welcome()

    def _end_leftovers(self) -> None:
        left = self.house.run.leftovers()
        if left:
            self.say(f"Ending {len(left)} processes that an earlier run left behind.")
            end_all(left)
        # A scheduler killed in the middle of a write leaves a file that the next one cannot read; it holds nothing.
        for path in self.var.glob("beat.db*"):
            path.unlink(missing_ok=True)

    def _environment(self) -> dict[str, str]:
        """The child's environment, and a copy for people who want to run manage.py beside the demo."""
        ours = settings_of(
            self.environ, var=self.var, port=self.port, sandbox_port=self.sandbox_port, say=self.say
        ) | secrets_of(self.environ, self.var / "secrets.env")
        write_private(self.var / "run.env", "".join(f"{name}='{value}'\n" for name, value in sorted(ours.items())))
        return {**self.environ, **ours}

    def _say_age(self) -> None:
        path = self.var / "born"
        if not path.exists():
            path.write_text(self.now.isoformat())
            return
        age = age_of(path.read_text(), self.now)
        if age is not None and age > OLD_AFTER:
            self.say(f"This demo is {age.days} days old: its dates have grown stale. make reset starts anew.")

    def _sandbox_command(self) -> list[str]:
        psas = [word for account in ACCOUNTS for word in ("--psa", account.kind)]
        return self.python(
            "-m", "connectors.sandbox", "--port", str(self.sandbox_port), "--state", str(self.var / "sandbox.sqlite3"),
            "--profile", "vendor", "--tickets", self.environ.get("SANDBOX_TICKETS") or TICKETS, "--seed", SEED,
            "--live", LIVE_PER_MINUTE, "--rate-limit", CALLS, *psas,
        )  # fmt: skip

    def _collect(self) -> Callable[[], object]:
        """Collect styles and scripts when any of them changed since the last time."""
        stamp, now = self.var / "static.stamp", newest(self.root / "static", self.root / "requirements.lock")
        if stamp.exists() and stamp.read_text() == now and (self.var / "static").is_dir():
            return lambda: None
        finish = self.house.begin("static", self.manage("collectstatic", "--noinput", "--verbosity", "0"))

        def done() -> None:
            finish()
            stamp.write_text(now)

        return done

    def _serve(self) -> None:
        self.house.start("web", self.python("-m", "gunicorn", "--config", "helpdesk/gunicorn.py"))
        self.house.start(
            "worker",
            self.python(
                "-m", "celery", "--app", "helpdesk", "worker", "--pool", "threads", "--concurrency", "4", "--beat",
                "--schedule", str(self.var / "beat.db"), "--loglevel", "INFO", "--without-gossip", "--without-mingle",
            ),
        )  # fmt: skip

    def _wait_for_sandbox(self) -> None:
        self._until(lambda: ask(f"{self.sandbox}/_control/state")[0] == 200, "The sandbox is still filling up")

    def _connect(self, known: Mapping[str, str]) -> None:
        """Register the sandbox's PSAs, again when its port is another one than last time."""
        if unconnected(self.sandbox, known):
            self.house.begin("connect", self.manage("demo_accounts", "--sandbox", self.sandbox))()
            self._done("connections")

    def _wait_until_ready(self) -> None:
        told = ""

        def look() -> bool:
            nonlocal told
            code, body = ask(f"{self.address}/readyz")
            line = progress(body)
            if line != told and line:
                self._line(line)
                told = line
            return code == 200

        self._until(look, "Not ready yet")
        if told and sys.stdout.isatty():
            self.say("")

    def _until(self, is_there: Callable[[], bool], text: str) -> None:
        begun, hint = time.monotonic(), 60.0
        while not is_there():
            if self.house.is_stopping:
                raise Stopped
            self.house.watch()
            if time.monotonic() - begun > hint:
                self.say(f"{text} after {hint:.0f} s. The logs are in {self.house.logs}")
                hint *= 2
            time.sleep(0.2)

    def watch(self) -> None:
        while not self.house.is_stopping:
            self.house.watch()
            time.sleep(0.5)

    def close(self) -> None:
        if not self.is_ours:
            return
        if self.house.children:
            self.say("")
            self.say("Stopping.")
        self.house.stop()
        self.house.run.release()

    # What people read ------------------------------------------------------------------------------------------------
    def _done(self, what: str) -> None:
        self.say(f"  {what:<18}ready after {time.monotonic() - self.began:4.1f} s")

    def _line(self, text: str) -> None:
        if sys.stdout.isatty():
            sys.stdout.write(f"\r  {text:<60}")
            sys.stdout.flush()
        else:
            self.say(f"  {text}")

    def _say_welcome(self) -> None:
        width = max(len(mail) for mail, _why in SIGN_INS)
        self.say("")
        self.say(f"  Desk      http://localhost:{self.port}/")
        self.say(f"  Sandbox   {self.sandbox}/")
        self.say("")
        self.say(f"  Sign in with the password {PASSWORD} as")
        for mail, why in SIGN_INS:
            self.say(f"    {mail:<{width}}   {why}")
        self.say("")
        self.say(f"  Logs are in {self.house.logs}. manage.py beside it: set -a; . {self.var}/run.env; set +a")
        self.say("  Ctrl-C stops all of it; make run goes on where it was; make reset starts anew.")
