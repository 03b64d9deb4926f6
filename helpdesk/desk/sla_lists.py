"""Lists of the SLA settings: calendars, policies, and who gets which. A fixed number of queries, however many rows."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from django.db.models import Count, F, Prefetch, QuerySet
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from helpdesk.desk import sla_words
from helpdesk.directory.models import Contract, PsaAccount
from helpdesk.sla import book, hours
from helpdesk.sla.choices import ClockKind
from helpdesk.sla.editing import targets_by_rank
from helpdesk.sla.models import EVER, Calendar, Holiday, Policy, PolicyUse, Target
from helpdesk.sla.versions import REPLACES, USERS, calendar_content, organisation_zone
from helpdesk.tickets.choices import Rank
from helpdesk.tickets.models import Priority, Ticket, TicketClock

PER_PAGE = 50


@dataclass(frozen=True, kw_only=True)
class CalendarLine:
    """`next_off`: its next day off in words. `users`: names of the policies that count by it."""

    row: Calendar
    hours: Sequence[str]
    zone: str
    next_off: str
    users: Sequence[str]
    problems: Sequence[str]


@dataclass(frozen=True, kw_only=True)
class TargetLine:
    """What is promised for one priority, in words."""

    name: str
    rank: int
    response: str
    resolution: str
    calendar: str


@dataclass(frozen=True, kw_only=True)
class PolicyLine:
    row: Policy
    calendar: str
    targets: Sequence[TargetLine]
    users: Sequence[str]
    problems: Sequence[str]
    open_tickets: int = 0
    """Those that run by it now."""


@dataclass(frozen=True, kw_only=True)
class UseLine:
    use: PolicyUse
    who: str
    """contract, client, team, psa_account or replaces."""
    word: str
    name: str
    of: str
    account: PsaAccount

    @property
    def key(self) -> int:
        return int(getattr(self.use, f"{self.who}_id"))

    @property
    def told(self) -> str:
        """Who it is, within a sentence."""
        return given_words(self.account.title, self.name) if self.who == REPLACES else self.name

    @property
    def since(self) -> datetime | None:
        """None = from the start."""
        return None if self.use.from_at <= EVER else self.use.from_at


def who_words() -> dict[str, str]:
    return {
        "contract": _("Contract"), "client": _("Client"), "team": _("Team"), "psa_account": _("PSA account"),
        REPLACES: _("The PSA's policy"),
    }  # fmt: skip


def given_words(psa: str, policy: str) -> str:
    return _("all that %(psa)s gives %(policy)s") % {"psa": psa, "policy": policy}


# ---- calendars ------------------------------------------------------------------------------------------------------


def calendar_rows() -> QuerySet[Calendar]:
    return Calendar.objects.select_related("psa_account").prefetch_related("intervals", "holidays").defer("raw")


def calendar_lines(*, now: datetime) -> list[CalendarLine]:
    """Ours first, then those of each PSA, by name."""
    rows = sorted(calendar_rows().filter(archived_at=None), key=_ours_first)
    users, zone = _users_of_calendars(), organisation_zone()
    return [calendar_line(row, users.get(row.pk, ()), zone, now=now) for row in rows]


def calendar_line(row: Calendar, users: Sequence[str], zone: str, *, now: datetime) -> CalendarLine:
    """`zone` is the organisation's."""
    row.time_zone = row.time_zone or zone
    content = calendar_content(row)
    found = book.calendar_of(content)
    return CalendarLine(
        row=row,
        hours=sla_words.hours_words(content),
        zone=content["zone"],
        next_off=_next_off(row.holidays.all(), content["zone"], now=now),
        users=users,
        problems=_calendar_problems(row, found, content["zone"], now=now),
    )


def archived(rows: QuerySet[Any]) -> list[Any]:
    """Ours that are offered no more, the last archived first: what it says, and where it is restored."""
    return list(rows.filter(psa_account=None, archived_at__isnull=False).order_by("-archived_at", "-pk")[:PER_PAGE])


def _ours_first(row: Calendar | Policy) -> tuple[bool, str, str]:
    account = row.psa_account
    return account is not None, str(account or ""), row.name.casefold()


def _next_off(days: Iterable[Holiday], zone: str, *, now: datetime) -> str:
    try:
        today = now.astimezone(ZoneInfo(zone)).date()
    except (KeyError, ValueError, OSError):
        today = now.date()
    coming = [day for day in days if not day.is_ignored and day.ends_on >= today]
    if not coming:
        return ""
    day = min(coming, key=lambda one: one.starts_on)
    return sla_words.day_off_words(
        day.starts_on.isoformat(), day.ends_on.isoformat(), day.opens, day.closes, day.name
    )  # fmt: skip


def _calendar_problems(row: Calendar, found: hours.Calendar | None, zone: str, *, now: datetime) -> list[str]:
    problems = []
    if found is None:
        problems.append(_("Time zone “%(zone)s” is unknown here") % {"zone": zone})
    elif not _opens(found, now):
        problems.append(_("Never open in the next 366 days"))
    if row.feed_problem:
        problems.append(_("Holiday feed: %(why)s") % {"why": row.feed_problem})
    return problems


