"""A ticket of HaloPSA (`Faults`) as a record.

Source: vendor's OpenAPI for names; recorded rows for what a list leaves out.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from connectors.base.records import UNSET, Instant, Text, TicketRecord, Unset
from connectors.halopsa.mapping.values import (
    Row,
    choice,
    first,
    flag_of,
    has,
    id_of,
    identifier,
    instant,
    instant_of,
    marker_of,
    seconds_of,
    text_of,
    truth,
    whole,
    whole_of,
    words,
)

_NUMBERED_STATES = {0: "not_started", 1: "running", 2: "paused", 3: "met", 4: "breached"}


def ticket_record(
    row: Row, *, teams: Mapping[str, str] | None = None, unassigned: str = "1", is_list: bool = False
) -> TicketRecord:
    """`teams`: name (casefolded) to id, for answers that name a team only. `unassigned`: the agent that is nobody.

    A list row carries no `details_html`, no `datecreated` and no names: those fields are UNSET; its plain text is
    in `description_text`.
    """
    html = row.get("details_html")
    closed_at = _closed_at(row)
    resolved_at = instant_of(row, "dateresolved", "dateclosed")
    if resolved_at is UNSET:
        resolved_at = closed_at
    responded_at = instant_of(row, "responsedate", "first_responsedate", "dateresponded")
    updated_at = instant_of(row, "last_update", "lastupdate", "lastactiondate")
    created_at = instant_of(row, "datecreated")
    is_plain = is_list and not html
    agent = id_of(row, "agent_id")
    remote_id = identifier(row.get("id")) or ""
    team, team_name = _team(row, teams or {})
    return TicketRecord(
        remote_id=remote_id,
        raw=row,
        remote_updated_at=updated_at,
        number=remote_id,
        subject=words(row.get("summary")) or "" if "summary" in row else UNSET,
        description=UNSET if is_plain or not has(row, "details_html", "details", "detail") else _description(row),
        description_is_html=UNSET if is_plain or not has(row, "details_html", "details", "detail") else bool(html),
        description_text=text_of(row, "details", "detail"),
        resolution=text_of(row, "closure_note", "resolution"),
        client=id_of(row, "client_id"),
        site=id_of(row, "site_id"),
        contact=id_of(row, "user_id"),
        client_name=text_of(row, "client_name"),
        site_name=text_of(row, "site_name"),
        contact_name=text_of(row, "user_name"),
        contact_email=text_of(row, "user_email", "useremail"),
        reported_by=text_of(row, "reportedby"),
        status=id_of(row, "status_id"),
        priority=_priority(row),
        impact=id_of(row, "impact"),
        urgency=id_of(row, "urgency"),
        ticket_type=id_of(row, "tickettype_id"),
        category=text_of(row, "category_1", "category1"),
        subcategory=text_of(row, "category_2", "category2"),
        category_3=text_of(row, "category_3", "category3"),
        category_4=text_of(row, "category_4", "category4"),
        agent=None if agent == unassigned else agent,
        team=team,
        team_name=team_name,
        source=choice(row["source"]) if "source" in row else UNSET,
        parent=id_of(row, "parent_id"),
        contract=id_of(row, "contract_id"),
        sla_policy=id_of(row, "sla_id"),
        opened_at=_opened_at(row, created_at, is_list),
        occurred_at=instant_of(row, "dateoccurred"),
        first_responded_at=responded_at,
        resolved_at=resolved_at,
        closed_at=closed_at,
        last_activity_at=instant_of(row, "lastactiondate", "last_update", "lastupdate"),
        response_due_at=instant_of(row, "respondbydate"),
        resolution_due_at=instant_of(row, "fixbydate") if "fixbydate" in row else instant_of(row, "deadlinedate"),
        deadline_at=instant_of(row, "deadlinedate"),
        sla_response_state=_state(row, ("slaresponsestate",), bool(responded_at)),
        sla_resolution_state=_state(row, ("slastate", "slaresolutionstate"), bool(closed_at)),
        sla_paused=flag_of(row, "onhold", "slahold"),
        sla_paused_at=instant_of(row, "slaactiondate"),
        sla_excluded=flag_of(row, "excludefromsla"),
        billable_seconds=seconds_of(row, "chargehours", "chargeabletime"),
        nonbillable_seconds=seconds_of(row, "nonchargehours", "nonchargeabletime"),
        attachment_count=whole_of(row, "attachment_count"),
        cc=text_of(row, "emailcclist"),
        marker=marker_of(row["third_party_id_string"]) if "third_party_id_string" in row else UNSET,
        is_removed=truth(row.get("deleted")),
    )


def _description(row: Row) -> str | None:
    return words(first(row, "details_html")) or words(first(row, "details", "detail"))


def _opened_at(row: Row, created_at: Instant, is_list: bool) -> Instant:
    """When it was created; a list does not say (UNSET), a single ticket without it falls back to dateoccurred."""
    if isinstance(created_at, datetime):
        return created_at
    return UNSET if is_list else instant_of(row, "dateoccurred")


def _closed_at(row: Row) -> Instant:
    """`dateclosed` is left out while a ticket is open, and so is `hasbeenclosed`: then it is known to be empty."""
    if "dateclosed" in row:
        return instant(row["dateclosed"])
    is_whole = "status_id" in row and "dateoccurred" in row
    return None if is_whole and not truth(row.get("hasbeenclosed")) else UNSET


def _priority(row: Row) -> Text:
    """`priority_id`, else the id inside the `priority` object of a single ticket."""
    if "priority_id" in row:
        return identifier(row["priority_id"])
    inner = row.get("priority")
    return identifier(inner.get("priorityid")) if isinstance(inner, dict) else UNSET


def _team(row: Row, teams: Mapping[str, str]) -> tuple[Text, Text]:
    name = text_of(row, "team")
    known = id_of(row, "team_id")
    if known is not UNSET and (known is not None or not name):
        return known, name
    if isinstance(name, str):
        return teams.get(name.strip().casefold(), UNSET), name
    return name, name


def _state(row: Row, names: tuple[str, ...], is_done: bool) -> str | Unset | None:
    """`I` in SLA, `O` out of it, or 0 to 4; None when it says neither, so that it is computed."""
    if not has(row, *names):
        return UNSET
    value: Any = first(row, *names)
    text = str(value).strip().upper() if value is not None else ""
    if text == "I":
        return "met" if is_done else "running"
    if text == "O":
        return "breached"
    found = whole(text)
    return None if found is None else _NUMBERED_STATES.get(found)
