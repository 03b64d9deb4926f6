"""Work hours: records, and the durations that are summed up from them."""

from __future__ import annotations

import sqlite3
from datetime import UTC, datetime
from typing import Any

from connectors.atera.sandbox import seeds, stored
from connectors.atera.sandbox.seeds import Doc
from connectors.atera.sandbox.tenant import Row, Tenant, one_doc, technician
from connectors.atera.sandbox.wire import Body, Page, Params, bad, instant_out, local_in

INSERT = "INSERT INTO atera_hours VALUES (?,?,?,?,?,?,?,?,?)"
# CROSS JOIN: records lead, so that a page by their id needs no sorting of all of them.
QUERY = """
SELECT w.*, t.customer_id, t.user_id, h.first AS tech_first, h.last AS tech_last, h.email AS tech_email,
       r.doc ->> '$.Amount' AS rate
FROM atera_hours w CROSS JOIN atera_tickets t ON t.id = w.ticket_id AND t.deleted = 0
LEFT JOIN atera_technicians h ON h.id = w.tech_id
LEFT JOIN atera_docs r ON r.kind = 'rates/products' AND r.id = w.rate_id
"""
OPENS_AT, CLOSES_AT, FRIDAY = 8, 18, 4
LARGEST_BULK = 50


def in_hours(at: int) -> bool:
    """Whether work that begins then counts as within the SLA's hours."""
    when = datetime.fromtimestamp(at / 1000, UTC)
    return when.weekday() <= FRIDAY and OPENS_AT <= when.hour < CLOSES_AT


