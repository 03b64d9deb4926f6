"""Tickets on the wire: the lists, the feeds, one ticket."""

from __future__ import annotations

import sqlite3
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from connectors.atera.sandbox.profiles import Vendor
from connectors.atera.sandbox.schema import TICKET_COLUMNS
from connectors.atera.sandbox.seeds import Doc
from connectors.atera.sandbox.tenant import Tenant
from connectors.atera.sandbox.wire import Page, Params, instant_in, instant_out, missing, stamp_out

NUMBER_OFFSET = 100_000
"""The number that people see is another than the id, so that nobody can mix them up unnoticed."""

_ALL = ", ".join(TICKET_COLUMNS)
LIVE = "atera_tickets"
STALE = (
    f"(SELECT {_ALL} FROM atera_tickets WHERE written_at <= {{at}} UNION ALL "
    f"SELECT {_ALL} FROM atera_tickets_before WHERE written_at <= {{at}} AND until > {{at}})"
)
ROWS = """
SELECT t.*, c.first AS user_first, c.last AS user_last, c.email AS user_email, c.phone AS user_phone,
       k.name AS customer_name, k.doc ->> '$.BusinessNumber' AS business_number,
       h.first AS tech_first, h.last AS tech_last, h.email AS tech_email, r.type AS relation, r.related_id AS related_id
FROM {source} t LEFT JOIN atera_contacts c ON c.id = t.user_id LEFT JOIN atera_customers k ON k.id = t.customer_id
LEFT JOIN atera_technicians h ON h.id = t.tech_id LEFT JOIN atera_relations r ON r.ticket_id = t.id
"""
NEWEST, BY_CHANGE = "id DESC", "modified, id"


@dataclass(frozen=True)
class Show:
    """What a call wants to see of tickets."""

    comments: bool = True
    relations: bool = False


class TicketLists:
    """Answers pages of tickets: (rows, how many there are)."""

    def __init__(self, tenant: Tenant, profile: Vendor) -> None:
        self._tenant, self._profile = tenant, profile

    def all(self, params: Params, page: Page, stale: int | None, *, comments: bool) -> tuple[list[Doc], int]:
        where, values = ["deleted = 0"], []
        customer, status = params.integer("customerId"), params.text("ticketStatus")
        if customer is not None:
            where.append("customer_id = ?")
            values.append(customer)
        if status:
            where.append("status = ?")
            values.append(status)  # type: ignore[arg-type]
        return self._page(where, values, NEWEST, page, stale, _show(params, comments=comments))

    def modified(self, params: Params, page: Page, stale: int | None) -> tuple[list[Doc], int]:
        """Changed on or after `date`, oldest change first; today without it."""
        text = params.text("date")
        start = instant_in(text, "date") if text else _today(self._tenant.now())
        show = _show(params, comments=params.flag("includeComments"))
        return self._page(["deleted = 0", "modified >= ?"], [start], BY_CHANGE, page, stale, show)

    def finished(self, params: Params, page: Page, stale: int | None) -> tuple[list[Doc], int]:
        """What is resolved or closed; profile `brief` knows `modifiedAfter`."""
        where, values = ["deleted = 0", "is_done = 1"], []
        if self._profile.is_brief and params.text("modifiedAfter"):
            where.append("modified >= ?")
            values.append(instant_in(params.text("modifiedAfter"), "modifiedAfter"))
        show = _show(params, comments=params.flag("includeComments", default=True))
        return self._page(where, values, NEWEST, page, stale, show)

    def _page(
        self, where: list[str], values: list[Any], order: str, page: Page, stale: int | None, show: Show
    ) -> tuple[list[Doc], int]:
        source = LIVE if stale is None else STALE.format(at=int(stale))
        wanted = " AND ".join(where)
        with self._tenant.store.read() as conn:
            total = int(conn.execute(f"SELECT count(*) FROM {source} WHERE {wanted}", values).fetchone()[0])
            ids = f"SELECT id FROM {source} WHERE {wanted} ORDER BY {order} LIMIT ? OFFSET ?"
            limits = [*values, page.size, page.offset]
            numbers = [row["id"] for row in conn.execute(ids, limits)] if page.offset < total else []
            marks = ", ".join("?" for _ in numbers)
            query = f"{ROWS.format(source=source)} WHERE t.id IN ({marks})"
            found = {row["id"]: self._profile.ticket(wire(row, show), row) for row in conn.execute(query, numbers)}
        return [found[number] for number in numbers], total


