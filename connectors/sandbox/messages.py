"""A request and a response, as an imitation sees them: plain values, no sockets."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from connectors.sandbox.spool import Body

JSON = "application/json; charset=utf-8"


@dataclass(frozen=True)
class Request:
    """`path` is below the mount and starts with a slash; query names are lower case, the last value of a name wins.

    `stale_before_ms` is set by the fault `stale_reads`: lists show nothing written after that wall-clock instant.
    """

    method: str
    path: str
    full_path: str
    query: Mapping[str, str]
    headers: Mapping[str, str]
    body: Body
    base_url: str = ""
    stale_before_ms: int | None = None
    strip: tuple[str, ...] = ()


@dataclass
class Response:
    """`file` is streamed after the headers instead of `body`."""

    status: int = 200
    body: bytes = b""
    headers: dict[str, str] = field(default_factory=dict)
    file: Path | None = None

    @property
    def length(self) -> int:
        return len(self.body) if self.file is None else self.file.stat().st_size


def json_response(value: Any, status: int = 200) -> Response:
    text = json.dumps(value, ensure_ascii=False, separators=(",", ":"))
    return Response(status, text.encode("utf-8", "surrogatepass"), {"Content-Type": JSON})


def empty(status: int) -> Response:
    return Response(status)
