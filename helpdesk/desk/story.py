"""A ticket's timeline: description, actions, time and changes as one list of entries, oldest first.

However long the story, a page costs the same few queries: the last fifty actions, and of the rest what lies between.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, tzinfo
from typing import Any

from django.db.models import Q
from django.utils import timezone
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _

from helpdesk.actions.choices import Kind
from helpdesk.actions.models import Action, Attachment, TimeEntry
from helpdesk.actions.services import clean_description, cleaned
from helpdesk.core.formatting import clock_time, duration, long_day
from helpdesk.outbox.choices import Reason, State, Verb
from helpdesk.outbox.models import OutboxItem
from helpdesk.tickets.fields import FIELDS
from helpdesk.tickets.models import Ticket, TicketEvent

PAGE = 50
MOST_PAGES = 40
MOST_EVENTS = 200
SHOWS = ("all", "public", "internal", "time", "changes")


@dataclass(kw_only=True)
class Entry:
    """One line of the timeline. `shape` is day, message, time or line."""

    shape: str
    at: datetime
    key: str = ""
    clock: str = ""
    name: str = ""
    words: str | SafeString = ""
    icon: str = ""
    visibility: str = ""
    is_from_client: bool = False
    sync: str = ""
    body_clean: str = ""
    files: list[Attachment] = field(default_factory=list)
    long: str = ""
    is_billable: bool = False
    item: OutboxItem | None = None
    loss: str = ""
    """What a discard would throw away: "40 min", "the reply"."""
    is_held: bool = False
    leads_earlier: bool = False
    """What is older than the page is asked for behind this entry."""

    @property
    def refusal(self) -> str:
        return refusal_of(self.item) if self.item else ""


def refusal_of(item: OutboxItem) -> str:
    """What the PSA said against a change, each sentence once; empty when it gave no words."""
    said: list[str] = []
    for text in (item.error_text, *item.error_fields.values()):
        words = str(text).strip()
        if words and not any(words.rstrip(".").lower() in other.lower() for other in said):
            said.append(words)
    return " ".join(said)


@dataclass(frozen=True, kw_only=True)
class Story:
    entries: Sequence[Entry]
    show: str
    earlier: str
    """Address of the page with what is older; empty when this is all."""


@dataclass(frozen=True, kw_only=True)
class Window:
    """What part of the story is wanted."""

    show: str = "all"
    pages: int = 1

    @property
    def size(self) -> int:
        return PAGE * self.pages

    @property
    def query(self) -> str:
        parts = [f"show={self.show}"] if self.show != "all" else []
        parts += [f"pages={self.pages}"] if self.pages > 1 else []
        return "&".join(parts)

    @property
    def more(self) -> str:
        return Window(show=self.show, pages=self.pages + 1).query


def read_window(data: Mapping[str, Any]) -> Window:
    show, pages = str(data.get("show", "all")), str(data.get("pages", "1"))
    number = int(pages) if pages.isdecimal() and len(pages) < 4 else 1
    return Window(show=show if show in SHOWS else "all", pages=max(1, min(MOST_PAGES, number)))


def story_of(
    ticket: Ticket, window: Window, *, items: Sequence[OutboxItem], files: Sequence[Attachment], now: datetime
) -> Story:
    """`items` are the open outbox items of the ticket's lane, `files` all its files."""
    zone = timezone.get_current_timezone()
    actions, since, has_earlier = _actions(ticket, window)
    by_subject = {i.subject: i for i in items}
    times = _times(ticket, window, since)
    entries = _messages(ticket, actions, times, files, by_subject, zone, now)
    if window.show in ("all", "time"):
        entries += [_time_line(ticket, t, by_subject, zone, now) for t in times if t.action_id is None]
    if window.show in ("all", "changes"):
        events, cut = _events(ticket, window, since)
        entries += [e for e in (_line(ticket, event, zone) for event in events) if e is not None]
        has_earlier = has_earlier or cut
    entries.sort(key=lambda e: (e.at, e.shape != "line"))
    if window.show in ("all", "public"):
        first = _opening(ticket, files, zone)
        if has_earlier or not (entries and _says_the_same(entries[0], first)):
            entries.insert(0, first)
    found = _with_days(entries, now, zone)
    if has_earlier and found:
        found[1 if len(found) > 1 and found[0].shape == "day" else 0].leads_earlier = True
    return Story(entries=found, show=window.show, earlier=f"?{window.more}#conversation" if has_earlier else "")


