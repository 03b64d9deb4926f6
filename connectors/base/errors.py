"""The only errors a connector raises. The class decides what happens next: show, wait, look up, or ask a person."""

from __future__ import annotations

from collections.abc import Mapping


class ConnectorError(Exception):
    """Root of the taxonomy. `text` is the PSA's own wording where it gave one, made safe to show (no markup)."""

    def __init__(self, text: str = "", *, status: int | None = None, request_id: str = "") -> None:
        super().__init__(text or type(self).__name__)
        self.text = text
        self.status = status
        self.request_id = request_id


class Rejected(ConnectorError):
    """The PSA understood and said no. Never retried; shown to the person who made the change.

    `fields` maps canonical field names to the PSA's message; the key "" holds a message that names no field.
    """

    def __init__(self, text: str = "", *, fields: Mapping[str, str] | None = None, status: int | None = None) -> None:
        super().__init__(text, status=status)
        self.fields: dict[str, str] = dict(fields or {})


class AuthFailed(ConnectorError):
    """The credentials are not taken, also after one fresh token. The PSA account is paused until a person acts."""


class Forbidden(ConnectorError):
    """The credentials are good but may not do this: a scope or role is missing in the PSA."""


class NotFound(ConnectorError):
    """The record is not there (deleted or never was)."""


class Conflict(ConnectorError):
    """The PSA says that somebody else holds or changed the record: read it again and ask the person."""


class RateLimited(ConnectorError):
    """Too many calls. Surely not applied."""

    def __init__(self, text: str = "", *, retry_after: float | None = None, status: int | None = 429) -> None:
        """`retry_after`: seconds to wait; None when the PSA named none."""
        super().__init__(text, status=status)
        self.retry_after = retry_after


class Unavailable(ConnectorError):
    """No answer, or one that makes no sense, and surely nothing was applied: try again later."""


class Unknown(ConnectorError):
    """A write whose outcome is not known (timeout, reset or 5xx after it was sent): look it up before resending."""


class WrongAddress(Unavailable):
    """What answers at this address is not this PSA (HTML, a 404, or nothing that can be read as its API)."""


class BadSignature(ConnectorError):
    """What came to our own address is not from the PSA, or cannot be read. Nothing was called."""
