"""What a PSA says of a ticket's actions and files, applied in one transaction per ticket."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from django.db import transaction
from django.db.models import Min

from helpdesk.actions.choices import FileState, Kind
from helpdesk.actions.files import safe_name
from helpdesk.actions.models import Action, Attachment, TimeEntry
from helpdesk.actions.text import CLEANER_VERSION, cleaned_body, inline_references
from helpdesk.core import live
from helpdesk.outbox.models import OutboxItem
from helpdesk.tickets.choices import Sync
from helpdesk.tickets.models import Ticket
from helpdesk.tickets.search import refresh_search_text
from helpdesk.tickets.status_changes import RemoteStatusChange, apply_status_changes
from helpdesk.tickets.verdicts import record_changed, verdicts_of
from helpdesk.tickets.writing import save_clocks


@dataclass(frozen=True, kw_only=True)
class RemoteAction:
    """One action as the PSA has it, in our keys. `key` is its remote id, or a fingerprint where it has none.

    `values` are columns of `Action`; time goes apart, since it is a row of its own.
    """

    key: str
    values: Mapping[str, Any]
    is_fingerprint: bool = False
    marker: str | None = None
    seconds: int | None = None
    is_billable: bool = True
    status_change: RemoteStatusChange | None = None
    raw: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class RemoteFile:
    """One attachment as the PSA lists it, without bytes."""

    remote_id: str
    name: str
    created_at: datetime
    action_key: str | None = None
    content_type: str | None = None
    size: int | None = None
    is_public: bool | None = None
    raw: Mapping[str, Any] = field(default_factory=dict)


@transaction.atomic
def apply_actions(
    *,
    ticket_id: int,
    rows: Sequence[RemoteAction],
    now: datetime,
    is_complete: bool = True,
    up_to: datetime | None = None,
) -> int:
    """Bring a ticket's actions to what the PSA has; counts the new ones.

    `is_complete`: rows are all there are, so what is gone there is marked removed here (our unsent ones stay).
    `up_to` is the ticket's change time that this reading covers.
    """
    ticket = Ticket.objects.select_for_update().get(pk=ticket_id)
    have = list(Action.objects.filter(ticket=ticket))
    by_key = {a.fingerprint or a.remote_id: a for a in have if a.fingerprint or a.remote_id}
    by_marker = {str(a.marker): a for a in have}
    times = {t.action_id: t for t in TimeEntry.objects.filter(ticket=ticket) if t.action_id}
    time_markers = {str(t.marker): t for t in TimeEntry.objects.filter(ticket=ticket, action=None)}
    created = changed = 0
    for row in rows:
        entry = time_markers.get(row.marker or "")
        if entry is not None and entry.remote_id in (None, row.key):
            _known_time(entry, row)
            continue
        action = by_key.get(row.key) or _unclaimed(by_marker.get(row.marker or ""))
        is_new = action is None
        action = action or Action(ticket=ticket)
        if _set_action(action, row, is_new=is_new):
            action.save()
            created += is_new
            changed += not is_new
        _set_time(ticket, action, row, times.get(action.pk))
    if is_complete:
        changed += _mark_gone(have, {row.key for row in rows}, now)
    changed += apply_status_changes(
        ticket=ticket, rows=[r.status_change for r in rows if r.status_change is not None], now=now
    )
    _sum_up(ticket, up_to, now, is_moved=bool(created or changed))
    if created or changed:
        refresh_search_text(ticket)
        live.touch(live.DESK, live.ticket_scope(ticket.pk))
    return created


def _unclaimed(action: Action | None) -> Action | None:
    """Ours, while the PSA has not named it. A client's answer may quote our mail, marker and all: no echo."""
    return action if action is not None and not (action.remote_id or action.fingerprint) else None


def _set_action(action: Action, row: RemoteAction, *, is_new: bool) -> bool:
    """Copy the row; False when nothing differs. What is still on its way from here keeps our own text."""
    values = dict(row.values)
    values["fingerprint" if row.is_fingerprint else "remote_id"] = row.key
    if not is_new and (action.author_user_id or action.sync_state):
        # Written here: the PSA's echo may not repaint who wrote it, when, or how.
        for name in ("author_agent_id", "author_name", "occurred_at", "kind", "body", "body_is_html", "title",
                     "author_contact_id", "is_from_client"):  # fmt: skip
            values.pop(name, None)
    different = is_new or action.removed_at is not None or any(getattr(action, k) != v for k, v in values.items())
    if not different:
        return False
    for name, value in values.items():
        setattr(action, name, value)
    action.removed_at = None
    if is_new or "body" in values:
        if row.marker and is_new and not Action.objects.filter(marker=row.marker).exists():
            action.marker = row.marker  # type: ignore[assignment]
        action.body_clean = cleaned_body(action.body, is_html=action.body_is_html, ticket_id=action.ticket_id)
        action.cleaner_version = CLEANER_VERSION
        _note_images(action)
    action.raw = dict(row.raw)
    return True


