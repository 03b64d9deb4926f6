"""All that was ever promised, and by which hours: versions and uses, read once and kept while nothing is added.

A book answers for any instant. It is never changed: a preview asks one that holds what is about to be saved.
"""

from __future__ import annotations

import json
import time
from bisect import bisect_right
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime
from functools import cached_property, lru_cache
from typing import Any

from django.db import connection

from helpdesk.sla.choices import ClockKind, OnChange, OnReopen, Problem, ResponseBy
from helpdesk.sla.history import Choices
from helpdesk.sla.hours import DAY_MINUTES, Calendar, DayOff, Hours, Weekly
from helpdesk.sla.ledger import Risk
from helpdesk.sla.models import EVER, CalendarVersion, Policy, PolicyUse, PolicyVersion
from helpdesk.sla.models import Calendar as CalendarRow
from helpdesk.sla.versions import AROUND_THE_CLOCK, USERS, calendar_content, policy_content

ALWAYS = Calendar(Hours(is_always=True))


@dataclass(frozen=True, kw_only=True)
class Promised:
    """What one policy version promises for one priority. (seconds, whether they are business days)."""

    response: tuple[int | None, bool]
    resolution: tuple[int | None, bool]
    calendar: int = AROUND_THE_CLOCK


@dataclass(frozen=True, kw_only=True)
class PolicyTerms:
    """One version of a policy. `by_priority` is spelt as the policy's own account does, `by_rank` is for the others."""

    policy: int
    number: int
    from_at: datetime
    account: int | None
    name: str
    by_priority: Mapping[str, Promised]
    by_rank: Mapping[int, Promised]
    choices: Choices
    keeps_consumed: bool = False
    response_by: str = ResponseBy.MESSAGE
    thresholds: tuple[int, ...] = (50, 75, 90, 100)
    escalates: bool = True
    known_at: datetime = EVER
    """When this version was written here."""

    @cached_property
    def targets(self) -> Mapping[str, frozenset[tuple[int | None, bool]]]:
        """Clock -> all that is promised for it, whatever the priority."""
        rows = (*self.by_priority.values(), *self.by_rank.values())
        return {
            ClockKind.RESPONSE: frozenset(row.response for row in rows),
            ClockKind.RESOLUTION: frozenset(row.resolution for row in rows),
        }

    def promised(self, *, account: int, priority: str, rank: int) -> Promised | None:
        if self.account == account and priority in self.by_priority:
            return self.by_priority[priority]
        return self.by_rank.get(rank)


@dataclass(frozen=True)
class _Held:
    """Versions of one thing, in order: since when, and what."""

    since: tuple[datetime, ...]
    values: tuple[Any, ...]

    def at(self, instant: datetime) -> Any:
        place = bisect_right(self.since, instant) - 1
        return self.values[max(place, 0)]


