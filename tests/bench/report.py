"""The figures as a table for people, as Markdown for the README, and as JSON."""

from __future__ import annotations

import json
import os
import platform
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from tests.bench.measure import Result


@dataclass
class Line:
    """A figure that is no time of an answer: throughput, memory, pull, growth."""

    name: str
    value: str
    target: str
    is_over: bool
    figures: dict[str, Any] = field(default_factory=dict)


@dataclass
class Report:
    tickets: int
    actions: int
    database: str
    unit: Result | None = None
    results: list[Result] = field(default_factory=list)
    lines: list[Line] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)

    def to_json(self) -> dict[str, Any]:
        return {
            "at": datetime.now(UTC).isoformat(timespec="seconds"),
            "machine": {"processors": os.cpu_count(), "python": platform.python_version(), "load": os.getloadavg()},
            "tickets": self.tickets,
            "actions": self.actions,
            "database": self.database,
            "b": asdict(self.unit) if self.unit else None,
            "operations": [{**asdict(r), "over": r.over, "verdict": _verdict(r)} for r in self.results],
            "other": [asdict(line) for line in self.lines],
            "notes": self.notes,
        }

    def write_json(self, path: Path) -> None:
        path.write_text(json.dumps(self.to_json(), indent=1) + "\n")

    @property
    def title(self) -> str:
        where = f"{self.tickets:,} tickets, {self.actions:,} actions, {self.database}"
        if self.unit is None:
            return where
        unit = self.unit
        return f"{where}. B = {unit.ms:.1f} ms (p95 {unit.p95:.1f} ms, CPU {unit.cpu_ms:.1f} ms)"

    def rows(self) -> list[list[str]]:
        found = [_HEAD]
        for r in self.results:
            found.append(
                [
                    r.name, f"{r.ms:.1f}", f"{r.p95:.1f}", f"{r.per_second:.0f}", f"{r.ratio:.2f}", f"{r.spread:.0%}",
                    f"{r.cpu_ms:.1f}", f"{r.cpu_ratio:.2f}", "" if r.target is None else f"{r.target:g}",
                    _of(r.queries, r.most_queries), _of(r.size, r.most_bytes), _verdict(r),
                ]
            )  # fmt: skip
        return found

    def text(self) -> str:
        lines = [self.title, "", *_aligned(self.rows()), ""]
        wide = max((len(line.name) for line in self.lines), default=0)
        for line in self.lines:
            lines.append(f"{line.name:<{wide}}  {line.value}  (target {line.target}) {_word(line.is_over)}")
        return "\n".join([*lines, *("Note: " + note for note in self.notes)])

    def markdown(self) -> str:
        head, *rows = self.rows()
        lines = [self.title + ".", "", _marked(head), _marked(["---", *["---:"] * (len(head) - 2), "---"])]
        lines += [_marked(row) for row in rows]
        lines += ["", "| figure | measured | target | verdict |", "| --- | --- | --- | --- |"]
        lines += [_marked([line.name, line.value, line.target, _word(line.is_over)]) for line in self.lines]
        return "\n".join(lines)


_HEAD = [
    "operation", "ms", "p95", "/s", "of B", "±", "CPU ms", "CPU of B", "target", "queries", "bytes", "verdict",
]  # fmt: skip


def _of(value: int | None, most: int | None) -> str:
    if value is None:
        return ""
    return f"{value:,}" if most is None else f"{value:,} / {most:,}"


def _verdict(result: Result) -> str:
    return f"over: {', '.join(result.over)}" if result.over else "ok"


def _word(is_over: bool) -> str:
    return "over" if is_over else "ok"


def _marked(cells: Sequence[str]) -> str:
    return "| " + " | ".join(cells) + " |"


def _aligned(rows: Sequence[Sequence[str]]) -> list[str]:
    wide = [max(len(row[i]) for row in rows) for i in range(len(rows[0]))]
    return [
        "  ".join(
            cell.ljust(size) if i in (0, len(row) - 1) else cell.rjust(size)
            for i, (cell, size) in enumerate(zip(row, wide, strict=True))
        ).rstrip()
        for row in rows
    ]
