"""Notes, time entries and attachments of Autotask as records. Visibility is `publish` and fails closed.

Source: recorded behaviour. A `noteType` says nothing of visibility; notes and time entries count their ids apart.
"""

from __future__ import annotations

import re
from collections.abc import Collection
from datetime import timedelta

from connectors.autotask.mapping.picklists import Fields, is_machine_made
from connectors.autotask.mapping.values import (
    Row,
    id_of,
    identifier,
    instant,
    instant_of,
    number,
    text_of,
    truth,
    whole,
    words,
)
from connectors.base.records import UNSET, ActionRecord, AttachmentRecord, Text, TimeRecord

TIME = "t"
NOTE = "n"
"""What stands before the id of a time entry, and before the id of what a file hangs on: ids are counted apart."""
_KINDS = (
    ("call", re.compile(r"^phone call\b|\bphone\b", re.IGNORECASE)),
    ("visit", re.compile(r"^site visit\b|\bon[- ]?site\b", re.IGNORECASE)),
)
_ON_TICKET, _ON_TIME, _ON_NOTE = 4, 18, 23
"""`parentType` of an attachment. Source: recorded behaviour."""
_ROUNDING_SECONDS = 40.0
"""Hours come with two to four digits: a window that says the same within this is the exact time."""


def note_record(row: Row, *, ticket: str, fields: Fields, public: Collection[str]) -> ActionRecord:
    """One note. `public`: values of `publish` that the client sees; any other, and none at all, is internal."""
    contact = id_of(row, "createdByContactID")
    agent = id_of(row, "creatorResourceID")
    from_client = isinstance(contact, str)
    is_internal = identifier(row.get("publish")) not in public
    return ActionRecord(
        remote_id=identifier(row.get("id")) or "",
        ticket=identifier(row.get("ticketID")) or ticket,
        raw=row,
        remote_updated_at=instant_of(row, "lastActivityDate", "createDateTime"),
        kind=_kind(row, fields, is_internal=is_internal, from_client=from_client),
        title=text_of(row, "title"),
        body=text_of(row, "description"),
        body_is_html=False,
        is_internal=is_internal,
        is_from_client=from_client,
        author_agent=None if from_client else agent,
        author_contact=contact,
        occurred_at=instant_of(row, "createDateTime", "lastActivityDate"),
        time_seconds=None,
    )


def _kind(row: Row, fields: Fields, *, is_internal: bool, from_client: bool) -> str:
    if from_client:
        return "reply"
    if is_machine_made(fields, row.get("noteType")):
        return "system"
    title = words(row.get("title")) or ""
    found = next((kind for kind, pattern in _KINDS if pattern.search(title)), None)
    return found or ("note" if is_internal else "reply")


def time_record(row: Row, *, ticket: str) -> TimeRecord:
    """A time entry. It ends when it was worked; one without a window ends on the day that it was worked."""
    texts = [found for name in ("summaryNotes", "internalNotes") if (found := words(row.get(name)))]
    return TimeRecord(
        remote_id=f"{TIME}{identifier(row.get('id')) or ''}",
        ticket=identifier(row.get("ticketID")) or ticket,
        raw=row,
        remote_updated_at=instant_of(row, "lastModifiedDateTime", "createDateTime"),
        agent=id_of(row, "resourceID"),
        started_at=instant_of(row, "startDateTime", "dateWorked"),
        ended_at=instant_of(row, "endDateTime", "dateWorked", "createDateTime"),
        seconds=worked_seconds(row),
        is_billable=not truth(row.get("isNonBillable")),
        note="\n\n".join(texts),
    )


def booked(time: TimeRecord) -> ActionRecord:
    """Time alone, as the answer to a draft that is nothing else."""
    return ActionRecord(
        remote_id=time.remote_id,
        ticket=time.ticket,
        kind="note",
        is_internal=True,
        author_agent=time.agent,
        occurred_at=time.ended_at,
        time_seconds=time.seconds,
        time_is_billable=time.is_billable,
    )


def worked_seconds(row: Row) -> int:
    """The window to the second where it says the same as the rounded hours; else the hours."""
    hours = number(row.get("hoursWorked"))
    starts, ends = instant(row.get("startDateTime")), instant(row.get("endDateTime"))
    window = (ends - starts) / timedelta(seconds=1) if starts and ends else None
    if hours is None:
        return round(window) if window else 0
    if window is not None and abs(window - hours * 3600) <= _ROUNDING_SECONDS:
        return round(window)
    return round(hours * 3600)


def attachment_record(row: Row, *, ticket: str, public: Collection[str]) -> AttachmentRecord:
    """One row of an attachment list. What hangs on a note is public only when the client sent it.

    Autotask tells a note's visibility elsewhere, and nobody may see by accident what was meant for agents.
    """
    remote_id, action, on_ticket = _place(row)
    is_public = identifier(row.get("publish")) in public
    return AttachmentRecord(
        remote_id=remote_id,
        ticket=ticket,
        raw={k: v for k, v in row.items() if k != "data"},
        action=action,
        name=words(row.get("fullPath")) or words(row.get("title")) or "",
        content_type=text_of(row, "contentType"),
        size=whole(row["fileSize"]) if row.get("fileSize") is not None else UNSET,
        is_public=is_public and (on_ticket or isinstance(id_of(row, "attachedByContactID"), str)),
        created_at=instant_of(row, "attachDate"),
    )


def is_file(row: Row) -> bool:
    """Whether it is a file with bytes, on something that we know how to ask for it."""
    kind = words(row.get("attachmentType"))
    fits = kind is None or kind.upper() == "FILE_ATTACHMENT"
    return fits and identifier(row.get("id")) is not None and _parent(row) in (_ON_TICKET, _ON_TIME, _ON_NOTE)


def attachment_path(remote_id: str, ticket: str) -> str | None:
    """Where the bytes of an attachment are; None for what is no id of one."""
    prefix, parent, own = _split(remote_id)
    if own is None:
        return None
    if not prefix:
        return f"/Tickets/{ticket}/Attachments/{own}"
    return f"/{'TimeEntries' if prefix == TIME else 'TicketNotes'}/{parent}/Attachments/{own}"


def _split(remote_id: str) -> tuple[str, str, str | None]:
    found = re.fullmatch(rf"(?:([{TIME}{NOTE}])(\d{{1,18}})\.)?(\d{{1,18}})", remote_id)
    return (found[1] or "", found[2] or "", found[3]) if found else ("", "", None)


def _parent(row: Row) -> int:
    found = whole(row.get("parentType"))
    return _ON_TICKET if found is None else found


def _place(row: Row) -> tuple[str, Text, bool]:
    """The id of an attachment with what it hangs on; the action that this is; whether it is the ticket."""
    own, parent, kind = identifier(row.get("id")) or "", identifier(row.get("parentID")), _parent(row)
    if kind == _ON_TICKET or parent is None:
        return own, None, kind == _ON_TICKET
    if kind == _ON_TIME:
        return f"{TIME}{parent}.{own}", f"{TIME}{parent}", False
    return f"{NOTE}{parent}.{own}", parent, False
