"""The form of a calendar made here: lines of hours per weekday, days off by hand and by feed. Works without script."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any

from django import forms
from django.forms.utils import ErrorDict
from django.utils.dates import WEEKDAYS
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from helpdesk.core.formatting import is_blank
from helpdesk.desk.forms import ZoneField
from helpdesk.sla import holiday_feed, hours
from helpdesk.sla.editing import CalendarWanted, DayWanted
from helpdesk.sla.models import Calendar, Holiday
from helpdesk.sla.versions import organisation_zone

MOST_LINES = 24
"""Intervals of one weekday."""
MOST_DAYS = 120
"""Days off entered by hand that are not over; with the hours they stay below what a form may send."""
WORKDAYS = range(5)
_HOURS = re.compile(r"d([0-6])-(\d{1,3})-(?:opens|closes)")
_DAY_OFF = re.compile(r"h-(\d{1,3})-(?:name|first|last|opens|closes)")
_TIME = re.compile(r"([01]?\d|2[0-4]):([0-5]\d)(?::00)?")
_WRONG = {"invalid_choice": gettext_lazy("Choose one from the list.")}


@dataclass
class HourLine:
    """One interval as typed."""

    opens: str = ""
    closes: str = ""
    is_next_day: bool = False
    error: str = ""
    is_new: bool = False
    """Just added: one goes on typing there."""
    span: tuple[int, int] | None = None
    """Minutes after local midnight, once it makes sense."""

    @property
    def is_empty(self) -> bool:
        return not (self.opens or self.closes)


@dataclass
class Weekday:
    number: int
    name: str
    lines: list[HourLine] = field(default_factory=list)
    is_cut: bool = False
    """More was sent than a day may have."""


@dataclass
class DayLine:
    """A day off entered by hand, as typed."""

    name: str = ""
    first: str = ""
    last: str = ""
    opens: str = ""
    closes: str = ""
    error: str = ""
    is_new: bool = False
    day: DayWanted | None = None

    @property
    def is_empty(self) -> bool:
        return not (self.name or self.first or self.last or self.opens or self.closes)


@dataclass(frozen=True)
class FedDay:
    day: date
    name: str
    is_ignored: bool


class CalendarForm(forms.Form):
    name = forms.CharField(label=gettext_lazy("Name"), max_length=120)
    time_zone = ZoneField(required=False, help_text=gettext_lazy("Empty: the organisation's"))
    is_always_open = forms.BooleanField(
        label=gettext_lazy("Around the clock (24x7): no weekday and no holiday counts"), required=False
    )
    country = forms.ChoiceField(label=gettext_lazy("Public holidays of"), required=False, error_messages=_WRONG)
    region = forms.ChoiceField(label=gettext_lazy("Region"), required=False, error_messages=_WRONG)

    def __init__(self, data: Any = None, *, calendar: Calendar | None = None, now: datetime) -> None:
        self.calendar, self.now = calendar, now
        super().__init__(data, initial=_initial(calendar))
        self.chosen_country = str(data.get("country", "")) if data is not None else self.initial.get("country", "")
        self.fields["country"].choices = [("", _("None")), *holiday_feed.countries()]  # type: ignore[attr-defined]
        self.fields["region"].choices = [("", _("The whole country")), *holiday_feed.regions(self.chosen_country)]  # type: ignore[attr-defined]
        self.hours_error = ""
        shown, self.kept = _shown_and_kept(calendar, now)
        if data is not None:
            self.week, self.days = _typed_week(data), _typed_days(data)
            self.ignored = frozenset(_dates(data.getlist("ignored")))
            self.seen = frozenset(_dates(data.getlist("fed")))
        else:
            self.week, self.days = _stored_week(calendar), [_stored_day(row) for row in shown]
            self.ignored = self.seen = frozenset()
        self.fed, self.feed_problem = self._fed_days()

    def _fed_days(self) -> tuple[list[FedDay], str]:
        """Those stored, while country and region are as stored; else what the feed would give."""
        region = str(self.data.get("region", "")) if self.is_bound else self.initial.get("region", "")
        region = region if region in dict(holiday_feed.regions(self.chosen_country)) else ""
        if not self.chosen_country:
            return [], ""
        kept = self.calendar
        if kept and (kept.holiday_country, kept.holiday_region) == (self.chosen_country, region):
            rows = kept.holidays.filter(source=holiday_feed.FEED, starts_on__gte=self.now.date())
            found = [FedDay(row.starts_on, row.name, self._is_ignored(row.starts_on, row.is_ignored)) for row in rows]
            return found, kept.feed_problem
        feed = holiday_feed.read(self.chosen_country, region, year=self.now.year)
        days = [(day, name) for day, name in feed.days if day >= self.now.date()]
        return [FedDay(day, name, self._is_ignored(day, False)) for day, name in days], feed.problem

    def _is_ignored(self, day: date, stored: bool) -> bool:
        return day in self.ignored if day in self.seen else stored

    # Lines are added and dropped by the form's own buttons ---------------------------------------------------------
    def rearrange(self, verb: str) -> bool:
        """Do what a button of the form asks for, before anything is judged. False for other verbs."""
        what, _sep, rest = verb.partition("-")
        numbers = [int(part) for part in rest.split("-") if part.isdecimal() and len(part) < 4]
        if what == "add" and len(numbers) == 1 and numbers[0] < 7:
            lines = self.week[numbers[0]].lines
            lines.extend([HourLine(is_new=True)] if len(lines) < MOST_LINES else [])
        elif what == "drop" and len(numbers) == 2 and numbers[0] < 7:
            del self.week[numbers[0]].lines[numbers[1] : numbers[1] + 1]
        elif what == "copy" and len(numbers) == 1 and numbers[0] < 7:
            self._copy(numbers[0])
        elif verb == "addday":
            self.days.extend([DayLine(is_new=True)] if len(self.days) < MOST_DAYS else [])
        elif what == "dropday" and len(numbers) == 1:
            del self.days[numbers[0] : numbers[0] + 1]
        elif verb != "look":
            return False
        self._errors = ErrorDict()  # nothing is judged before the person is done
        return True

    def _copy(self, source: int) -> None:
        """Monday's hours to the rest of the working week; those of another day to the day after it."""
        lines = self.week[source].lines
        for number in [n for n in WORKDAYS if n > 0] if source == 0 else [(source + 1) % 7]:
            self.week[number].lines = [HourLine(one.opens, one.closes, one.is_next_day) for one in lines]

    # Judging ---------------------------------------------------------------------------------------------------------
    def clean_name(self) -> str:
        name = str(self.cleaned_data["name"])
        if is_blank(name):
            raise forms.ValidationError(_("Give it a name that can be read."))
        others = Calendar.objects.filter(psa_account=None, archived_at=None, name__iexact=name)
        if others.exclude(pk=self.calendar.pk if self.calendar else 0).exists():
            raise forms.ValidationError(_("There is a calendar of this name already."))
        return name

    def clean(self) -> dict[str, Any]:
        values = self.cleaned_data
        for line in (line for day in self.week for line in day.lines):
            _judge_line(line)
        _mark_overlaps(self.week)
        for one in self.days:
            _judge_day(one)
        changed = self.calendar is None or self.calendar.holiday_country != self.chosen_country
        if self.feed_problem and changed and "country" not in self.errors:
            self.add_error("country", self.feed_problem)
        lines = [line for day in self.week for line in day.lines]
        if any(day.is_cut for day in self.week):
            self.hours_error = _("A weekday has at most %(n)d intervals.") % {"n": MOST_LINES}
            self.add_error(None, self.hours_error)
        elif len(self.days) > MOST_DAYS:
            self.add_error(None, _("At most %(n)d days off can be sent at once.") % {"n": MOST_DAYS})
        elif any(line.error for line in lines) or any(one.error for one in self.days):
            self.add_error(None, _("Something is wrong with the hours or the days off: see there."))
        elif not self.errors:
            self._judge_opening(bool(values.get("is_always_open")))
        return values

    def _judge_opening(self, is_always: bool) -> None:
        wanted = self.wanted()
        if is_always or _opens(wanted, self.now):
            return
        if not wanted.weekly:
            self.hours_error = _("It would never be open: add hours to a weekday, or tick around the clock.")
        else:
            self.hours_error = _("It would never be open in the next 366 days: its days off close every hour of it.")
        self.add_error(None, self.hours_error)

    def wanted(self) -> CalendarWanted:
        values = self.cleaned_data
        spans = [(day.number, *line.span) for day in self.week for line in day.lines if line.span]
        return CalendarWanted(
            name=values.get("name", ""),
            time_zone=values.get("time_zone", ""),
            is_always_open=bool(values.get("is_always_open")),
            weekly=tuple(sorted(spans)),
            days=tuple(dict.fromkeys([*self.kept, *(one.day for one in self.days if one.day)])),
            country=values.get("country", ""),
            region=values.get("region", ""),
            seen_days=frozenset(one.day for one in self.fed),
            ignored_days=frozenset(one.day for one in self.fed if one.is_ignored),
        )