def _actions(ticket: Ticket, window: Window) -> tuple[list[Action], datetime | None, bool]:
    """The newest actions in reading order, the instant from which the rest is shown, and whether there are older."""
    if window.show == "changes":
        return [], None, False
    found = Action.objects.filter(ticket=ticket).present()
    if window.show in ("public", "internal"):
        found = found.filter(is_internal=window.show == "internal")
    if window.show == "time":
        found = found.filter(time_entry__isnull=False)
    rows = list(
        found.select_related("author_user", "author_agent", "author_contact")
        .only(
            "kind", "is_internal", "is_from_client", "body_clean", "cleaner_version", "author_name", "occurred_at",
            "email_to", "sync_state", "title", "remote_id", "ticket_id", "author_user__name", "author_user__email",
            "author_agent__name", "author_contact__first_name", "author_contact__last_name", "author_contact__email",
        )
        .order_by("-occurred_at", "-pk")[: window.size + 1]
    )  # fmt: skip
    has_earlier = len(rows) > window.size
    rows = rows[: window.size][::-1]
    cleaned(rows)
    return rows, rows[0].occurred_at if has_earlier else None, has_earlier


def _times(ticket: Ticket, window: Window, since: datetime | None) -> list[TimeEntry]:
    if window.show == "changes":
        return []
    found = TimeEntry.objects.filter(ticket=ticket, removed_at=None).select_related("user", "agent")
    if since is not None:
        found = found.filter(Q(ended_at__gte=since) | Q(action__isnull=False, action__occurred_at__gte=since))
    return list(
        found.only(
            "seconds", "is_billable", "note", "work_type", "ended_at", "sync_state", "author_name", "action_id",
            "user__name", "user__email", "agent__name",
        ).order_by("-ended_at", "-pk")[: window.size + PAGE]
    )  # fmt: skip


def _events(ticket: Ticket, window: Window, since: datetime | None) -> tuple[list[TicketEvent], bool]:
    found = TicketEvent.objects.filter(ticket=ticket).exclude(field="created")
    if since is not None:
        found = found.filter(at__gte=since)
    limit = window.size if window.show == "changes" else MOST_EVENTS
    rows = list(found.defer("remote_key").order_by("-at", "-pk")[: limit + 1])
    return rows[:limit][::-1], len(rows) > limit


def _messages(
    ticket: Ticket, actions: Sequence[Action], times: Iterable[TimeEntry], files: Iterable[Attachment],
    items: Mapping[str, OutboxItem], zone: tzinfo, now: datetime,
) -> list[Entry]:  # fmt: skip
    time_of = {t.action_id: t for t in times if t.action_id}
    files_of: dict[int | None, list[Attachment]] = {}
    for file in files:
        files_of.setdefault(file.action_id, []).append(file)
    found = []
    for action in actions:
        entry = message(action, time_of.get(action.pk), files_of.get(action.pk, []), zone)
        _attach_item(entry, items.get(f"action:{action.pk}"), now)
        found.append(entry)
    return found


def message(action: Action, time: TimeEntry | None, files: Sequence[Attachment], zone: tzinfo) -> Entry:
    """One action as the timeline shows it."""
    entry = Entry(
        shape="message",
        at=action.occurred_at,
        key=f"action-{action.pk}",
        clock=clock_time(action.occurred_at, zone),
        name=author_of(action),
        words=_said(action),
        visibility="internal" if action.is_internal else "public",
        is_from_client=action.is_from_client,
        sync=action.sync_state,
        body_clean=action.body_clean,
        files=list(files),
    )
    if time is not None:
        entry.long, entry.is_billable = duration(time.seconds), time.is_billable
    return entry


def time_of(action: Action) -> TimeEntry | None:
    return TimeEntry.objects.filter(action=action).first()


def author_of(action: Action) -> str:
    author = action.author_user or action.author_agent or action.author_contact
    return str(author) if author else action.author_name or _("Somebody")


