"""Cleaned text of actions and descriptions: the only text that a page shows, kept beside what was written."""

from __future__ import annotations

from collections.abc import Iterable

from helpdesk.actions.models import Action
from helpdesk.actions.text import CLEANER_VERSION, cleaned_body
from helpdesk.tickets.models import Ticket


def cleaned(actions: Iterable[Action]) -> None:
    """Make sure that each action's cleaned text is of today's cleaner; stale ones are written back."""
    stale = [a for a in actions if a.cleaner_version != CLEANER_VERSION]
    for action in stale:
        clean(action)
    Action.objects.bulk_update(stale, ["body_clean", "cleaner_version"], batch_size=100)


def clean_description(ticket: Ticket) -> str:
    """The ticket's description, cleaned; a stale one is written back."""
    if ticket.cleaner_version != CLEANER_VERSION:
        ticket.description_clean = cleaned_body(
            ticket.description, is_html=ticket.description_is_html, ticket_id=ticket.pk
        )
        ticket.cleaner_version = CLEANER_VERSION
        Ticket.objects.filter(pk=ticket.pk).update(
            description_clean=ticket.description_clean, cleaner_version=CLEANER_VERSION
        )
    return ticket.description_clean


def clean_stale(*, limit: int = 500) -> int:
    """Clean a batch that an older cleaner (or none) has seen. Counts what was done."""
    stale = list(Action.objects.exclude(cleaner_version=CLEANER_VERSION).order_by("-pk")[:limit])
    cleaned(stale)
    return len(stale)


def clean(action: Action) -> None:
    action.body_clean = cleaned_body(action.body, is_html=action.body_is_html, ticket_id=action.ticket_id)
    action.cleaner_version = CLEANER_VERSION
