"""Every check and every test, as `make test` runs them: lint, types, migrations, then pytest on SQLite and PostgreSQL.

One failing step does not stop the next. The closing lines say what ran, what failed, and what was skipped and why.
REQUIRE_SERVICES=1 makes a missing PostgreSQL, Redis or Chromium a failure.
"""

from __future__ import annotations

import contextlib
import fcntl
import hashlib
import os
import signal
import subprocess
import sys
import time
import xml.etree.ElementTree as ElementTree
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit

from tests import services
from tests.services import Service

ROOT = Path(__file__).resolve().parent.parent
WORK = ROOT / "var" / "test"
PYTHON = sys.executable
BIN = Path(PYTHON).parent
MAX_SECONDS = 50 * 60
NO_TESTS_COLLECTED = 5

# Settings come from here and not from the person's shell or .env, so that two machines run the same tests.
ENVIRONMENT = {
    "DJANGO_SETTINGS_MODULE": "helpdesk.settings",
    "SECRET_KEY": "only-for-the-checks-of-this-run-0123456789-abcdefghijklmnop",
    "SECRETS_KEYS": "c29tZSAzMiBieXRlcyBmb3IgdGhlIHRlc3RzIG9ubHk=",
    "DATABASE_URL": "sqlite:///" + str(WORK / "checks.sqlite3"),
    "REDIS_URL": "",
    "DEMO": "",
}


@dataclass
class Step:
    """One program to run. `optional` steps may find no test of their kind."""

    title: str
    command: list[str]
    environment: Mapping[str, str] = field(default_factory=dict)
    report: Path | None = None
    optional: bool = False
    seconds: float = 0.0
    verdict: str = "not run"

    @property
    def ok(self) -> bool:
        return self.verdict.startswith("ok")


def check_steps() -> list[Step]:
    templates = [Step("templates", [str(BIN / "djlint"), "--lint", "--quiet", "--allow-empty-input", "templates"])]
    return [
        Step("lint", [str(BIN / "ruff"), "check", "--output-format", "concise"]),
        Step("format", [str(BIN / "ruff"), "format", "--check", "--output-format", "concise"]),
        *(templates if any((ROOT / "templates").rglob("*.html")) else []),
        Step("types", [str(BIN / "mypy")]),
        Step("migrations", [PYTHON, "manage.py", "makemigrations", "--check", "--dry-run"]),
        Step("Django's checks", [PYTHON, "manage.py", "check"]),
    ]


def test_steps(postgres: Service, redis: Service, chromium: Service) -> list[Step]:
    found = {"TEST_REDIS_URL": redis.place, "TEST_CHROMIUM": chromium.place}
    on_sqlite = {**found, "DATABASE_URL": "sqlite:///:memory:"}
    on_postgres = {**found, "DATABASE_URL": _own_database(postgres.place)} if postgres.found else {}
    plain = "not postgres and not redis"
    steps = [_pytest("SQLite", plain if chromium.found else f"{plain} and not browser", on_sqlite, parallel=True)]
    if postgres.found:
        steps.append(_pytest("PostgreSQL", "not browser and not redis", on_postgres, parallel=True))
    if redis.found:
        # One after the other: they share one Redis database.
        marks = "redis" if postgres.found else "redis and not postgres"
        steps.append(_pytest("Redis", marks, on_postgres or on_sqlite, optional=True))
    return steps


def _pytest(
    title: str, marks: str, environment: Mapping[str, str], *, parallel: bool = False, optional: bool = False
) -> Step:
    report = WORK / f"{title.lower()}.xml"
    workers = ["-n", "2", "--dist", "loadfile"] if parallel else []
    command = [PYTHON, "-m", "pytest", "-m", marks, *workers, f"--junit-xml={report}"]
    return Step(f"tests on {title}", command, environment, report, optional)


def _own_database(url: str) -> str:
    """A database name of this checkout's own, so that two checkouts can be tested at once."""
    mark = hashlib.sha256(str(ROOT).encode()).hexdigest()[:8]
    return urlsplit(url)._replace(path=f"/helpdesk_{mark}").geturl()