def _note_images(action: Action) -> None:
    """Images inside the text become attachments that are fetched when somebody looks."""
    for reference in inline_references(action.body) if action.body_is_html else ():
        note_image(ticket=action.ticket, reference=reference, is_public=not action.is_internal, at=action.occurred_at)


def note_image(*, ticket: Ticket, reference: str, is_public: bool, at: datetime) -> Attachment:
    """The row of an image that the PSA's HTML shows inline; public once any public text shows it."""
    image, _made = Attachment.objects.get_or_create(
        ticket=ticket,
        inline_reference=reference,
        defaults={
            "psa_account_id": ticket.psa_account_id,
            "name": f"image-{reference[:8]}",
            "state": FileState.REMOTE,
            "is_public": is_public,
            "created_at": at,
        },
    )
    if is_public and not image.is_public:
        image.is_public = True
        image.save(update_fields=["is_public"])
    return image


def _set_time(ticket: Ticket, action: Action, row: RemoteAction, entry: TimeEntry | None) -> None:
    if not row.seconds:
        if entry is not None and row.seconds == 0 and entry.sync_state in ("", Sync.SENT):
            entry.delete()
        return
    entry = entry or TimeEntry(ticket=ticket, action=action, author_name=action.author_name)
    if entry.pk and (entry.seconds, entry.is_billable, entry.remote_id) == (row.seconds, row.is_billable, row.key):
        return
    if entry.pk is None:
        entry.agent_id, entry.ended_at = action.author_agent_id, action.occurred_at
        entry.started_at = action.occurred_at - timedelta(seconds=row.seconds)
    entry.seconds, entry.is_billable, entry.remote_id = row.seconds, row.is_billable, row.key
    entry.save()


def _known_time(entry: TimeEntry, row: RemoteAction) -> None:
    """Time alone, come back as the PSA's action: it stays a time entry."""
    if entry.remote_id != row.key or (row.seconds and entry.seconds != row.seconds):
        entry.remote_id, entry.seconds = row.key, row.seconds or entry.seconds
        entry.save(update_fields=["remote_id", "seconds"])


def _mark_gone(have: Sequence[Action], keys: set[str], now: datetime) -> int:
    gone = [
        a.pk
        for a in have
        if (a.remote_id or a.fingerprint) and (a.fingerprint or a.remote_id) not in keys and a.removed_at is None
    ]
    return Action.objects.filter(pk__in=gone).update(removed_at=now) if gone else 0


def _sum_up(ticket: Ticket, up_to: datetime | None, now: datetime, *, is_moved: bool) -> None:
    """Whether the client waits for an answer, when it had the first one, and how far the actions are known.

    `is_moved`: something came or went, so that the clocks may have moved, too.
    """
    last = (
        Action.objects.filter(ticket=ticket, is_internal=False, removed_at=None)
        .exclude(kind=Kind.SYSTEM)
        .order_by("-occurred_at", "-pk")
        .first()
    )
    first_is_opening = last is not None and last.occurred_at <= ticket.opened_at + timedelta(seconds=2)
    waits = last is not None and last.is_from_client and not first_is_opening and ticket.is_open
    values: dict[str, Any] = {"client_replied_at": last.occurred_at if last and waits else None}
    if up_to is not None:
        values["actions_pulled_at"] = up_to
    values["answered_at"] = Action.objects.of_staff_to_client(ticket.pk).aggregate(at=Min("occurred_at"))["at"]
    is_first_reading = up_to is not None and ticket.actions_pulled_at is None
    if values["client_replied_at"] != ticket.client_replied_at or values["answered_at"] != ticket.answered_at:
        values["changed_at"] = now
    Ticket.objects.filter(pk=ticket.pk).update(**values)
    if is_moved or is_first_reading or values["answered_at"] != ticket.answered_at:
        for name, value in values.items():
            setattr(ticket, name, value)
        before = verdicts_of([ticket.pk])
        record_changed(before, save_clocks(ticket, now=now), now=now, why="message")


