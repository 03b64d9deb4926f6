"""The page of what is escalated now: which filters its address holds, and the rows behind them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from urllib.parse import urlencode

from django.utils.translation import gettext as _

from helpdesk.accounts.models import User
from helpdesk.actions.choices import Trigger
from helpdesk.actions.models import Escalation
from helpdesk.actions.querysets import EscalationQuerySet
from helpdesk.actions.titles import level_word

SIZE = 50
MOST_PAGES = 200
ORDER = (Trigger.BREACH, Trigger.UNASSIGNED, Trigger.PERSON, Trigger.STALE, Trigger.THRESHOLD)
"""As the rows are ordered: the worst first."""
LEVELLED = (Trigger.BREACH, Trigger.THRESHOLD)
WHOSE = ("mine", "told")


@dataclass(frozen=True, kw_only=True)
class Wanted:
    """The address, clean. `whose`: owned by the reader, told to them, or everybody's."""

    trigger: str = ""
    level: int | None = None
    whose: str = ""
    page: int = 1

    def spell(self) -> str:
        parts = {"trigger": self.trigger, "level": self.level or "", "whose": self.whose}
        found = {name: value for name, value in parts.items() if value}
        if self.page > 1:
            found["page"] = self.page
        return f"?{urlencode(found)}" if found else "?"

    @property
    def is_narrow(self) -> bool:
        return bool(self.trigger or self.whose)


@dataclass(frozen=True, kw_only=True)
class Choice:
    name: str
    href: str
    count: int | None
    is_current: bool


@dataclass(frozen=True, kw_only=True)
class Shown:
    """One page of it. `triggers`, `levels`, `whose`: the filters, each as links with what stands behind them."""

    rows: Sequence[Escalation]
    total: int
    triggers: Sequence[Choice]
    levels: Sequence[Choice]
    whose: Sequence[Choice]
    wanted: Wanted
    previous: str = ""
    following: str = ""


def read_wanted(data: Mapping[str, str]) -> Wanted:
    """What this desk does not know is left out: the page shows what it filters by."""
    trigger = data.get("trigger", "")
    trigger = trigger if trigger in Trigger.values else ""
    level = _number(data.get("level", "")) if trigger in LEVELLED else None
    whose = data.get("whose", "")
    page = _number(data.get("page", "")) or 1
    return Wanted(trigger=trigger, level=level, whose=whose if whose in WHOSE else "", page=min(page, MOST_PAGES))


def _number(text: str) -> int | None:
    return int(text) if text.isascii() and text.isdecimal() and 0 < len(text) < 5 else None


def shown(user: User, wanted: Wanted) -> Shown:
    """Two queries, however many rows."""
    found = _of(Escalation.objects.on_desk(), user, wanted.whose)
    tally = found.tally()
    if wanted.trigger:
        found = found.of_trigger(wanted.trigger)
    if wanted.level is not None:
        found = found.of_level(wanted.level)
    start = (wanted.page - 1) * SIZE
    rows = list(found.worst_first().with_ticket()[start : start + SIZE + 1])
    total = sum(
        n for (trigger, level), n in tally.items()
        if wanted.trigger in ("", trigger) and wanted.level in (None, level)
    )  # fmt: skip
    return Shown(
        rows=rows[:SIZE], total=total, wanted=wanted, triggers=_triggers(tally, wanted), levels=_levels(tally, wanted),
        whose=_whose(wanted),
        previous=replace(wanted, page=wanted.page - 1).spell() if wanted.page > 1 else "",
        following=replace(wanted, page=wanted.page + 1).spell() if len(rows) > SIZE else "",
    )  # fmt: skip


def _of(found: EscalationQuerySet, user: User, whose: str) -> EscalationQuerySet:
    if whose == "mine":
        return found.owned_by(user.pk)
    return found.told_to(user.pk) if whose == "told" else found


def _triggers(tally: Mapping[tuple[str, int], int], wanted: Wanted) -> list[Choice]:
    """Every kind, those without any too: a filter that comes and goes cannot be learned."""
    everything = Wanted(whose=wanted.whose)
    first = Choice(
        name=_("All"), href=everything.spell(), count=sum(tally.values()), is_current=not wanted.trigger
    )  # fmt: skip
    return [first, *(_trigger(one, tally, everything, wanted) for one in ORDER)]


def _trigger(one: Trigger, tally: Mapping[tuple[str, int], int], everything: Wanted, wanted: Wanted) -> Choice:
    return Choice(
        name=str(one.label), href=replace(everything, trigger=one.value).spell(),
        count=sum(n for (trigger, _level), n in tally.items() if trigger == one),
        is_current=wanted.trigger == one,
    )  # fmt: skip


def _levels(tally: Mapping[tuple[str, int], int], wanted: Wanted) -> list[Choice]:
    """The levels of the chosen kind, the highest first."""
    if wanted.trigger not in LEVELLED:
        return []
    known = {level for trigger, level in tally if trigger == wanted.trigger}
    if wanted.trigger == Trigger.BREACH:
        known |= {1, 2, 3}
    every = replace(wanted, level=None, page=1)
    total = sum(n for (trigger, _level), n in tally.items() if trigger == wanted.trigger)
    found = [Choice(name=_("Any level"), href=every.spell(), count=total, is_current=wanted.level is None)]
    for level in sorted(known, reverse=True):
        name, number = level_word(wanted.trigger, level), tally.get((wanted.trigger, level), 0)
        href = replace(every, level=level).spell()
        found.append(Choice(name=name, href=href, count=number, is_current=wanted.level == level))
    return found


def _whose(wanted: Wanted) -> list[Choice]:
    names = (("", _("Everybody’s")), ("mine", _("On my tickets")), ("told", _("I was told")))
    return [
        Choice(name=name, href=replace(wanted, whose=key, page=1).spell(), count=None, is_current=wanted.whose == key)
        for key, name in names
    ]
