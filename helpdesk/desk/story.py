"""A ticket's timeline: description, actions, time and changes as one list of entries, oldest first.

However long the story, a page costs the same few queries: the last fifty actions, and of the rest what lies between.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, tzinfo
from typing import Any

from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext as _

from helpdesk.actions.choices import Kind
from helpdesk.actions.models import Action, Attachment, TimeEntry
from helpdesk.core.formatting import clock_time, duration, long_day
from helpdesk.desk import story_lines
from helpdesk.desk.entries import Entry
from helpdesk.desk.mail_lines import mail_lines
from helpdesk.desk.story_rows import Booked, Changed, Said, booked_of, read_actions, read_events, read_times
from helpdesk.outbox.choices import Reason, State, Verb
from helpdesk.outbox.models import OutboxItem
from helpdesk.tickets.models import Ticket, TicketEvent

PAGE = 50
MOST_PAGES = 40
MOST_EVENTS = 200
SHOWS = ("all", "public", "internal", "time", "changes")


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
    entries += _mails(ticket, window, entries, since, zone, now)
    if window.show in ("all", "time"):
        entries += [_time_line(ticket, t, by_subject, zone, now) for t in times if t.action_id is None]
    opener = ""
    if window.show in ("all", "changes"):
        events, cut = _events(ticket, window, since)
        said = {a.occurred_at for a in actions if a.told is not None}
        events = [e for e in events if not (e.field == "escalation_reason" and e.at in said)]  # its note says it
        opener = next((event.actor for event in events if event.field == "created" and event.origin == "desk"), "")
        entries += [e for e in (story_lines.line(ticket, event, zone) for event in events) if e is not None]
        has_earlier = has_earlier or cut
    entries.sort(key=lambda e: (e.at, e.shape != "line"))
    if window.show in ("all", "public"):
        first = story_lines.opening(ticket, files, zone, opener)
        told = None if has_earlier else next((e for e in entries if e.shape == "message"), None)
        if told is not None and story_lines.says_nothing(told, first):
            entries.remove(told)
        if told is not None and story_lines.says_the_same(told, first):
            told.files = [*first.files, *told.files]
        else:
            entries.insert(0, first)
    found = _with_days(entries, now, zone)
    if has_earlier and found:
        found[1 if len(found) > 1 and found[0].shape == "day" else 0].leads_earlier = True
    return Story(entries=found, show=window.show, earlier=f"?{window.more}#conversation" if has_earlier else "")


def _actions(ticket: Ticket, window: Window) -> tuple[list[Said], datetime | None, bool]:
    """The newest actions in reading order, the instant from which the rest is shown, and whether there are older."""
    if window.show == "changes":
        return [], None, False
    found = Action.objects.filter(ticket=ticket).present()
    if window.show in ("public", "internal"):
        found = found.filter(is_internal=window.show == "internal")
    if window.show == "time":
        found = found.filter(time_entry__isnull=False)
    rows = read_actions(found, window.size + 1)
    has_earlier = len(rows) > window.size
    rows = rows[: window.size][::-1]
    return rows, rows[0].occurred_at if has_earlier else None, has_earlier


def _times(ticket: Ticket, window: Window, since: datetime | None) -> list[Booked]:
    if window.show == "changes":
        return []
    found = TimeEntry.objects.filter(ticket=ticket, removed_at=None)
    if since is not None:
        found = found.filter(Q(ended_at__gte=since) | Q(action__isnull=False, action__occurred_at__gte=since))
    return read_times(found, window.size + PAGE)


def _events(ticket: Ticket, window: Window, since: datetime | None) -> tuple[list[Changed], bool]:
    found = TicketEvent.objects.filter(ticket=ticket)
    if since is not None:
        found = found.filter(at__gte=since)
    limit = window.size if window.show == "changes" else MOST_EVENTS
    rows = read_events(found, limit + 1)
    return rows[:limit][::-1], len(rows) > limit


def _messages(
    ticket: Ticket, actions: Sequence[Said], times: Iterable[Booked], files: Iterable[Attachment],
    items: Mapping[str, OutboxItem], zone: tzinfo, now: datetime,
) -> list[Entry]:  # fmt: skip
    time_of = {t.action_id: t for t in times if t.action_id}
    files_of: dict[int | None, list[Attachment]] = {}
    for file in files:
        files_of.setdefault(file.action_id, []).append(file)
    found = []
    for action in actions:
        time = time_of.get(action.pk)
        entry = message(action, time, files_of.get(action.pk, []), zone)
        item = items.get(f"action:{action.pk}")
        if item is None and time is not None:
            item = items.get(f"time:{time.pk}")  # the words are there, their time is still on its way
        _attach_item(entry, item, now)
        found.append(entry)
    return found


def _mails(
    ticket: Ticket, window: Window, entries: Sequence[Entry], since: datetime | None, zone: tzinfo, now: datetime
) -> list[Entry]:
    """Hang each reply's mail on its entry; the others are lines of their own."""
    by_key = {e.key: e for e in entries}
    lines = []
    for mail in mail_lines(ticket, now):
        if mail.action_id:
            if (entry := by_key.get(f"action-{mail.action_id}")) is not None:
                entry.mail = mail
        elif window.show in ("all", "public") and (since is None or mail.at >= since):
            lines.append(
                Entry(shape="line", at=mail.at, key=f"mail-{mail.pk}", clock=clock_time(mail.at, zone),
                      words=mail.words, icon=mail.icon, mail=mail)
            )  # fmt: skip
    return lines


