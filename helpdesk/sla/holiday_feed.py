"""Public holidays of a country or region, fed into calendars made here. A feed that fails is said, never raised."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from functools import cache
from typing import Any

from django.db import transaction
from django.db.models import Q
from django.utils.translation import gettext as _

from helpdesk.sla.models import Calendar, Holiday

FEED = "feed"
YEARS_BACK, YEARS_AHEAD = 1, 2
"""Which years are fed, seen from the present one."""
_ENGLISH = ("en_GB", "en_US")
_WORDS = re.compile(r"(?<=[a-z])(?=[A-Z])")
_FAILURES = (NotImplementedError, LookupError, ValueError, TypeError, AttributeError, ImportError, ArithmeticError)
"""What the package raises for a place it does not know, or knows no more, and for its own mistakes."""


@dataclass(frozen=True, kw_only=True)
class Feed:
    """What was read: days in order with their names, or why there are none."""

    days: tuple[tuple[date, str], ...] = ()
    problem: str = ""


def _package() -> Any:
    """Of the days of all countries: imported by those who ask for one, few processes do."""
    import holidays

    return holidays


@cache
def countries() -> tuple[tuple[str, str], ...]:
    """(ISO 3166 code, English name) of every country that can be fed, by name."""
    known = _package().registry.COUNTRIES.values()
    found = {codes[1]: _WORDS.sub(" ", codes[0]) for codes in known if len(codes[1]) == 2}
    return tuple(sorted(found.items(), key=lambda pair: pair[1]))


@cache
def regions(country: str) -> tuple[tuple[str, str], ...]:
    """(code, name) of the regions with holidays of their own; none for an unknown country."""
    kind = _kind(country)
    names: Mapping[str, Any] = kind.get_subdivision_aliases() if kind else {}
    named = [(code, str(names[code][0]) if names.get(code) else code) for code in (kind.subdivisions if kind else ())]
    return tuple(sorted(named, key=lambda pair: pair[1]))


@cache
def _kind(country: str) -> Any:
    if country not in dict(countries()):
        return None
    return getattr(_package(), country, None)


def read(country: str, region: str, *, year: int) -> Feed:
    """The public holidays around this year."""
    years = range(year - YEARS_BACK, year + YEARS_AHEAD + 1)
    kind = _kind(country)
    if kind is None:
        return Feed(problem=_("The feed does not know the country “%(code)s”.") % {"code": country})
    spoken = next((one for one in _ENGLISH if one in kind.supported_languages), kind.default_language)
    try:
        days = dict(_package().country_holidays(country, subdiv=region or None, years=years, language=spoken))
    except _FAILURES as error:
        return Feed(problem=_("The feed failed: %(why)s") % {"why": str(error)[:150]})
    if not any(day.year >= year for day in days):
        return Feed(problem=_("The feed has no holidays for %(year)d and later.") % {"year": year})
    return Feed(days=tuple((day, name[:120]) for day, name in sorted(days.items())))


@transaction.atomic
def apply(calendar: Calendar, feed: Feed, *, now: datetime) -> bool:
    """Write what was fed. True when the calendar's days changed.

    A day that stays keeps its row, and with it whether it is ignored; a new year's day of an ignored name is ignored
    too. After a failure what was fed before stays.
    """
    calendar.feed_problem = feed.problem[:200]
    if feed.problem:
        calendar.save(update_fields=["feed_problem"])
        return False
    calendar.fed_at = now
    calendar.save(update_fields=["feed_problem", "fed_at"])
    have = {row.starts_on: row for row in calendar.holidays.filter(source=FEED)}
    unwanted = {row.name: row.is_ignored for _day, row in sorted(have.items())}
    wanted = dict(feed.days)
    first = min(wanted)
    gone = [row.pk for day, row in have.items() if day >= date(first.year, 1, 1) and day not in wanted]
    renamed = [row for day, row in have.items() if wanted.get(day, row.name) != row.name]
    for row in renamed:
        row.name = wanted[row.starts_on]
    Holiday.objects.bulk_update(renamed, ["name"])
    Holiday.objects.filter(pk__in=gone).delete()
    fresh = [
        Holiday(
            calendar=calendar, name=name, starts_on=day, ends_on=day, source=FEED,
            is_ignored=unwanted.get(name, False),
        )
        for day, name in feed.days
        if day not in have
    ]  # fmt: skip
    Holiday.objects.bulk_create(fresh)
    return bool(gone or renamed or fresh)


@transaction.atomic
def drop(calendar: Calendar) -> None:
    """No feed any more: its days go."""
    calendar.holidays.filter(source=FEED).delete()
    calendar.fed_at, calendar.feed_problem = None, ""
    calendar.save(update_fields=["fed_at", "feed_problem"])


def refresh(calendar: Calendar, *, now: datetime) -> bool:
    """Feed one calendar anew. True when its days changed."""
    return apply(calendar, read(calendar.holiday_country, calendar.holiday_region, year=now.year), now=now)


def due(*, now: datetime) -> list[Calendar]:
    """Calendars whose feed was last read in another year, or failed."""
    fed = Calendar.objects.filter(psa_account=None, archived_at=None).exclude(holiday_country="")
    return list(fed.filter(Q(fed_at=None) | Q(fed_at__year__lt=now.year) | ~Q(feed_problem="")))
