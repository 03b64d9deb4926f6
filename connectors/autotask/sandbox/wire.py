"""How Autotask writes things: instants, errors, values of a record. Source: the vendor's help and recorded answers."""

from __future__ import annotations

import re
from collections.abc import Iterable
from datetime import UTC, datetime
from functools import lru_cache
from typing import Any

from connectors.sandbox.messages import Response, empty, json_response

DAY_MS = 86_400_000


class Answer(Exception):
    """Ends a call with this response."""

    def __init__(self, response: Response) -> None:
        super().__init__(response.status)
        self.response = response


def errors(*texts: str, status: int = 500) -> Answer:
    """`{"errors": [...]}`: validation and business errors come as 500."""
    return Answer(json_response({"errors": list(texts)}, status))


def bare(status: int) -> Answer:
    return Answer(empty(status))


def wrong_verb(method: str) -> Answer:
    text = f"The requested resource does not support http method '{method}'."
    return Answer(json_response({"Message": text}, 405))


def not_permitted(verb: str) -> Answer:
    return errors(f"The logged in Resource does not have the adequate permissions to {verb} this entity type.")


@lru_cache(maxsize=4_096)
def _day(number: int) -> str:
    return datetime.fromtimestamp(number * 86_400, UTC).strftime("%Y-%m-%dT")


def date_out(value: int | None) -> str | None:
    """UTC with Z and 0 to 3 fraction digits, as many as it takes."""
    if value is None:
        return None
    day, rest = divmod(value, DAY_MS)
    seconds, part = divmod(rest, 1000)
    minutes, second = divmod(seconds, 60)
    hour, minute = divmod(minutes, 60)
    text = f"{_day(day)}{hour:02}:{minute:02}:{second:02}"
    return text + (f".{part:03}".rstrip("0") if part else "") + "Z"


def date_in(text: str) -> int:
    """Milliseconds of an ISO instant or date; without a zone it is UTC. Raises ValueError."""
    value = re.sub(r"(\.\d{6})\d+", r"\1", text.strip())
    when = datetime.fromisoformat(value)
    when = when.replace(tzinfo=UTC) if when.tzinfo is None else when
    return round(when.timestamp() * 1000)


def plain_text(markup: str) -> str:
    """The text of HTML: the API loses rich text."""
    text = re.sub(r"<!--.*?-->|<(script|style)\b.*?</\1\s*>", "", markup, flags=re.DOTALL | re.IGNORECASE)
    text = re.sub(r"<(?:br\s*/?|/p|/li|/div|/tr|/h\d)\s*>", "\n", text, flags=re.IGNORECASE)
    return re.sub(r"<[^>]*>", "", text).strip()


def items(rows: Iterable[Any], requested: int, before: str | None = None, after: str | None = None) -> dict[str, Any]:
    """The envelope of a list."""
    found = list(rows)
    page = {"count": len(found), "requestCount": requested, "prevPageUrl": before, "nextPageUrl": after}
    return {"items": found, "pageDetails": page}
