"""Who may call: a full key, one that may only read, one that has expired. Keys come in either of the two headers."""

from __future__ import annotations

from connectors.sandbox.messages import Request

FULL, READ_ONLY, EXPIRED = "demo-secret", "demo-read-only", "demo-expired"
READING_POSTS = ("billableduration", "billableworkhourssiteduration")


def key_of(request: Request) -> str:
    bearer, _, token = request.headers.get("authorization", "").partition(" ")
    return request.headers.get("x-api-key") or (token.strip() if bearer.lower() == "bearer" else "")


def is_known(request: Request) -> bool:
    """An expired key is answered like one that never was."""
    return key_of(request) in (FULL, READ_ONLY)


def may(request: Request, parts: list[str]) -> bool:
    """Whether the key may do this. Two POSTs only ask: they take a list of ids."""
    is_write = request.method != "GET" and not (request.method == "POST" and parts[-1] in READING_POSTS)
    return not is_write or key_of(request) == FULL
