"""Companies, locations, contacts, contracts and resources of the neutral data set."""

from __future__ import annotations

import json
import sqlite3
from typing import Any

from connectors.autotask.sandbox import seeds
from connectors.autotask.sandbox.fields import Row
from connectors.autotask.sandbox.profiles import ADMINISTRATOR, FIRST_QUEUE, STANDARD_SLA, Choices
from connectors.autotask.sandbox.tenant import labelled, put
from connectors.autotask.sandbox.wire import date_in
from connectors.sandbox.dataset import Dataset, Record

DEPARTMENT = 29683384


def load(conn: sqlite3.Connection, data: Dataset, offsets: dict[str, int], lists: Choices, now: int) -> dict[str, int]:
    """Write them all; their ids are the data set's plus the table's offset."""
    companies, locations = offsets["at_companies"], offsets["at_locations"]
    for record in data.clients:
        put(conn, "at_companies", _company(record, companies, now))
    first: set[int] = set()
    for record in data.sites:
        put(conn, "at_locations", {
            "id": record["id"] + locations, "companyID": record["client_id"] + companies, "name": record["name"][:100],
            "address1": record.get("street"), "city": record.get("city"), "isActive": 1,
            "isPrimary": int(record["client_id"] not in first), "isTaxExempt": 0, "overrideAccountTaxSettings": 0,
        })  # fmt: skip
        first.add(record["client_id"])
    for record in data.contacts:
        put(conn, "at_contacts", _contact(record, offsets, now))
    for record in data.contracts:
        put(conn, "at_contracts", {
            "id": record["id"] + offsets["at_contracts"], "companyID": record["client_id"] + companies,
            "contractName": record["name"], "contractType": 4 if record.get("block_hours_left") else 7,
            "status": int(record.get("active") is not False), "isDefaultContract": 1, "isCompliant": 1,
            "startDate": _day(record.get("starts_on")), "endDate": _day(record.get("ends_on")),
            "serviceLevelAgreementID": STANDARD_SLA, "estimatedHours": record.get("block_hours_left"),
        })  # fmt: skip
    for record in data.agents:
        _put_resource(conn, record, offsets, lists)
    return {
        "clients": len(data.clients), "sites": len(data.sites), "contacts": len(data.contacts),
        "agents": len(data.agents),
    }  # fmt: skip


def _company(record: Record, offset: int, now: int) -> Row:
    tier = [{"name": "Service Tier", "value": str(record["tier"])}] if record.get("tier") else []
    return {
        "id": record["id"] + offset, "companyName": record["name"][:100], "companyNumber": record.get("short"),
        "companyType": 1, "phone": record.get("phone") or "01632 960000", "ownerResourceID": ADMINISTRATOR,
        "isActive": int(record.get("active") is not False), "isClientPortalActive": 1, "isTaxExempt": 0,
        "webAddress": record.get("domain"), "createDate": now, "lastActivityDate": now,
        "lastTrackedModifiedDateTime": now, "udfs": json.dumps(tier),
    }  # fmt: skip


def _contact(record: Record, offsets: dict[str, int], now: int) -> Row:
    given, _, family = record["name"].rpartition(" ")
    vip = [{"name": "VIP", "value": "Yes"}] if record.get("vip") else []
    return {
        "id": record["id"] + offsets["at_contacts"], "companyID": record["client_id"] + offsets["at_companies"],
        "companyLocationID": record["site_id"] + offsets["at_locations"] if record.get("site_id") else None,
        "firstName": (given or family)[:50], "lastName": (family if given else "-")[:50],
        "emailAddress": record.get("email"), "phone": record.get("phone"), "isActive": 1, "primaryContact": 0,
        "isOptedOutFromBulkEmail": 0, "receivesEmailNotifications": 1, "createDate": now, "lastActivityDate": now,
        "lastModifiedDate": now, "udfs": json.dumps(vip),
    }  # fmt: skip


def _put_resource(conn: sqlite3.Connection, record: Record, offsets: dict[str, int], lists: Choices) -> None:
    """A person with the role and the queue of the team."""
    given, _, family = record["name"].rpartition(" ")
    team = record.get("team") or "Service Desk"
    role, active = seeds.role_of(team), int(record.get("active") is not False)
    number = record["id"] + offsets["at_resources"]
    queue = labelled(lists, "Ticket.queueID", team, first=FIRST_QUEUE)
    put(conn, "at_resources", {
        "id": number, "firstName": given or family, "lastName": family if given else "", "email": record.get("email"),
        "userName": record.get("login"), "isActive": active, "licenseType": 1, "resourceType": "Employee",
        "userType": 1,
        "defaultServiceDeskRoleID": role, "title": f"{team} Technician", "locationID": 1,
    })  # fmt: skip
    row = {"resourceID": number, "roleID": role, "isActive": 1}
    put(conn, "at_desk_roles", {**row, "isDefault": 1})
    put(conn, "at_resource_roles", {**row, "departmentID": DEPARTMENT})
    put(conn, "at_resource_roles", {**row, "queueID": queue})
    put(conn, "at_role_queues", {"resourceID": number, "queueID": queue})


def _day(text: Any) -> int | None:
    return date_in(str(text)[:10]) if text else None