def run(step: Step, *, deadline: float) -> None:
    print(f"\n--- {step.title}", flush=True)
    if step.report:
        step.report.unlink(missing_ok=True)
    started = time.monotonic()
    with subprocess.Popen(
        step.command, cwd=ROOT, env={**os.environ, **ENVIRONMENT, **step.environment}, start_new_session=True
    ) as process:
        try:
            code = process.wait(timeout=max(1.0, deadline - started))
            step.verdict = _verdict(step, code)
        except subprocess.TimeoutExpired:
            step.verdict = f"stopped: the whole run may take {MAX_SECONDS // 60} minutes"
        except KeyboardInterrupt:
            step.verdict = "interrupted"
            raise
        finally:
            # Also what the program left behind: browsers, workers, servers.
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
            step.seconds = time.monotonic() - started


def _verdict(step: Step, code: int) -> str:
    if code == 0:
        return "ok"
    if step.report and code == NO_TESTS_COLLECTED:
        return "ok, there is none" if step.optional else "failed, no test was found"
    return f"failed (exit {code})"


def counts(report: Path | None) -> tuple[int, int, int]:
    """Passed, failed and skipped, from pytest's own report; zeros when it wrote none."""
    if report is None or not report.exists():
        return 0, 0, 0
    suites = list(ElementTree.parse(report).getroot().iter("testsuite"))
    total, failures, errors, skipped = (
        sum(int(suite.get(name, "0")) for suite in suites) for name in ("tests", "failures", "errors", "skipped")
    )
    return total - failures - errors - skipped, failures + errors, skipped


def reruns(report: Path | None) -> list[str]:
    """Browser tests that took a second try: they stand in the report twice, first without a verdict."""
    if report is None or not report.exists():
        return []
    cases = list(ElementTree.parse(report).getroot().iter("testcase"))
    names = [f"{case.get('classname', '')}.{case.get('name', '')}" for case in cases]
    verdicts = ("failure", "error", "skipped")
    return [
        name
        for place, (name, case) in enumerate(zip(names, cases, strict=True))
        if name in names[place + 1 :] and all(case.find(verdict) is None for verdict in verdicts)
    ]


def close(steps: list[Step], missing: list[Service], *, strict: bool) -> int:
    print(f"\n{'-' * 60}")
    passed = failed = skipped = 0
    for step in steps:
        done, bad, left = counts(step.report)
        passed, failed, skipped = passed + done, failed + bad, skipped + left
        tests = f", {done} passed, {bad} failed, {left} skipped" if step.report else ""
        print(f"{step.title}: {step.verdict}{tests} ({step.seconds:.0f} s)")
        for name in reruns(step.report):
            print(f"  run twice, which is a race to be mended: {name}")
    for service in missing:
        print(f"{service.name} tests: {'FAILED' if strict else 'skipped'}, {service.reason}")
    if missing and strict:
        print("REQUIRE_SERVICES is set: a missing service is a failure.")
    if any(step.report for step in steps):
        print(f"{passed} passed, {failed} failed, {skipped} skipped", flush=True)
    return 1 if any(not step.ok for step in steps) or (missing and strict) else 0


@contextlib.contextmanager
def alone() -> Iterator[None]:
    """Two runs in one checkout would share reports and test databases: the second waits."""
    WORK.mkdir(parents=True, exist_ok=True)
    with (WORK / "lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            print("Another test run is busy in this folder; waiting for it.", flush=True)
            fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def main(arguments: list[str]) -> int:
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    steps = check_steps()
    missing: list[Service] = []
    if "--lint" not in arguments:
        found = [services.postgres(), services.redis(), services.chromium()]
        missing = [service for service in found if not service.found]
        steps += test_steps(*found)
    deadline = time.monotonic() + MAX_SECONDS
    with alone():
        try:
            for step in steps:
                run(step, deadline=deadline)
        except KeyboardInterrupt:
            close(steps, missing, strict=False)
            return 130
    return close(steps, missing, strict=os.environ.get("REQUIRE_SERVICES", "") not in ("", "0"))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
