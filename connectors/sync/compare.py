"""Desk and PSA, field by field: an operator's proof that the mirror is whole. Reads both sides, changes neither.

Costs: one call per hundred tickets for the list, then two per ticket (the ticket itself, its actions) and a third for
each ticket that has files, all at backfill rank inside the account's allowance; the tickets that differ are read once
more at the end. Memory does not grow with the number of tickets: pages are compared as they come, ids wait in a
temporary file, and of differences the first ten thousand are named and the rest counted.
"""

from __future__ import annotations

import time
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from connectors.base.connector import Connector
from connectors.base.errors import NotFound
from connectors.base.html import to_text
from connectors.base.records import UNSET, ActionRecord, TicketRecord
from connectors.sync import gateway, inbound, inbound_actions
from connectors.sync.feeds import AHEAD
from connectors.sync.keys import MODELS, Keys
from connectors.sync.models import Cursor, Feed
from connectors.sync.seen import SeenIds
from helpdesk.actions.files import safe_name
from helpdesk.actions.models import Action, Attachment, TimeEntry
from helpdesk.directory.models import PsaAccount
from helpdesk.outbox.choices import Verb
from helpdesk.outbox.models import OutboxItem
from helpdesk.tickets import clocks
from helpdesk.tickets.models import Ticket

NAMED_AT_MOST = 10_000
SHOWN_CHARACTERS = 160
CHUNK = 500
MOVING = frozenset({"sla_response_state", "sla_resolution_state", "attachment_count"})
"""What the PSA works out at the moment of reading, or what the list of files tells better."""
UNPULLED = "not read yet"
UNSENT = "not sent yet"


@dataclass
class Report:
    """What came out for one account. `waiting` is on its way and no difference."""

    name: str
    tickets: int = 0
    actions: int = 0
    attachments: int = 0
    differences: list[dict[str, Any]] = field(default_factory=list)
    difference_count: int = 0
    missing_here: list[str] = field(default_factory=list)
    missing_there: list[str] = field(default_factory=list)
    waiting: list[dict[str, Any]] = field(default_factory=list)
    calls: int = 0
    seconds: float = 0.0

    @property
    def is_same(self) -> bool:
        return not (self.difference_count or self.missing_here or self.missing_there)

    def to_json(self) -> dict[str, Any]:
        return {**vars(self), "seconds": round(self.seconds, 3)}


class _KnownKeys(Keys):
    """Looks ids up and makes nothing: an id without a row is -1, which no row of ours has."""

    def get(self, name: str, remote_id: str | None, *, label: str = "", **values: Any) -> int | None:
        found = self.find(name, remote_id)
        return -1 if found is None and remote_id is not None and name != "parent" else found

    def required(self, name: str, remote_id: str | None) -> int:
        from connectors.sync.keys import NO_ID

        return self.get(name, remote_id or NO_ID) or -1


@dataclass
class _Found:
    """What one look at one ticket gave: (field, ours, theirs) of what differs, and fields that wait."""

    differs: list[tuple[str, Any, Any]] = field(default_factory=list)
    waits: set[str] = field(default_factory=set)
    remote_updated_at: datetime | None = None
    actions: int = 0
    attachments: int = 0
    is_missing_here: bool = False
    is_gone: bool = False
    is_unread: bool = False
    """Its turn in the reading of details and actions has not come yet."""


def compare(
    account: PsaAccount,
    *,
    clock: Callable[[], datetime],
    limit: int | None = None,
    on_ticket: Callable[[Report, int | None], None] | None = None,
) -> Report:
    """Compare every ticket of an account, or the first `limit`. ConnectorError when the PSA cannot be read."""
    started, report = time.monotonic(), Report(account.name)
    with (
        gateway.using(account, rank=gateway.BACKFILL, clock=clock, is_patient=True) as connector,
        SeenIds() as seen,
    ):
        look = _Look(account, connector)
        again = _walk(look, report, seen, clock(), limit, on_ticket)
        _look_again(look, report, again, clock())
        if limit is None:
            _missing_there(look, report, seen)
        report.calls = connector.calls
    report.seconds = time.monotonic() - started
    return report


