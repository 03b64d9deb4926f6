"""Comments, work hours and attachments of Atera as records. Visibility fails closed.

A comment has no id: its identity is a hash of what it is, plus a count where the very same was said twice.
"""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Collection, Iterable, Sequence
from urllib.parse import unquote, urlsplit

from connectors.atera.mapping.values import Row, first, identifier, instant, person, truth, words
from connectors.base.html import text_hash, to_text
from connectors.base.records import UNSET, ActionRecord, AttachmentRecord, TimeRecord


def comment_records(
    rows: Iterable[Row],
    *,
    ticket: str,
    opening: str = "",
    end_user: str | None = None,
    technicians: Collection[str] = (),
) -> tuple[ActionRecord, ...]:
    """Comments, oldest first, without the one that only repeats the description (`opening`).

    `end_user`, `technicians`: who is who where a row names its author without saying what he is.
    """
    ordered = sorted(rows, key=lambda row: _said_at(row) or "9999")
    seen: Counter[str] = Counter()
    records = []
    for index, row in enumerate(ordered):
        base = fingerprint(row, ticket=ticket)
        seen[base] += 1
        if index == 0 and opening and text_hash(_plain(row), is_html=False) == text_hash(opening, is_html=False):
            continue
        key = base if seen[base] == 1 else _digest(f"{base}#{seen[base]}")
        records.append(_comment_record(row, key, ticket, end_user, technicians))
    return tuple(records)


def fingerprint(row: Row, *, ticket: str) -> str:
    """What stays the same of a comment: when (to the second), by whom, for whom, and its words. An id counts first."""
    own = identifier(row.get("CommentID"))
    if own:
        return f"id-{own}"
    return _digest(
        "\0".join(
            (
                ticket,
                _said_at(row),
                identifier(row.get("EndUserID")) or "",
                identifier(row.get("TechnicianContactID")) or identifier(row.get("CreatorContactID")) or "",
                str(truth(row.get("IsInternal"), True)),
                text_hash(_plain(row), is_html=False),
            )
        )
    )


def _comment_record(
    row: Row, key: str, ticket: str, end_user: str | None, technicians: Collection[str]
) -> ActionRecord:
    contact, technician = _authors(row, end_user, technicians)
    is_internal = truth(row.get("IsInternal"), contact is None)
    html = words(row.get("CommentHtml"))
    spoken = "note" if is_internal else "reply"
    return ActionRecord(
        remote_id=key,
        ticket=ticket,
        raw={k: v for k, v in row.items() if k not in ("Comment", "CommentHtml", "CommentText")},
        kind=spoken if contact or technician else "system",
        title=None,
        body=html or words(first(row, "Comment", "CommentText")),
        body_is_html=bool(html),
        is_internal=is_internal,
        is_from_client=contact is not None,
        author_agent=technician,
        author_contact=contact,
        author_name=person(row.get("FirstName"), row.get("LastName")) or words(row.get("Email")) or UNSET,
        author_email=words(row.get("Email")) or UNSET,
        occurred_at=instant(first(row, "Date", "CommentDate")),
    )


def _authors(row: Row, end_user: str | None, technicians: Collection[str]) -> tuple[str | None, str | None]:
    """(contact, technician) of a comment; at most one of them. The short description names a creator only."""
    contact, technician = identifier(row.get("EndUserID")), identifier(row.get("TechnicianContactID"))
    if contact or technician:
        return (None, technician) if technician else (contact, None)
    creator = identifier(row.get("CreatorContactID"))
    if creator is None or creator in technicians:
        return None, creator
    if creator == end_user:
        return creator, None
    return (None, creator) if truth(row.get("IsInternal"), True) else (creator, None)


def _plain(row: Row) -> str:
    text = words(first(row, "Comment", "CommentText"))
    return text if text is not None else to_text(words(row.get("CommentHtml")) or "")


def _said_at(row: Row) -> str:
    at = instant(first(row, "Date", "CommentDate"))
    return at.strftime("%Y-%m-%dT%H:%M:%S") if at else ""


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode("utf-8", "replace")).hexdigest()


def time_record(row: Row, *, ticket: str) -> TimeRecord:
    """Work hours; the short description tells the length in seconds and has other names."""
    start, end = (instant(first(row, *n)) for n in (("StartWorkHour", "StartDate"), ("EndWorkHour", "EndDate")))
    told = row.get("Duration")
    if start and end:
        seconds = max(0, round((end - start).total_seconds()))
    else:
        seconds = told if isinstance(told, int) and not isinstance(told, bool) and told > 0 else 0
    return TimeRecord(
        remote_id=identifier(first(row, "WorkHoursID", "WorkHourID")) or "",
        ticket=ticket,
        raw=row,
        agent=identifier(first(row, "TechnicianContactID", "TechnicianID")),
        author_name=words(row.get("TechnicianFullName")) or UNSET,
        author_email=words(row.get("TechnicianEmail")) or UNSET,
        started_at=start,
        ended_at=end,
        seconds=seconds,
        is_billable=truth(first(row, "Billiable", "Billable", "IsBillable"), True),
        note=words(first(row, "Description", "Notes")) or "",
    )


def attachment_records(urls: Sequence[object], *, ticket: str) -> tuple[AttachmentRecord, ...]:
    """Files of a ticket, which Atera lists as bare addresses. Nobody says who may see them: they are internal."""
    records = {}
    for url in urls:
        if isinstance(url, str) and url.strip():
            key = attachment_id(url)
            records[key] = AttachmentRecord(
                remote_id=key, ticket=ticket, raw={"url": url}, name=_file_name(url), is_public=False
            )
    return tuple(records.values())


def attachment_id(url: str) -> str:
    """A stable id of an address: what stands after `?` may be a signature that is new each time."""
    parts = urlsplit(url.strip())
    return _digest(f"{parts.netloc.lower()}{parts.path}")[:40]


def _file_name(url: str) -> str:
    return unquote(urlsplit(url.strip()).path).replace("\\", "/").rstrip("/").rpartition("/")[2] or "file"


def time_alone(time: TimeRecord) -> ActionRecord:
    """Time without words, as the answer to an action."""
    return ActionRecord(
        remote_id=time.remote_id,
        ticket=time.ticket,
        kind="time",
        is_internal=True,
        author_agent=time.agent,
        occurred_at=time.ended_at,
        time_seconds=time.seconds,
        time_is_billable=time.is_billable,
    )
