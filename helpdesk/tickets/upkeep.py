"""What happens to tickets by the passing of time and by word of outbox and PSA."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta

from django.db import transaction
from django.db.models import F
from django.utils.translation import gettext as _

from helpdesk.core import bell, live
from helpdesk.outbox import services as outbox
from helpdesk.outbox.choices import Reason, State
from helpdesk.outbox.models import OutboxItem
from helpdesk.tickets.choices import Sync
from helpdesk.tickets.models import Ticket, TicketClock

SENT_SHOWN = timedelta(seconds=60)
"""How long a row or card says that a change was sent."""


def ask_for_reading(*, ticket: Ticket) -> bool:
    """Somebody looks at a ticket whose notes are not here yet: they are read next, before the backfill's turn."""
    if ticket.remote_id is None or ticket.actions_pulled_at is not None:
        return False
    bell.ring("sync.read_ticket", ticket.pk)
    return True


def read_again(*, ticket_id: int, now: datetime) -> None:
    """Let the next pull read the whole ticket, although it did not change there: what we show was worked out here."""
    before = F("remote_updated_at") - timedelta(seconds=1)
    Ticket.objects.filter(pk=ticket_id).exclude(remote_id=None).update(actions_pulled_at=before, changed_at=now)


@transaction.atomic
def mark_removed(*, ticket_ids: Iterable[int], now: datetime) -> int:
    """Deleted in the PSA: out of every list, kept for the record. What still waits to be sent is refused as gone."""
    ids = list(ticket_ids)
    count = Ticket.objects.filter(pk__in=ids, removed_at=None).update(removed_at=now, changed_at=now)
    known = Ticket.objects.filter(pk__in=ids).exclude(remote_id=None).select_related("psa_account")
    for ticket in known:
        text = _("It was deleted in %(psa)s.") % {"psa": ticket.psa_account.title}
        # What a worker holds just now hears the same from the PSA itself.
        for item in OutboxItem.objects.in_lane(ticket.lane).filter(state=State.WAITING, lease_until=None):
            outbox.refuse(item=item, reason=Reason.GONE, text=text, now=now)
    live.touch(live.DESK, *(live.ticket_scope(pk) for pk in ids))
    return count


@transaction.atomic
def tick_clocks(*, now: datetime, limit: int = 500) -> int:
    """Write down the edges that passed by themselves: at risk, breached. Pages count on their own between.

    Marks "sent" that have stood long enough go with it; they are not counted.
    """
    late = Ticket.objects.open().filter(next_due_at__lt=now, clock_state__in=["running", "at_risk"])
    short = Ticket.objects.open().filter(next_at_risk_at__lte=now, next_due_at__gte=now, clock_state="running")
    due, risky = list(late[:limit]), list(short[:limit])
    for ticket in due:
        TicketClock.objects.filter(ticket=ticket, finished_at=None, due_at__lt=now, breached_at=None).update(
            state="breached", breached_at=F("due_at"), at_risk_at=None
        )
    # Asked again with the writing: somebody may have saved the ticket between.
    late.filter(pk__in=[t.pk for t in due]).update(clock_state="breached", next_at_risk_at=None, changed_at=now)
    TicketClock.objects.filter(
        ticket__in=[t.pk for t in risky], finished_at=None, at_risk_at__lte=now, due_at__gte=now, state="running"
    ).update(state="at_risk")
    short.filter(pk__in=[t.pk for t in risky]).update(clock_state="at_risk", changed_at=now)
    faded = _fade_sent(now, limit)
    if due or risky or faded:
        live.touch(live.DESK, *(live.ticket_scope(pk) for pk in (*(t.pk for t in (*due, *risky)), *faded)))
    return len(due) + len(risky)


def _fade_sent(now: datetime, limit: int) -> list[int]:
    """The mark "sent" has been seen: it goes. Only where it still stands, should a change come in between."""
    marked = Ticket.objects.filter(sync_state=Sync.SENT, changed_at__lt=now - SENT_SHOWN)
    faded = list(marked.values_list("pk", flat=True)[:limit])
    if faded:
        marked.filter(pk__in=faded).update(sync_state=Sync.NONE, changed_at=now)
    return faded


@transaction.atomic
def show_sync_state(*, ticket_id: int, last: OutboxItem | None, now: datetime) -> None:
    """Sum up the ticket's outbox lane in one word for rows and cards: the worst of what is open, else sent."""
    states = set(OutboxItem.objects.in_lane(f"ticket:{ticket_id}").open().values_list("state", flat=True))
    if State.REFUSED in states:
        word = Sync.REFUSED
    elif State.CHECKING in states:
        word = Sync.CHECKING
    elif states:
        word = Sync.PENDING
    else:
        word = Sync.SENT if last is not None and last.state == State.DONE else Sync.NONE
    Ticket.objects.filter(pk=ticket_id).update(sync_state=word, changed_at=now)
    live.touch(live.DESK, live.ticket_scope(ticket_id))
