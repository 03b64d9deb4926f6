"""The pieces a report page is made of, with their words. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from functools import cached_property, lru_cache
from typing import Any
from urllib.parse import quote_plus, urlencode

from django.urls import reverse
from django.utils.translation import gettext as _

from helpdesk.core.formatting import duration
from helpdesk.reports.filters import Filters
from helpdesk.reports.periods import Period

NONE = "-"
"""Stands where nothing was counted: never 0, never NaN."""


@dataclass(frozen=True, kw_only=True)
class Delta:
    """Against the period before: `way` is up, down or same; `tone` good, bad or nothing."""

    text: str
    way: str = "same"
    tone: str = ""


@dataclass(frozen=True, kw_only=True)
class Figure:
    label: Any
    value: str
    href: str
    note: str = ""
    delta: Delta | None = None
    definition: Any = ""
    unit: str = ""


def change(
    now: float | None, before: float | None, *, more_is: str = "", words: Any = str, digits: int = 0
) -> Delta | None:
    """None when one of the two is missing. `more_is` good or bad; empty: neither."""
    if now is None or before is None:
        return None
    difference = round(now - before, digits)
    if not difference:
        return Delta(text=_("no change"))
    way = "up" if difference > 0 else "down"
    tone = {"good": ("good", "bad"), "bad": ("bad", "good"), "": ("", "")}[more_is][0 if difference > 0 else 1]
    size = abs(difference) if digits else int(abs(difference))
    return Delta(text=words(size), way=way, tone=tone)


def number(value: int) -> str:
    """ "12,480": a thin look at thousands."""
    return f"{value:,}"


def percent(value: float | None) -> str:
    return NONE if value is None else f"{value:.1f}"


def percent_sign(value: float | None) -> str:
    return NONE if value is None else f"{value:.1f} %"


def points(value: float) -> str:
    return _("%(n)s points") % {"n": f"{value:.1f}"}


def hours(value: float | None) -> str:
    return NONE if value is None else f"{value:,.2f} h"


def near(value: tuple[int, bool] | None) -> str:
    """ "≈ 21 min", "over 3 d": read off a histogram."""
    if value is None:
        return NONE
    seconds, is_beyond = value
    return _("over %(time)s") % {"time": duration(seconds)} if is_beyond else f"≈ {duration(seconds)}"


@dataclass(kw_only=True)
class Address:
    """Addresses of this report with something changed; filters, period and comparison come along.

    `where` is the page that this is, by the name of its address; `of` the client of a review; `own` what only this page
    asks for.
    """

    period: Period
    filters: Filters
    compare: bool = True
    by: str = ""
    where: str = "overview"
    of: int = 0
    own: dict[str, str] = field(default_factory=dict)

    @cached_property
    def _parts(self) -> dict[str, str]:
        found = {**self.period.query(), **self.filters.query()}
        if not self.compare:
            found["compare"] = "off"
        return found

    @cached_property
    def _spelt(self) -> str:
        return urlencode(self._parts, safe=",")

    def parts(self) -> dict[str, str]:
        return dict(self._parts)

    @cached_property
    def here(self) -> str:
        """Without what it asks for."""
        return _page(self.where, self.of)

    def page(self, **changes: str | None) -> str:
        """This page, with something else asked for."""
        changes.setdefault("by", self.by or None)
        for name, value in self.own.items():
            changes.setdefault(name, value)
        if self.of:
            changes.setdefault("client", None)
        return f"{self.here}{self._query(changes)}"

    def other(self, where: str, of: int = 0, **changes: str | None) -> str:
        """Another page about the same days and tickets; from a review on, about all clients."""
        if self.of:
            changes.setdefault("client", None)
        return f"{_page(where, of)}{self._query(changes)}"

    def file(self, kind: str) -> str:
        """This page as a file: csv, xlsx or pdf."""
        own: dict[str, str | None] = {"by": self.by or None, **self.own}
        if self.of:
            own |= {"of": str(self.of), "client": None}
        return f"{reverse('reports:file', args=[self.where, kind])}{self._query(own)}"

    def tickets(self, metric: str, **changes: str | None) -> str:
        return f"{_page('tickets')}{self._query({**changes, 'metric': metric})}"

    def tickets_of(self, first: date, last: date) -> str:
        """The tickets of some days instead of the period; the name of a metric belongs behind it."""
        return f"{_page('tickets')}?from={first.isoformat()}&to={last.isoformat()}{self._beside_days}&metric="

    @cached_property
    def _beside_days(self) -> str:
        others = {name: value for name, value in self._parts.items() if name not in ("period", "from", "to")}
        return "&" + urlencode(others, safe=",") if others else ""

    def csv(self, metric: str, **changes: str | None) -> str:
        return f"{_page('csv')}{self._query({**changes, 'metric': metric})}"

    def xlsx(self, metric: str, **changes: str | None) -> str:
        return f"{_page('xlsx')}{self._query({**changes, 'metric': metric})}"

    def with_period(self, name: str) -> str:
        return self.page(**{"period": name, "from": None, "to": None})

    def _query(self, changes: Mapping[str, str | None]) -> str:
        """A page holds some 200 addresses: what is only added is put behind the rest, spelt once."""
        if self._parts.keys().isdisjoint(changes):
            added = "".join(f"&{name}={_spelt(value)}" for name, value in changes.items() if value is not None)
            return f"?{self._spelt}{added}"
        found = {name: value for name, value in {**self._parts, **changes}.items() if value is not None}
        return "?" + urlencode(found, safe=",")


def _spelt(value: str) -> str:
    """Keys, days and words of ours, which nearly all values are, need no quoting."""
    return value if value.isascii() and value.replace("_", "").isalnum() else quote_plus(value, safe=",")


@lru_cache(maxsize=512)
def _page(name: str, of: int = 0) -> str:
    return reverse(f"reports:{name}", args=[of] if of else None)