@dataclass(frozen=True, kw_only=True, eq=False)
class Book:
    """Policies, calendars and uses by key. `instants`: every one at which something changed, in order."""

    policies: Mapping[int, _Held] = field(default_factory=dict)
    calendars: Mapping[int, _Held] = field(default_factory=dict)
    calendar_names: Mapping[int, str] = field(default_factory=dict)
    uses: Mapping[tuple[str, int], tuple[tuple[datetime, datetime | None, int], ...]] = field(default_factory=dict)
    defaults: Mapping[int, int] = field(default_factory=dict)
    """Account -> the policy that is its default in the PSA."""
    instants: tuple[datetime, ...] = ()

    def policy(self, key: int | None, at: datetime) -> PolicyTerms | None:
        held = self.policies.get(key) if key else None
        return held.at(at) if held else None

    def calendar(self, key: int, at: datetime) -> Calendar | None:
        """None where its zone is not known here, or its hours do not run forward."""
        held = self.calendars.get(key)
        return held.at(at) if held else ALWAYS

    def latest(self, key: int) -> Calendar | None:
        """As it counts today; None where it is not known."""
        held = self.calendars.get(key)
        return held.values[-1] if held else None

    def problem_of(self, key: int, at: datetime) -> str:
        return "" if self.calendar(key, at) is not None else Problem.NO_ZONE

    def use(self, who: str, key: int | None, at: datetime) -> int | None:
        """The policy that a contract, client, team or account was given here, or that replaces one, at an instant."""
        for from_at, to_at, policy in self.uses.get((who, key), ()) if key else ():
            if from_at <= at and (to_at is None or at < to_at):
                return policy
        return None

    def changes(self, after: datetime, until: datetime) -> Sequence[datetime]:
        """Instants in (after, until] at which a version or a use began or ended."""
        return self.instants[bisect_right(self.instants, after) : bisect_right(self.instants, until)]

    def is_change(self, instant: datetime) -> bool:
        """Whether a version or a use began or ended in this very instant."""
        place = bisect_right(self.instants, instant)
        return place > 0 and self.instants[place - 1] == instant

    def replacing(
        self,
        *,
        at: datetime,
        calendars: Mapping[int, Mapping[str, Any]] | None = None,
        policies: Mapping[int, Mapping[str, Any]] | None = None,
        uses: Mapping[tuple[str, int], int | None] | None = None,
    ) -> Book:
        """This book as it would be if these were saved at `at`: contents by key, and (who, key) -> policy."""
        new_calendars, new_policies, new_uses = dict(self.calendars), dict(self.policies), dict(self.uses)
        for key, content in (calendars or {}).items():
            new_calendars[key] = _and_then(new_calendars.get(key), at, calendar_of(content))
        for key, content in (policies or {}).items():
            held = new_policies.get(key)
            last = held.values[-1] if held else None
            row = last or Policy.objects.filter(pk=key).first() or Policy(pk=key)
            terms = _terms_of(
                content, key=key, number=last.number + 1 if last else 1, from_at=at,
                account=last.account if last else row.psa_account_id, name=row.name,
            )  # fmt: skip
            new_policies[key] = _and_then(held, at, terms)
        for who, policy in (uses or {}).items():
            ended = tuple((a, at if b is None else b, p) for a, b, p in new_uses.get(who, ()))
            new_uses[who] = (*ended, *(((at, None, policy),) if policy else ()))
        instants = tuple(sorted({*self.instants, at}))
        return replace(self, calendars=new_calendars, policies=new_policies, uses=new_uses, instants=instants)


def _and_then(held: _Held | None, at: datetime, value: Any) -> _Held:
    """What is new is in force from ever."""
    if held is None:
        return _Held((EVER,), (value,))
    return _Held((*held.since, at), (*held.values, value))


def calendar_of(content: Mapping[str, Any]) -> Calendar | None:
    """None for hours that cannot be: an unknown zone, an interval that does not run forward."""
    return _calendar(json.dumps(content, sort_keys=True))


@lru_cache(maxsize=256)
def _calendar(content: str) -> Calendar | None:
    """Kept by what it says: laid out once, whoever asks."""
    told = json.loads(content)
    try:
        return Calendar(
            Hours(
                zone=told["zone"],
                weekly=tuple(Weekly(*one) for one in told["weekly"]),
                days_off=tuple(
                    DayOff(date.fromisoformat(a), date.fromisoformat(b), _within(opens, closes))
                    for a, b, opens, closes, _name in told["off"]
                ),
                is_always=told["always"],
            )
        )
    except (ValueError, KeyError, TypeError):
        return None


def _within(opens: int | None, closes: int | None) -> tuple[int, int] | None:
    """Hours of a day off; one edge alone leaves the other where the day has it."""
    if opens is None and closes is None:
        return None
    return opens or 0, DAY_MINUTES if closes is None else closes


def _terms_of(
    content: Mapping[str, Any], *, key: int, number: int, from_at: datetime, account: int | None, name: str
) -> PolicyTerms:
    by_priority: dict[str, Promised] = {}
    by_rank: dict[int, Promised] = {}
    for priority, target in content["targets"].items():
        promised = Promised(
            response=tuple(target["response"]), resolution=tuple(target["resolution"]), calendar=target["calendar"]
        )
        by_priority[priority] = promised
        if target["rank"] is not None:
            by_rank.setdefault(target["rank"], promised)
    risk = content["risk"]
    choices = Choices(
        reopen="restarts" if content["on_reopen"] == OnReopen.RESTARTS else "resumes",
        risk=Risk(seconds=risk[0], short_target=risk[1], share=risk[2] / 100),
    )
    return PolicyTerms(
        policy=key, number=number, from_at=from_at, account=account, name=name, by_priority=by_priority,
        by_rank=by_rank, choices=choices, keeps_consumed=content["on_change"] == OnChange.CHANGE,
        response_by=content["response_by"], thresholds=tuple(content["thresholds"]), escalates=content["escalates"],
    )  # fmt: skip


# ---- reading and keeping --------------------------------------------------------------------------------------------

_TABLES = ("calendar", "openinterval", "holiday", "policy", "target", "calendarversion", "policyversion", "policyuse")
_kept: dict[str, tuple[Any, Book]] = {}
_looked = [0.0]
RECENT_SECONDS = 15


