"""A ticket of Autotask as a record.

Source: vendor's OpenAPI (`TicketModel`), whose members come in camelCase; recorded bodies for what newer zones add.
"""

from __future__ import annotations

import re
from datetime import datetime, timedelta

from connectors.autotask.mapping.picklists import Fields, choices_of, label_of, sub_path
from connectors.autotask.mapping.values import Row, id_of, identifier, instant_of, text_of, truth, words
from connectors.base.records import UNSET, Instant, Text, TicketRecord

_UUID = re.compile(r"[0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12}\Z", re.IGNORECASE)


SAME_DATE = timedelta(minutes=1)
RESULT = "serviceLevelAgreementResult"
"""Under this name the raw ticket keeps its SLA result: the hours are Autotask's own, net of closed time and waits."""


def ticket_record(row: Row, *, fields: Fields, result: Row | None = None) -> TicketRecord:
    """`fields`: the metadata of tickets, for labels of issue types and sources. `result`: its SLA result, where asked.

    Texts are plain: Autotask shows markup as it stands. The ticket itself tells dates only, the result what came of
    them.
    """
    finished_at = instant_of(row, "completedDate")
    return TicketRecord(
        remote_id=identifier(row.get("id")) or "",
        raw={**row, RESULT: result} if result else row,
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
        deadline_at=_own_deadline(row),
        sla_response_state=_verdict(result, "isFirstResponseMet"),
        sla_resolution_state=_verdict(result, "isResolutionMet"),
        marker=marker_of(row.get("externalID")) if "externalID" in row else UNSET,
    )


def has_verdict(row: Row) -> bool:
    """Whether the SLA result of a ticket can say anything yet."""
    done = ("firstResponseDateTime", "resolutionPlanDateTime", "resolvedDateTime", "completedDate")
    return id_of(row, "serviceLevelAgreementID") not in (UNSET, None) and any(row.get(name) for name in done)


def _own_deadline(row: Row) -> Instant:
    """`dueDateTime` is the SLA's date until somebody writes another one over it."""
    due = instant_of(row, "dueDateTime")
    by_sla = instant_of(row, "resolvedDueDateTime")
    if isinstance(due, datetime) and isinstance(by_sla, datetime) and abs(due - by_sla) < SAME_DATE:
        return None
    return due


def _verdict(result: Row | None, name: str) -> Text:
    """What the SLA result says; None while it says nothing."""
    if result is None:
        return UNSET
    value = result.get(name)
    return None if value is None else "met" if truth(value) else "breached"


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
