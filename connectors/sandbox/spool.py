"""Request bodies in bounded memory.

A body above `IN_MEMORY` goes to a temporary file. In a big JSON body every long base64 string is decoded in chunks
into a file
of its own and stands in the parsed value as a `Spilled`; a multipart part is copied out the same way. Bodies above
`LIMIT` are
refused with 413.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import json
import mmap
import re
import tempfile
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass, field
from email.message import Message
from io import BufferedIOBase
from pathlib import Path
from typing import IO, Any

IN_MEMORY = 2 * 1024 * 1024
LIMIT = 1024 * 1024 * 1024
CHUNK = 1024 * 1024
LONG_STRING = 256 * 1024
DATA_URI = re.compile(rb"data:([^;,]*)(?:;[^,]*?)?;base64,", re.IGNORECASE)


class TooLarge(Exception):
    """The body is above the limit."""


class BadBase64(ValueError):
    """What should be base64 is not."""


@dataclass(frozen=True)
class Spilled:
    """A file that came in a request, on disk in the spool folder. Size in bytes; `content_type` "" when unknown."""

    path: Path
    size: int
    sha256: str
    content_type: str = ""
    filename: str = ""


@dataclass
class Body:
    """A request body; `file` holds it when it is too big for memory. `parts` belongs to multipart forms."""

    content_type: str = ""
    data: bytes = b""
    file: Path | None = None
    folder: Path | None = None
    _parsed: Any = None
    _is_parsed: bool = False
    spilled: list[Spilled] = field(default_factory=list)

    @property
    def is_empty(self) -> bool:
        return self.file is None and not self.data.strip()

    def json(self) -> Any:
        """The parsed value. Raises ValueError when it is not JSON, BadBase64 for a broken long base64 string."""
        if not self._is_parsed:
            self._parsed = self._parse()
            self._is_parsed = True
        return self._parsed

    def _parse(self) -> Any:
        if self.file is None:
            return json.loads(self.data.decode("utf-8"))
        with self.file.open("rb") as raw, closing(mmap.mmap(raw.fileno(), 0, access=mmap.ACCESS_READ)) as view:
            small = b"".join(self._without_long_strings(view))
        return self._put_back(json.loads(small.decode("utf-8")))

    def _without_long_strings(self, view: mmap.mmap) -> Iterator[bytes]:
        at = 0
        while (start := view.find(b'"', at)) >= 0:
            end = _string_end(view, start)
            if end - start > LONG_STRING and self._is_base64(view, start):
                self.spilled.append(self.decode(view, start + 1, end))
                yield view[at:start] + json.dumps({"$spilled": len(self.spilled) - 1}).encode()
            else:
                yield view[at : end + 1]
            at = end + 1
        yield view[at:]

    @staticmethod
    def _is_base64(view: mmap.mmap, start: int) -> bool:
        if not re.search(rb'"data(_base64)?"\s*:\s*$', view[max(0, start - 60) : start], re.IGNORECASE):
            return False
        head = view[start + 1 : start + 400].replace(b"\\/", b"/").removesuffix(b"\\")  # an escape may be cut in two
        match = DATA_URI.match(head)
        rest = head[match.end() :] if match else head
        return re.fullmatch(rb"[A-Za-z0-9+/=]*", rest) is not None

    def decode(self, view: mmap.mmap, start: int, end: int) -> Spilled:
        """Decode the base64 (data URI or plain) between two offsets into a file, 1 MiB at a time."""
        head = view[start : min(end, start + 400)].replace(b"\\/", b"/")
        match = DATA_URI.match(head)
        if match:
            start += view[start : min(end, start + 400)].find(b",") + 1
        with self._new_file() as out:
            digest, size, left = hashlib.sha256(), 0, b""
            for at in range(start, end, CHUNK):
                text = left + view[at : min(end, at + CHUNK)].translate(None, b"\\\r\n ")
                whole = len(text) - len(text) % 4
                data = _b64(text[:whole])
                left = text[whole:]
                out.write(data)
                digest.update(data)
                size += len(data)
            data = _b64(left)
            out.write(data)
            digest.update(data)
        kind = match.group(1).decode("ascii", "replace") if match else ""
        return Spilled(Path(out.name), size + len(data), digest.hexdigest(), kind)

    def _put_back(self, value: Any) -> Any:
        if isinstance(value, dict):
            if (
                set(value) == {"$spilled"}
                and isinstance(value["$spilled"], int)
                and value["$spilled"] < len(self.spilled)
            ):
                return self.spilled[value["$spilled"]]
            return {key: self._put_back(item) for key, item in value.items()}
        return [self._put_back(item) for item in value] if isinstance(value, list) else value

    def _new_file(self) -> IO[bytes]:
        return tempfile.NamedTemporaryFile(dir=self.folder, prefix="in-", delete=False)

    def multipart(self) -> tuple[dict[str, str], list[Spilled]]:
        """Fields and files of a multipart form. Raises ValueError when there is no boundary."""
        boundary = _parameter(self.content_type, "boundary")
        if not boundary:
            raise ValueError("multipart without a boundary")
        if self.file is None:
            with self._new_file() as out:
                out.write(self.data)
            self.file = Path(out.name)
        fields: dict[str, str] = {}
        files: list[Spilled] = []
        with self.file.open("rb") as raw, closing(mmap.mmap(raw.fileno(), 0, access=mmap.ACCESS_READ)) as view:
            for start, end in _parts(view, b"--" + boundary.encode()):
                self._take_part(view, start, end, fields, files)
        self.spilled += files
        return fields, files

    def _take_part(self, view: mmap.mmap, start: int, end: int, fields: dict[str, str], files: list[Spilled]) -> None:
        split = view.find(b"\r\n\r\n", start, end)
        if split < 0:
            return
        head = view[start:split].decode("utf-8", "replace")
        lines = dict(line.split(":", 1) for line in head.split("\r\n") if ":" in line)
        values = {name.strip().lower(): value.strip() for name, value in lines.items()}
        disposition = values.get("content-disposition", "")
        name, filename = _parameter(disposition, "name"), _parameter(disposition, "filename")
        if not filename:
            fields[name.lower()] = view[split + 4 : end].decode("utf-8", "replace")
            return
        digest = hashlib.sha256()
        with self._new_file() as out:
            for at in range(split + 4, end, CHUNK):
                data = view[at : min(end, at + CHUNK)]
                out.write(data)
                digest.update(data)
        size = end - split - 4
        files.append(Spilled(Path(out.name), size, digest.hexdigest(), values.get("content-type", ""), filename))

    def discard(self) -> None:
        """Remove what is left on disk."""
        for path in [self.file, *(item.path for item in self.spilled)]:
            if path is not None:
                path.unlink(missing_ok=True)


def _string_end(view: mmap.mmap, start: int) -> int:
    at = start + 1
    while True:
        end = view.find(b'"', at)
        if end < 0:
            raise ValueError("unterminated string")
        slashes = 0
        while view[end - 1 - slashes] == 0x5C:
            slashes += 1
        if slashes % 2 == 0:
            return end
        at = end + 1


def _b64(text: bytes) -> bytes:
    try:
        return base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError) as error:
        raise BadBase64(str(error)) from error


def _parameter(header: str, name: str) -> str:
    message = Message()
    message["Content-Type"] = header if "/" in header.split(";")[0] else "x/" + header
    value = message.get_param(name)
    return value[2] if isinstance(value, tuple) else str(value or "")


def _parts(view: mmap.mmap, marker: bytes) -> Iterator[tuple[int, int]]:
    at = view.find(marker)
    while at >= 0:
        start = at + len(marker)
        if view[start : start + 2] == b"--":
            return
        end = view.find(b"\r\n" + marker, start)
        if end < 0:
            return
        yield start + 2, end
        at = end + 2


def read_body(stream: BufferedIOBase, headers: Any, folder: Path) -> Body:
    """Read a request's body, plain or chunked. Raises TooLarge above the limit."""
    content_type = headers.get("Content-Type", "")
    chunks = _chunked(stream) if "chunked" in headers.get("Transfer-Encoding", "").lower() else _plain(stream, headers)
    with tempfile.SpooledTemporaryFile(max_size=IN_MEMORY) as small:
        total, out = 0, None
        for chunk in chunks:
            total += len(chunk)
            if total > LIMIT:
                raise TooLarge
            if out is None and total > IN_MEMORY:
                out = tempfile.NamedTemporaryFile(dir=folder, prefix="body-", delete=False)  # noqa: SIM115 - outlives this
                small.seek(0)
                out.write(small.read())
            (out or small).write(chunk)
        if out is None:
            small.seek(0)
            return Body(content_type, small.read(), folder=folder)
    out.close()
    return Body(content_type, file=Path(out.name), folder=folder)


def _plain(stream: BufferedIOBase, headers: Any) -> Iterator[bytes]:
    left = int(headers.get("Content-Length") or 0)
    if left > LIMIT:
        raise TooLarge
    while left > 0:
        chunk = stream.read(min(left, CHUNK))
        if not chunk:
            raise ConnectionError("the client left in the middle of its body")
        left -= len(chunk)
        yield chunk


def _chunked(stream: BufferedIOBase) -> Iterator[bytes]:
    while size := int(stream.readline().split(b";")[0].strip() or b"0", 16):
        left = size
        while left > 0:
            chunk = stream.read(min(left, CHUNK))
            if not chunk:
                raise ConnectionError("the client left in the middle of its body")
            left -= len(chunk)
            yield chunk
        stream.readline()
    while stream.readline().strip():
        pass
