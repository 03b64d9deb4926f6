"""File contents, stored once per content under the name of their sha256."""

from __future__ import annotations

import hashlib
import os
from pathlib import Path

from connectors.sandbox.spool import Spilled


class Files:
    """A folder of contents. Nothing is removed but by `clear`: two attachments may share one content."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def path(self, sha256: str) -> Path:
        return self._folder / sha256[:2] / sha256

    def keep(self, data: bytes) -> tuple[str, int]:
        """(sha256, size) of stored bytes."""
        digest = hashlib.sha256(data).hexdigest()
        target = self.path(digest)
        if not target.exists():
            target.parent.mkdir(exist_ok=True)
            part = target.with_name(f"{digest}.{os.getpid()}.part")
            part.write_bytes(data)
            part.replace(target)
        return digest, len(data)

    def adopt(self, spilled: Spilled) -> tuple[str, int]:
        """Take over a file that came in a request, without reading it again."""
        target = self.path(spilled.sha256)
        target.parent.mkdir(exist_ok=True)
        if not target.exists():
            os.link(spilled.path, target)
        return spilled.sha256, spilled.size
