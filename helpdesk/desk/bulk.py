"""One change over many tickets, a part per request, with a result for every ticket.

What is still to do travels with the page, signed and bound to the person: no request is long, progress is real, and a
closed page stops it. Each ticket goes through the same service as a single change; one refusal stops nobody else.
"""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, tzinfo
from typing import Any

from django.core import signing
from django.urls import reverse
from django.utils.text import Truncator
from django.utils.translation import gettext as _

from helpdesk.accounts.models import User
from helpdesk.actions.models import Macro
from helpdesk.desk import escalation, moves
from helpdesk.desk.macro_use import macro_of, run_macro
from helpdesk.tickets.access import desk_tickets, tickets_for
from helpdesk.tickets.filters import Filters
from helpdesk.tickets.models import Ticket

MOST = 500
"""Tickets of one bulk change: what a person can still take in as a result."""
PART = 25
"""Tickets of one request: a quarter of a second."""
_SALT = "helpdesk.bulk"
_UNDOABLE = 60
MACRO = "macro"
"""A job of this name runs a macro, whose key is the value."""
FIELDS = (*moves.FIELDS, MACRO)


@dataclass
class Job:
    """`failed` holds [ticket id, state, text]; `undo` the events of what was done."""

    user_id: int
    name: str
    value: str
    label: str
    rest: list[int]
    total: int
    is_confirmed: bool = False
    resolution: str | None = None
    is_shared: bool = False
    reason: str | None = None
    wish: dict[str, str] | None = None
    """How to escalate them, as the dialog was filled in."""
    marker: str = ""
    """A UUID of the press that runs a macro: sent twice, it mails no client twice."""
    done: int = 0
    failed: list[list[Any]] = field(default_factory=list)
    undo: list[list[Any]] = field(default_factory=list)

    def spell(self) -> str:
        return signing.dumps(self.__dict__, salt=_SALT, compress=True)

    @property
    def undo_url(self) -> str:
        if not self.undo or len(self.undo) > _UNDOABLE:
            return ""
        return reverse("desk:undo") + "?moves=" + ",".join(f"{pk}:{'.'.join(map(str, ids))}" for pk, ids in self.undo)

    @property
    def percent(self) -> int:
        return round(100 * (self.total - len(self.rest)) / self.total) if self.total else 100

    @property
    def handled(self) -> int:
        return self.total - len(self.rest)


def read_job(text: str, user: User) -> Job | None:
    """None when it is not ours, not this person's, or a day old."""
    try:
        job = Job(**signing.loads(text, salt=_SALT, max_age=24 * 3600))
    except (signing.BadSignature, TypeError):
        return None
    return job if job.user_id == user.pk else None


def picked_ids(picks: Sequence[str], user: User) -> list[int]:
    wanted = [int(p) for p in picks if p.isdecimal() and len(p) < 19][: MOST + 1]
    return list(dict.fromkeys(wanted))


def matching_ids(filters: Filters, *, user: User, now: datetime, zone: tzinfo) -> list[int]:
    """All that a list shows on all its pages, in its order; one more than MOST says that there are too many."""
    found = filters.apply(desk_tickets(user), user=user, now=now, zone=zone)
    return list(filters.ordered(found).values_list("pk", flat=True)[: MOST + 1])


def do_part(job: Job, *, user: User, now: datetime, zone: tzinfo) -> list[moves.Result]:
    """Change the next few tickets; the job is brought up to date."""
    part, job.rest = job.rest[:PART], job.rest[PART:]
    tickets = {t.pk: t for t in tickets_for(user, part)}
    results = []
    macro = macro_of(job.value) if job.name == MACRO else None
    for pk in part:
        if pk not in tickets:
            job.failed.append([pk, "gone", ""])
            continue
        result = _do_one(job, tickets[pk], macro, user=user, now=now, zone=zone)
        results.append(result)
        if result.state in ("done", "same"):
            job.done += 1
            if result.event_ids:
                job.undo.append([pk, list(result.event_ids)])
        else:
            job.failed.append([pk, result.state, result.text])
    return results


def options_for(name: str, account_ids: list[int]) -> list[moves.Option]:
    """What all of them may become, or the macros that may run over them."""
    if name != MACRO:
        return moves.options_for_many(name, account_ids)
    rows = Macro.objects.filter(is_active=True)
    return [moves.Option(value=str(m.pk), label=m.name, note=Truncator(m.body).chars(80)) for m in rows]


def _do_one(job: Job, ticket: Ticket, macro: Macro | None, *, user: User, now: datetime, zone: tzinfo) -> moves.Result:
    if job.wish is not None:
        wish = escalation.Wish(**job.wish).of(ticket)
        result, _problems = escalation.escalate(
            ticket=ticket, wish=wish, user=user, now=now, is_confirmed=job.is_confirmed, rank=2
        )
        return result
    answers: dict[str, Any] = {
        "resolution": job.resolution or "", "is_shared": job.is_shared, "reason": job.reason or ""
    }  # fmt: skip
    if job.name != MACRO:
        return moves.move(
            ticket=ticket, name=job.name, value=job.value, user=user, now=now, zone=zone, is_confirmed=job.is_confirmed,
            takes_first=True, rank=2, **answers,
        )  # fmt: skip
    if macro is None:
        return moves.Result(ticket=ticket, state="refused", text=_("The macro was switched off meanwhile."))
    return run_macro(
        macro=macro, ticket=ticket, user=user, now=now, answers=answers, is_confirmed=job.is_confirmed, rank=2,
        marker=str(uuid.uuid5(uuid.UUID(job.marker), str(ticket.pk))) if job.marker else None,
    )  # fmt: skip


def failed_rows(job: Job, user: User) -> list[dict[str, Any]]:
    """The failed ones with their tickets, for the result's list."""
    tickets: dict[int, Ticket] = {t.pk: t for t in tickets_for(user, [row[0] for row in job.failed])}
    return [{"ticket": tickets.get(pk), "pk": pk, "state": state, "text": text} for pk, state, text in job.failed]
