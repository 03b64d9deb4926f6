"""One request as its client reads it: facts, public messages, quiet lines. Reads rows, writes nothing."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime

from django.utils.safestring import mark_safe
from django.utils.translation import gettext as _

from helpdesk.actions.models import Action, Attachment
from helpdesk.actions.text import html_to_text
from helpdesk.core.formatting import clock_time, file_size, initials, moment
from helpdesk.directory.models import Agent, Contact, Organisation
from helpdesk.portal.words import Facts, Reader, first_name, question_in
from helpdesk.sla.choices import ClockKind
from helpdesk.tickets.choices import FINISHED, Category
from helpdesk.tickets.models import Ticket, TicketClock, TicketEvent

IN_WORK = (Category.OPEN, Category.ESCALATED)
SHORTEST_WAIT_SECONDS = 60
_PICTURE = re.compile(r"<img\b[^>]*>")


@dataclass(frozen=True, kw_only=True)
class File:
    pk: int
    name: str
    size: str


@dataclass(frozen=True, kw_only=True)
class Update:
    """A message, or a quiet line when `quiet` is set."""

    at: datetime
    when: str = ""
    name: str = ""
    firm: str = ""
    letters: str = ""
    text: str = ""
    """Cleaned HTML, marked safe."""
    files: tuple[File, ...] = ()
    quiet: str = ""
    icon: str = ""


@dataclass(frozen=True, kw_only=True)
class Span:
    """A stretch of one category; an open end is still so."""

    category: str
    from_at: datetime
    to_at: datetime | None = None


@dataclass(frozen=True, kw_only=True)
class Story:
    facts: Facts
    updates: tuple[Update, ...]
    files: tuple[File, ...] = field(default=())
    """Files that hang on no shown message."""


def without_pictures(text: str) -> str:
    """Cleaned HTML without its images, which live at an address for staff."""
    return _PICTURE.sub(f"<em>{_('Picture')}</em>", text)


def agent_first_name(agent: Agent | None) -> str:
    if agent is None:
        return ""
    return first_name(agent.user.name if agent.user_id and agent.user else agent.name)


def row_facts(ticket: Ticket, asked: Action | None = None) -> Facts:
    """What a line of the list needs, from the ticket's own columns and its clocks."""
    due = _due_instants(ticket, ticket.clocks.all())
    return Facts(
        category=ticket.status_category,
        who=agent_first_name(ticket.agent),
        opened_at=ticket.opened_at,
        answered_at=ticket.first_responded_at,
        answer_due_at=due.get(ClockKind.RESPONSE),
        fix_due_at=due.get(ClockKind.RESOLUTION),
        fixed_at=ticket.finished_at or ticket.resolved_at or ticket.closed_at,
        client_wrote_at=ticket.client_replied_at,
        question=question_in(html_to_text(asked.body_clean)) if asked else "",
    )


def story(
    ticket: Ticket, *, actions: list[Action], files: Collection[Attachment], spans: list[Span],
    contact: Contact | None, firm: Organisation, reader: Reader,
) -> Story:  # fmt: skip
    """`actions` are the public ones, newest first, their cleaned text filled in."""
    shown = {a.pk for a in actions}
    by_action: dict[int, list[File]] = {}
    for item in files:
        by_action.setdefault(item.action_id if item.action_id in shown else 0, []).append(
            File(pk=item.pk, name=item.name, size=file_size(item.size))
        )
    updates = [
        _message(a, ticket=ticket, contact=contact, firm=firm, reader=reader, files=by_action.get(a.pk, []))
        for a in actions
    ]
    updates += _quiet_lines(ticket, [_until_answered(s, actions) for s in spans], reader)
    updates.sort(key=lambda u: u.at, reverse=True)
    return Story(facts=_facts(ticket, actions, spans), updates=tuple(updates), files=tuple(by_action.get(0, [])))


def spans_of(ticket: Ticket, events: Sequence[TicketEvent], categories: Mapping[str, str]) -> list[Span]:
    """Stretches of one category, from the changes of status; who changed it and to which name is not looked at.

    `events` in order of time; `categories` maps a status's key to its category.
    """
    first = categories.get(events[0].old, "") if events else ticket.status_category
    changes = [(ticket.opened_at, first), *((e.at, categories.get(e.new, "")) for e in events)]
    found: list[Span] = []
    for at, category in changes:
        if found and found[-1].category == category:
            continue
        if found:
            found[-1] = replace(found[-1], to_at=at)
        found.append(Span(category=category, from_at=at))
    return found


def _until_answered(span: Span, actions: Sequence[Action]) -> Span:
    """Once the client has answered nobody waits for them, even if the status still says so."""
    if span.category != Category.WAITING_CLIENT or span.to_at is not None:
        return span
    said = [a.occurred_at for a in actions if a.is_from_client and a.occurred_at > span.from_at]
    return replace(span, to_at=min(said)) if said else span


