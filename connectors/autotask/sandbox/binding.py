"""Reads the body of a create or update: JSON types, lengths, picklists, required fields, references."""

from __future__ import annotations

import json
import sqlite3
from typing import Any

from connectors.autotask.sandbox.brief import BY_NAME
from connectors.autotask.sandbox.fields import Entity, Field, Row
from connectors.autotask.sandbox.profiles import Choices
from connectors.autotask.sandbox.tenant import Tenant, find_choice
from connectors.autotask.sandbox.wire import date_in, errors

MOST_UDFS = 300
NO_VALUE = "Value does not exist for the required field {}"


def bound(entity: Entity, body: Any) -> Row:
    """The writable values of a body under their own names, `id` too; unknown and read-only members are ignored."""
    if not isinstance(body, dict):
        raise errors("Unexpected character encountered while parsing value: " + json.dumps(body)[:1] + ".")
    found: Row = {}
    for name, value in body.items():
        field = entity.by_name.get(str(name).lower())
        if str(name).lower() == "userdefinedfields" and entity.has_udfs:
            found["udfs"] = value
        elif field is not None and (field.name == "id" or not field.is_read_only):
            found[field.name] = _typed(field, value)
    return found


def _typed(field: Field, value: Any) -> Any:
    """The value as the vendor's JSON reader takes it: text digits are numbers, `true` is none."""
    if value is None:
        return None
    if isinstance(value, list | dict) or (isinstance(value, bool) and field.kind != "b"):
        raise errors(_unexpected(field, value))
    try:
        if field.kind == "s":
            if not isinstance(value, str):
                value = json.dumps(value)
            return value
        if field.kind == "d":
            return date_in(value)
        if field.kind == "b":
            if isinstance(value, str) and value.lower() in ("true", "false"):
                return int(value.lower() == "true")
            if isinstance(value, bool | int) and value in (0, 1):
                return int(value)
            raise ValueError
        number = float(value)
        if field.kind == "n":
            return number
        if not number.is_integer():
            raise ValueError
        return int(value) if not isinstance(value, str) or value.strip().lstrip("-").isdigit() else int(number)
    except (ValueError, TypeError, AttributeError, OverflowError):
        words = {"d": "DateTime", "b": "boolean", "n": "decimal"}.get(field.kind, "integer")
        raise errors(f"Could not convert string to {words}: {value}. Path '{field.name}', line 1.") from None


def _unexpected(field: Field, value: Any) -> str:
    sign = json.dumps(value)[:1]
    return f"Unexpected character encountered while parsing value: {sign}. Path '{field.name}', line 1."


def check(tenant: Tenant, conn: sqlite3.Connection, entity: Entity, values: Row, *, is_new: bool) -> None:
    """Raises one Answer with everything that is wrong with the given values."""
    status = tenant.profile.problem_status
    found = []
    lists = tenant.picklists()
    for field in entity.fields:
        value = values.get(field.name)
        if value is None or value == "":
            is_missing = field.is_required and not field.is_read_only and (is_new or field.name in values)
            if is_missing and not (field.kind == "b" and not is_new):
                found.append(missing(entity, field, is_brief=tenant.profile.is_brief))
            continue
        if field.length and isinstance(value, str) and len(value) > field.length:
            found.append(f"The field {field.name} exceeds the maximum length of {field.length} characters.")
        if field.is_picklist and not field.is_read_only and not _is_choice(lists, entity, field, values):
            found.append(_not_there(field, value, is_brief=tenant.profile.is_brief))
        if field.refers_to and not field.is_read_only and not _exists(conn, field, value):
            found.append(NO_VALUE.format(field.name))
    if found:
        raise errors(*found, status=status)
    _check_udfs(entity, values)


def missing(entity: Entity, field: Field, *, is_brief: bool) -> str:
    if is_brief and entity.name == "Ticket":
        return f"{field.name[0].upper()}{field.name[1:]} required"
    return NO_VALUE.format(field.name) if field.refers_to else f"{field.name} is required"


def _not_there(field: Field, value: Any, *, is_brief: bool) -> str:
    if is_brief and field.name == "queueID":
        return f"QueueID invalid: Picklist value [{value}] does not exist for queueID"
    return f"Picklist value [{value}] does not exist for {field.name}"


def _is_choice(lists: Choices, entity: Entity, field: Field, values: Row) -> bool:
    choice = find_choice(lists, f"{entity.name}.{field.name}", values[field.name])
    if choice is None:
        return f"{entity.name}.{field.name}" not in lists
    parent = values.get(field.parent) if field.parent else None
    return not choice["parentValue"] or parent is None or choice["parentValue"] == str(parent)


def _exists(conn: sqlite3.Connection, field: Field, value: Any) -> bool:
    target = BY_NAME.get(field.refers_to)
    if target is None:
        return True
    return conn.execute(f"SELECT 1 FROM {target.table} WHERE id = ?", (value,)).fetchone() is not None


def _check_udfs(entity: Entity, values: Row) -> None:
    """User-defined fields come as a list of name and value; what is stored is that list as text."""
    if "udfs" not in values:
        return
    given = values["udfs"] if values["udfs"] is not None else []
    if not isinstance(given, list) or not all(
        isinstance(one, dict) and isinstance(one.get("name"), str) for one in given
    ):
        raise errors("Unexpected character encountered while parsing value: userDefinedFields.")
    known = {name.lower(): name for name, *_ in UDFS.get(entity.name, ())}
    for one in given:
        if one["name"].lower() not in known:
            raise errors(f"Unable to find {one['name']} in the {entity.name} Entity")
    values["udfs"] = [{"name": known[one["name"].lower()], "value": one.get("value")} for one in given][:MOST_UDFS]


UDFS: dict[str, tuple[tuple[str, str], ...]] = {
    "Ticket": (("Escalation Reason", "string"), ("Affected Users", "integer")),
    "Company": (("Service Tier", "string"),),
    "Contact": (("VIP", "string"),),
}


def merged_udfs(old: str | None, given: list[Row]) -> str:
    """The stored list with the given values in it; a null clears one."""
    found = {row["name"]: row for row in json.loads(old or "[]")}
    for row in given:
        found[row["name"]] = row
    return json.dumps(list(found.values()))
