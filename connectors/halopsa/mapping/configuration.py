"""Statuses, outcomes and ticket types as HaloPSA takes them.

Source: vendor's OpenAPI (`TStatus`, `TOutcome`, `RequestType`). Nothing is 0 where HaloPSA counts or points.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from connectors.halopsa.mapping.values import Row

_LETTERS = {"hold": "H", "release": "R"}


def _text(value: Any) -> str:
    return str(value or "")


def _id(value: Any) -> int:
    return int(value) if value else 0


def _hours(value: Any) -> float:
    return float(value or 0)


def _types(value: Any) -> list[Row]:
    return [{"value": str(key), "label": ""} for key in value or ()]


Wire = tuple[str, Callable[[Any], Any]]
STATUS: Mapping[str, Wire] = {
    "name": ("name", _text),
    "short_name": ("shortname", _text),
    "colour": ("colour", _text),
    "sequence": ("sequence", int),
    "sla_action": ("slaaction", lambda value: _LETTERS.get(value, "N")),
    "hold_hours": ("timeuntilloffhold", _hours),
    "change_to": ("statuschangeto", _id),
    "change_hours": ("statuschangetofreq", _hours),
    "counts_working_hours": ("useworkinghours", int),
    "ignores_release": ("slaignorerelease", bool),
    "is_quick": ("showonquickchange", bool),
    "ticket_types": ("tickettypes", _types),
}
OUTCOME: Mapping[str, Wire] = {
    "name": ("outcome", _text),
    "label": ("buttonname", _text),
    "long_label": ("labellong", _text),
    "colour": ("colour", _text),
    "sequence": ("sequence", int),
    "new_status": ("newstatus", _id),
    "default_seconds": ("defaultmanhrs", lambda value: round((value or 0) / 3600, 4)),
    "child_ticket_type": ("child_ticket_type_id", _id),
    "hide_from_client": ("hidefromuser", bool),
    "sends_email": ("sendemail", int),
    "must_add_note": ("mustaddnote", bool),
    "must_assign": ("mustassign", bool),
    "sla_hold": ("slaholdischecked", bool),
    "sla_release": ("slareleaseischecked", bool),
    "is_hidden": ("hidden", bool),
    "ticket_types": ("tickettypes", _types),
}
TICKET_TYPE: Mapping[str, Wire] = {
    "name": ("name", _text),
    "sequence": ("sequence", int),
    "initial_status": ("initial_status", _id),
    "reopened_status": ("reopenedstatus", _id),
    "after_client_status": ("statusafteruserupdate", _id),
    "after_agent_status": ("statusaftertechupdate", _id),
    "default_priority": ("default_priority", _id),
    "default_agent": ("default_agent", _id),
    "default_sla_policy": ("default_sla", _id),
    "reopen_hours": ("closeduserupdatehours", _hours),
    "auto_close_hours": ("autoCloseHours", lambda value: round(value or 0)),
    "agents_may_select": ("agentscanselect", bool),
    "clients_may_select": ("enduserscanselect", bool),
    "client_may_reopen": ("portalcanreopen", bool),
    "allow_attachments": ("allowattachments", bool),
}
PATHS = {"status": "/Status", "outcome": "/Outcome", "ticket_type": "/TicketType"}
_WIRES = {"status": STATUS, "outcome": OUTCOME, "ticket_type": TICKET_TYPE}


def config_row(kind: str, fields: Mapping[str, Any], *, team_name: Callable[[str], str]) -> dict[str, Any]:
    """What to send. A type's team goes by its name; a type that agents may choose, they may also open."""
    wires = _WIRES[kind]
    row = {wires[name][0]: wires[name][1](value) for name, value in fields.items() if name in wires}
    if "default_team" in fields:
        row["default_team"] = team_name(fields["default_team"]) if fields["default_team"] else ""
    if fields.get("agents_may_select") and kind == "ticket_type":
        row["cancreate"] = True
    if kind == "outcome" and "ticket_types" in fields:
        row["requesttype"] = 0  # the older field names one type alone
    return row
