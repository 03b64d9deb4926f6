"""Mail addresses out of what people and PSAs write."""

from __future__ import annotations

import re

_MAIL = re.compile(
    r"[^@\s<>,;:\"\\()\[\]\x00-\x1f\x7f]{1,64}@[^@\s<>,;:\"\\()\[\]\x00-\x1f\x7f]{1,190}\.[^@\s<>,;:\".]{2,63}"
)
_BETWEEN = re.compile(r"[,;\s]+")


def is_address(text: str) -> bool:
    """One bare address: no name, no second address, nothing that could begin a header."""
    return _MAIL.fullmatch(text) is not None


def split_addresses(text: str) -> list[str]:
    """What stands between commas, semicolons or white space, each once; not checked."""
    return list(dict.fromkeys(part for part in _BETWEEN.split(text) if part))


def read_addresses(text: str) -> list[str]:
    """The addresses in a text; anything else is left out."""
    return [part for part in split_addresses(text) if is_address(part)]


def only_address(text: str) -> str:
    """The address that this is; empty when it is none, or several."""
    text = text.strip()
    return text if is_address(text) else ""