def _opens(calendar: hours.Calendar, now: datetime) -> bool:
    try:
        calendar.next_open(now)
    except hours.NeverOpen:
        return False
    return True


def _users_of_calendars() -> dict[int, list[str]]:
    """Calendar -> names of policies that count by it, itself or for one priority."""
    pairs = set(Policy.objects.filter(archived_at=None).exclude(calendar=None).values_list("calendar_id", "name"))
    targets = Target.objects.filter(policy__archived_at=None).exclude(calendar=None)
    pairs |= set(targets.values_list("calendar_id", "policy__name"))
    found: dict[int, list[str]] = {}
    for key, name in sorted(pairs, key=lambda pair: pair[1].casefold()):
        found.setdefault(key or 0, []).append(name)
    return found


def users_of_calendar(row: Calendar) -> list[str]:
    return _users_of_calendars().get(row.pk, [])


def days_off(row: Calendar, *, now: datetime) -> list[tuple[str, bool]]:
    """Days off that are not over, in words, and whether each is ignored."""
    coming = [day for day in row.holidays.all() if day.ends_on >= now.date()]
    return [
        (
            sla_words.day_off_words(d.starts_on.isoformat(), d.ends_on.isoformat(), d.opens, d.closes, d.name),
            d.is_ignored,
        )
        for d in coming
    ]


# ---- policies -------------------------------------------------------------------------------------------------------


def policy_rows() -> QuerySet[Policy]:
    targets = Target.objects.select_related("calendar").order_by("rank", "pk")
    return (
        Policy.objects.select_related("psa_account", "calendar")
        .prefetch_related(Prefetch("targets", targets))
        .defer("raw", "calendar__raw")
    )


def policy_lines() -> list[PolicyLine]:
    rows = sorted(policy_rows().filter(archived_at=None), key=_ours_first)
    names, users, running = priority_names(), _users_of_policies(), _open_by_policy()
    return [_policy_line(row, names, users.get(row.pk, []), running.get(row.pk, 0)) for row in rows]


def policy_line(row: Policy) -> PolicyLine:
    users, running = _users_of_policies().get(row.pk, []), _open_by_policy(row)
    return _policy_line(row, priority_names(), users, running.get(row.pk, 0))


def _policy_line(
    row: Policy, names: Mapping[tuple[int, str], str], users: Sequence[str], open_tickets: int
) -> PolicyLine:
    calendar = row.calendar.name if row.calendar else _("Around the clock")
    targets = []
    for one in row.targets.all():
        known = names.get((row.psa_account_id or 0, one.priority))
        own = one.calendar.name if one.calendar and one.calendar_id != row.calendar_id else ""
        targets.append(
            TargetLine(
                name=known or sla_words.priority_words(one.priority, one.rank, {}),
                rank=one.rank or 0,
                response=sla_words.seconds_words(one.response_seconds, one.response_in_days),
                resolution=sla_words.seconds_words(one.resolution_seconds, one.resolution_in_days),
                calendar=own,
            )
        )
    return PolicyLine(
        row=row, calendar=calendar, targets=targets, users=users, problems=_policy_problems(row, targets),
        open_tickets=open_tickets,
    )  # fmt: skip


def _policy_problems(row: Policy, targets: Sequence[TargetLine]) -> list[str]:
    if not targets:
        return [] if row.psa_account_id else [_("Nothing is promised")]
    ranks = {one.rank for one in targets}
    missing = [str(label) for rank, label in Rank.choices if rank not in ranks]
    if row.psa_account_id is None and missing:
        return [_("No target for %(names)s") % {"names": ", ".join(missing)}]
    return []


def priority_names() -> dict[tuple[int, str], str]:
    """(account, remote id) -> what the PSA calls the priority."""
    rows = Priority.objects.exclude(remote_id=None).values_list("psa_account_id", "remote_id", "name")
    return {(account, str(key)): name for account, key, name in rows}


def priority_names_of(row: Policy) -> dict[str, str]:
    if row.psa_account_id is None:
        return {}
    return {key: name for (account, key), name in priority_names().items() if account == row.psa_account_id}


def merged_words(row: Policy) -> list[str]:
    """Where a copy of a PSA's policy promises less finely than the PSA: several priorities of one rank, or none."""
    names, found = priority_names_of(row), []
    for rank, (kept, *others) in sorted(targets_by_rank(row).items(), key=lambda pair: pair[0] or 0):
        called = [sla_words.priority_words(one.priority, one.rank, names) for one in (kept, *others)]
        if rank is None:
            text = ngettext(
                "%(names)s stands for no priority here: the copy leaves it out.",
                "%(names)s stand for no priority here: the copy leaves them out.", len(called),
            )  # fmt: skip
            found.append(text % {"names": ", ".join(called)})
        elif others:
            said = {
                "names": ", ".join(called),
                "rank": sla_words.priority_words(str(rank), rank, {}),
                "kept": called[0],
            }
            text = _("%(names)s are all %(rank)s here: the copy promises all of them what %(kept)s gets, the nearest.")
            found.append(text % said)
    return found


