"""One odd row holds up no other: what fails for many is done by halves, down to the row that is at fault."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import structlog
from django.db import DataError, IntegrityError

log = structlog.get_logger("halves")
ODD = (
    ArithmeticError, AssertionError, AttributeError, LookupError, TypeError, ValueError, DataError, IntegrityError,
)  # fmt: skip
"""What the values of a row raise, or a bug of ours that meets them. A database that is away is no row's fault."""


def by_halves(work: Callable[[Sequence[Any]], int], rows: Sequence[Any], *, what: str) -> int:
    """The sum of what `work` gives for these rows; it must be one transaction. A row that fails alone is logged as
    `what`, and left out."""
    try:
        return work(rows)
    except ODD:
        if len(rows) == 1:
            log.exception(what, row=str(rows[0]))
            return 0
    half = len(rows) // 2
    return by_halves(work, rows[:half], what=what) + by_halves(work, rows[half:], what=what)