def _opens(wanted: CalendarWanted, now: datetime) -> bool:
    off = [
        hours.DayOff(d.starts_on, d.ends_on, None if d.opens is None or d.closes is None else (d.opens, d.closes))
        for d in wanted.days
    ]
    zone = wanted.time_zone or organisation_zone()
    weekly = tuple(hours.Weekly(*one) for one in wanted.weekly)
    try:
        hours.Calendar(hours.Hours(zone=zone, weekly=weekly, days_off=tuple(off))).next_open(now)
    except hours.NeverOpen:
        return False
    return True


def _judge_line(line: HourLine) -> None:
    if line.is_empty:
        return
    opens, closes = minutes_of(line.opens), minutes_of(line.closes)
    if opens is None or closes is None or opens >= hours.DAY_MINUTES:
        line.error = _("Say from when to when, like 09:00 and 17:30.")
        return
    closes += hours.DAY_MINUTES if line.is_next_day else 0
    if closes == opens:
        line.error = _("It closes when it opens.")
    elif closes < opens:
        line.error = _("It closes before it opens. Tick “next day” if it runs past midnight.")
    else:
        line.span = (opens, closes)


def _mark_overlaps(week: Sequence[Weekday]) -> None:
    """The later of two intervals that share a minute is wrong, also where the night of the day before runs into it."""
    spans = sorted(
        ((day.number * hours.DAY_MINUTES + line.span[0], day.number * hours.DAY_MINUTES + line.span[1], day, line)
        for day in week for line in day.lines if line.span),
        key=lambda one: one[:2],
    )  # fmt: skip
    whole = 7 * hours.DAY_MINUTES
    reached, of = (spans[-1][1] - whole, spans[-1][2]) if spans else (0, week[0])
    for start, end, day, line in spans:
        if start < reached:
            line.error = (
                _("It overlaps the hours before it.") if of is day
                else _("It overlaps the hours of %(day)s, which run past midnight.") % {"day": of.name}
            )  # fmt: skip
        if end > reached:
            reached, of = end, day


