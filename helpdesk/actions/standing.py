"""Tell of what no clock tells: a critical ticket that nobody owns, a client who does not answer; and end what is over.

Each once per episode: it is raised when it begins, ends when its cause is gone, and may begin again. In closed hours of
the ticket's calendar it waits for the opening.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, timedelta

from django.db import transaction
from django.db.models import Exists, Max, OuterRef, Q
from django.db.models.functions import Coalesce
from django.utils.translation import gettext as _

from helpdesk.actions import telling
from helpdesk.actions.by_rule import hold_tickets, is_long_past, mark_by_rule
from helpdesk.actions.choices import Trigger
from helpdesk.actions.models import Escalation
from helpdesk.core import live
from helpdesk.sla import book as books
from helpdesk.sla.choices import ClockState
from helpdesk.tickets.choices import Category, Rank
from helpdesk.tickets.models import Ticket, TicketClock, TicketEvent
from helpdesk.tickets.querysets import TicketQuerySet

BATCH = 100
SILENT = timedelta(days=8)
"""More than seven whole days without an answer."""


def look_at_standing(*, now: datetime, limit: int = BATCH) -> int:
    """End what is over, then raise what has begun: one batch of each. How many were raised."""
    end_what_is_over(now=now)
    return _raise(Trigger.UNASSIGNED, _unassigned(), now, limit) + _raise(Trigger.STALE, _silent(now), now, limit)


def _unassigned() -> TicketQuerySet:
    return Ticket.objects.present().open().unassigned().with_ranks([Rank.CRITICAL])


def _silent(now: datetime) -> TicketQuerySet:
    heard = Coalesce("last_activity_at", "opened_at")
    return Ticket.objects.present().open().waiting_on_client().alias(heard=heard).filter(heard__lte=now - SILENT)


def _raise(trigger: Trigger, found: TicketQuerySet, now: datetime, limit: int) -> int:
    """Two queries while nothing has begun."""
    going_on = Escalation.objects.going_on().of_trigger(trigger)
    begun = found.filter(~Exists(going_on.filter(ticket=OuterRef("pk"))))
    calendars = begun.order_by().values_list("clock_calendar", flat=True).distinct()
    book = books.current() if calendars else None
    is_open = [key for key in calendars if book is None or _is_open(book, key, now)]
    ids = list(begun.filter(clock_calendar__in=is_open).order_by("pk").values_list("pk", flat=True)[:limit])
    return _raise_these(trigger, found.only_ids(ids), now) if ids else 0


def _is_open(book: books.Book, key: int, now: datetime) -> bool:
    calendar = book.calendar(key, now)
    return calendar is None or calendar.is_open(now)


@transaction.atomic
def _raise_these(trigger: Trigger, found: TicketQuerySet, now: datetime) -> int:
    tickets = hold_tickets(found)
    # Asked anew behind the lock: another worker may have been there between the look and the lock.
    going_on = set(
        Escalation.objects.going_on().of_trigger(trigger).on_tickets(tickets).values_list("ticket_id", flat=True)
    )
    fresh = [one for pk, one in tickets.items() if pk not in going_on]
    episodes = _episodes(trigger, fresh)
    since = _SINCE[trigger](fresh)
    staff = telling.Staff.of(fresh)
    for ticket in fresh:
        made = Escalation.objects.create(
            ticket=ticket, trigger=trigger, cycle=episodes.get(ticket.pk, 0) + 1, at=since[ticket.pk],
            reason=_REASON[trigger](ticket, now),
        )  # fmt: skip
        if not is_long_past(ticket, since[ticket.pk]):
            heard = telling.tell(made=made, people=staff.to_tell(ticket, trigger, 1), now=now)
            made.told = telling.names(heard)
            made.save(update_fields=["told"])
        mark_by_rule(ticket=ticket, made=made, now=now)
    return len(fresh)


def _episodes(trigger: Trigger, tickets: Sequence[Ticket]) -> dict[int, int]:
    """Ticket -> how often it came to this so far."""
    rows = Escalation.objects.of_trigger(trigger).on_tickets([one.pk for one in tickets]).order_by()
    return dict(rows.values("ticket").annotate(n=Max("cycle")).values_list("ticket", "n"))


def _nobodys_since(tickets: Sequence[Ticket]) -> dict[int, datetime]:
    """Since when each is critical and nobody's, as far as its events tell."""
    rows = TicketEvent.objects.filter(ticket__in=tickets, field__in=["agent", "priority"]).order_by()
    changed = dict(rows.values("ticket").annotate(last=Max("at")).values_list("ticket", "last"))
    return {one.pk: changed.get(one.pk, one.opened_at) for one in tickets}


def _silent_since(tickets: Sequence[Ticket]) -> dict[int, datetime]:
    return {one.pk: _heard(one) + SILENT for one in tickets}


def _heard(ticket: Ticket) -> datetime:
    return ticket.last_activity_at or ticket.opened_at


def _nobodys(ticket: Ticket, now: datetime) -> str:
    return _("Critical ticket without assigned resource")


def _no_answer(ticket: Ticket, now: datetime) -> str:
    return _("No customer response for %(days)d days") % {"days": (now - _heard(ticket)).days}


_SINCE: Mapping[str, Callable[[Sequence[Ticket]], dict[int, datetime]]] = {
    Trigger.UNASSIGNED: _nobodys_since, Trigger.STALE: _silent_since,
}  # fmt: skip
_REASON: Mapping[str, Callable[[Ticket, datetime], str]] = {
    Trigger.UNASSIGNED: _nobodys, Trigger.STALE: _no_answer,
}  # fmt: skip


# ---- the end --------------------------------------------------------------------------------------------------------


@transaction.atomic
def end_what_is_over(*, now: datetime) -> int:
    """Whatever holds no longer ends; one query while nothing does. What a clock's own look ends is not waited for."""
    clock = TicketClock.objects.filter(ticket=OuterRef("ticket"), kind=OuterRef("clock"))
    over = Q(ticket__is_open=False) | Q(ticket__removed_at__isnull=False)
    over |= Q(trigger=Trigger.UNASSIGNED) & (Q(ticket__agent__isnull=False) | ~Q(ticket__rank=Rank.CRITICAL))
    heard = Q(ticket__last_activity_at__gt=now - SILENT)
    over |= Q(trigger=Trigger.STALE) & (heard | ~Q(ticket__status_category=Category.WAITING_CLIENT))
    ended = Q(Exists(clock.filter(Q(finished_at__isnull=False) | Q(state=ClockState.NOT_STARTED))))
    late = Q(Exists(clock.filter(Q(due_at__lt=now) | Q(breached_at__isnull=False))))
    over |= Q(trigger__in=[Trigger.BREACH, Trigger.THRESHOLD]) & ended
    over |= Q(trigger=Trigger.BREACH) & ~late
    # Worked out anew, and even its first threshold is still to come: nothing of what was used then is used now.
    is_ahead, is_as_looked = clock.filter(alert_at__gt=now), clock.filter(alert_at=OuterRef("looked_until"))
    over |= Q(trigger=Trigger.THRESHOLD) & Q(Exists(is_ahead)) & ~Q(Exists(is_as_looked))
    ids = list(Escalation.objects.going_on().filter(over).values_list("pk", flat=True)[:1000])
    if not ids:
        return 0
    live.touch(live.DESK)
    return Escalation.objects.going_on().filter(pk__in=ids).update(ended_at=now)