@transaction.atomic
def apply_files(*, ticket_id: int, rows: Sequence[RemoteFile], now: datetime) -> int:
    """Bring a ticket's attachment list to what the PSA has; counts the new ones. Bytes are fetched when asked for."""
    ticket = Ticket.objects.select_for_update().get(pk=ticket_id)
    have = list(Attachment.objects.filter(ticket=ticket, inline_reference=""))
    by_id = {a.remote_id: a for a in have if a.remote_id}
    uploading = {
        i.subject for i in OutboxItem.objects.in_lane(ticket.lane).unfinished() if i.subject.startswith("attachment:")
    }
    in_flight = {(a.name, a.size) for a in have if f"attachment:{a.pk}" in uploading}
    actions = {a.remote_id: a.pk for a in Action.objects.filter(ticket=ticket).only("remote_id") if a.remote_id}
    created = 0
    for row in rows:
        file = by_id.get(row.remote_id)
        if file is None:
            if (row.name, row.size) in in_flight:
                continue  # our own upload, seen before its answer was stored
            created += 1
            file = Attachment(
                ticket=ticket, psa_account_id=ticket.psa_account_id, remote_id=row.remote_id, state=FileState.REMOTE
            )
        _set_file(file, row, actions, now)
    kept = {row.remote_id for row in rows}
    Attachment.objects.filter(
        pk__in=[a.pk for a in have if a.remote_id and a.remote_id not in kept and a.removed_at is None]
    ).update(removed_at=now)
    Ticket.objects.filter(pk=ticket.pk).update(
        attachment_count=Attachment.objects.filter(ticket=ticket, removed_at=None).count()
    )
    if created:
        live.touch(live.ticket_scope(ticket.pk))
    return created


def _set_file(file: Attachment, row: RemoteFile, actions: Mapping[str, int], now: datetime) -> None:
    values: dict[str, Any] = {"removed_at": None}
    if file.state != FileState.STORED or not file.pk:
        values |= {"name": safe_name(row.name), "size": row.size, "created_at": row.created_at}
        if row.content_type:
            values["content_type"] = row.content_type[:120]
    if row.is_public is not None:
        values["is_public"] = row.is_public
    if row.action_key and row.action_key in actions:
        values["action_id"] = actions[row.action_key]
    elif row.action_key and file.action_id is None:
        values["is_public"] = False  # nobody can tell yet whether the client may see what it hangs on
    if file.pk and all(getattr(file, k) == v for k, v in values.items()):
        return
    for name, value in values.items():
        setattr(file, name, value)
    file.raw = dict(row.raw)
    file.save()


@transaction.atomic
def confirm_action(
    *, subject: str, remote_id: str, now: datetime, is_fingerprint: bool = False, has_time: bool = True
) -> None:
    """The PSA took an action or time entry and gave it this id. A copy that a pull made meanwhile goes.

    `is_fingerprint`: actions have no id there; `remote_id` is what we know this one by. Time has ids of its own.
    `has_time` is off when the action's time travels in an item of its own.
    """
    kind, _sep, pk = subject.partition(":")
    if kind == "time":
        entry = TimeEntry.objects.select_for_update().get(pk=pk)
        Action.objects.filter(ticket=entry.ticket_id, remote_id=remote_id).delete()
        TimeEntry.objects.filter(ticket=entry.ticket_id, remote_id=remote_id).exclude(pk=entry.pk).delete()
        entry.remote_id = remote_id
        entry.save(update_fields=["remote_id"])
        return
    action = Action.objects.select_for_update().get(pk=pk)
    column = "fingerprint" if is_fingerprint else "remote_id"
    Action.objects.filter(ticket=action.ticket_id, **{column: remote_id}).exclude(pk=action.pk).delete()
    setattr(action, column, remote_id)
    action.save(update_fields=[column])
    if is_fingerprint:
        return  # the time booked with it is told by the list of times
    if has_time:
        TimeEntry.objects.filter(action=action).update(remote_id=remote_id)


@transaction.atomic
def confirm_file(*, attachment_id: int, remote_id: str, now: datetime) -> None:
    """The PSA took a file and gave it this id."""
    file = Attachment.objects.select_for_update().get(pk=attachment_id)
    Attachment.objects.filter(psa_account=file.psa_account_id, remote_id=remote_id).exclude(pk=file.pk).delete()
    file.remote_id = remote_id
    file.save(update_fields=["remote_id"])
