"""JSON log lines with the request or task id in each."""

from __future__ import annotations

import logging
import re
from typing import Any

import structlog

_KEYS = re.compile(r"(/(?:status|live|hooks/[^/\s]{1,60}|accounts/password/reset/key)/)[^/\s\"']{8,}")


def hide_keys(_logger: object, _method: str, line: Any) -> str:
    """A line without the keys of addresses that are keys in themselves: status links, hooks, password resets.

    Works on the finished line: an address also stands in the words of a request that was logged as an object.
    """
    return _KEYS.sub(r"\1...", str(line))


_SHARED: list[structlog.typing.Processor] = [
    structlog.contextvars.merge_contextvars,
    structlog.stdlib.add_log_level,
    structlog.stdlib.add_logger_name,
    structlog.processors.TimeStamper(fmt="iso", utc=True),
    structlog.stdlib.ExtraAdder(),
    structlog.processors.format_exc_info,
]


def formatter() -> logging.Formatter:
    """The formatter that `LOGGING` names: standard-library records become one JSON object a line."""
    return structlog.stdlib.ProcessorFormatter(
        foreign_pre_chain=_SHARED,
        processors=[
            structlog.stdlib.ProcessorFormatter.remove_processors_meta,
            structlog.processors.JSONRenderer(),
            hide_keys,
        ],
    )
