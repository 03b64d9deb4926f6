"""Statuses, priorities, ticket types, categories and outcomes of HaloPSA as records.

Source: vendor's OpenAPI (`TStatus`, `Policy`, `RequestType`, `CategoryDetail`, `TOutcome`).
Ids are data of the tenant: meaning is read from names, from the closed set, and only then from stock ids.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Mapping
from dataclasses import replace
from typing import Any

from connectors.base.configuration import CategoryRecord, OutcomeRecord, PriorityRecord, StatusRecord, TicketTypeRecord
from connectors.base.records import UNSET, Unset
from connectors.halopsa.mapping.promises import duration
from connectors.halopsa.mapping.values import (
    Row,
    colour,
    first,
    flag_of,
    id_of,
    identifier,
    number,
    seconds_of,
    text_of,
    truth,
    whole,
    whole_of,
    words,
)

_CATEGORIES: tuple[tuple[str, re.Pattern[str]], ...] = tuple(
    (category, re.compile(pattern, re.IGNORECASE))
    for category, pattern in (
        ("resolved", r"\b(resolved|fixed|solved|pending closure|awaiting closure)\b"),
        ("closed", r"\b(closed|complete[d]?|cancel+ed|merged|duplicate|rejected|declined|spam)\b"),
        (
            "waiting_third_party",
            r"\b(third[- ]?party|supplier|vendor|materials?|parts?|manufacturer|3rd[- ]?party|courier|delivery)\b",
        ),
        (
            "waiting_client",
            r"\b(with|waiting|awaiting|pending|on hold)\b.*\b(client|customer|user|contact|approval)\b",
        ),
        ("escalated", r"\bescalated?\b"),
        ("waiting", r"\b(pending|hold|waiting|awaiting|scheduled|paused|deferred|postponed|parked)\b"),
        ("new", r"^(new|unassigned|logged|not started|received|opened)\b"),
        (
            "open",
            r"\b(open|progress|action|assigned|re-?opened|working|investigat\w+|active|updated|responded|triage)\b",
        ),
    )
)
_RANKS: tuple[tuple[int, re.Pattern[str]], ...] = tuple(
    (rank, re.compile(pattern, re.IGNORECASE))
    for rank, pattern in (
        (1, r"\b(critical|urgent|emergency|p1|major|highest|disaster)\b"),
        (2, r"\b(high|p2|important)\b"),
        (3, r"\b(medium|normal|moderate|standard|p3|default)\b"),
        (4, r"\b(low|lowest|minor|p4|p5|planning|trivial)\b"),
    )
)
_KINDS: tuple[tuple[str, re.Pattern[str]], ...] = tuple(
    (kind, re.compile(pattern, re.IGNORECASE))
    for kind, pattern in (
        ("incident", r"\bincident|\bfault\b|\bbreak"),
        ("change", r"\bchange\b"),
        ("problem", r"\bproblem\b"),
        ("request", r"\brequest\b|\bservice\b|\bstarter\b|\bleaver\b|\border\b"),
    )
)
_ITIL = {1: "incident", 2: "change", 3: "request", 4: "problem"}
_FINISHED = ("resolved", "closed")


def status_category(name: str, *, is_closed: bool = False) -> str | None:
    """The canonical category of a status name; None when neither the name nor the closed set tells."""
    found = next((category for category, pattern in _CATEGORIES if pattern.search(name)), None)
    if is_closed and found not in _FINISHED:
        return "closed"
    return found


def closed_ids(rows: Iterable[Row], without_closed: Iterable[Row]) -> frozenset[str]:
    """Statuses missing from the list that leaves closed ones out; empty when that list left out all or nothing."""
    every = {i for row in rows if (i := identifier(row.get("id")))}
    left = {i for row in without_closed if (i := identifier(row.get("id")))}
    missing = every - left
    return frozenset(missing) if left and missing else frozenset()


def status_records(rows: Iterable[Row], closed: Collection[str] = ()) -> tuple[StatusRecord, ...]:
    """Ticket statuses; those of orders and items (another `type`) are left out unless their name speaks of tickets."""
    found = []
    for row in rows:
        remote_id, name = identifier(row.get("id")), words(row.get("name")) or ""
        category = status_category(name, is_closed=remote_id in closed)
        if remote_id is None or (whole(row.get("type")) not in (0, None) and category is None):
            continue
        found.append(replace(status_record(row), category=category, sla_clock=_clock(category, row.get("slaaction"))))
    return tuple(found)


def status_record(row: Row) -> StatusRecord:
    """One status without what it counts as: that takes the list, which tells the closed ones from the others."""
    remote_id = identifier(row.get("id")) or ""
    return StatusRecord(
        remote_id=remote_id,
        raw=row,
        name=words(row.get("name")) or f"#{remote_id}",
        colour=colour(row.get("colour")),
        sequence=whole_of(row, "sequence"),
        short_name=text_of(row, "shortname"),
        is_quick=flag_of(row, "showonquickchange"),
        sla_action=_sla_action(row),
        hold_hours=_hours(row, "timeuntilloffhold"),
        change_to=id_of(row, "statuschangeto"),
        change_hours=_hours(row, "statuschangetofreq"),
        counts_working_hours=flag_of(row, "useworkinghours"),
        ignores_release=flag_of(row, "slaignorerelease"),
        ticket_types=_types(row),
    )


def guessed(record: StatusRecord) -> StatusRecord:
    """A status that was just made, with what its name says it counts as; as it is when the name says nothing."""
    category = status_category(str(record.name))
    if category is None:
        return record
    return replace(record, category=category, sla_clock=_clock(category, record.raw.get("slaaction")))


def _sla_action(row: Row) -> str | Unset | None:
    """The vendor names the field only; the letters are our reading of it: H hold, R release, anything else nothing."""
    if "slaaction" not in row:
        return UNSET
    return {"H": "hold", "R": "release"}.get(str(row["slaaction"] or "").strip().upper()[:1])


def _hours(row: Row, name: str) -> float | Unset | None:
    """Decimal hours; zero and below mean never."""
    if name not in row:
        return UNSET
    found = number(row[name])
    return found if found and found > 0 else None


def _clock(category: str | None, slaaction: Any) -> str | None:
    if category in _FINISHED:
        return "stopped"
    if str(slaaction or "").strip().upper()[:1] == "H" or (category or "").startswith("waiting"):
        return "paused"
    return "running" if category else None


def priority_records(rows: Iterable[Row]) -> tuple[PriorityRecord, ...]:
    """One record per `priorityid`; the row of the lowest SLA id names it. `id` is a GUID per (SLA, priority)."""
    ordered = sorted(rows, key=lambda r: (whole(r.get("slaid")) or 0, whole(r.get("priorityid")) or 0))
    chosen: dict[str, Row] = {}
    active: set[str] = set()
    for row in ordered:
        key = identifier(first(row, "priorityid"))
        if key is None:
            continue
        chosen.setdefault(key, row)
        if not truth(row.get("ishidden")):
            active.add(key)
    ranks = _ranks(chosen)
    return tuple(
        PriorityRecord(
            remote_id=key,
            raw=row,
            name=words(row.get("name")) or f"#{key}",
            rank=ranks[key],
            colour=colour(row.get("colour")),
            is_active=key in active,
        )
        for key, row in chosen.items()
    )


def _ranks(rows: Mapping[str, Row]) -> dict[str, int]:
    """By name, else by a stock id 1 to 4, else by the order of response times among those left."""
    found: dict[str, int] = {}
    for key, row in rows.items():
        name = words(row.get("name")) or ""
        rank = next((rank for rank, pattern in _RANKS if pattern.search(name)), None)
        if rank is None and key in ("1", "2", "3", "4"):
            rank = int(key)
        if rank is not None:
            found[key] = rank
    rest = sorted((k for k in rows if k not in found), key=lambda k: _response(rows[k]))
    for place, key in enumerate(rest):
        found[key] = min(4, place + 1)
    return found


def _response(row: Row) -> float:
    length, _ = duration(row.get("responsetime"), row.get("responseunits"))
    return float("inf") if length is None else length


def ticket_type_record(row: Row, *, teams: Mapping[str, str]) -> TicketTypeRecord:
    """`default_team` is a name. Agents open tickets of a type only where both flags say so."""
    name = words(row.get("name")) or f"#{identifier(row.get('id')) or ''}"
    selects = row.get("agentscanselect") is not False and row.get("cancreate") is not False
    team = words(row.get("default_team"))
    return TicketTypeRecord(
        remote_id=identifier(row.get("id")) or "",
        raw=row,
        name=name,
        kind=_kind(name, row.get("itilrequesttype")),
        initial_status=id_of(row, "initial_status"),
        default_priority=id_of(row, "default_priority"),
        reopened_status=id_of(row, "reopenedstatus"),
        default_team=(teams.get(team.strip().casefold()) if team else None) if "default_team" in row else UNSET,
        default_agent=id_of(row, "default_agent"),
        default_sla_policy=id_of(row, "default_sla"),
        is_active=not truth(row.get("inactive")) and row.get("visible") is not False,
        allow_attachments=flag_of(row, "allowattachments"),
        sequence=whole_of(row, "sequence"),
        agents_may_select=selects,
        clients_may_select=flag_of(row, "enduserscanselect"),
        required_fields=_required(row),
        after_client_status=id_of(row, "statusafteruserupdate"),
        after_agent_status=id_of(row, "statusaftertechupdate"),
        client_may_reopen=flag_of(row, "portalcanreopen"),
        reopen_hours=_hours(row, "closeduserupdatehours"),
        auto_close_hours=_hours(row, "autoCloseHours"),
    )


_REQUIRED = {
    "summary": "subject", "details": "description", "user_id": "contact", "site_id": "site", "agent_id": "agent",
    "team": "team", "category_1": "category", "category_2": "subcategory", "impact": "impact", "urgency": "urgency",
    "reportedby": "reported_by", "source": "source",
}  # fmt: skip
"""HaloPSA's names of fields that a type may ask for -> ours."""


