"""A change of what a PSA's words mean here: what it would move, shown before it is made, and the change itself."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db import transaction
from django.db.models import Count, Q
from django.utils.translation import ngettext

from connectors.sync import remaps
from connectors.sync.mapping import Line, Section, Wanted, meant, read, sections_of
from connectors.sync.remaps import MEANT, Meant, meaning, words
from helpdesk.accounts.models import User
from helpdesk.accounts.services import record_audit
from helpdesk.core import live
from helpdesk.core.errors import Stale
from helpdesk.directory.models import PsaAccount
from helpdesk.tickets import rederiving
from helpdesk.tickets.choices import FINISHED, SlaClock
from helpdesk.tickets.models import Status, Ticket
from helpdesk.tickets.unmapped import COLUMNS

RECKONED = 500
"""Tickets whose deadlines are worked out for a preview; of more, the first by key stand for the rest."""


@dataclass(frozen=True, kw_only=True)
class Change:
    """One value that is to mean something else. `effects` say what its tickets' clocks do."""

    line: Line
    new: Meant
    effects: Sequence[str] = ()

    @property
    def before(self) -> str:
        return words(self.line.row)

    @property
    def after(self) -> str:
        return words(self.new)


@dataclass(frozen=True, kw_only=True)
class Preview:
    """What saving would do. `token` stands for all of it: another one, and people are shown it again."""

    changes: Sequence[Change] = ()
    moved: int = 0
    breached: int = 0
    saved: int = 0
    """Open tickets whose deadline moves; that would be past it; that would be past it no more."""
    is_partial: bool = False
    token: str = ""

    @property
    def total(self) -> int:
        return sum(change.line.total for change in self.changes)

    @property
    def open(self) -> int:
        return sum(change.line.open for change in self.changes)


def preview(account: PsaAccount, section: Section, wanted: Wanted, *, now: datetime) -> Preview:
    """What it would do to mean this. Reads, writes nothing."""
    pairs = []
    for line in section.lines:
        new = meant(line.row, wanted[line.row.pk]) if line.row.pk in wanted else line.row
        if _state(new) != _state(line.row):
            pairs.append((line, new))
    if not pairs:
        return Preview()
    free = _free(section.kind, [line.row.pk for line, _new in pairs])
    changes = [Change(line=line, new=new, effects=_effects(line, new, free.get(line.row.pk, 0))) for line, new in pairs]
    facts = [[line.row.pk, _state(line.row), _state(new), line.total, line.open] for line, new in pairs]
    token = hashlib.sha256(json.dumps(facts).encode()).hexdigest()[:24]
    return Preview(changes=changes, token=token, **_deadlines(account, section.kind, changes, now))


def _state(row: Meant) -> tuple[str | int | bool, ...]:
    return (*meaning(row), row.is_mapped, row.is_edited)


def _free(kind: str, keys: Sequence[int]) -> dict[int, int]:
    """Status -> open tickets whose clocks it alone makes run or stand: no hold and no release of their own."""
    if kind != "statuses":
        return {}
    rows = Ticket.objects.present().filter(status__in=keys, is_open=True, sla_paused=False, sla_released=False)
    return dict(rows.order_by().values_list("status").annotate(n=Count("pk")))


def _effects(line: Line, new: Meant, free: int) -> list[str]:
    """What the clocks of its tickets do then."""
    if not isinstance(new, Status) or not isinstance(line.row, Status):
        return []
    was, will = _clock(line.row), _clock(new)
    if was == will:
        return []
    if will == SlaClock.STOPPED:
        return [ngettext("%(n)d clock stops", "%(n)d clocks stop", line.open) % {"n": line.open}] if line.open else []
    if was == SlaClock.STOPPED:
        text = ngettext("%(n)d clock starts again", "%(n)d clocks start again", line.total)
        return [text % {"n": line.total}] if line.total else []
    if will == SlaClock.PAUSED:
        return [ngettext("%(n)d clock pauses", "%(n)d clocks pause", free) % {"n": free}] if free else []
    return [ngettext("%(n)d clock runs", "%(n)d clocks run", free) % {"n": free}] if free else []


def _clock(status: Status) -> str:
    return SlaClock.STOPPED if status.category in FINISHED else status.sla_clock


def _deadlines(account: PsaAccount, kind: str, changes: Sequence[Change], now: datetime) -> dict[str, Any]:
    """How many deadlines move, and how many are past then, by doing it to some tickets without writing."""
    moving = {c.new.pk: c.new for c in changes if meaning(c.new) != meaning(c.line.row)}
    if kind == "ticket_types" or not moving:
        return {}
    column = COLUMNS[MEANT[kind]]
    ends = [pk for pk, row in moving.items() if isinstance(row, Status) and row.category not in FINISHED]
    rows = Ticket.objects.present().filter(**{f"{column}__in": list(moving)}, psa_account=account)
    rows = rows.filter(Q(is_open=True) | Q(**{f"{column}__in": ends})) if kind == "statuses" else rows.open()
    tickets = list(rows.order_by("pk").only(*rederiving.READ)[: RECKONED + 1])
    meanings = rederiving.meanings_of(account.pk)
    target: dict[int, Any] = meanings.statuses if kind == "statuses" else meanings.priorities
    target.update(moving)
    context = rederiving.context_of(account.pk, now, meanings=meanings)
    found = rederiving.reckon(tickets[:RECKONED], context)
    late = [(_is_late(r.was), _is_late(rederiving.columns_of(r.ticket))) for r in found]
    return {
        "moved": sum(r.was["next_due_at"] != r.ticket.next_due_at for r in found),
        "breached": sum(now_late and not was for was, now_late in late),
        "saved": sum(was and not now_late for was, now_late in late),
        "is_partial": len(tickets) > RECKONED,
    }


def _is_late(columns: Mapping[str, Any]) -> bool:
    return bool(columns["is_open"] and columns["clock_state"] == "breached")


@transaction.atomic
def save(
    *, account: PsaAccount, kind: str, data: Mapping[str, str], seen: str, by: User, now: datetime,
    request_id: str = "",
) -> Preview:  # fmt: skip
    """Mean it from now on; a worker takes the tickets along. Raises Stale when `seen` is not what would happen now."""
    list(MEANT[kind].objects.select_for_update().filter(psa_account=account).order_by("pk").values_list("pk"))
    section = next(s for s in sections_of(account) if s.kind == kind)
    planned = preview(account, section, read(section, data), now=now)
    if not planned.changes or planned.token != seen:
        raise Stale("the preview shows something else")
    for change in planned.changes:
        change.new.save(update_fields=[*_COLUMNS[kind], "is_mapped", "is_edited"])
        record_audit(
            user=by,
            verb="mapping.change",
            subject=f"account:{account.name}",
            detail={
                "kind": kind, "value": change.new.name, "from": change.before, "to": change.after,
                "tickets": change.line.total, "open": change.line.open,
            },
            now=now,
            request_id=request_id,
        )  # fmt: skip
    moved = [(c.line.row, c.new) for c in planned.changes if meaning(c.line.row) != meaning(c.new)]
    remaps.request_for(account_id=account.pk, changes=moved, now=now)
    live.touch(live.HEALTH)  # what is not mapped is counted there
    return planned


_COLUMNS = {"statuses": ("category", "sla_clock"), "priorities": ("rank",), "ticket_types": ("kind",)}