def _walk(
    look: _Look, report: Report, seen: SeenIds, now: datetime, limit: int | None,
    on_ticket: Callable[[Report, int | None], None] | None,
) -> list[str]:  # fmt: skip
    """Compare page by page; gives the ids of tickets that want a second look."""
    again: list[str] = []
    for page in look.connector.tickets(since=None, until=now + AHEAD):
        ids = list(dict.fromkeys(r.remote_id for r in page.rows))
        known = seen.of(ids)  # a list that moves under us gives a row twice
        seen.add(ids)
        for remote_id in ids:
            if remote_id in known:
                continue
            if limit is not None and report.tickets >= limit:
                return again
            found = look.at(remote_id)
            if found.is_gone:
                continue
            report.tickets += 1
            report.actions += found.actions
            report.attachments += found.attachments
            if (found.differs or found.is_missing_here) and len(again) < NAMED_AT_MOST:
                again.append(remote_id)
            elif found.differs or found.is_missing_here:
                report.difference_count += max(1, len(found.differs))
            _note_waiting(report, remote_id, found.waits)
            if on_ticket:
                on_ticket(report, page.total)
    return again


def _look_again(look: _Look, report: Report, ids: Sequence[str], now: datetime) -> None:
    """What differed may have been on its way just then: only what still differs counts."""
    look.keys.forget()  # what was renamed or made meanwhile
    for remote_id in ids:
        since = Cursor.objects.filter(psa_account=look.account, feed=Feed.CHANGES).values_list("since", flat=True)
        pulled_to = since.first()
        found = look.at(remote_id)
        if found.is_gone:
            continue
        is_news = (
            found.is_unread
            or pulled_to is None
            or (found.remote_updated_at is not None and found.remote_updated_at >= pulled_to)
        )
        if (found.differs or found.is_missing_here) and is_news:
            report.waiting.append({"ticket": remote_id, "field": "", "why": UNPULLED})
        elif found.is_missing_here:
            report.missing_here.append(remote_id)
        else:
            for name, ours, theirs in found.differs:
                _note(report, remote_id, name, ours, theirs)


def _note(report: Report, remote_id: str, name: str, ours: Any, theirs: Any) -> None:
    report.difference_count += 1
    if len(report.differences) < NAMED_AT_MOST:
        report.differences.append({"ticket": remote_id, "field": name, "ours": _shown(ours), "theirs": _shown(theirs)})


def _note_waiting(report: Report, remote_id: str, names: set[str]) -> None:
    if len(report.waiting) < NAMED_AT_MOST:
        report.waiting += [{"ticket": remote_id, "field": name, "why": UNSENT} for name in sorted(names)]


def _missing_there(look: _Look, report: Report, seen: SeenIds) -> None:
    """Tickets of ours that no page named, and that cannot be read either."""
    rows = Ticket.objects.present().filter(psa_account=look.account).exclude(remote_id=None).order_by("pk")
    last = 0
    while chunk := list(rows.filter(pk__gt=last).values_list("pk", "remote_id")[:CHUNK]):
        last = chunk[-1][0]
        ids = [str(remote_id) for _pk, remote_id in chunk]
        there = seen.of(ids)
        for remote_id in (i for i in ids if i not in there):
            try:
                look.connector.ticket(remote_id)
            except NotFound:
                report.missing_there.append(remote_id)


def _shown(value: Any) -> Any:
    if isinstance(value, datetime):
        return value.isoformat()
    if isinstance(value, str) and len(value) > SHOWN_CHARACTERS:
        return value[:SHOWN_CHARACTERS] + "…"
    return value


