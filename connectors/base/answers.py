"""From an HTTP status to the error it means; the same for every PSA, with the PSA's own words put in."""

from __future__ import annotations

from collections.abc import Mapping

from connectors.base.errors import (
    AuthFailed,
    Conflict,
    ConnectorError,
    Forbidden,
    NotFound,
    RateLimited,
    Rejected,
    Unavailable,
    Unknown,
)
from connectors.base.transport import Answer


def error_of(
    answer: Answer, *, text: str = "", fields: Mapping[str, str] | None = None, retry_after: float | None = None
) -> ConnectorError:
    """The error of an answer that is not 2xx.

    3xx: somebody between us and the PSA, nothing was applied. 5xx of a write, and 408: it may have been applied.
    """
    status, request_id = answer.status, answer.request_id
    error: ConnectorError
    if status == 429:
        error = RateLimited(text, retry_after=retry_after)
    elif status == 401:
        error = AuthFailed(text, status=status)
    elif status == 403:
        error = Forbidden(text, status=status)
    elif status in (404, 410):
        error = NotFound(text, status=status)
    elif status in (409, 412, 423):
        error = Conflict(text, status=status)
    elif status >= 500 or status == 408:
        error = (Unknown if answer.is_write else Unavailable)(text or f"HTTP {status}", status=status)
    elif status < 400:
        error = Unavailable(f"an unexpected answer, HTTP {status}", status=status)
    else:
        error = Rejected(text or f"HTTP {status}", fields=fields or {"": text or f"HTTP {status}"}, status=status)
    error.request_id = request_id
    return error
