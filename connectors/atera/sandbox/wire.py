"""What crosses the wire: instants, names without regard to case, pages, problems, gzip."""

from __future__ import annotations

import gzip
import html
import re
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, TypeVar
from urllib.parse import urlencode
from zoneinfo import ZoneInfo

from connectors.atera.sandbox.seeds import TIME_ZONE, Doc
from connectors.sandbox.messages import Request, Response, json_response

DEFAULT_SIZE, LARGEST_SIZE = 20, 50
LINK_NAMES = {name.lower(): name for name in (
    "customerId", "ticketStatus", "includeRelations", "includeComments", "date", "modifiedAfter", "Email", "Phone",
    "FromLastModifiedDate", "SortBy", "alertStatus", "startWorkhour", "endWorkhour", "includeRates",
)}  # fmt: skip
TITLES = {400: "Bad Request", 404: "Not Found", 409: "Conflict"}
SECTIONS = {400: "15.5.1", 404: "15.5.5", 409: "15.5.10"}
LARGEST_INT32, LARGEST_INT64 = 2**31 - 1, 2**63 - 1
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
TRUE, FALSE = ("true", "1"), ("false", "0")
T = TypeVar("T")


class Problem(Exception):
    """Ends a call early. Without `detail` the answer has no body."""

    def __init__(self, status: int, detail: str = "", **errors: str) -> None:
        super().__init__(detail)
        self.status, self.detail, self.errors = status, detail, errors

    def response(self, request: Request) -> Response:
        if not self.detail:
            return Response(self.status)
        body: Doc = {
            "type": f"https://tools.ietf.org/html/rfc9110#section-{SECTIONS[self.status]}",
            "title": TITLES[self.status], "status": self.status, "detail": self.detail,
            "instance": request.path,
        }  # fmt: skip
        if self.errors:
            body["errors"] = {name: [text] for name, text in self.errors.items()}
        return json_response(body, self.status)


def bad(detail: str, **errors: str) -> Problem:
    return Problem(400, detail, **errors)


def missing(detail: str) -> Problem:
    return Problem(404, detail)


def instant_out(at: int | None) -> str | None:
    """As few fraction digits as the instant has."""
    if at is None:
        return None
    whole, part = divmod(at, 1000)
    text = datetime.fromtimestamp(whole, UTC).strftime("%Y-%m-%dT%H:%M:%S")
    return f"{text}.{part:03d}".rstrip("0") + "Z" if part else text + "Z"


def stamp_out(at: int | None) -> str | None:
    """An instant that the server wrote: seven fraction digits, the last four always the same for an instant."""
    if at is None:
        return None
    whole, part = divmod(at, 1000)
    text = datetime.fromtimestamp(whole, UTC).strftime("%Y-%m-%dT%H:%M:%S")
    return f"{text}.{part:03d}{at * 7919 % 9000 + 1000:04d}Z"


def instant_in(value: object, name: str) -> int:
    """Milliseconds of an ISO 8601 instant; without a zone it is UTC."""
    text = str(value)
    for spelling in (text, text.replace(" ", "+")):  # an unquoted plus arrives as a space
        with suppress(ValueError):
            when = datetime.fromisoformat(spelling)
            break
    else:
        raise bad("One or more validation errors occurred.", **{name: f"The value '{value}' is not valid."})
    return _ms(when if when.tzinfo else when.replace(tzinfo=UTC))


def local_in(text: str, name: str) -> int:
    """Milliseconds of a time of the account's zone; the vendor refuses one that carries an offset."""
    try:
        when = datetime.fromisoformat(text)
    except ValueError:
        raise bad("One or more validation errors occurred.", **{name: f"The value '{text}' is not valid."}) from None
    if when.tzinfo is not None or text.endswith("Z"):
        raise bad("One or more validation errors occurred.", **{name: "The date must not carry an offset."})
    return _ms(when.replace(tzinfo=ZoneInfo(TIME_ZONE)))


def _ms(when: datetime) -> int:
    return (when - EPOCH) // timedelta(milliseconds=1)


def as_html(text: str) -> str:
    """The text as HTML; what already is HTML stays as it is."""
    if text.lstrip().startswith("<"):
        return text
    escaped = html.escape(text, quote=False).replace("\n\n", "</p><p>").replace("\n", "<br>")
    return f"<p>{escaped}</p>" if text else ""


def plain_text(markup: str) -> str:
    text = re.sub(r"<(?:br\s*/?|/p|/li|/div)\s*>", "\n", markup, flags=re.IGNORECASE)
    return html.unescape(re.sub(r"<[^>]*>", "", text)).strip()


@dataclass(frozen=True)
class Params:
    """Query parameters by lower-case name. Unknown ones are never looked at."""

    values: Mapping[str, str]

    def text(self, *names: str) -> str:
        return next((self.values[name.lower()] for name in names if self.values.get(name.lower())), "")

    def flag(self, name: str, default: bool = False) -> bool:
        text = self.text(name).lower()
        if text and text not in TRUE + FALSE:
            raise bad("One or more validation errors occurred.", **{name: f"The value '{text}' is not valid."})
        return text in TRUE if text else default

    def integer(self, name: str) -> int | None:
        text = self.text(name)
        try:
            return _within(int(text), LARGEST_INT32) if text else None
        except ValueError:
            raise bad(
                "One or more validation errors occurred.", **{name: f"The value '{text}' is not valid."}
            ) from None

    def page(self) -> Page:
        number, size = self.integer("page"), self.integer("itemsInPage")
        return Page(max(1, 1 if number is None else number), _clamped(DEFAULT_SIZE if size is None else size))


