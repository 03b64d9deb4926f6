"""Faults that a tester sets: which calls they hit, and what goes wrong.

They live in memory only: a restarted sandbox has none.
"""

from __future__ import annotations

import random
import re
import threading
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

MODES = (
    "status_before",
    "status_after",
    "reset_before",
    "reset_after",
    "delay_before",
    "delay_after",
    "half_body",
    "wrong_body",
    "not_applied",
    "stale_reads",
    "strip",
)
FIELDS = {
    "psa",
    "method",
    "path",
    "mode",
    "times",
    "rate",
    "seed",
    "status",
    "body",
    "headers",
    "seconds",
    "field",
    "fields",
}
COMMENTS = "<!-- -->"


class BadFault(ValueError):
    """The fault makes no sense; the text says why."""


@dataclass
class Fault:
    """One fault. Without `times` and `rate` it hits every matching call until it is removed; `seconds` are real
    seconds."""

    mode: str
    psa: str | None = None
    method: str | None = None
    path: re.Pattern[str] | None = None
    times: int | None = None
    rate: float | None = None
    status: int = 500
    body: Any = None
    headers: dict[str, str] = field(default_factory=dict)
    seconds: float = 1.0
    fields: tuple[str, ...] = ()
    hits: int = 0
    dice: random.Random = field(default_factory=random.Random)

    def strikes(self, psa: str, method: str, path: str) -> bool:
        """Whether it hits this call; counts the hit."""
        if self.psa not in (None, psa) or self.method not in (None, method):
            return False
        if self.path is not None and not self.path.search(path):
            return False
        if self.times is not None and self.hits >= self.times:
            return False
        if self.rate is not None and self.dice.random() >= self.rate:
            return False
        self.hits += 1
        return True

    def described(self) -> dict[str, Any]:
        return {
            "psa": self.psa,
            "method": self.method,
            "path": self.path.pattern if self.path else None,
            "mode": self.mode,
            "times": self.times,
            "rate": self.rate,
            "hits": self.hits,
        }


def fault_from(values: Any) -> Fault:
    """Check a fault as JSON gives it. Raises BadFault."""
    if not isinstance(values, dict):
        raise BadFault("a fault is an object")
    if unknown := sorted(set(values) - FIELDS):
        raise BadFault(f"unknown field {unknown[0]}")
    if values.get("mode") not in MODES:
        raise BadFault(f"mode must be one of {', '.join(MODES)}")
    names = _names(values)
    if values["mode"] == "strip" and not names:
        raise BadFault(f'strip needs "field": a name of what is written, or {COMMENTS} for HTML comments')
    try:
        return Fault(
            mode=values["mode"],
            psa=values.get("psa"),
            method=values["method"].upper() if values.get("method") else None,
            path=re.compile(values["path"], re.IGNORECASE) if values.get("path") else None,
            times=None if values.get("times") is None else int(values["times"]),
            rate=None if values.get("rate") is None else float(values["rate"]),
            status=int(values.get("status") or 500),
            body=values.get("body"),
            headers={str(name): str(value) for name, value in (values.get("headers") or {}).items()},
            seconds=1.0 if values.get("seconds") is None else float(values["seconds"]),
            fields=names,
            dice=random.Random(values.get("seed")),
        )
    except (TypeError, ValueError, AttributeError, re.error) as error:
        raise BadFault(str(error)) from error


def _names(values: dict[str, Any]) -> tuple[str, ...]:
    given = values.get("fields") or values.get("field") or (values.get("body") if values["mode"] == "strip" else None)
    if isinstance(given, str):
        return (given,)
    return tuple(str(name) for name in given) if isinstance(given, list) else ()


class Faults:
    """The faults that are set, in the order they were set."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._faults: list[Fault] = []

    def add(self, fault: Fault) -> None:
        with self._lock:
            self._faults.append(fault)

    def clear(self) -> None:
        with self._lock:
            self._faults.clear()

    def all(self) -> list[dict[str, Any]]:
        with self._lock:
            return [fault.described() for fault in self._faults]

    def striking(self, psa: str, method: str, path: str) -> list[Fault]:
        with self._lock:
            return [fault for fault in self._faults if fault.strikes(psa, method, path)]


def by_mode(faults: Iterable[Fault], *modes: str) -> list[Fault]:
    return [fault for fault in faults if fault.mode in modes]


def stripped(value: Any, names: tuple[str, ...]) -> Any:
    """The value without the named fields, at any depth; COMMENTS drops HTML comments from every text."""
    if isinstance(value, dict):
        return {key: stripped(item, names) for key, item in value.items() if key not in names}
    if isinstance(value, list):
        return [stripped(item, names) for item in value]
    if isinstance(value, str) and COMMENTS in names:
        return re.sub(r"<!--.*?-->", "", value, flags=re.DOTALL)
    return value
