"""Versions of a calendar or policy: since when, by whom, and what each changed in words."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from helpdesk.desk import sla_words
from helpdesk.desk.sla_changes import calendar_names
from helpdesk.desk.sla_lists import priority_names_of
from helpdesk.sla.models import EVER, Calendar, CalendarVersion, Policy, PolicyVersion

MOST = 30
"""Versions shown, the newest first."""


@dataclass(frozen=True, kw_only=True)
class VersionLine:
    """`from_at` is None for the first, which counts for all that came before."""

    number: int
    from_at: datetime | None
    by: str
    changes: Sequence[str]


def calendar_versions(row: Calendar) -> list[VersionLine]:
    return _lines(list(row.versions.select_related("user").order_by("-number")[: MOST + 1]), sla_words.calendar_changes)


def policy_versions(row: Policy) -> list[VersionLine]:
    calendars, priorities = calendar_names(), priority_names_of(row)

    def changes(old: Mapping[str, Any] | None, new: Mapping[str, Any]) -> list[str]:
        return sla_words.policy_changes(old, new, calendars=calendars, priorities=priorities)

    return _lines(list(row.versions.select_related("user").order_by("-number")[: MOST + 1]), changes)


def _lines(
    versions: Sequence[CalendarVersion | PolicyVersion], changes: Callable[[Any, Any], list[str]]
) -> list[VersionLine]:
    found = []
    for place, version in enumerate(versions[:MOST]):
        before = versions[place + 1].content if place + 1 < len(versions) else None
        found.append(
            VersionLine(
                number=version.number,
                from_at=None if version.from_at <= EVER else version.from_at,
                by=str(version.user) if version.user else "",
                changes=changes(before, version.content),
            )
        )
    return found