def current() -> Book:
    """The book as of now, this transaction's own changes included. One query while nothing was added."""
    stamp = _stamp()
    _looked[0] = time.monotonic()
    kept = _kept.get("book")
    if kept is None or kept[0] != stamp:
        kept = _kept["book"] = (stamp, read())
    return kept[1]


def recent() -> Book:
    """The book as it was a few seconds ago, without a query: for words on a page, never for a deadline that is kept."""
    kept = _kept.get("book")
    if kept is None or time.monotonic() - _looked[0] > RECENT_SECONDS:
        return current()
    return kept[1]


def forget() -> None:
    """Read anew the next time."""
    _kept.clear()


def _stamp() -> Any:
    """Moves with every row added to what is promised, every use that ends, every version written, every default."""
    keys = ", ".join(f"(SELECT MAX(id) FROM sla_{name})" for name in _TABLES)
    with connection.cursor() as cursor:
        ended = "SELECT COUNT(*) FROM sla_policyuse WHERE to_at IS NULL"
        defaults = "SELECT SUM(id * id) FROM sla_policy WHERE is_default AND archived_at IS NULL"
        cursor.execute(f"SELECT {keys}, ({ended}), ({defaults})")
        return cursor.fetchone()


def read() -> Book:
    """All of it, whatever is kept. What has no version yet counts as it stands, from ever."""
    calendars: dict[int, list[tuple[datetime, Any]]] = {}
    for version in CalendarVersion.objects.order_by("number"):
        calendars.setdefault(version.calendar_id, []).append((version.from_at, calendar_of(version.content)))
    names = {}
    for row in CalendarRow.objects.prefetch_related("intervals", "holidays").defer("raw"):
        names[row.pk] = row.name
        if row.pk not in calendars:
            calendars[row.pk] = [(EVER, calendar_of(calendar_content(row)))]
    return Book(
        policies=(policies := _read_policies()),
        calendars={key: _held(found) for key, found in calendars.items()},
        calendar_names=names,
        uses=(uses := _read_uses()),
        defaults=_read_defaults(),
        instants=_instants([*policies.values(), *(_held(found) for found in calendars.values())], uses),
    )


def _read_policies() -> dict[int, _Held]:
    rows = {row.pk: row for row in Policy.objects.prefetch_related("targets").defer("raw")}
    found: dict[int, list[tuple[datetime, Any]]] = {}
    for version in PolicyVersion.objects.order_by("number"):
        row = rows[version.policy_id]
        terms = _terms_of(
            version.content, key=row.pk, number=version.number, from_at=version.from_at, account=row.psa_account_id,
            name=row.name,
        )  # fmt: skip
        terms = replace(terms, known_at=version.known_at or version.from_at)
        found.setdefault(row.pk, []).append((version.from_at, terms))
    for row in rows.values():
        if row.pk not in found:
            content = policy_content(row)
            terms = _terms_of(content, key=row.pk, number=0, from_at=EVER, account=row.psa_account_id, name=row.name)
            found[row.pk] = [(EVER, terms)]
    return {key: _held(held) for key, held in found.items()}


def _read_uses() -> dict[tuple[str, int], tuple[tuple[datetime, datetime | None, int], ...]]:
    found: dict[tuple[str, int], list[tuple[datetime, datetime | None, int]]] = {}
    columns = [f"{name}_id" for name in USERS]
    for policy, from_at, to_at, *keys in PolicyUse.objects.values_list("policy_id", "from_at", "to_at", *columns):
        name, key = next((n, k) for n, k in zip(USERS, keys, strict=True) if k is not None)
        found.setdefault((name, key), []).append((from_at, to_at, policy))
    return {who: tuple(held) for who, held in found.items()}


def _read_defaults() -> dict[int, int]:
    rows = Policy.objects.filter(is_default=True, psa_account__isnull=False, archived_at=None).order_by("-pk")
    return dict(rows.values_list("psa_account_id", "pk"))


def _held(found: Sequence[tuple[datetime, Any]]) -> _Held:
    ordered = sorted(found, key=lambda one: one[0])
    return _Held(tuple(at for at, _ in ordered), tuple(value for _, value in ordered))


def _instants(
    held: Sequence[_Held], uses: Mapping[tuple[str, int], tuple[tuple[datetime, datetime | None, int], ...]]
) -> tuple[datetime, ...]:
    found = {at for one in held for at in one.since}
    for spans in uses.values():
        found |= {at for span in spans for at in span[:2] if at is not None}
    return tuple(sorted(found - {EVER}))
