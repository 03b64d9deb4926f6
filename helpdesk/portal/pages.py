"""What the client's pages hold: rows turned into words, ready for a template."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from helpdesk.actions.cleaning import cleaned
from helpdesk.directory.models import Contact, Organisation
from helpdesk.portal import access
from helpdesk.portal.steps import steps
from helpdesk.portal.story import row_facts, spans_of, story
from helpdesk.portal.words import Reader, Situation, headline, line, promise, situation, stamp, summary
from helpdesk.tickets.models import Ticket


@dataclass(frozen=True, kw_only=True)
class Row:
    pk: int
    subject: str
    line: str
    when: str
    is_yours: bool


def list_context(
    listing: access.Listing, *, reader: Reader, firm: Organisation, show: str, page: int, title: str
) -> dict[str, Any]:
    asked = access.last_asked(listing.rows)
    cleaned(list(asked.values()))
    rows = []
    for ticket in listing.rows:
        facts = row_facts(ticket, asked.get(ticket.pk))
        rows.append(
            Row(
                pk=ticket.pk,
                subject=ticket.subject,
                line=line(facts, reader),
                when=stamp(facts, reader, getattr(ticket, "told_at", None)),
                is_yours=situation(facts, reader.now) is Situation.YOURS,
            )
        )
    sentence = summary(total=listing.total, opened=listing.opened, yours=listing.yours, late=listing.late)
    return {
        "firm": firm, "listing": listing, "rows": rows, "sentence": sentence, "title": title, "show": show,
        "next_page": page + 1 if listing.has_more else None, "page": page,
    }  # fmt: skip


def ticket_context(ticket: Ticket, *, contact: Contact | None, firm: Organisation, reader: Reader) -> dict[str, Any]:
    actions = access.public_actions(ticket)
    cleaned(actions)
    events, categories = access.status_changes(ticket)
    told = story(
        ticket,
        actions=actions,
        files=list(access.public_files(ticket)),
        spans=spans_of(ticket, events, categories),
        contact=contact,
        firm=firm,
        reader=reader,
    )
    return {
        "firm": firm,
        "ticket": ticket,
        "headline": headline(told.facts, reader.now),
        "promise": promise(told.facts, reader),
        "steps": steps(told.facts, reader),
        "facts": told.facts,
        "updates": told.updates,
        "files": told.files,
        "company": ticket.client.name if ticket.client else "",
    }
