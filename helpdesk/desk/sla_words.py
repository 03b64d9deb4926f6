"""Calendars and policies in words: their hours, their targets, and what a version changed."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import date
from typing import Any

from django.utils.dates import WEEKDAYS_ABBR
from django.utils.formats import date_format
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from helpdesk.sla.choices import OnChange, OnReopen, ResponseBy
from helpdesk.sla.hours import DAY_MINUTES
from helpdesk.sla.versions import AROUND_THE_CLOCK
from helpdesk.tickets.choices import Rank

DAY = 86_400
MOST_NAMED = 4
"""Days off that a sentence names; of more it says how many."""

Content = Mapping[str, Any]


# ---- hours ----------------------------------------------------------------------------------------------------------


def wall_time(minute: int) -> str:
    """ "09:00", "24:00", "06:00 next day": minutes after local midnight."""
    if minute <= 1440:
        return f"{minute // 60:02d}:{minute % 60:02d}"
    return _("%(time)s next day") % {"time": wall_time(minute - 1440)}


def span_words(opens: int, closes: int) -> str:
    return f"{wall_time(opens)}–{wall_time(closes)}"


def hours_words(content: Content) -> list[str]:
    """["Mon–Fri 09:00–12:00, 13:00–17:30", "Sat 10:00–14:00"]: days in a row with the same hours are one line."""
    if content["always"]:
        return [_("Around the clock")]
    by_day: dict[int, list[tuple[int, int]]] = {}
    for weekday, opens, closes in content["weekly"]:
        by_day.setdefault(weekday, []).append((opens, closes))
    if not by_day:
        return [_("Never open")]
    runs: list[tuple[int, int, list[tuple[int, int]]]] = []
    for weekday, spans in sorted(by_day.items()):
        if runs and runs[-1][1] == weekday - 1 and runs[-1][2] == spans:
            runs[-1] = (runs[-1][0], weekday, spans)
        else:
            runs.append((weekday, weekday, spans))
    return [f"{_days(first, last)} {', '.join(span_words(*span) for span in spans)}" for first, last, spans in runs]


def _days(first: int, last: int) -> str:
    names = WEEKDAYS_ABBR
    return str(names[first]) if first == last else f"{names[first]}–{names[last]}"


def date_words(day: date) -> str:
    return date_format(day, "D j M Y")


def day_off_words(first: str, last: str, opens: int | None, closes: int | None, name: str) -> str:
    """ "Fri 25 Dec 2026 Christmas Day", "Thu 24 Dec 2026 Christmas Eve, open 09:00–12:00"."""
    when = date_words(date.fromisoformat(first))
    if last != first:
        when = f"{when} – {date_words(date.fromisoformat(last))}"
    text = f"{when} {name}"
    if opens is None or closes is None:
        return text
    if opens == 0 and closes < DAY_MINUTES:
        return _("%(day)s, open until %(time)s") % {"day": text, "time": wall_time(closes)}
    if closes == DAY_MINUTES and opens > 0:
        return _("%(day)s, open from %(time)s") % {"day": text, "time": wall_time(opens)}
    return _("%(day)s, open %(hours)s") % {"day": text, "hours": span_words(opens, closes)}


# ---- targets --------------------------------------------------------------------------------------------------------


def seconds_words(seconds: int | None, in_days: bool) -> str:
    """ "30 min", "26 h", "2 business days", "nothing"."""
    if seconds is None:
        return _("nothing")
    if in_days:
        days = round(seconds / DAY)
        return ngettext("%(n)d business day", "%(n)d business days", days) % {"n": days}
    hours, minutes = divmod(round(seconds / 60), 60)
    if not hours:
        return _("%(n)d min") % {"n": minutes}
    return _("%(n)d h") % {"n": hours} if not minutes else f"{hours} h {minutes:02d} min"


def priority_words(key: str, rank: int | None, names: Mapping[str, str]) -> str:
    if key in names:
        return names[key]
    return str(Rank(rank).label) if rank in Rank.values else f"#{key}"


# ---- what a version changed -----------------------------------------------------------------------------------------


def calendar_changes(old: Content | None, new: Content) -> list[str]:
    """What is different, a sentence each; for the first version, what it says."""
    hours = "; ".join(hours_words(new))
    if old is None:
        return [_("First: %(hours)s, %(zone)s") % {"hours": hours, "zone": new["zone"]}]
    found = []
    if old["zone"] != new["zone"]:
        found.append(_("Time zone %(old)s → %(new)s") % {"old": old["zone"], "new": new["zone"]})
    if (old["always"], old["weekly"]) != (new["always"], new["weekly"]):
        found.append(_("Hours %(old)s → %(new)s") % {"old": "; ".join(hours_words(old)), "new": hours})
    before, after = ({tuple(day) for day in content["off"]} for content in (old, new))
    if after - before:
        found.append(_("Holidays added: %s") % _named(after - before))
    if before - after:
        found.append(_("Holidays dropped: %s") % _named(before - after))
    return found or [_("Nothing that moves a deadline")]


def _named(days: Iterable[tuple[Any, ...]]) -> str:
    ordered = sorted(days, key=lambda day: (day[0], day[4]))
    words = [day_off_words(*day) for day in ordered[:MOST_NAMED]]
    rest = len(ordered) - len(words)
    if rest > 0:
        words.append(ngettext("%(n)d more", "%(n)d more", rest) % {"n": rest})
    return "; ".join(words)


def policy_changes(
    old: Content | None, new: Content, *, calendars: Mapping[int, str], priorities: Mapping[str, str]
) -> list[str]:
    """What is different, a sentence each. `calendars` and `priorities` name keys."""
    if old is None:
        count = len(new["targets"])
        return [ngettext("First: %(n)d target", "First: %(n)d targets", count) % {"n": count}]
    found = []
    for key in sorted({*old["targets"], *new["targets"]}):
        found += _target_changes(key, old["targets"].get(key), new["targets"].get(key), calendars, priorities)
    if old["risk"] != new["risk"]:
        found.append(_("At risk %(old)s → %(new)s") % {"old": risk_words(old["risk"]), "new": risk_words(new["risk"])})
    choices = (("on_change", _("A change of promise counts"), OnChange), ("on_reopen", _("After reopening"), OnReopen),
               ("response_by", _("First response"), ResponseBy))  # fmt: skip
    for name, label, kind in choices:
        if old[name] != new[name]:
            found.append(f"{label}: {kind(old[name]).label} → {kind(new[name]).label}")
    if old["thresholds"] != new["thresholds"]:
        found.append(
            _("Told at %(old)s → %(new)s")
            % {"old": percents(old["thresholds"]), "new": percents(new["thresholds"])}
        )  # fmt: skip
    if old["escalates"] != new["escalates"]:
        found.append(_("Breaches escalate") if new["escalates"] else _("Breaches escalate no longer"))
    return found or [_("Nothing that moves a deadline")]


def _target_changes(
    key: str, old: Content | None, new: Content | None, calendars: Mapping[int, str], priorities: Mapping[str, str]
) -> list[str]:
    if old == new:
        return []
    some = new or old or {}
    name = priority_words(key, some["rank"], priorities)
    if new is None:
        return [_("%(name)s: no longer promised") % {"name": name}]
    parts = []
    for kind, label in (("response", _("response")), ("resolution", _("resolution"))):
        before, after = (tuple(one[kind]) if one else (None, False) for one in (old, new))
        if before != after:
            parts.append(f"{label} {seconds_words(*before)} → {seconds_words(*after)}")
    if old is None or old["calendar"] != new["calendar"]:
        parts.append(_("by %(calendar)s") % {"calendar": calendar_name(new["calendar"], calendars)})
    return [f"{name}: {', '.join(parts)}"] if parts else []


def calendar_name(key: int, names: Mapping[int, str]) -> str:
    return _("Around the clock") if key == AROUND_THE_CLOCK else names.get(key, f"#{key}")


def risk_words(risk: Sequence[int]) -> str:
    return _("below %(left)s, or %(share)d %% of a target under %(short)s") % {
        "left": seconds_words(risk[0], False), "share": risk[2], "short": seconds_words(risk[1], False)
    }  # fmt: skip


def percents(shares: Sequence[int]) -> str:
    return ", ".join(f"{one} %" for one in shares) or _("nothing")