class _Look:
    """One ticket on both sides."""

    def __init__(self, account: PsaAccount, connector: Connector) -> None:
        self.account, self.connector = account, connector
        self.keys = _KnownKeys(account.pk)

    def at(self, remote_id: str) -> _Found:
        """The PSA first, then ours: what comes in between shows on the second look."""
        found = _Found()
        try:
            record = self.connector.ticket(remote_id)
            actions = self.connector.actions(remote_id)
        except NotFound:
            found.is_gone = True
            return found
        at = record.remote_updated_at
        found.remote_updated_at = at if isinstance(at, datetime) else None
        ticket = Ticket.objects.present().filter(psa_account=self.account, remote_id=remote_id).first()
        if ticket is None:
            found.is_missing_here = True
            return found
        found.is_unread = ticket.actions_pulled_at is None or (
            ticket.remote_updated_at is not None and ticket.actions_pulled_at < ticket.remote_updated_at
        )
        items = list(OutboxItem.objects.in_lane(ticket.lane).open())
        self._fields(ticket, record, items, found)
        self._actions(ticket, actions, items, found)
        self._files(ticket, record, actions, items, found)
        return found

    # Fields

    def _fields(self, ticket: Ticket, record: TicketRecord, items: Sequence[OutboxItem], found: _Found) -> None:
        row = inbound.remote_tickets([record], account_id=self.account.pk, keys=self.keys)[0]
        held = _held(items)
        for name, theirs in row.values.items():
            plain = name.removesuffix("_id") if name.endswith("_id") else name
            if plain in MOVING or name in ("description", "description_is_html", "opened_at"):
                continue
            ours = getattr(ticket, name)
            if ours == theirs:
                continue
            if plain in held:
                found.waits.add(plain)
            else:
                found.differs.append((plain, *self._readable(plain, name, ours, theirs)))
        self._description(ticket, record, held, found)

    def _readable(self, plain: str, name: str, ours: Any, theirs: Any) -> tuple[Any, Any]:
        """Keys as the PSA's ids."""
        if plain == name or plain not in MODELS:
            return ours, theirs
        rows = MODELS[plain]._default_manager.filter(pk__in=[k for k in (ours, theirs) if k])
        ids = dict(rows.values_list("pk", "remote_id"))
        return tuple(None if k is None else ids.get(k, "unknown") for k in (ours, theirs))  # type: ignore[return-value]

    def _description(self, ticket: Ticket, record: TicketRecord, held: set[str], found: _Found) -> None:
        theirs = record.description if isinstance(record.description, str) else record.description_text
        if theirs is UNSET:
            return
        ours, theirs = to_text(ticket.description), to_text(str(theirs or ""))
        if ours == theirs:
            return
        if "description" in held:
            found.waits.add("description")
        else:
            found.differs.append(("description", ours, theirs))

    # Actions and time

    def _actions(
        self, ticket: Ticket, records: Sequence[ActionRecord], items: Sequence[OutboxItem], found: _Found
    ) -> None:
        found.actions = len(records)
        ours = {a.remote_id or a.fingerprint: a for a in Action.objects.filter(ticket=ticket, removed_at=None)}
        entries = list(TimeEntry.objects.filter(ticket=ticket, removed_at=None))
        times: dict[str | None, TimeEntry] = {t.remote_id: t for t in entries}
        pending = {i.subject for i in items}
        inbound_actions.prime(records, self.keys)
        for record in records:
            name = f"action {record.remote_id}"
            action = ours.pop(record.remote_id, None)
            entry = times.pop(record.remote_id, None)
            if action is None and entry is None:
                found.differs.append((name, None, "there"))
                continue
            seconds = record.time_seconds if isinstance(record.time_seconds, int) else 0
            if seconds != (entry.seconds if entry else 0):
                found.differs.append((f"{name} time", entry.seconds if entry else 0, seconds))
            if action is not None:
                found.differs += self._action(name, action, record, ticket)
        for key, action in ours.items():
            if key is not None:
                found.differs.append((f"action {key}", "here", None))
            elif action.subject_key in pending:
                found.waits.add(f"action of {action.occurred_at:%Y-%m-%d %H:%M}")
            elif not action.sync_state:
                continue  # a line of the desk's own, meant for no PSA
            else:
                found.differs.append((f"action of {action.occurred_at:%Y-%m-%d %H:%M}", "here", None))
        apart = self._times(ticket)
        for key, entry in times.items():
            if key is not None:
                theirs = apart.pop(key, None)
                if theirs != entry.seconds:
                    found.differs.append((f"time {key}", entry.seconds, theirs))
            elif f"time:{entry.pk}" in pending or (entry.action and entry.action.subject_key in pending):
                found.waits.add(f"time of {entry.ended_at:%Y-%m-%d %H:%M}")
        found.differs += [(f"time {key}", None, seconds) for key, seconds in apart.items()]

    def _times(self, ticket: Ticket) -> dict[str, int]:
        """Seconds by id, where the PSA keeps booked time apart from its actions."""
        if self.account.capabilities.get("time_in_action") is not False:
            return {}
        return {t.remote_id: t.seconds for t in self.connector.times(str(ticket.remote_id))}

    def _action(
        self, name: str, action: Action, record: ActionRecord, ticket: Ticket
    ) -> Iterator[tuple[str, Any, Any]]:
        row = inbound_actions.remote_action(record, account=self.account, ticket=ticket, keys=self.keys).values
        ours, theirs = to_text(action.body), to_text(str(row.get("body") or ""))
        if ours != theirs:
            yield f"{name} text", ours, theirs
        for column in ("is_internal", "new_status_id"):
            if column in row and getattr(action, column) != row[column]:
                plain = column.removesuffix("_id")
                shown = self._readable(
                    "status" if plain == "new_status" else plain, column, getattr(action, column), row[column]
                )
                yield f"{name} {plain}", *shown
        if not action.author_user_id and action.occurred_at != row["occurred_at"]:
            yield f"{name} occurred_at", action.occurred_at, row["occurred_at"]

    # Files

    def _files(
        self, ticket: Ticket, record: TicketRecord, actions: Sequence[ActionRecord], items: Sequence[OutboxItem],
        found: _Found,
    ) -> None:  # fmt: skip
        rows = Attachment.objects.filter(ticket=ticket, removed_at=None, inline_reference="")
        ours = {file.remote_id or f"#{file.pk}": file for file in rows}
        told = [record.attachment_count, *(a.attachment_count for a in actions)]
        if not ours and not any(n for n in told if isinstance(n, int)):
            return
        pending = {i.subject for i in items}
        listed = self.connector.attachments(str(ticket.remote_id))
        found.attachments = len(listed)
        for theirs in listed:
            file = ours.pop(theirs.remote_id, None)
            name = f"file {theirs.remote_id}"
            if file is None:
                found.differs.append((name, None, theirs.name))
                continue
            if file.name != safe_name(str(theirs.name or "")):
                found.differs.append((f"{name} name", file.name, theirs.name))
            if isinstance(theirs.size, int) and file.size != theirs.size:
                found.differs.append((f"{name} size", file.size, theirs.size))
        for key, file in ours.items():
            if f"attachment:{file.pk}" in pending:
                found.waits.add(f"file {file.name}")
            else:
                found.differs.append((f"file {key}", file.name, None))


def _held(items: Sequence[OutboxItem]) -> set[str]:
    """Fields that a change of ours holds, with those that follow from them."""
    held: set[str] = set()
    for item in items:
        held |= set(item.fields)
        if item.verb == Verb.CREATE_ACTION and item.fields.get("new_status"):
            held.add("status")
    if "status" in held:
        held |= {"sla_paused", "resolved_at", "closed_at"}
    if held & {*clocks.DATING, "status"}:
        held |= {*clocks.DUE_FIELDS.values(), "deadline_at"}
    if items:
        # Anything on its way will move these in the PSA.
        held |= {"last_activity_at", "first_responded_at", "billable_seconds", "nonbillable_seconds"}
    return held


def by_field(report: Report) -> Mapping[str, int]:
    """How often each field differs, for people."""
    counts: dict[str, int] = defaultdict(int)
    for row in report.differences:
        words = str(row["field"]).split()
        counts[" ".join(w for w in words if not w.isdigit())] += 1
    return counts