def _facts(ticket: Ticket, actions: list[Action], spans: list[Span]) -> Facts:
    base = row_facts(ticket)
    ours = [a for a in actions if not a.is_from_client]
    theirs = [a for a in actions if a.is_from_client]
    started = [s.from_at for s in spans if s.category in IN_WORK]
    waits = bool(ours) and (not theirs or theirs[0].occurred_at <= ours[0].occurred_at)
    return Facts(
        category=base.category,
        who=base.who,
        opened_at=base.opened_at,
        answered_at=ours[-1].occurred_at if ours else base.answered_at,
        answer_due_at=base.answer_due_at,
        fix_due_at=base.fix_due_at,
        in_work_at=started[-1] if started else None,
        worked_at=ours[0].occurred_at if ours else None,
        fixed_at=base.fixed_at,
        client_wrote_at=base.client_wrote_at,
        question=question_in(html_to_text(ours[0].body_clean)) if waits else "",
    )


def _due_instants(ticket: Ticket, clocks: Iterable[TicketClock]) -> dict[str, datetime]:
    """Ours; the PSA's where we have no clock. A paused clock promises nothing."""
    kept = {c.kind: c for c in clocks}
    found = {ClockKind.RESPONSE: ticket.response_due_at, ClockKind.RESOLUTION: ticket.resolution_due_at}
    for kind, clock in kept.items():
        found[ClockKind(kind)] = None if clock.paused_since and not clock.breached_at else clock.due_at
    if ticket.sla_paused and not kept:
        return {}
    return {kind: at for kind, at in found.items() if at}


def _message(
    action: Action, *, ticket: Ticket, contact: Contact | None, firm: Organisation, reader: Reader,
    files: list[File],
) -> Update:  # fmt: skip
    name, full = _author(action, ticket=ticket, contact=contact, firm=firm)
    return Update(
        at=action.occurred_at,
        when=moment(action.occurred_at, reader.now, reader.zone),
        name=name,
        firm="" if action.is_from_client else firm.name,
        letters=initials(full),
        # Cleaned by the one cleaner when it was stored, or just before it was handed to us.
        text=mark_safe(without_pictures(action.body_clean)),
        files=tuple(files),
    )


def _author(action: Action, *, ticket: Ticket, contact: Contact | None, firm: Organisation) -> tuple[str, str]:
    """(what stands there, what the avatar's letters come from). Staff by first name only."""
    if action.is_from_client:
        person = action.author_contact
        if person is not None:
            return (_("You") if contact and person.pk == contact.pk else str(person)), str(person)
        name = ticket.client.name if ticket.client else _("You")
        return name, name
    full = ""
    if action.author_user:
        full = action.author_user.name
    elif action.author_agent:
        full = action.author_agent.name
    first = first_name(full)
    return (first, full) if first else (firm.name, firm.name)


def _quiet_lines(ticket: Ticket, spans: list[Span], reader: Reader) -> list[Update]:
    lines = [
        Update(at=ticket.opened_at, icon="inbox", quiet=_("We received your request, {when}").format(
            when=moment(ticket.opened_at, reader.now, reader.zone)))
    ]  # fmt: skip
    for span in spans:
        text = _waited(span, reader)
        if text:
            lines.append(Update(at=span.to_at or reader.now, icon="circle-pause", quiet=text))
    done_at = ticket.finished_at or ticket.resolved_at or ticket.closed_at
    if ticket.status_category in FINISHED and done_at:
        text = _("Fixed, {when}") if ticket.status_category == Category.RESOLVED else _("Finished, {when}")
        lines.append(
            Update(at=done_at, icon="circle-check", quiet=text.format(when=moment(done_at, reader.now, reader.zone)))
        )
    return lines


def _waited(span: Span, reader: Reader) -> str:
    past = {
        Category.WAITING_CLIENT: _("We waited for your answer, {when}"),
        Category.WAITING_THIRD_PARTY: _("We waited for a supplier, {when}"),
        Category.WAITING: _("It was on hold until the next step, {when}"),
    }
    present = {
        Category.WAITING_CLIENT: _("Waiting for your answer since {when}"),
        Category.WAITING_THIRD_PARTY: _("Waiting for a supplier since {when}"),
        Category.WAITING: _("On hold until the next step since {when}"),
    }
    if span.category not in past:
        return ""
    start = moment(span.from_at, reader.now, reader.zone)
    if span.to_at is None:
        return present[Category(span.category)].format(when=start)
    if (span.to_at - span.from_at).total_seconds() < SHORTEST_WAIT_SECONDS:
        return ""
    is_same_day = span.from_at.astimezone(reader.zone).date() == span.to_at.astimezone(reader.zone).date()
    end = clock_time(span.to_at, reader.zone) if is_same_day else moment(span.to_at, reader.now, reader.zone)
    return past[Category(span.category)].format(when=_("{start} to {end}").format(start=start, end=end))
