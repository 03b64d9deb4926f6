"""The folder of files as a broker, made safe: a message appears whole or not at all.

kombu's own writes into the file that readers already see. A message that is read between the two is empty, and so is a
table of queues that a kill cut short: either ends the whole worker ("Unrecoverable error: JSONDecodeError"), the second
one at every start from then on.
"""

from __future__ import annotations

import fcntl
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

    def get_table(self, exchange: str) -> list[Any]:
        try:
            return list(super().get_table(exchange))  # type: ignore[no-untyped-call]
        except ValueError:
            return []  # cut short: the next bind writes it anew

    def _queue_bind(self, exchange: str, routing_key: str, pattern: str, queue: str) -> None:
        file: Path = self._exchange_file(exchange)  # type: ignore[no-untyped-call]
        file.parent.mkdir(parents=True, exist_ok=True)
        row = filesystem.exchange_queue_t(routing_key or "", pattern or "", queue or "")
        with open(file.with_name(".lock"), "w") as held:
            fcntl.flock(held, fcntl.LOCK_EX)
            rows = self.get_table(exchange)
            if row in rows:
                return
            part = file.with_name(f".{file.name}.part")
            part.write_text(json.dumps([row, *rows]))
            os.replace(part, file)

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
