"""The small resources: contracts, alerts, devices, departments, rates, knowledge base. One JSON object each."""

from __future__ import annotations

import json
import sqlite3
import uuid
from collections.abc import Callable
from typing import Any

from connectors.atera.sandbox import seeds
from connectors.atera.sandbox.call import Call, nothing, refuse_method
from connectors.atera.sandbox.seeds import Doc
from connectors.atera.sandbox.tenant import next_doc, one_doc, put_doc
from connectors.atera.sandbox.wire import Body, Page, Params, Problem, bad, body_of, instant_out, item_id, missing
from connectors.sandbox.messages import Response, empty, json_response

CONTRACT_TYPES = ("RetainerFlatFee", "BlockHours", "Hourly", "RemoteMonitoring", "BlockMoney", "ProjectOneTimeFee",
                  "ProjectHourlyRate", "OnlineBackup")  # fmt: skip
SEVERITIES = ("Information", "Warning", "Critical")
CATEGORIES = ("Hardware", "Disk", "Availability", "Performance", "Exchange", "General")
ALERT_STATES = ("open", "resolved", "snoozed")


def _page(kind: str, where: str = "1", values: tuple[Any, ...] = ()) -> Callable[..., tuple[list[Doc], int]]:
    def read(conn: sqlite3.Connection, params: Params, page: Page) -> tuple[list[Doc], int]:
        wanted = f"FROM atera_docs WHERE kind = ? AND {where}"
        total = conn.execute(f"SELECT count(*) {wanted}", (kind, *values)).fetchone()[0]
        query = f"SELECT doc {wanted} ORDER BY id LIMIT ? OFFSET ?"
        rows = conn.execute(query, (kind, *values, page.size, page.offset))
        return [json.loads(row["doc"]) for row in rows], int(total)

    return read


def _found(conn: sqlite3.Connection, kind: str, number: int, label: str) -> Doc:
    doc = one_doc(conn, kind, number)
    if doc is None:
        raise missing(f"{label} not found")
    return doc


def _single(call: Call, kind: str, number: int, label: str) -> Response:
    with call.tenant.store.read() as conn:
        return json_response(_found(conn, kind, number, label))


def _remove(call: Call, kind: str, number: int, label: str) -> Response:
    with call.tenant.store.write() as conn:
        _found(conn, kind, number, label)
        conn.execute("DELETE FROM atera_docs WHERE kind = ? AND id = ?", (kind, number))
    return empty(204)


def contracts(call: Call) -> Response:
    match (call.method, call.words):
        case ("GET", []):
            return call.listing(_page("contract"))
        case ("GET", ["customer", number]):
            return call.listing(_page("contract", "customer_id = ?", (item_id(number, "customer"),)))
        case ("GET", [number]):
            return _single(call, "contract", item_id(number, "contract"), "Contract")
        case ("POST", []):
            return call.result(_save_contract(call, None), 201)
        case ("POST" | "PUT", [number]):
            _save_contract(call, item_id(number, "contract"))
            return empty(204)
    return refuse_method()


def contract_doc(number: int, customer_id: int, customer: str, name: str, kind: str, **values: Any) -> Doc:
    """A contract; its own terms stand under the name of its type."""
    terms: dict[str, Doc] = {
        "RetainerFlatFee": {"BillingPeriod": "Monthly", "Quantity": 1.0, "Rate": seeds.RATES[1][1]},
        "BlockHours": {"HoursIncluded": values.pop("hours", None), "PricePerHour": seeds.RATES[1][1],
                       "OverageRate": seeds.RATES[2][1], "CommitRollover": False, "BillingPeriod": "Monthly"},
        "Hourly": {"PrimaryRate": seeds.RATES[1][1], "AdditionalRates": [], "BillingPeriod": "Monthly"},
    }  # fmt: skip
    doc: Doc = {
        "CustomerID": customer_id, "CustomerName": customer, "ContractID": number, "ContractName": name,
        "ContractType": kind, "Active": True, "Default": True, "Taxable": False, "StartDate": None, "EndDate": None,
        **values,
    }  # fmt: skip
    return doc | ({f"{kind}Contract": terms[kind]} if kind in terms else {})