def _clamped(size: int) -> int:
    return min(LARGEST_SIZE, max(1, size))


@dataclass(frozen=True)
class Page:
    """Which part of a list is asked for, from 1."""

    number: int
    size: int

    @property
    def offset(self) -> int:
        return (self.number - 1) * self.size

    def cut(self, items: Sequence[Any]) -> Sequence[Any]:
        return items[self.offset : self.offset + self.size]

    def envelope(self, request: Request, items: Sequence[Any], total: int, *, total_name: str) -> Doc:
        """The vendor's frame around a page. Links lead to the host that was asked and keep the filters."""
        pages = -(-total // self.size)
        return {
            "items": list(items), total_name: total, "page": self.number, "itemsInPage": self.size, "totalPages": pages,
            "prevLink": self._link(request, self.number - 1) if self.number > 1 else "",
            "nextLink": self._link(request, self.number + 1) if self.number < pages else "",
        }  # fmt: skip

    def _link(self, request: Request, number: int) -> str:
        kept = {LINK_NAMES.get(name, name): value for name, value in request.query.items()
                if name not in ("page", "itemsinpage")}  # fmt: skip
        query = urlencode({**kept, "page": number, "itemsInPage": self.size})
        return f"{request.base_url}{request.path}?{query}"


class Body:
    """A JSON object whose members are found without regard to case. null and absent are the same."""

    def __init__(self, values: Mapping[str, Any]) -> None:
        self._values = {str(name).lower(): value for name, value in values.items()}

    def names(self) -> set[str]:
        return set(self._values)

    def has(self, name: str) -> bool:
        return self._values.get(name.lower()) is not None

    def get(self, name: str) -> Any:
        return self._values.get(name.lower())

    def text(self, name: str) -> str | None:
        return self._as(name, _text)

    def integer(self, name: str) -> int | None:
        return self._as(name, _integer)

    def number(self, name: str) -> float | None:
        return self._as(name, _number)

    def flag(self, name: str) -> bool | None:
        return self._as(name, _flag)

    def instant(self, name: str) -> int | None:
        return instant_in(self.get(name), name) if self.has(name) else None

    def choice(self, name: str, options: Sequence[str], refusal: Problem) -> str | None:
        """One of the names, or its number, as .NET takes enumerations."""
        value = self.get(name)
        if value is None or value == "":
            return None
        if isinstance(value, int) and not isinstance(value, bool) and 0 <= value < len(options):
            return options[value]
        found = next((option for option in options if option.lower() == str(value).strip().lower()), None)
        if found is None:
            raise refusal
        return found

    def part(self, name: str) -> Body | None:
        value = self.get(name)
        if value is None:
            return None
        if not isinstance(value, dict):
            raise self._refused(name)
        return Body(value)

    def _as(self, name: str, convert: Callable[[Any], T]) -> T | None:
        value = self.get(name)
        if value is None:
            return None
        try:
            return convert(value)
        except (TypeError, ValueError):
            raise self._refused(name) from None

    @staticmethod
    def _refused(name: str) -> Problem:
        return bad("One or more validation errors occurred.", **{name: "The JSON value could not be converted."})


def _text(value: Any) -> str:
    """Halves of surrogate pairs are replaced, as .NET does."""
    if not isinstance(value, str):
        raise TypeError(value)
    return value.encode("utf-16", "surrogatepass").decode("utf-16", "replace")


def _within(value: int, largest: int) -> int:
    if abs(value) > largest:
        raise ValueError(value)
    return value


def _integer(value: Any) -> int:
    if isinstance(value, bool | float):
        raise TypeError(value)
    return _within(int(value), LARGEST_INT64)


def _number(value: Any) -> float:
    if isinstance(value, bool):
        raise TypeError(value)
    return float(value)


def _flag(value: Any) -> bool:
    if not isinstance(value, bool):
        raise TypeError(value)
    return value


def parsed(request: Request) -> Any:
    try:
        return request.body.json()
    except ValueError:
        raise bad(
            "One or more validation errors occurred.", **{"$": "The input does not contain a JSON value."}
        ) from None


def body_of(request: Request) -> Body:
    value = parsed(request)
    if not isinstance(value, dict):
        raise bad("One or more validation errors occurred.", **{"$": "The JSON value is not an object."})
    return Body(value)


def item_id(text: str, what: str) -> int:
    """An id from a path; 400 unless it is a positive integer."""
    if not text.isascii() or not text.isdigit() or int(text) <= 0 or len(text) > 18:
        raise bad(f"Invalid {what} ID")
    return int(text)


def zipped(request: Request, response: Response) -> Response:
    """The same answer compressed, when the client can read that."""
    asked = [part.split(";")[0].strip() for part in request.headers.get("accept-encoding", "").lower().split(",")]
    if "gzip" not in asked or not response.body or response.file is not None:
        return response
    response.body = gzip.compress(response.body, 5, mtime=0)
    response.headers |= {"Content-Encoding": "gzip", "Vary": "Accept-Encoding"}
    return response