def _judge_day(one: DayLine) -> None:
    if one.is_empty:
        return
    first = read_date(one.first)
    last = read_date(one.last) if one.last else first
    opens, closes = minutes_of(one.opens), minutes_of(one.closes)
    if not one.name:
        one.error = _("Name it, so that people know why it is closed.")
    elif first is None or last is None:
        one.error = _("Choose its date.")
    elif last < first:
        one.error = _("It ends before it begins.")
    elif (one.opens or one.closes) and (opens is None or closes is None):
        one.error = _("Say from when to when it is open, or leave both empty.")
    elif opens is not None and closes is not None and closes <= opens:
        one.error = _("It closes before it opens.")
    else:
        one.day = DayWanted(name=one.name, starts_on=first, ends_on=last, opens=opens, closes=closes)


def minutes_of(text: str) -> int | None:
    """ "09:30" as minutes after midnight, up to 24:00; None for anything else."""
    found = _TIME.fullmatch(text)
    minute = int(found[1]) * 60 + int(found[2]) if found else None
    return minute if minute is not None and minute <= hours.DAY_MINUTES else None


def read_date(text: str) -> date | None:
    try:
        found = date.fromisoformat(text)
    except ValueError:
        return None
    return found if 1990 <= found.year <= 2100 else None


def _dates(texts: Iterable[str]) -> Iterable[date]:
    return [day for day in map(read_date, list(texts)[:MOST_DAYS]) if day]


