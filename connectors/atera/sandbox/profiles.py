"""What the profiles do differently, in one place: `vendor` changes nothing, `brief` speaks the brief's names."""

from __future__ import annotations

import sqlite3

from connectors.atera.sandbox.seeds import Doc
from connectors.atera.sandbox.wire import instant_out


class Vendor:
    """The API as the vendor's documents of 2026 have it."""

    is_brief = False
    total_name = "totalItemCount"

    def created(self, ticket_id: int, title: str) -> Doc:
        return {"ActionID": str(ticket_id)}

    def ticket(self, doc: Doc, row: sqlite3.Row) -> Doc:
        return doc

    def comment(self, doc: Doc) -> Doc:
        """`_id` and `_ticket` are the sandbox's own."""
        return {name: value for name, value in doc.items() if not name.startswith("_")}

    def durations(self, doc: Doc) -> Doc:
        return doc


class Brief(Vendor):
    """The API as its short description tells it; in what it takes it is a superset."""

    is_brief = True
    total_name = "totalItems"

    def created(self, ticket_id: int, title: str) -> Doc:
        return {"ActionID": ticket_id, "TicketID": ticket_id, "TicketTitle": title}

    def ticket(self, doc: Doc, row: sqlite3.Row) -> Doc:
        gone = ("TechnicianFirstCommentDate", "FirstResponseDueDate", "ClosedTicketDueDate")
        return {
            **{name: value for name, value in doc.items() if name not in gone},
            "Description": row["first_comment"], "FirstResponseDate": instant_out(row["first_answer"]),
            "DueDate": instant_out(row["close_due"]), "LastActivityDate": instant_out(row["modified"]),
        }  # fmt: skip

    def comment(self, doc: Doc) -> Doc:
        return {
            "CommentID": doc["_id"], "TicketID": doc["_ticket"], "CommentText": doc["Comment"],
            "CommentDate": doc["Date"], "CreatorContactID": doc["EndUserID"] or doc["TechnicianContactID"],
            "IsInternal": doc["IsInternal"],
        }  # fmt: skip

    def durations(self, doc: Doc) -> Doc:
        hours = doc["TotalDurationHours"]
        return {
            "TicketID": doc["ticketId"], "TotalBillableDuration": round(hours * 3600), "TotalBillableHours": hours,
        }  # fmt: skip


VENDOR = Vendor()
PROFILES: dict[str, Vendor] = {"vendor": VENDOR, "brief": Brief()}
