"""The folder of files as a broker, made safe: a message appears whole or not at all.

kombu's own writes a message into the file that readers already see: one that is read between the two is empty, and an
empty message ends the whole worker ("Unrecoverable error: JSONDecodeError").
"""

from __future__ import annotations

import json
import os
import time
import uuid
from pathlib import Path
from typing import Any

from kombu.exceptions import ChannelError
from kombu.transport import TRANSPORT_ALIASES, filesystem

SCHEME = "filesystem"


class Channel(filesystem.Channel):
    """Writes beside, then renames; a message that a kill cut short is dropped."""

    def _put(self, queue: str, payload: Any, **kwargs: Any) -> None:  # type: ignore[override]
        name = f"{round(time.monotonic() * 1000)}_{uuid.uuid4()}.{queue}.msg"
        whole = Path(self.data_folder_out) / name
        part = whole.with_name(f".{name}.part")
        try:
            part.write_text(json.dumps(payload))
            os.replace(part, whole)
        except OSError as error:
            raise ChannelError(f"cannot add {name} to the queue") from error

    def _get(self, queue: str) -> Any:  # type: ignore[override]
        while True:
            try:
                return super()._get(queue)  # type: ignore[no-untyped-call]
            except ValueError:
                continue


class Transport(filesystem.Transport):
    Channel = Channel


def install() -> None:
    """Answer for `filesystem://` from now on."""
    TRANSPORT_ALIASES[SCHEME] = f"{__name__}:Transport"