def _text(data: Mapping[str, Any], name: str, most: int = 20) -> str:
    return str(data.get(name, "")).replace("\x00", "").strip()[:most]


def _typed_week(data: Mapping[str, Any]) -> list[Weekday]:
    week = [Weekday(number, str(name)) for number, name in WEEKDAYS.items()]
    keys = sorted({(int(found[1]), int(found[2])) for found in map(_HOURS.fullmatch, data) if found})
    for number, place in keys:
        lines, stem = week[number].lines, f"d{number}-{place}"
        if len(lines) < MOST_LINES:
            lines.append(
                HourLine(_text(data, f"{stem}-opens"), _text(data, f"{stem}-closes"), f"{stem}-next" in data)
            )  # fmt: skip
        else:
            week[number].is_cut = True
    return week


def _typed_days(data: Mapping[str, Any]) -> list[DayLine]:
    places = sorted({int(found[1]) for found in map(_DAY_OFF.fullmatch, data) if found})
    return [
        DayLine(
            name=_text(data, f"h-{place}-name", 120), first=_text(data, f"h-{place}-first"),
            last=_text(data, f"h-{place}-last"), opens=_text(data, f"h-{place}-opens"),
            closes=_text(data, f"h-{place}-closes"),
        )
        for place in places[: MOST_DAYS + 1]
    ]  # fmt: skip


def _initial(calendar: Calendar | None) -> dict[str, Any]:
    if calendar is None:
        return {}
    return {
        "name": calendar.name, "time_zone": calendar.time_zone, "is_always_open": calendar.is_always_open,
        "country": calendar.holiday_country, "region": calendar.holiday_region,
    }  # fmt: skip


def _stored_week(calendar: Calendar | None) -> list[Weekday]:
    """What is stored; a new calendar begins with office hours."""
    week = [Weekday(number, str(name)) for number, name in WEEKDAYS.items()]
    if calendar is None:
        for number in WORKDAYS:
            week[number].lines.append(HourLine("09:00", "17:30"))
        return week
    for one in calendar.intervals.all():
        week[one.weekday].lines.append(_line(one.opens, one.closes))
    return week


def _line(opens: int, closes: int) -> HourLine:
    """Midnight is 00:00 of the next day, as time inputs spell it."""
    is_next = closes >= hours.DAY_MINUTES
    return HourLine(time_text(opens), time_text(closes - (hours.DAY_MINUTES if is_next else 0)), is_next)


def time_text(minute: int | None) -> str:
    return "" if minute is None else f"{minute // 60:02d}:{minute % 60:02d}"


def _shown_and_kept(calendar: Calendar | None, now: datetime) -> tuple[list[Holiday], list[DayWanted]]:
    """Days off by hand that the form shows: those that are not over, as many as a form may send. The others are kept
    as they are: what was opened before them still counts by them."""
    if calendar is None:
        return [], []
    rows = list(calendar.holidays.exclude(source=holiday_feed.FEED))
    shown = [row for row in rows if row.ends_on >= now.date()][:MOST_DAYS]
    keys = {row.pk for row in shown}
    return shown, [
        DayWanted(name=d.name, starts_on=d.starts_on, ends_on=d.ends_on, opens=d.opens, closes=d.closes)
        for d in rows
        if d.pk not in keys
    ]


def _stored_day(row: Holiday) -> DayLine:
    return DayLine(
        name=row.name, first=row.starts_on.isoformat(),
        last=row.ends_on.isoformat() if row.ends_on != row.starts_on else "",
        opens=time_text(row.opens), closes=time_text(row.closes),
    )  # fmt: skip