def write(
    conn: sqlite3.Connection, row: Row, starts: int, ends: int, *, tech_id: int | None, billable: bool = True,
    on_site: bool = False, description: str = "", rate_id: int | None = None,
) -> int:  # fmt: skip
    """Store a record and add it to the ticket's durations; saving the ticket is the caller's."""
    values = (None, row["id"], starts, ends, tech_id, int(billable), int(on_site), description, rate_id)
    stored.add_seconds(row, (ends - starts) // 1000, on_site=on_site, in_hours=in_hours(starts))
    return conn.execute(INSERT, values).lastrowid or 0


def add(tenant: Tenant, conn: sqlite3.Connection, row: Row, body: Body) -> int:
    """A record as the API takes it. 400 for an end before the start or for an unknown technician."""
    starts, ends = body.instant("StartWorkHour"), body.instant("EndWorkHour")
    if starts is None or ends is None or ends <= starts:
        raise bad("Invalid work hours", EndWorkHour="StartWorkHour and a later EndWorkHour are required.")
    number, email = body.integer("TechnicianContactID"), body.text("TechnicianEmail")
    who = technician(conn, number, email) if number is not None or email else None
    if who is None and (number is not None or email):
        raise bad("Technician not found", TechnicianContactID="Verify technician exists")
    rate = body.integer("RateID")
    if rate is not None and one_doc(conn, "rates/products", rate) is None:
        raise bad("Rate not found")
    given = body.flag("Billiable")
    made = write(
        conn, row, starts, ends, tech_id=who["id"] if who else row["tech_id"] or seeds.OWNER,
        billable=bool(body.flag("Billable") if given is None else given), on_site=bool(body.flag("OnCustomerSite")),
        description=body.text("Description") or "", rate_id=rate,
    )  # fmt: skip
    stored.save(tenant, conn, row, by_api=True)
    return made


def of_ticket(conn: sqlite3.Connection, ticket_id: int, page: Page | None) -> tuple[list[Doc], int]:
    total = conn.execute("SELECT count(*) FROM atera_hours WHERE ticket_id = ?", (ticket_id,)).fetchone()[0]
    limits = (page.size, page.offset) if page else (-1, 0)
    rows = conn.execute(f"{QUERY} WHERE w.ticket_id = ? ORDER BY w.id LIMIT ? OFFSET ?", (ticket_id, *limits))
    return [record(row) for row in rows], int(total)


def all_records(conn: sqlite3.Connection, params: Params, page: Page) -> tuple[list[Doc], int]:
    """Records of all tickets, between two times of the account's zone."""
    where: list[str] = ["1"]
    values: list[Any] = []
    if text := params.text("startWorkhour"):
        where.append("w.starts >= ?")
        values.append(local_in(text, "startWorkhour"))
    if text := params.text("endWorkhour"):
        where.append("w.ends <= ?")
        values.append(local_in(text, "endWorkhour"))
    wanted = " AND ".join(where)
    counted = f"SELECT count(*) FROM atera_hours w WHERE {wanted}"
    gone = f"{counted} AND w.ticket_id IN (SELECT id FROM atera_tickets WHERE deleted = 1)"
    total = conn.execute(counted, values).fetchone()[0] - conn.execute(gone, values).fetchone()[0]
    rows = conn.execute(f"{QUERY} WHERE {wanted} ORDER BY w.id DESC LIMIT ? OFFSET ?",
                        [*values, page.size, page.offset])  # fmt: skip
    has_rates = params.flag("includeRates")
    found = []
    for row in rows:
        doc = record(row) | {"CustomerID": row["customer_id"], "EndUserID": row["user_id"]}
        found.append(doc if has_rates else doc | {"RateID": None, "RateAmount": None})
    return found, int(total)


def record(row: sqlite3.Row) -> Doc:
    return {
        "TicketID": row["ticket_id"], "WorkHoursID": row["id"], "StartWorkHour": instant_out(row["starts"]),
        "EndWorkHour": instant_out(row["ends"]), "TechnicianContactID": row["tech_id"],
        "Billiable": bool(row["billable"]), "OnCustomerSite": bool(row["on_site"]), "Description": row["description"],
        "TechnicianFullName": f"{row['tech_first']} {row['tech_last']}".strip() if row["tech_id"] else None,
        "TechnicianEmail": row["tech_email"], "RateID": row["rate_id"], "RateAmount": row["rate"],
    }  # fmt: skip


def brief_record(doc: Doc) -> Doc:
    """The brief's names for a record."""
    starts, ends = (datetime.fromisoformat(doc[name]) for name in ("StartWorkHour", "EndWorkHour"))
    return {
        "WorkHourID": doc["WorkHoursID"], "TicketID": doc["TicketID"], "StartDate": doc["StartWorkHour"],
        "EndDate": doc["EndWorkHour"], "Duration": int((ends - starts).total_seconds()),
        "TechnicianContactID": doc["TechnicianContactID"], "IsBillable": doc["Billiable"], "Notes": doc["Description"],
    }  # fmt: skip


def durations(conn: sqlite3.Connection, ticket_id: int, *, billable: bool) -> Doc:
    seconds = dict.fromkeys(("OffSLA", "OffSite", "OnSLA", "OnSite", "Total"), 0)
    query = "SELECT starts, ends, on_site FROM atera_hours WHERE ticket_id = ? AND billable = ?"
    for row in conn.execute(query, (ticket_id, int(billable))):
        length = (row["ends"] - row["starts"]) // 1000
        seconds["OnSite" if row["on_site"] else "OffSite"] += length
        seconds["OnSLA" if in_hours(row["starts"]) else "OffSLA"] += length
        seconds["Total"] += length
    hours = {f"{name}DurationHours": round(value / 3600, 4) for name, value in seconds.items()}
    return {**hours, "ticketId": ticket_id}


def summary(conn: sqlite3.Connection, ticket_id: int) -> Doc:
    return {
        "TicketID": ticket_id, "Billable": durations(conn, ticket_id, billable=True),
        "NonBillable": durations(conn, ticket_id, billable=False),
    }  # fmt: skip


def bulk_ids(value: Any) -> list[int]:
    """Up to 50 ticket ids from a body."""
    if not isinstance(value, list) or not all(isinstance(item, int) and not isinstance(item, bool) for item in value):
        raise bad("One or more validation errors occurred.", **{"$": "The JSON value is not a list of numbers."})
    if len(value) > LARGEST_BULK:
        raise bad("Too many ticket IDs", **{"$": f"At most {LARGEST_BULK}"})
    return value


def site_durations(conn: sqlite3.Connection, ids: list[int]) -> Doc:
    found = []
    for number in ids:
        row = conn.execute("SELECT on_site, off_site FROM atera_tickets WHERE id = ? AND deleted = 0",
                           (number,)).fetchone()  # fmt: skip
        if row is not None:
            found.append({"TicketID": number, "TotalDurationSeconds": row["on_site"] + row["off_site"],
                          "OnSiteDurationSeconds": row["on_site"],
                          "OffSiteDurationSeconds": row["off_site"]})  # fmt: skip
    return {"TicketsWorkHoursSiteDurationSummaries": found}
