"""How HaloPSA writes things: dates, booleans, errors, list parameters. Source: the vendor's recorded behaviour."""

from __future__ import annotations

import html
import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from connectors.sandbox.imitation import Window
from connectors.sandbox.messages import Response, empty, json_response

UNSET_DATE = "1900-01-01T00:00:00"
PAGE_LIMIT = 100
DEFAULT_ROWS = 50


class Answer(Exception):
    """Ends a call with this response."""

    def __init__(self, response: Response) -> None:
        super().__init__(response.status)
        self.response = response


def rule_broken(message: str) -> Answer:
    """400 in the shape of a .NET exception: a business rule refused the call."""
    body = {
        "ClassName": "System.Exception", "Message": message, "Data": None, "InnerException": None, "HelpURL": None,
        "StackTraceString": None, "RemoteStackTraceString": None, "RemoteStackIndex": 0, "ExceptionMethod": None,
        "HResult": -2146233088, "Source": None, "WatsonBuckets": None,
    }  # fmt: skip
    return Answer(json_response(body, 400))


def not_bound(name: str, message: str) -> Answer:
    """400 in the shape of ASP.NET's ModelState: a value could not be read."""
    return Answer(json_response({name: [message]}, 400))


def too_many(limit: Window, wait: float) -> Response:
    """429 in the words of the vendor; `wait` seconds stand in Retry-After where the limit says so."""
    span = f"{limit.seconds / 60:g} minute" if limit.seconds >= 60 else f"{limit.seconds:g} second"
    answer = json_response({"error": f"Rate Limit Reached - {limit.requests} Requests per rolling {span} window"}, 429)
    if limit.retry_after:
        answer.headers["Retry-After"] = str(int(wait) + 1)
    return answer


def bare(status: int) -> Answer:
    """401, 403, 404 and 500 come with an empty body."""
    return Answer(empty(status))


def date_out(value: int | None) -> str | None:
    """Naive UTC with 0 to 3 fraction digits, as many as it takes; None for an unset instant."""
    if not value:
        return None
    text = datetime.fromtimestamp(value / 1000, UTC).strftime("%Y-%m-%dT%H:%M:%S")
    rest = value % 1000
    return f"{text}.{rest:03d}".rstrip("0") if rest else text


def date_in(text: str, *, end_of_day: bool = False) -> int:
    """Milliseconds of an ISO date or instant, naive = UTC. `end_of_day`: a bare date means its last moment."""
    value = text.strip()
    if re.fullmatch(r"\d{4}-\d\d-\d\d", value) and end_of_day:
        return date_in(value) + 86_400_000 - 1
    value = re.sub(r"(\.\d{6})\d+", r"\1", value.replace(" ", "T") if "T" not in value else value)
    when = datetime.fromisoformat(value)
    when = when.replace(tzinfo=UTC) if when.tzinfo is None else when
    return round(when.timestamp() * 1000)


def plain_text(markup: str) -> str:
    """The text of HTML: tags and comments gone, breaks kept."""
    text = re.sub(r"<!--.*?-->|<(script|style)\b.*?</\1\s*>", "", markup, flags=re.DOTALL | re.IGNORECASE)
    text = re.sub(r"<(?:br\s*/?|/p|/li|/div|/tr|/h\d)\s*>", "\n", text, flags=re.IGNORECASE)
    return html.unescape(re.sub(r"<[^>]*>", "", text)).strip()


def as_html(text: str) -> str:
    return (
        "<p>" + html.escape(text, quote=False).replace("\n\n", "</p><p>").replace("\n", "<br>") + "</p>" if text else ""
    )


@dataclass(frozen=True)
class Params:
    """Query parameters; names are lower case. Unknown ones are never looked at; profile `brief` knows more."""

    values: Mapping[str, str]
    is_brief: bool = False

    @property
    def is_paged(self) -> bool:
        """`pageinate=true` asks for pages; in profile `brief` a page number or size does as well."""
        return self.flag("pageinate") or (self.is_brief and bool(self.text("page_no") or self.text("page_size")))

    def text(self, name: str) -> str:
        return self.values.get(name, "").strip()

    def flag(self, name: str) -> bool:
        """Only `true` in any case is true; `1` is not."""
        return self.values.get(name, "").strip().lower() == "true"

    def integer(self, name: str) -> int | None:
        text = self.text(name)
        if not text:
            return None
        try:
            return int(float(text))
        except (ValueError, OverflowError):
            raise not_bound(name, f"The value '{text}' is not valid.") from None

    def integers(self, name: str) -> list[int]:
        found = []
        for text in self.text(name).split(","):
            if text.strip():
                try:
                    found.append(int(text))
                except ValueError:
                    raise not_bound(name, f"The value '{text}' is not valid.") from None
        return found

    def instant(self, name: str, *, end_of_day: bool = False) -> int | None:
        text = self.text(name)
        if not text or text.lower() in ("true", "false"):
            return None
        try:
            return date_in(text.replace(" ", "+") if re.search(r"T.* \d", text) else text, end_of_day=end_of_day)
        except ValueError:
            raise not_bound(name, f"The value '{text}' is not valid.") from None

    @property
    def page(self) -> tuple[int, int, int]:
        """(page_no, page_size, offset); paging needs `pageinate=true`, else `count` rows from the start."""
        if self.is_paged:
            size = max(1, min(self.integer("page_size") or DEFAULT_ROWS, PAGE_LIMIT))
            number = max(1, self.integer("page_no") or 1)
            return number, size, (number - 1) * size
        count = self.text("count")
        return 1, int(count) if count.isdigit() and int(count) > 0 else DEFAULT_ROWS, 0


INTEGER, NUMBER, FLAG, TEXT, DATE, ANY = "integer", "number", "boolean", "string", "date", "any"


def bound(values: Mapping[str, Any], types: Mapping[str, str], index: int, source: str) -> dict[str, Any]:
    """The values as their types; text digits become numbers as the vendor's reader does it. Raises ModelState
    errors."""
    return {name: _bound(name, value, types.get(name, ANY), index, source) for name, value in values.items()}


def _bound(name: str, value: Any, kind: str, index: int, source: str) -> Any:
    if value is None or kind == ANY:
        return value
    try:
        return _CONVERT[kind](value)
    except (ValueError, TypeError, OverflowError):
        words = "convert string to " + kind if isinstance(value, str) else "convert to " + kind
        path = f"[{index}].{name}"
        at = source.find(json.dumps(value)) if isinstance(value, str | int | float) else 0
        where = f"Path '{path}', line 1, position {max(0, at) + len(json.dumps(value, default=str))}."
        raise not_bound(path, f"Could not {words}: {value}. {where}") from None


def _to_int(value: Any) -> int:
    if isinstance(value, bool | list | dict):
        raise TypeError
    return int(value) if not isinstance(value, float) or value.is_integer() else int("x")


def _to_number(value: Any) -> float:
    if isinstance(value, bool | list | dict):
        raise TypeError
    return float(value)


def _to_flag(value: Any) -> bool:
    if isinstance(value, bool):
        return value
    if isinstance(value, int) or str(value).lower() in ("true", "false"):
        return bool(value) if isinstance(value, int) else str(value).lower() == "true"
    raise ValueError


def _to_text(value: Any) -> str:
    if isinstance(value, list | dict):
        raise TypeError
    return str(value)


_CONVERT: dict[str, Callable[[Any], Any]] = {
    INTEGER: _to_int, NUMBER: _to_number, FLAG: _to_flag, TEXT: _to_text,
    DATE: lambda value: date_in(_to_text(value)) if value else None,
}  # fmt: skip