def _save_contract(call: Call, number: int | None) -> int:
    """SLAId is taken and never given back, as with the vendor."""
    body = body_of(call.request)
    with call.tenant.store.write() as conn:
        if number is None:
            number = next_doc(conn, "contract")
            kind = body.choice("ContractType", CONTRACT_TYPES, bad("Invalid contract type"))
            if kind is None or not body.text("ContractName") or body.integer("CustomerID") is None:
                raise bad("ContractName, ContractType and CustomerID are required")
            owner = conn.execute("SELECT * FROM atera_customers WHERE id = ?",
                                 (body.integer("CustomerID"),)).fetchone()  # fmt: skip
            if owner is None:
                raise bad("Customer not found", CustomerID="Verify customer exists")
            doc = contract_doc(number, owner["id"], owner["name"], "", kind, Active=False, Default=False)
        else:
            doc = _found(conn, "contract", number, "Contract")
        doc["ContractName"] = body.text("ContractName") or doc["ContractName"]
        doc |= {name: body.flag(name) for name in ("Active", "Default", "Taxable") if body.has(name)}
        doc |= {name: instant_out(body.instant(name)) for name in ("StartDate", "EndDate") if body.has(name)}
        put_doc(conn, "contract", number, doc)
    return number


def alerts(call: Call) -> Response:
    match (call.method, call.words):
        case ("GET", []):
            return call.listing(_alert_page(call.params))
        case ("POST", []):
            return call.result(_new_alert(call, body_of(call.request)), 201)
        case ("GET", [number]):
            return _single(call, "alert", item_id(number, "alert"), "Alert")
        case ("PUT", [number]):
            return _resolve_alert(call, item_id(number, "alert"))
        case ("DELETE", [number]):
            return _remove(call, "alert", item_id(number, "alert"), "Alert")
    return refuse_method()


def _alert_page(params: Params) -> Callable[..., tuple[list[Doc], int]]:
    state = params.text("alertStatus").lower()
    if state and state not in ALERT_STATES:
        raise bad("One or more validation errors occurred.", alertStatus=f"The value '{state}' is not valid.")
    archived, snoozed = "doc ->> '$.Archived'", "doc ->> '$.SnoozedEndDate'"
    where = {
        "open": f"{archived} = 0 AND {snoozed} IS NULL", "resolved": f"{archived} = 1",
        "snoozed": f"{archived} = 0 AND {snoozed} IS NOT NULL",
    }  # fmt: skip
    return _page("alert", where.get(state, "1"))


def alert_doc(number: int, device: Doc, title: str, message: str, severity: str, created: str | None) -> Doc:
    return {
        "AlertID": number, "Code": 1, "Source": "Monitoring", "Title": title, "Severity": severity, "Created": created,
        "SnoozedEndDate": None, "DeviceGuid": device["DeviceGuid"], "AgentId": device["AgentID"], "AdditionalInfo": "",
        "Archived": False, "AlertCategoryID": "General", "ArchivedDate": None, "TicketID": None,
        "AlertMessage": message, "DeviceName": device["MachineName"], "CustomerID": device["CustomerID"],
        "CustomerName": device["CustomerName"], "FolderID": None, "PollingCyclesCount": None, "DeviceType": "PC",
    }  # fmt: skip


def _new_alert(call: Call, body: Body) -> int:
    with call.tenant.store.write() as conn:
        guid, title, customer = body.text("DeviceGuid"), body.text("Title"), body.integer("CustomerID")
        if not guid or not title or customer is None:
            raise bad("DeviceGuid, Title and CustomerID are required")
        query = "SELECT doc FROM atera_docs WHERE kind = 'agent' AND doc ->> '$.DeviceGuid' = ?"
        row = conn.execute(query, (guid.lower(),)).fetchone()
        if row is None:
            raise bad("Device not found")
        same = "SELECT 1 FROM atera_docs WHERE kind = 'alert' AND doc ->> '$.DeviceGuid' = ? " \
               "AND doc ->> '$.Title' = ? AND doc ->> '$.Archived' = 0"  # fmt: skip
        if conn.execute(same, (guid.lower(), title)).fetchone():
            raise Problem(409, "The alert exists and is open")
        number = next_doc(conn, "alert")
        severity = body.choice("Severity", SEVERITIES, bad("Invalid severity")) or SEVERITIES[0]
        text = body.text("AdditionalInfo") or ""
        doc = alert_doc(number, json.loads(row["doc"]), title, text, severity, instant_out(call.tenant.now()))
        doc["AlertCategoryID"] = body.choice("AlertCategoryID", CATEGORIES, bad("Invalid category")) or "General"
        doc |= {"Code": body.integer("Code"), "TicketID": body.integer("TicketID"), "AdditionalInfo": text,
                "SnoozedEndDate": instant_out(body.instant("SnoozedEndDate"))}  # fmt: skip
        put_doc(conn, "alert", number, doc)
    return number


