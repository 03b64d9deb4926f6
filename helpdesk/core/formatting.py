"""Words for durations, instants and sizes. Templates ask these; they do not compute."""

from __future__ import annotations

import re
from datetime import datetime, timedelta, tzinfo

from django.utils.translation import gettext as _

FOREVER = datetime.fromisoformat("9999-12-31T00:00:00+00:00")
"""Stands where a sort key may not be null: no deadline."""

_COLOUR = re.compile(r"#[0-9a-fA-F]{6}")
_DAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")


def duration(seconds: float | None) -> str:
    """ "42 min", "3 h 10 min", "2 d 4 h": whole minutes, never "about". Under a minute is "1 min"; none is "0 min"."""
    if seconds is None:
        return ""
    minutes = int(abs(seconds) // 60)
    if minutes == 0:
        return "0 min" if not seconds else "1 min"
    if minutes < 60:
        return f"{minutes} min"
    hours, minutes = divmod(minutes, 60)
    if hours < 24:
        return f"{hours} h {minutes:02d} min" if minutes else f"{hours} h"
    days, hours = divmod(hours, 24)
    return f"{days} d {hours} h" if hours and days < 10 else f"{days} d"


def open_duration(seconds: float | None) -> str:
    """The same for open time, which has no days: "28 h" of a desk that opens for eight is no "1 d 4 h"."""
    if seconds is None or abs(seconds) < 86_400:
        return duration(seconds)
    return f"{int(abs(seconds) // 3600)} h"


def is_blank(text: str) -> bool:
    """Nothing that anybody could read: spaces, and characters that have no width."""
    return not any(one.isprintable() and not one.isspace() for one in text)


def ago(seconds: float) -> str:
    """Short age for freshness: "8 s", "4 min", "2 h", "3 d"."""
    seconds = max(0, int(seconds))
    if seconds < 60:
        return f"{seconds} s"
    if seconds < 3600:
        return f"{seconds // 60} min"
    if seconds < 86400:
        return f"{seconds // 3600} h"
    return f"{seconds // 86400} d"


def clock_time(at: datetime, zone: tzinfo) -> str:
    local = at.astimezone(zone)
    return f"{local.hour:02d}:{local.minute:02d}"


def day(at: datetime, now: datetime, zone: tzinfo) -> str:
    """ "today", "tomorrow", "yesterday", "Wed" within six days, "Wed 18 Nov", with the year when it is another."""
    local, today = at.astimezone(zone).date(), now.astimezone(zone).date()
    away = (local - today).days
    if away == 0:
        return _("today")
    if away == 1:
        return _("tomorrow")
    if away == -1:
        return _("yesterday")
    word = _DAYS[local.weekday()]
    if -6 <= away <= 6:
        return word
    text = f"{word} {local.day} {_MONTHS[local.month - 1]}"
    return text if local.year == today.year else f"{text} {local.year}"


def moment(at: datetime | None, now: datetime, zone: tzinfo) -> str:
    """ "today 15:04", "Wed 09:42", "Wed 18 Nov 09:42"."""
    if at is None:
        return ""
    return f"{day(at, now, zone)} {clock_time(at, zone)}"


def long_day(at: datetime, now: datetime, zone: tzinfo) -> str:
    """A heading between entries: "Today", "Monday 16 November"."""
    local, today = at.astimezone(zone).date(), now.astimezone(zone).date()
    if local == today:
        return _("Today")
    if local == today - timedelta(days=1):
        return _("Yesterday")
    text = f"{local:%A} {local.day} {local:%B}"
    return text if local.year == today.year else f"{text} {local.year}"


def file_size(size: int | None) -> str:
    """ "184 kB", "4.1 MB": decimal units, as people's file managers show them."""
    if size is None:
        return ""
    if size and size % (1024 * 1024) == 0:
        return f"{size // (1024 * 1024)} MB"  # a limit that somebody set in whole MiB, as they meant it
    if size < 1000:
        return f"{size} B"
    if size < 1_000_000:
        return f"{round(size / 1000)} kB"
    if size < 1_000_000_000:
        return f"{size / 1_000_000:.1f} MB"
    return f"{size / 1_000_000_000:.1f} GB"


def initials(name: str) -> str:
    """Two letters for an avatar."""
    parts = [p for p in name.replace(".", " ").split() if p[:1].isalnum()]
    if not parts:
        return "?"
    if len(parts) == 1:
        return parts[0][:2].upper()
    return (parts[0][0] + parts[-1][0]).upper()


def hours_minutes(seconds: int | None) -> str:
    """ "0:18", as typed in a time field."""
    if not seconds:
        return ""
    minutes = round(seconds / 60)
    return f"{minutes // 60}:{minutes % 60:02d}"


def safe_colour(text: str | None) -> str:
    """Six hexadecimal digits, or nothing: no other text of a PSA reaches an attribute as a colour."""
    return text if text and _COLOUR.fullmatch(text) else ""