def open_with_policy(row: Policy) -> int:
    """Open tickets of its account on which the PSA put a policy: what the account is given here passes them by."""
    if row.psa_account_id is None:
        return 0
    return Ticket.objects.present().open().filter(psa_account=row.psa_account_id, sla_policy__isnull=False).count()


def _open_by_policy(row: Policy | None = None) -> dict[int, int]:
    """Policy -> open tickets that run by it now, whoever put it on them."""
    clocks = TicketClock.objects.filter(
        kind=ClockKind.RESOLUTION, finished_at=None, ticket__is_open=True, ticket__removed_at=None
    )  # unfinished ones have an index of their own: of millions of tickets few are open
    clocks = clocks.exclude(policy=None) if row is None else clocks.filter(policy=row)
    return dict(clocks.order_by().values_list("policy").annotate(n=Count("pk")))


def _users_of_policies() -> dict[int, list[str]]:
    """Policy -> who gets it in words: what was given here, counted; what a PSA does with it."""
    found: dict[int, list[str]] = {}
    standing = PolicyUse.objects.filter(to_at=None)
    named = {
        "contract": lambda n: ngettext("%(n)d contract", "%(n)d contracts", n) % {"n": n},
        "client": lambda n: ngettext("%(n)d client", "%(n)d clients", n) % {"n": n},
        "team": lambda n: ngettext("%(n)d team", "%(n)d teams", n) % {"n": n},
        "psa_account": lambda n: ngettext("all of %(n)d PSA account", "all of %(n)d PSA accounts", n) % {"n": n},
    }
    numbers = [Count(name) for name in named]
    for key, *counts in standing.order_by().values("policy").annotate().values_list("policy", *numbers):
        found[key or 0] = [word(n) for word, n in zip(named.values(), counts, strict=True) if n]
    contracts = Contract.objects.filter(is_active=True).exclude(sla_policy=None).order_by()
    for key, n in contracts.values_list("sla_policy").annotate(n=Count("pk")):
        text = ngettext("%(n)d contract in the PSA", "%(n)d contracts in the PSA", n) % {"n": n}
        found.setdefault(key or 0, []).append(text)
    names = ("policy", "policy__name", "replaces", "replaces__name", "replaces__psa_account__title")
    replaced = {}
    for ours, name, key, called, psa in standing.exclude(replaces=None).values_list(*names):
        found.setdefault(ours, []).append(given_words(psa or "", called or ""))
        replaced[key] = name
    theirs = Policy.objects.exclude(psa_account=None).values_list("pk", "is_default", "psa_account__title")
    for key, is_default, psa in theirs:
        words = [_("the PSA's default")] if is_default else []
        put = _("replaced here by %s") % replaced[key] if key in replaced else _("tickets that %s puts it on") % psa
        found.setdefault(key, []).extend([*words, put])
    return found


# ---- uses -----------------------------------------------------------------------------------------------------------


def use_lines(*, start: int = 0, policy: Policy | None = None) -> tuple[list[UseLine], bool]:
    """Who was given a policy here, nearest to the ticket first; and whether more follow."""
    accounts = ["psa_account", *(f"{name}__psa_account" for name in ("contract", "client", "team", REPLACES))]
    nearest = [F(name).asc(nulls_first=True) for name in ("psa_account", REPLACES, "team", "client", "contract")]
    rows = (
        PolicyUse.objects.filter(to_at=None)
        .select_related("policy", "user", "contract__client", "client", "team", *accounts)
        .order_by(*nearest, "pk")
    )
    if policy is not None:
        rows = rows.filter(policy=policy)
    found = list(rows[start : start + PER_PAGE + 1])
    return [use_line(use) for use in found[:PER_PAGE]], len(found) > PER_PAGE


def use_line(use: PolicyUse) -> UseLine:
    who = next(name for name in USERS if getattr(use, f"{name}_id"))
    row = getattr(use, who)
    is_account = isinstance(row, PsaAccount)
    return UseLine(
        use=use,
        who=who,
        word=who_words()[who],
        name=str(row),
        of=str(row.client) if isinstance(row, Contract) and row.client else "",
        account=row if is_account else row.psa_account,
    )


# ---- whose deadline is shown first ----------------------------------------------------------------------------------


def shown_lines() -> list[tuple[PsaAccount, str]]:
    """Each account, and whose deadline its tickets show first."""
    rows = PsaAccount.objects.order_by("title", "pk").only("name", "title", "mark", "colour", "code", "settings")
    return [(row, "theirs" if row.settings.get("sla_shown") == "theirs" else "ours") for row in rows]