def message(action: Said, time: Booked | None, files: Sequence[Attachment], zone: tzinfo) -> Entry:
    """One action as the timeline shows it."""
    entry = Entry(
        shape="message",
        at=action.occurred_at,
        key=f"action-{action.pk}",
        clock=clock_time(action.occurred_at, zone),
        name=action.author,
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


def time_of(action: Action) -> Booked | None:
    """The time booked with it; no query where it was just booked."""
    try:
        return booked_of(action.time_entry)
    except TimeEntry.DoesNotExist:
        return None


def _said(action: Said) -> str:
    if action.is_from_client:
        return _("wrote")
    if action.kind == Kind.REPLY and not action.is_internal:
        return _("replied to %(who)s") % {"who": action.email_to} if action.email_to else _("replied")
    if action.is_internal and action.sends_email:
        return _("mailed %(who)s") % {"who": action.email_to}
    if action.told is not None:
        return _("escalated it to %(who)s") % {"who": action.told} if action.told else _("escalated it")
    if action.outcome:
        return _("chose “%(outcome)s”") % {"outcome": action.outcome}
    if action.kind == Kind.CALL:
        return _("had a call")
    if action.kind == Kind.VISIT:
        return _("was on site")
    if action.kind == Kind.SYSTEM:
        return action.title or _("automatic")
    return "" if action.is_internal else _("added a note")


def _attach_item(entry: Entry, item: OutboxItem | None, now: datetime) -> None:
    if item is None:
        return
    entry.item = item
    entry.sync = item.sync
    entry.is_held = item.state == State.WAITING and item.lease_until is None and item.not_before_at > now
    what = {"reply": _("the reply"), "call": _("the call"), "visit": _("the visit"), "time": ""}
    said = what.get(str(item.fields.get("kind", "")), _("the note"))
    entry.loss = f"{entry.long} {_('and')} {said}" if entry.long and said else entry.long or said


def _time_line(ticket: Ticket, time: Booked, items: Mapping[str, OutboxItem], zone: tzinfo, now: datetime) -> Entry:
    entry = Entry(
        shape="time",
        at=time.ended_at,
        key=f"time-{time.pk}",
        clock=clock_time(time.ended_at, zone),
        name=time.author,
        words=time.note or _("Time booked"),
        sync=time.sync_state,
        long=duration(time.seconds),
        is_billable=time.is_billable,
    )
    _attach_item(entry, items.get(f"time:{time.pk}"), now)
    return entry


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