def _said(action: Action) -> str:
    if action.is_from_client:
        return _("wrote")
    if action.kind == Kind.REPLY and not action.is_internal:
        return _("replied to %(who)s") % {"who": action.email_to} if action.email_to else _("replied")
    words = {
        Kind.CALL: _("had a call"),
        Kind.VISIT: _("was on site"),
        Kind.SYSTEM: action.title or _("automatic"),
    }
    return words.get(Kind(action.kind), "" if action.is_internal else _("added a note"))


def _attach_item(entry: Entry, item: OutboxItem | None, now: datetime) -> None:
    if item is None:
        return
    entry.item = item
    entry.sync = item.sync
    entry.is_held = item.state == State.WAITING and item.lease_until is None and item.not_before_at > now
    what = {"reply": _("the reply"), "call": _("the call"), "visit": _("the visit"), "time": ""}
    said = what.get(str(item.fields.get("kind", "")), _("the note"))
    entry.loss = f"{entry.long} {_('and')} {said}" if entry.long and said else entry.long or said


def _time_line(ticket: Ticket, time: TimeEntry, items: Mapping[str, OutboxItem], zone: tzinfo, now: datetime) -> Entry:
    entry = Entry(
        shape="time",
        at=time.ended_at,
        key=f"time-{time.pk}",
        clock=clock_time(time.ended_at, zone),
        name=str(time.user or time.agent or "") or time.author_name,
        words=time.note or _("Time booked"),
        sync=time.sync_state,
        long=duration(time.seconds),
        is_billable=time.is_billable,
    )
    _attach_item(entry, items.get(f"time:{time.pk}"), now)
    return entry


def _line(ticket: Ticket, event: TicketEvent, zone: tzinfo) -> Entry | None:
    """A change in words: "Priya changed status In Progress to Waiting on Client"."""
    known = FIELDS.get(event.field)
    if known is None:
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


def _change(event: TicketEvent, label: str, who: str) -> tuple[str, SafeString]:
    old, new = event.old_label, event.new_label
    if event.field == "agent":
        if not new:
            return "user", format_html(_("<b>{}</b> took <b>{}</b> off it"), who, old)
        if new == who:
            return "user-plus", format_html(_("<b>{}</b> took it"), who)
        return "user-plus", format_html(_("<b>{}</b> gave it to <b>{}</b>"), who, new)
    icon = {"status": "arrow-left-right", "priority": "flag", "team": "users"}.get(event.field, "pencil")
    if event.field in ("description", "resolution", "cc"):
        return icon, format_html(_("<b>{}</b> wrote the {} anew"), who, label)
    if old and new:
        return icon, format_html(_("<b>{}</b> changed {} <b>{}</b> to <b>{}</b>"), who, label, old, new)
    if new:
        return icon, format_html(_("<b>{}</b> set {} to <b>{}</b>"), who, label, new)
    return icon, format_html(_("<b>{}</b> cleared {}, it was <b>{}</b>"), who, label, old)


def _opening(ticket: Ticket, files: Iterable[Attachment], zone: tzinfo) -> Entry:
    """How it began: the description, by the contact."""
    name = str(ticket.contact) if ticket.contact else ticket.reported_by or str(ticket.client or _("Somebody"))
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
        is_from_client=True,
        body_clean=clean_description(ticket),
        files=own,
    )


def _says_the_same(first: Entry, opening: Entry) -> bool:
    """Some PSAs repeat the description as their first action."""
    return (
        first.shape == "message"
        and first.is_from_client
        and first.body_clean == opening.body_clean
        and not opening.files
        and abs((first.at - opening.at).total_seconds()) < 120
    )


def _with_days(entries: Sequence[Entry], now: datetime, zone: tzinfo) -> list[Entry]:
    found: list[Entry] = []
    last = None
    for entry in entries:
        day = entry.at.astimezone(zone).date()
        if day != last:
            found.append(Entry(shape="day", at=entry.at, key=f"day-{day}", words=long_day(entry.at, now, zone)))
            last = day
        found.append(entry)
    return found


def is_conflict(item: OutboxItem) -> bool:
    return item.state == State.REFUSED and item.reason == Reason.CONFLICT and item.verb == Verb.UPDATE_TICKET
