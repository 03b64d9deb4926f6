"""One run of the benchmark on a copy of a filled database: nothing that is saved here reaches the fill."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager, suppress

from tests.bench import measure, places, servers, usage
from tests.bench.places import Place
from tests.bench.report import Line, Report

BARE = "tests.bench.bare:application"
PRODUCT = "helpdesk.wsgi:application"
MOST_MEMORY, MOST_GROWTH = 200, 1.02
PULL_AT_LEAST, PULL_GROWTH = 1000, 1.15
GROWTH = 1.3

Say = Callable[[str], None]


@contextmanager
def copy_of(place: Place) -> Iterator[Place]:
    """A database to write into, gone afterwards. Django of this process must have let go of `place`."""
    copy = place.beside("run")
    copy.become_copy_of(place)
    try:
        yield copy
    finally:
        places.let_go()
        copy.drop()


def operations_on(
    copy: Place, report: Report, *, seconds: float, rounds: int, say: Say, only: str = "", is_whole: bool = True
) -> None:
    """Count, then time, then ask with eight at once, then weigh. Django of this process is on `copy`."""
    with ExitStack() as stack:
        settings = places.environment(copy)
        settings["REDIS_URL"] = stack.enter_context(servers.own_redis(settings["REDIS_URL"]))
        _collect_static(settings)
        counts = _counted(settings, only, say)
        product = stack.enter_context(servers.gunicorn("product", PRODUCT, "/healthz", settings))
        bare = stack.enter_context(servers.gunicorn("bare", BARE, "/", settings))
        _time(copy, product, bare, counts, report, seconds=seconds, rounds=rounds, say=say)
        if is_whole and not only:
            _together(product, bare, report, say)
            _weigh(product, report, say)


def _collect_static(settings: dict[str, str]) -> None:
    """The manifest that production has."""
    command = [sys.executable, "manage.py", "collectstatic", "--noinput", "--verbosity", "0"]
    done = subprocess.run(
        command, cwd=places.ROOT, env={**_environ(), **settings}, capture_output=True, text=True, check=False
    )
    if done.returncode:
        raise places.CannotRun(f"collectstatic failed:\n{done.stderr[-2000:]}")


def _environ() -> dict[str, str]:
    import os

    return dict(os.environ)


def _counted(settings: dict[str, str], only: str, say: Say) -> dict[str, tuple[int, int]]:
    """Queries and bytes of every operation, on a server that counts: never the one that is timed."""
    from tests.bench.operations import operations, scene

    say("queries and bytes are counted")
    counting = {**settings, "DJANGO_SETTINGS_MODULE": "tests.bench.counted"}
    with servers.gunicorn("counting", PRODUCT, "/healthz", counting) as server:
        found = scene(server)
        return {operation.name: measure.count(operation, found) for operation in operations() if only in operation.name}


def _time(
    copy: Place,
    product: servers.Server,
    bare: servers.Server,
    counts: dict[str, tuple[int, int]],
    report: Report,
    *,
    seconds: float,
    rounds: int,
    say: Say,
) -> None:
    from tests.bench.operations import operations, scene

    wanted = [operation for operation in operations() if operation.name in counts]
    bench = measure.Bench(bare.browser(), scene(product), product.workers, bare.workers, copy.backends)
    unit, samples = bench.rounds(wanted, most=rounds, seconds=seconds, say=say)
    unit.ratios, unit.cpu_ratios = [1.0], [1.0]
    report.unit = measure.summed("B", unit)
    for operation in wanted:
        queries, size = counts[operation.name]
        report.results.append(
            measure.summed(
                operation.name,
                samples[operation.name],
                queries=queries,
                size=size,
                target=operation.ratio,
                most_queries=operation.queries,
                most_bytes=operation.size,
            )
        )


def _together(product: servers.Server, bare: servers.Server, report: Report, say: Say) -> None:
    """Eight browsers at once, in turn on B and on the list."""
    from tests.bench.desk import DISPATCHER, PASSWORD

    say("eight browsers at once")
    person = product.browser()
    person.sign_in(DISPATCHER, PASSWORD)
    ours: list[float] = []
    theirs: list[float] = []
    for _ in range(3):
        theirs.append(measure.throughput(bare.browser, "/", seconds=4))
        ours.append(measure.throughput(person.twin, "/tickets/", seconds=4))
    mine, unit = sorted(ours)[1], sorted(theirs)[1]
    report.lines.append(
        Line(
            "eight browsers at once on the list",
            f"{mine:.0f}/s against {unit:.0f}/s of B: {mine / unit:.2f}",
            "1.0 of B",
            mine < unit,
            {"per_second": mine, "b_per_second": unit, "all": [ours, theirs]},
        )
    )


def _weigh(product: servers.Server, report: Report, say: Say) -> None:
    """Memory after all of that, and after as much again. With the process that started them, which shares with them."""
    from tests.bench.operations import operations, scene

    say("memory is weighed")
    everyone = [product.pid, *product.workers]
    pss, rss = usage.memory_mib(everyone)
    found = scene(product)
    reading = [operation for operation in operations() if not operation.writes]
    for turn in range(15):
        for operation in reading:
            operation.ask(found, turn)
    again, rss_again = usage.memory_mib(everyone)
    report.lines.append(
        Line(
            "memory of two web processes and their parent",
            f"{pss:.0f} MiB (PSS; RSS {rss:.0f}), after {15 * len(reading)} more pages {again:.0f} MiB",
            f"{MOST_MEMORY} MiB, not growing",
            again > MOST_MEMORY or again > pss * MOST_GROWTH,
            {"pss_mib": pss, "rss_mib": rss, "pss_again_mib": again, "rss_again_mib": rss_again},
        )
    )


def background(report: Report, say: Say) -> None:
    """Background work, on the copy that was asked before. Django of this process is on it, and nobody else."""
    from tests.bench import aggregation, following

    say("report rows are counted")
    report.lines += aggregation.measured()
    say("open tickets follow an edited calendar")
    report.lines.append(following.measured())


def pull_speed(place: Place, report: Report, *, tickets: int, seed: int, say: Say) -> None:
    """The ticket lane of a pull into an empty database beside the filled one."""
    say(f"a pull of {tickets} tickets from the sandbox")
    empty = place.beside("pull")
    empty.make()
    try:
        with servers.sandbox(tickets, seed) as address:
            command = [sys.executable, "-m", "tests.bench.pulling", address, empty.url]
            own = {"PSA_ALLOW_PRIVATE_ADDRESSES": "1", **places.environment(empty), "REDIS_URL": ""}
            done = subprocess.run(
                command, cwd=places.ROOT, env={**_environ(), **own}, capture_output=True, text=True, check=False
            )
    finally:
        with suppress(places.CannotRun):
            empty.drop()
    if done.returncode:
        raise places.CannotRun(f"the pull failed:\n{done.stderr[-2000:]}")
    figures = json.loads(done.stdout.strip().splitlines()[-1])
    is_growing = figures["memory_end_mib"] > figures["memory_early_mib"] * PULL_GROWTH
    report.lines.append(
        Line(
            "pull, ticket records applied",
            f"{figures['per_second']:.0f}/s ({figures['per_cpu_second']:.0f} per second of CPU)"
            f", {figures['records']:,} records; memory {figures['memory_early_mib']:.0f} MiB early,"
            f" {figures['memory_end_mib']:.0f} MiB at the end",
            f"{PULL_AT_LEAST:,}/s, memory flat",
            figures["per_second"] < PULL_AT_LEAST or is_growing,
            figures,
        )
    )


def compare_sizes(reports: Sequence[Report]) -> list[Line]:
    """What the biggest desk costs against the smallest, operation by operation."""
    small, big = reports[0], reports[-1]
    before = {r.name: r for r in small.results}
    found = []
    for result in big.results:
        old = before[result.name]
        times, cpu = result.ratio / old.ratio, result.cpu_ratio / old.cpu_ratio
        found.append(
            Line(
                f"growth: {result.name}",
                f"{times:.2f} times (CPU {cpu:.2f}) from {small.tickets:,} to {big.tickets:,} tickets",
                f"{GROWTH:g} times",
                times > GROWTH,
                {"times": times, "cpu_times": cpu, "from": small.tickets, "to": big.tickets},
            )
        )
    return found