def _show(params: Params, *, comments: bool) -> Show:
    return Show(comments, params.flag("includeRelations"))


def _today(now: int) -> int:
    day = datetime.fromtimestamp(now / 1000, UTC).replace(hour=0, minute=0, second=0, microsecond=0)
    return int(day.timestamp() * 1000)


def one(conn: sqlite3.Connection, ticket_id: int, profile: Vendor, show: Show) -> Doc:
    """404 when it is unknown or deleted."""
    query = f"{ROWS.format(source=LIVE)} WHERE t.id = ? AND t.deleted = 0"
    row = conn.execute(query, (ticket_id,)).fetchone()
    if row is None:
        raise missing("Ticket not found")
    return profile.ticket(wire(row, show), row)


def wire(row: sqlite3.Row, show: Show) -> Doc:
    """In the order of the vendor's TicketDto."""
    return {
        "TicketID": row["id"], "TicketTitle": row["title"], "TicketNumber": str(NUMBER_OFFSET + row["id"]),
        "TicketPriority": row["priority"], "TicketImpact": row["impact"], "TicketStatus": row["status"],
        "TicketSource": row["source"], "TicketType": row["type"], "EndUserID": row["user_id"],
        "EndUserEmail": row["user_email"], "EndUserFirstName": row["user_first"], "EndUserLastName": row["user_last"],
        "EndUserPhone": row["user_phone"] or None, "TicketResolvedDate": stamp_out(row["resolved"]),
        "TicketCreatedDate": stamp_out(row["created"]),
        "TechnicianFirstCommentDate": instant_out(row["first_answer"]),
        "FirstResponseDueDate": instant_out(row["response_due"]), "ClosedTicketDueDate": instant_out(row["close_due"]),
        **_comments(row, is_shown=show.comments), **_durations(row),
        "CustomerID": row["customer_id"], "CustomerName": row["customer_name"],
        "CustomerBusinessNumber": row["business_number"] or None, "TechnicianContactID": row["tech_id"],
        "TechnicianFullName": f"{row['tech_first']} {row['tech_last']}".strip() if row["tech_id"] else None,
        "TechnicianEmail": row["tech_email"], "ContractID": row["contract_id"],
        "RelationType": (row["relation"] if show.relations else None) or "None",
        "RelatedTicketId": row["related_id"] if show.relations else None,
    }  # fmt: skip


def _comments(row: sqlite3.Row, *, is_shown: bool) -> Doc:
    if not is_shown:
        return dict.fromkeys(("FirstComment", "LastEndUserComment", "LastEndUserCommentTimestamp",
                              "LastTechnicianComment", "LastTechnicianCommentTimestamp"))  # fmt: skip
    return {
        "FirstComment": row["first_comment"], "LastEndUserComment": row["user_comment"] or "",
        "LastEndUserCommentTimestamp": instant_out(row["user_at"]), "LastTechnicianComment": row["tech_comment"] or "",
        "LastTechnicianCommentTimestamp": instant_out(row["tech_at"]),
    }  # fmt: skip


def _durations(row: sqlite3.Row) -> Doc:
    seconds = {
        "OnSite": row["on_site"], "OffSite": row["off_site"], "OnSLA": row["on_sla"], "OffSLA": row["off_sla"],
        "Total": row["on_site"] + row["off_site"],
    }  # fmt: skip
    found: Doc = {}
    for name, value in seconds.items():
        found |= {f"{name}DurationSeconds": value, f"{name}DurationMinutes": value // 60}
    return found
