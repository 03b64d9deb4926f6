"""Big bodies: what a long base64 string becomes."""

from __future__ import annotations

import base64
import hashlib
from pathlib import Path

import pytest

from connectors.sandbox.spool import LONG_STRING, Body, Spilled


@pytest.mark.parametrize("padding", range(8))
def test_a_long_file_goes_to_disk_wherever_its_escapes_fall(padding: int, tmp_path: Path) -> None:
    """Slashes are escaped, every one of them here: whatever is looked at of the text may end between the two."""
    content = b"\xff" * (LONG_STRING * 2)
    text = base64.b64encode(content).replace(b"/", b"\\/")
    body = tmp_path / "body"
    body.write_bytes(b'{"note": "%s", "data_base64": "data:a%s/b;base64,%s"}' % (b"n", b"a" * padding, text))
    found = Body(file=body, folder=tmp_path).json()
    data = found["data_base64"]
    assert isinstance(data, Spilled)
    assert (data.size, data.sha256) == (len(content), hashlib.sha256(content).hexdigest())
    assert found["note"] == "n"