def _required(row: Row) -> tuple[str, ...] | Unset:
    """The mandatory ones of a type's `fields`, which only the single type carries; none without the type's own flag."""
    if "hasmandatorytechfields" in row and not truth(row["hasmandatorytechfields"]):
        return ()
    items = row.get("fields")
    if not isinstance(items, list):
        return UNSET
    names = [
        str(i.get("name") or "").strip().lower() for i in items if isinstance(i, dict) and truth(i.get("mandatory"))
    ]
    return tuple(dict.fromkeys(_REQUIRED[name] for name in names if name in _REQUIRED))


def _kind(name: str, itil: Any) -> str | None:
    """By its name, else by its ITIL type; None when neither tells: a person should."""
    named = next((kind for kind, pattern in _KINDS if pattern.search(name)), None)
    return named or _ITIL.get(whole(itil) or 0)


def category_record(row: Row) -> CategoryRecord:
    """`value` is the whole path `A>B`, which is what a ticket holds."""
    value = words(row.get("value")) or words(row.get("category_name")) or ""
    level = whole(row.get("type_id")) or 1
    return CategoryRecord(
        remote_id=identifier(row.get("id")) or "",
        raw=row,
        level=level if 1 <= level <= 4 else 1,
        value=value,
        name=words(row.get("category_name")) or value.rsplit(">", 1)[-1],
        is_active=True,
    )


