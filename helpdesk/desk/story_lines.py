"""The lines of a timeline: how a ticket began, and its changes in words."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import tzinfo

from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _

from helpdesk.actions.cleaning import clean_description
from helpdesk.actions.models import Attachment
from helpdesk.core.formatting import clock_time
from helpdesk.desk.entries import Entry
from helpdesk.desk.story_rows import Changed
from helpdesk.tickets.fields import FIELDS
from helpdesk.tickets.holds import HOLD, RELEASE
from helpdesk.tickets.models import Ticket
from helpdesk.tickets.stories import CORRECTION


def opening(ticket: Ticket, files: Iterable[Attachment], zone: tzinfo, opener: str) -> Entry:
    """How it began: the description, by the contact, else by `opener`, who opened it here."""
    name = str(ticket.contact or ticket.reported_by or opener or ticket.client or _("Somebody"))
    own = [f for f in files if f.action_id is None]
    if not ticket.description.strip() and not own:
        return Entry(
            shape="line",
            at=ticket.opened_at,
            key="opening",
            clock=clock_time(ticket.opened_at, zone),
            words=format_html(_("<b>{}</b> opened it without a description"), name),
            icon="ticket",
        )
    return Entry(
        shape="message",
        at=ticket.opened_at,
        key="opening",
        clock=clock_time(ticket.opened_at, zone),
        name=name,
        words=_("opened it by %(source)s") % {"source": ticket.source_word} if ticket.source_word else _("opened it"),
        visibility="public",
        is_from_client=bool(ticket.contact or ticket.reported_by or not opener),
        body_clean=clean_description(ticket),
        files=own,
    )


def says_nothing(first: Entry, began: Entry) -> bool:
    """Some PSAs begin with an empty action that only says that the ticket was opened."""
    return not (first.body_clean or first.files or first.long or first.item or first.mail) and _is_at_opening(
        first, began
    )


def _is_at_opening(first: Entry, began: Entry) -> bool:
    return abs((first.at - began.at).total_seconds()) < 120


def says_the_same(first: Entry, began: Entry) -> bool:
    """Some PSAs repeat the description as their first action."""
    return (
        first.shape == "message"
        and first.is_from_client
        and first.body_clean == began.body_clean
        and _is_at_opening(first, began)
    )


def line(ticket: Ticket, event: Changed, zone: tzinfo) -> Entry | None:
    """A change in words: "Priya changed status In Progress to Waiting on Client"."""
    if event.field in _HOLDS:
        return _hold_line(ticket, event, zone)
    if event.field == CORRECTION:
        return _correction_line(event, zone)
    known = FIELDS.get(event.field)
    if known is None or (event.field == "agent_role" and not event.new_label):
        return None
    who = event.actor or (_("Somebody") if event.origin in ("psa", "client") else _("The desk"))
    icon, words = _change(event, str(known.label).lower(), who)
    if event.origin == "psa":
        words = format_html("{} {}", words, _("in %(psa)s") % {"psa": ticket.psa_account.title})
    return Entry(
        shape="line",
        at=event.at,
        key=f"event-{event.pk}",
        clock=clock_time(event.at, zone),
        words=words,
        icon=icon,
    )


def _correction_line(event: Changed, zone: tzinfo) -> Entry:
    """ "Mona corrected the clock (Resolution): called the client." Or took that back."""
    said = _("<b>{}</b> corrected the clock ({}): {}") if event.new else _("<b>{}</b> took back a correction ({}): {}")
    who = event.actor or _("The desk")
    return Entry(
        shape="line",
        at=event.at,
        key=f"event-{event.pk}",
        clock=clock_time(event.at, zone),
        words=format_html(said, who, event.old_label, event.new_label),
        icon="timer",
    )


_HOLDS = {HOLD: "circle-pause", RELEASE: "circle-play"}


def _hold_line(ticket: Ticket, event: Changed, zone: tzinfo) -> Entry:
    """ "On hold by “Waiting for parts”, Priya"; the PSA names neither an outcome nor a person."""
    if event.origin == "psa":
        said = _("On hold in <b>{}</b>") if event.field == HOLD else _("Clock running again in <b>{}</b>")
        words = format_html(said, ticket.psa_account.title)
    else:
        said = _("On hold by “{}”, <b>{}</b>") if event.field == HOLD else _("Clock running again by “{}”, <b>{}</b>")
        words = format_html(said, event.new_label, event.actor or _("The desk"))
    return Entry(
        shape="line",
        at=event.at,
        key=f"event-{event.pk}",
        clock=clock_time(event.at, zone),
        words=words,
        icon=_HOLDS[event.field],
    )


def _change(event: Changed, label: str, who: str) -> tuple[str, SafeString]:
    old, new = event.old_label, event.new_label
    if event.field == "agent":
        if not new:
            return "user", format_html(_("<b>{}</b> took <b>{}</b> off it"), who, old)
        if new == who:
            return "user-plus", format_html(_("<b>{}</b> took it"), who)
        return "user-plus", format_html(_("<b>{}</b> gave it to <b>{}</b>"), who, new)
    icon = {"status": "arrow-left-right", "priority": "flag", "team": "users"}.get(event.field, "pencil")
    if event.field in ("description", "resolution", "escalation_reason", "cc"):
        return icon, format_html(_("<b>{}</b> wrote the {} anew"), who, label)
    if old and new:
        return icon, format_html(_("<b>{}</b> changed {} <b>{}</b> to <b>{}</b>"), who, label, old, new)
    if new:
        return icon, format_html(_("<b>{}</b> set {} to <b>{}</b>"), who, label, new)
    return icon, format_html(_("<b>{}</b> cleared {}, it was <b>{}</b>"), who, label, old)
