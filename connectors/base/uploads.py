"""A file inside a JSON body, without ever holding the file: base64 in chunks of 3n bytes, the length known before."""

from __future__ import annotations

import base64
import json
import time
import uuid
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from connectors.base.errors import Rejected
from connectors.base.records import FileDraft

CHUNK_BYTES = 3 * 64 * 1024
PROGRESS_SECONDS = 0.3


@dataclass(frozen=True)
class JsonUpload:
    """A JSON body of `length` bytes; `chunks()` gives it anew each time."""

    length: int
    chunks: Callable[[], Iterator[bytes]]


def json_upload(draft: FileDraft, frame: Callable[[str], Any], *, prefix: str = "") -> JsonUpload:
    """The body `frame(text)` as JSON, where `text` is `prefix` and the file in base64.

    `frame` is called once with a placeholder. Rejected while sending when the file is not as long as the draft says.
    """
    hole = uuid.uuid4().hex
    before, _, after = json.dumps(frame(prefix + hole), ensure_ascii=False).partition(hole)
    head, tail = before.encode("utf-8", "replace"), after.encode("utf-8", "replace")
    encoded = 4 * -(-draft.size // 3)

    def chunks() -> Iterator[bytes]:
        yield head
        yield from _encoded(draft)
        yield tail

    return JsonUpload(length=len(head) + encoded + len(tail), chunks=chunks)


def _encoded(draft: FileDraft) -> Iterator[bytes]:
    tell = _Progress(draft)
    sent = 0
    try:
        with draft.open() as stream:
            while data := _read_full(stream.read, CHUNK_BYTES):
                sent += len(data)
                if sent > draft.size:
                    raise _changed()
                yield base64.b64encode(data)
                tell(sent)
    except OSError as error:
        raise Rejected("the file cannot be read", fields={"": "the file cannot be read"}) from error
    if sent != draft.size:
        raise _changed()


def _read_full(read: Callable[[int], bytes], size: int) -> bytes:
    """Exactly `size` bytes unless the stream ends: a short read inside would put padding amid the base64."""
    data = read(size)
    while data and len(data) % 3 and (more := read(size - len(data))):
        data += more
    return data


def _changed() -> Rejected:
    return Rejected("the file has changed", fields={"": "the file has changed while it was sent"})


class _Progress:
    """Tells the draft's listener, but not more often than a few times a second, and at the end."""

    def __init__(self, draft: FileDraft) -> None:
        self._draft = draft
        self._next = 0.0

    def __call__(self, sent: int) -> None:
        tell, now = self._draft.on_progress, time.monotonic()
        if tell and (now >= self._next or sent >= self._draft.size):
            self._next = now + PROGRESS_SECONDS
            tell(sent)
