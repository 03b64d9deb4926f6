"""The days that a report is about, as its address spells them. Pure.

What makes no sense is put right and said; nothing of it is an error, and no period is longer than MOST_DAYS.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, timedelta

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
NAMES = {
    "today": gettext_lazy("Today"),
    "7d": gettext_lazy("7 days"),
    "30d": gettext_lazy("30 days"),
    "month": gettext_lazy("Month"),
    "quarter": gettext_lazy("Quarter"),
    "year": gettext_lazy("Year"),
}
DEFAULT = "30d"
MOST_DAYS = 5 * 366
FIRST_YEAR = 1900
"""Calendars begin in year 1, and the days before a period must still be days."""


@dataclass(frozen=True, kw_only=True)
class Period:
    """First and last day, both in it, and as many days (whole months: as many months) before them."""

    name: str
    first: date
    last: date
    before_first: date
    before_last: date
    notes: tuple[str, ...] = field(default=())
    """What was put right, in words."""

    @property
    def days(self) -> int:
        return (self.last - self.first).days + 1

    @property
    def step(self) -> str:
        """What a bar of the trend stands for."""
        return "day" if self.days <= 31 else "week" if self.days <= 140 else "month"

    @property
    def is_own(self) -> bool:
        """Days of somebody's own choice."""
        return self.name == "custom"

    def query(self) -> dict[str, str]:
        if self.name != "custom":
            return {"period": self.name}
        return {"period": "custom", "from": self.first.isoformat(), "to": self.last.isoformat()}

    @property
    def words(self) -> str:
        return span_words(self.first, self.last)

    @property
    def before_words(self) -> str:
        return span_words(self.before_first, self.before_last)


def span_words(first: date, last: date) -> str:
    """ "17 Nov 2026", "1 to 17 Nov 2026", "31 Aug to 17 Nov 2026", "1 Dec 2025 to 17 Nov 2026"."""
    end = day_words(last)
    if first == last:
        return end
    start = str(first.day)
    if (first.year, first.month) != (last.year, last.month):
        start = f"{start} {MONTHS[first.month - 1]}"
    if first.year != last.year:
        start = f"{start} {first.year}"
    return _("%(start)s to %(end)s") % {"start": start, "end": end}


def day_words(day: date) -> str:
    return f"{day.day} {MONTHS[day.month - 1]} {day.year}"


def month_before(day: date, months: int = 1) -> date:
    """The first of the month that many months before."""
    number = day.year * 12 + day.month - 1 - months
    return date(number // 12, number % 12 + 1, 1)


def read_period(data: Mapping[str, str], *, today: date) -> Period:
    """`period`, and for a period of one's own `from` and `to`. Anything else is the default, and said."""
    given = str(data.get("period") or "").strip()[:40]
    notes: list[str] = []
    has_days = any(str(data.get(name) or "").strip() for name in ("from", "to"))
    if given == "custom" or (not given and has_days):
        own = _own(data, today, notes)
        if own:
            return _made("custom", *own, notes)
        given = ""
        notes.append(_("Instead, this is of the last 30 days."))
    if given and given not in NAMES:
        said = {"value": given, "name": NAMES[DEFAULT]}
        notes.append(_("Period “%(value)s” is not one of ours: this is %(name)s.") % said)
    elif given and has_days:
        notes.append(_("The days are left out: a period was named beside them."))
    name = given if given in NAMES else DEFAULT
    return _made(name, _first_of(name, today), today, notes)


def _first_of(name: str, today: date) -> date:
    if name == "month":
        return today.replace(day=1)
    if name == "quarter":
        return month_before(today, (today.month - 1) % 3)
    if name == "year":
        return month_before(today, 11)
    return today - timedelta(days={"today": 1, "7d": 7, "30d": 30}[name] - 1)


def _made(name: str, first: date, last: date, notes: list[str]) -> Period:
    length = last - first
    months = {"month": 1, "quarter": 3, "year": 12}.get(name)
    if months:
        before_first = month_before(first, months)
        before_last = min(before_first + length, first - timedelta(days=1))
    else:
        before_last = first - timedelta(days=1)
        whole = _whole_months(first, last)
        before_first = month_before(first, whole) if whole else before_last - length
    return Period(
        name=name, first=first, last=last, before_first=before_first, before_last=before_last, notes=tuple(notes)
    )


def _whole_months(first: date, last: date) -> int:
    """How many months of the calendar these days are; 0 = they are none."""
    after = last + timedelta(days=1)
    if first.day != 1 or after.day != 1:
        return 0
    return (after.year - first.year) * 12 + after.month - first.month


def _own(data: Mapping[str, str], today: date, notes: list[str]) -> tuple[date, date] | None:
    """The two days, put right; None when neither can be read."""
    days = {}
    for name in ("from", "to"):
        text = str(data.get(name) or "").strip()[:40]
        try:
            days[name] = date.fromisoformat(text) if text else None
        except ValueError:
            days[name] = None
            notes.append(_("“%(value)s” is not a day: write 2026-11-01.") % {"value": text})
    first, last = days["from"], days["to"]
    if first is None and last is None:
        if not notes:
            notes.append(_("No days were given."))
        return None
    last = last or today
    first = first or last
    if first > last:
        first, last = last, first
        notes.append(_("The first day came after the last one: we turned them round."))
    if last > today:
        last = today
        if first > today:
            notes.append(_("These days are still to come: there is nothing to count yet."))
            return None
        notes.append(_("The period ends today: later days are still to come."))
    if (last - first).days >= MOST_DAYS:
        first = last - timedelta(days=MOST_DAYS - 1)
        notes.append(_("A report covers five years at most: this is the last part of what you asked for."))
    if first.year < FIRST_YEAR:
        notes.append(_("The days are left out: nobody kept tickets so long ago."))
        return None
    return first, last