def outcome_record(row: Row) -> OutcomeRecord:
    """An outcome. `newstatus` of zero or below leaves the status alone; `sendemail` is a number, and the default time
    decimal hours. It fits every ticket type unless `tickettypes` or `requesttype` (0 or below: all) name some.
    """
    return OutcomeRecord(
        remote_id=identifier(row.get("id")) or "",
        raw=row,
        name=words(row.get("outcome")) or words(row.get("buttonname")) or f"#{identifier(row.get('id')) or ''}",
        label=words(row.get("buttonname")) or text_of(row, "labellong"),
        long_label=text_of(row, "labellong"),
        colour=colour(row.get("colour")),
        sequence=whole_of(row, "sequence"),
        is_hidden=truth(row.get("hidden")) or bool(whole(row.get("systemid"))),
        new_status=id_of(row, "newstatus"),
        hide_from_client=flag_of(row, "hidefromuser"),
        must_add_note=flag_of(row, "mustaddnote"),
        must_assign=flag_of(row, "mustassign"),
        sla_hold=flag_of(row, "slaholdischecked"),
        sla_release=flag_of(row, "slareleaseischecked"),
        sends_email=flag_of(row, "sendemail"),
        default_seconds=seconds_of(row, "defaultmanhrs"),
        ticket_types=_types(row),
        child_ticket_type=id_of(row, "child_ticket_type_id"),
    )


def _types(row: Row) -> tuple[str, ...] | Unset:
    items, alone = row.get("tickettypes"), whole(row.get("requesttype"))
    if not isinstance(items, list) and alone is None:
        return UNSET
    known = items if isinstance(items, list) else []
    ids = [
        identifier(first(i, "value", "tickettype_id", "id")) if isinstance(i, dict) else identifier(i) for i in known
    ]
    if alone and alone > 0:
        ids.append(identifier(alone))
    return tuple(dict.fromkeys(i for i in ids if i))
