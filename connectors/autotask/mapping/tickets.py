"""A ticket of Autotask as a record.

Source: vendor's OpenAPI (`TicketModel`), whose members come in camelCase; recorded bodies for what newer zones add.
"""

from __future__ import annotations

import re

from connectors.autotask.mapping.picklists import Fields, choices_of, label_of, sub_path
from connectors.autotask.mapping.values import Row, id_of, identifier, instant_of, text_of, words
from connectors.base.records import UNSET, Text, TicketRecord

_UUID = re.compile(r"[0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12}\Z", re.IGNORECASE)


def ticket_record(row: Row, *, fields: Fields) -> TicketRecord:
    """`fields`: the metadata of tickets, for labels of issue types and sources.

    Texts are plain: Autotask shows markup as it stands. SLA states are not told, only dates.
    """
    finished_at = instant_of(row, "completedDate")
    return TicketRecord(
        remote_id=identifier(row.get("id")) or "",
        raw=row,
        remote_updated_at=instant_of(row, "lastActivityDate"),
        number=words(row.get("ticketNumber")) or "" if "ticketNumber" in row else UNSET,
        subject=words(row.get("title")) or "" if "title" in row else UNSET,
        description=text_of(row, "description"),
        description_is_html=False if "description" in row else UNSET,
        resolution=text_of(row, "resolution"),
        escalation_reason=text_of(row, "escalationReason"),
        client=identifier(row["companyID"]) if "companyID" in row else UNSET,
        site=id_of(row, "companyLocationID"),
        contact=id_of(row, "contactID"),
        status=id_of(row, "status"),
        priority=id_of(row, "priority"),
        ticket_type=id_of(row, "ticketType"),
        category=label_of(fields, "issueType", row["issueType"]) if "issueType" in row else UNSET,
        subcategory=_subcategory(row, fields),
        agent=id_of(row, "assignedResourceID"),
        agent_role=id_of(row, "assignedResourceRoleID"),
        team=id_of(row, "queueID"),
        source=label_of(fields, "source", row["source"]) if "source" in row else UNSET,
        contract=id_of(row, "contractID"),
        sla_policy=id_of(row, "serviceLevelAgreementID"),
        opened_at=instant_of(row, "createDate"),
        first_responded_at=instant_of(row, "firstResponseDateTime"),
        resolved_at=instant_of(row, "resolvedDateTime", "completedDate"),
        closed_at=finished_at,
        last_activity_at=instant_of(row, "lastActivityDate"),
        response_due_at=instant_of(row, "firstResponseDueDateTime"),
        resolution_due_at=instant_of(row, "dueDateTime"),
        deadline_at=instant_of(row, "dueDateTime"),
        marker=marker_of(row.get("externalID")) if "externalID" in row else UNSET,
    )


def removed_record(row: Row) -> TicketRecord:
    """A row of the log of deleted tickets."""
    return TicketRecord(
        remote_id=identifier(row.get("ticketID")) or "",
        raw=row,
        remote_updated_at=instant_of(row, "deletedDateTime"),
        is_removed=True,
    )


def marker_of(value: object) -> str | None:
    """Our UUID in a field that other tools may use as well; None for what is no UUID."""
    return value.lower() if isinstance(value, str) and _UUID.match(value) else None


def _subcategory(row: Row, fields: Fields) -> Text:
    if "subIssueType" not in row:
        return UNSET
    key = identifier(row["subIssueType"])
    found = choices_of(fields, "subIssueType").get(key or "")
    return sub_path(found, choices_of(fields, "issueType")) if found else key