def _resolve_alert(call: Call, number: int) -> Response:
    with call.tenant.store.write() as conn:
        doc = _found(conn, "alert", number, "Alert")
        put_doc(conn, "alert", number, doc | {"Archived": True, "ArchivedDate": instant_out(call.tenant.now())})
    return empty(204)


def agent_doc(number: int, customer_id: int, customer: str, name: str, seen: str | None) -> Doc:
    """A monitored device: what this API calls an agent."""
    return {
        "MachineID": f"m-{number}", "AgentID": number, "DeviceGuid": str(uuid.UUID(int=0xA7E4A << 96 | number)),
        "CustomerID": customer_id, "CustomerName": customer, "AgentName": name, "SystemName": name,
        "MachineName": name, "DomainName": "", "Monitored": True, "AgentVersion": "1.8.6.7", "Online": True,
        "LastSeen": seen, "OS": "Microsoft Windows 11 Pro", "OSType": "Work Station", "MacAddresses": [],
        "IpAddresses": [f"10.{number % 200}.0.10"], "HardwareDisks": [], "DeviceType": "PC",
        "AppViewUrl": f"https://app.atera.com/new/rmm/device/{number}/agent",
    }  # fmt: skip


def agents(call: Call) -> Response:
    match (call.method, call.words):
        case ("GET", []):
            return call.listing(_page("agent"))
        case ("GET", ["customer", number]):
            return call.listing(_page("agent", "customer_id = ?", (item_id(number, "customer"),)))
        case ("GET", ["machine", name]):
            return call.listing(_page("agent", "lower(doc ->> '$.MachineName') = ?", (name,)))
        case ("GET", [number]):
            return _single(call, "agent", item_id(number, "agent"), "Agent")
        case ("DELETE", [number]):
            return _remove(call, "agent", item_id(number, "agent"), "Agent")
    return refuse_method()


def departments(call: Call) -> Response:
    match (call.method, call.words):
        case ("GET", []):
            return call.listing(_page("department"))
        case ("POST", []):
            return call.result(_save_department(call, None), 201)
        case ("GET", [number]):
            return _single(call, "department", item_id(number, "department"), "Department")
        case ("POST" | "PUT", [number]):
            return call.result(_save_department(call, item_id(number, "department")))
        case ("DELETE", [number]):
            return _remove(call, "department", item_id(number, "department"), "Department")
    return refuse_method()


def _save_department(call: Call, number: int | None) -> int:
    body = body_of(call.request)
    with call.tenant.store.write() as conn:
        old = _found(conn, "department", number, "Department") if number else {"Name": "", "Description": ""}
        name = body.text("Name") or old["Name"]
        if not name:
            raise bad("Name required")
        made = number or next_doc(conn, "department")
        text = body.text("Description") if body.has("Description") else old["Description"]
        put_doc(conn, "department", made, {"Id": made, "Name": name, "Description": text})
    return made


def rates(call: Call) -> Response:
    match (call.method, call.words):
        case ("GET", ["products" | "expenses" as kind]):
            return call.listing(_page(f"rates/{kind}"))
        case ("POST", ["products" | "expenses" as kind]):
            return call.result(_save_rate(call, f"rates/{kind}", None), 201)
        case ("GET", ["products" | "expenses" as kind, number]):
            return _single(call, f"rates/{kind}", item_id(number, "rate"), "Rate")
        case ("PUT", ["products" | "expenses" as kind, number]):
            return call.result(_save_rate(call, f"rates/{kind}", item_id(number, "rate")))
        case ("DELETE", ["products" | "expenses" as kind, number]):
            return _remove(call, f"rates/{kind}", item_id(number, "rate"), "Rate")
    raise nothing()


def _save_rate(call: Call, kind: str, number: int | None) -> int:
    body = body_of(call.request)
    with call.tenant.store.write() as conn:
        empty_rate: Doc = {"Amount": 0.0, "Description": "", "SKU": "", "Category": ""}
        old = _found(conn, kind, number, "Rate") if number else empty_rate
        made = number or next_doc(conn, kind)
        texts = {name: body.text(name) for name in ("Description", "SKU", "Category") if body.has(name)}
        amount = body.number("Amount")
        doc = {"RateID": made, **old, **texts, "Amount": old["Amount"] if amount is None else amount}
        if not doc["Description"]:
            raise bad("Description required")
        put_doc(conn, kind, made, doc)
    return made


def knowledge(call: Call) -> Response:
    return call.listing(_page("knowledge")) if (call.method, call.rest) == ("GET", []) else refuse_method()
