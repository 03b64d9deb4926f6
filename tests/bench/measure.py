"""Turns of an operation beside turns of B, round after round: medians, spread, CPU, queries and bytes.

Wall time on a busy machine says little: every figure stands beside its ratio to B in the same rounds, and beside the
CPU time of web processes and database together.
"""

from __future__ import annotations

import statistics
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from tests.bench import usage
from tests.bench.browser import Answer, Browser
from tests.bench.operations import Operation, Scene, check, prepare

TURNS = 4
"""Of one operation in a round; the first is warm-up and not counted."""
BROWSERS = 8
HEADER_NAME = "x-bench-queries"


@dataclass
class Samples:
    """Milliseconds of every counted turn, and per round the CPU milliseconds of one turn."""

    wall: list[float] = field(default_factory=list)
    cpu: list[float] = field(default_factory=list)
    ratios: list[float] = field(default_factory=list)
    cpu_ratios: list[float] = field(default_factory=list)


@dataclass(frozen=True)
class Result:
    name: str
    ms: float
    p95: float
    ratio: float
    spread: float
    """Half the distance between the quartiles of the rounds' ratios, as a share of the ratio."""
    cpu_ms: float
    cpu_ratio: float
    per_second: float
    queries: int | None = None
    size: int | None = None
    target: float | None = None
    most_queries: int | None = None
    most_bytes: int | None = None

    @property
    def over(self) -> list[str]:
        """What is beyond its limit."""
        pairs = (
            ("time", self.ratio, self.target),
            ("queries", self.queries, self.most_queries),
            ("bytes", self.size, self.most_bytes),
        )
        return [name for name, value, most in pairs if most is not None and value is not None and value > most]


def count(operation: Operation, scene: Scene) -> tuple[int, int]:
    """(queries, bytes) of one turn, on the server that counts. The second turn: the first fills caches."""
    prepare(operation, scene)
    answers: list[Answer] = []
    for turn in range(2):
        answers = operation.ask(scene, turn)
        check(operation, answers)
    queries = sum(int(a.headers.get(HEADER_NAME, "0")) for a in answers)
    return queries, sum(len(a.body) for a in answers) or len(str(answers[-1].headers))


@dataclass
class Bench:
    """B and the product, and who works for each of them."""

    bare: Browser
    scene: Scene
    web: Sequence[int]
    bare_web: Sequence[int]
    database: Callable[[], Sequence[int]]

    def rounds(
        self,
        wanted: Sequence[Operation],
        *,
        most: int,
        seconds: float,
        say: Callable[[str], None],
    ) -> tuple[Samples, dict[str, Samples]]:
        """As many rounds as fit, at least three; each operation stands between two takes of B."""
        unit = Samples()
        found = {operation.name: Samples() for operation in wanted}
        until = time.monotonic() + seconds
        for number in range(most):
            if number >= 3 and time.monotonic() > until:
                break
            say(f"round {number + 1}")
            before = self._take_bare(unit)
            for operation in wanted:
                wall, cpu = self._take(operation, number)
                after = self._take_bare(unit)
                samples = found[operation.name]
                samples.wall += wall
                samples.cpu.append(cpu)
                middle = statistics.median([*before[0], *after[0]])
                samples.ratios.append(statistics.median(wall) / middle)
                samples.cpu_ratios.append(cpu / ((before[1] + after[1]) / 2))
                before = after
        return unit, found

    def _take_bare(self, unit: Samples) -> tuple[list[float], float]:
        def turn(_number: int) -> None:
            if self.bare.get("/").status != 200:
                raise RuntimeError("the bare page does not answer")

        wall, cpu = self._timed(turn, self.bare_web)
        unit.wall += wall
        unit.cpu.append(cpu)
        return wall, cpu

    def _take(self, operation: Operation, number: int) -> tuple[list[float], float]:
        prepare(operation, self.scene)

        def turn(place: int) -> None:
            check(operation, operation.ask(self.scene, number * TURNS + place))

        return self._timed(turn, self.web)

    def _timed(self, turn: Callable[[int], None], web: Sequence[int]) -> tuple[list[float], float]:
        turn(0)
        pids = [*web, *self.database()]
        wall = []
        used = usage.cpu_seconds(pids)
        for place in range(1, TURNS):
            started = time.perf_counter()
            turn(place)
            wall.append((time.perf_counter() - started) * 1000)
        return wall, (usage.cpu_seconds(pids) - used) * 1000 / (TURNS - 1)


def summed(name: str, samples: Samples, **limits: float | int | None) -> Result:
    quarters = statistics.quantiles(samples.ratios, n=4) if len(samples.ratios) > 1 else [0, 0, 0]
    ratio = statistics.median(samples.ratios)
    wall = sorted(samples.wall)
    middle = statistics.median(wall)
    return Result(
        name=name,
        ms=middle,
        p95=wall[min(len(wall) - 1, round(0.95 * len(wall)))],
        ratio=ratio,
        spread=(quarters[2] - quarters[0]) / 2 / ratio,
        cpu_ms=statistics.median(samples.cpu),
        cpu_ratio=statistics.median(samples.cpu_ratios),
        per_second=1000 / middle,
        **limits,  # type: ignore[arg-type]
    )


def throughput(make: Callable[[], Browser], path: str, *, seconds: float) -> float:
    """Answers a second of eight browsers that ask at once, each as soon as it has its answer."""
    done = [0] * BROWSERS
    wrong: list[int] = []
    ends = time.monotonic() + seconds

    def ask(place: int, browser: Browser) -> None:
        while time.monotonic() < ends:
            answer = browser.get(path)
            if answer.status != 200:
                wrong.append(answer.status)
                return
            done[place] += 1

    browsers = [make() for _ in range(BROWSERS)]
    threads = [threading.Thread(target=ask, args=pair) for pair in enumerate(browsers)]
    started = time.monotonic()
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for browser in browsers:
        browser.close()
    if wrong:
        raise RuntimeError(f"{path} answered {wrong[0]} under load")
    return sum(done) / (time.monotonic() - started)
