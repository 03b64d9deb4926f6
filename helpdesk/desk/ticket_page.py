"""What one ticket's page is made of: the ticket, its changes under way, its files, the statuses that may follow.

`ticket_head`, `story` and `ticket_side` make its parts, which the live page also fetches alone.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any
from urllib.parse import urlencode

from django.core.cache import cache
from django.db.models import Exists, OuterRef, Q
from django.http import Http404, HttpRequest
from django.template.loader import render_to_string
from django.utils import timezone

from helpdesk.accounts.models import User
from helpdesk.accounts.permissions import can
from helpdesk.actions.models import Attachment
from helpdesk.actions.resolving import is_resolving
from helpdesk.desk.answers import page_of
from helpdesk.desk.clock_options import consequences
from helpdesk.desk.moves import note_of
from helpdesk.desk.story import Window, story_of
from helpdesk.desk.ticket_head import head_context
from helpdesk.desk.ticket_side import side_context
from helpdesk.outbox.models import OutboxItem
from helpdesk.tickets import rules
from helpdesk.tickets.access import desk_records
from helpdesk.tickets.choices import Sync
from helpdesk.tickets.models import Status, Ticket


def page_ticket(user: User, pk: int) -> Ticket:
    """One ticket with everything its page shows of it, or 404."""
    children = Ticket.objects.filter(parent=OuterRef("pk"), removed_at=None)
    found = desk_records(user).for_page().annotate(has_children=Exists(children))
    ticket = found.filter(pk=pk).first()
    if ticket is None:
        raise Http404
    return ticket


def open_items(ticket: Ticket) -> list[OutboxItem]:
    """What of this ticket is under way or refused; no query while its summary says nothing is."""
    if ticket.sync_state in (Sync.NONE, Sync.SENT):
        return []
    return list(OutboxItem.objects.in_lane(ticket.lane).open())


def item_of(ticket: Ticket, pk: int) -> OutboxItem:
    """A change of this very ticket, or 404."""
    found = OutboxItem.objects.in_lane(ticket.lane).filter(pk=pk).first()
    if found is None:
        raise Http404
    return found


def ticket_files(ticket: Ticket, user: User | None = None) -> list[Attachment]:
    """Files of the ticket, and those that hang on this person's draft, in one query."""
    wanted = Q(ticket=ticket)
    if user is not None:
        wanted |= Q(draft__ticket=ticket, draft__user=user, ticket=None, uploaded_by=user)
    found = Attachment.objects.filter(wanted, inline_reference="").present()
    return list(
        found.only(
            "ticket_id", "action_id", "name", "size", "content_type", "is_public", "state", "state_text", "sync_state"
        ).order_by("created_at", "pk")[:300]
    )


# ---- statuses -------------------------------------------------------------------------------------------------------


def statuses_of(account_id: int) -> list[Status]:
    """The account's active statuses, kept for half a minute: a choice is judged anew when it is made."""
    key = f"desk:statuses:{account_id}"
    found = cache.get(key)
    if found is None:
        found = rules.statuses_of(account_id)
        cache.set(key, found, 30)
    return found


@dataclass(frozen=True, kw_only=True)
class Then:
    """A status that may follow. `needs` are texts that open it; `blocked` says why it is not to be had; one that
    `resolves` is the moment to tell the client what was done. `label` names the way when it leads through another."""

    status: Status
    label: str
    blocked: str = ""
    needs: Sequence[str] = ()
    note: str = ""
    warns: Sequence[str] = ()
    resolves: bool = False


def thens_with_clocks(ticket: Ticket, now: datetime) -> list[Then]:
    """The same, each that is to be had with what it would do to the deadline."""
    found = thens(ticket)
    keys = [one.status.pk for one in found if not one.blocked]
    said = consequences(ticket, "status", keys, now, timezone.get_current_timezone())
    return [
        replace(one, note=" · ".join(part for part in (said.get(one.status.pk, ""), one.note) if part)) for one in found
    ]


def then_to(ticket: Ticket, key: str) -> Then | None:
    """The status of this key, if it may be chosen."""
    statuses = statuses_of(ticket.psa_account_id)
    return next(iter(thens(ticket, statuses, [s for s in statuses if str(s.pk) == key])), None)


def thens(ticket: Ticket, known: Sequence[Status] | None = None, wanted: Sequence[Status] | None = None) -> list[Then]:
    """Every status (or only those `wanted`) but the one it has. `known` are the account's, where they are at hand."""
    statuses = statuses_of(ticket.psa_account_id) if known is None else known
    asked = statuses if wanted is None else wanted
    found = (rules.choice_of(ticket, status, statuses) for status in asked if status.pk != ticket.status_id)
    return [
        Then(
            status=one.status,
            label=one.label,
            blocked=one.why_not,
            needs=one.asks,
            note=note_of(ticket, one),
            warns=one.said_before,
            resolves=is_resolving(ticket, one.status),
        )
        for one in found
    ]


# ---- parts of the page ----------------------------------------------------------------------------------------------


def part_context(ticket: Ticket, user: User, now: datetime, came: str) -> dict[str, Any]:
    """What each of them asks for. `came` is the query of the list one came from."""
    return {
        "ticket": ticket,
        "now": now,
        "may_write": can(user, "actions.add") and ticket.removed_at is None,
        "may_change": can(user, "tickets.change") and ticket.removed_at is None,
        "came_from": came[:600],
        "step": f"?{urlencode({'in': came[:600]})}" if came else "",
    }


def head_shown(request: HttpRequest, ticket: Ticket, user: User, now: datetime) -> str:
    """The head as a change left it, for the ticket's own page; empty for any other that asked."""
    path, query = page_of(request)
    if path != ticket.get_absolute_url():
        return ""
    context = part_context(ticket, user, now, query.get("in", ""))
    context |= head_context(ticket, user, now, open_items(ticket))
    return render_to_string("tickets/_head.html", context, request)


# ---- the page -------------------------------------------------------------------------------------------------------


def page_context(ticket: Ticket, user: User, window: Window, now: datetime) -> dict[str, Any]:
    """Everything but the composer."""
    items = open_items(ticket)
    files = ticket_files(ticket, user)
    on_ticket = [f for f in files if f.ticket_id]
    return {
        "ticket": ticket,
        "now": now,
        "window": window,
        "story": story_of(ticket, window, items=items, files=on_ticket, now=now),
        "draft_files": [f for f in files if not f.ticket_id],
        "may_write": can(user, "actions.add"),
        **head_context(ticket, user, now, items),
        **side_context(ticket, user, now, items),
    }
