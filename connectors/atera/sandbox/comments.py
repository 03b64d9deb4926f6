"""Comments: what they are, what they do to their ticket. They have no id on the wire."""

from __future__ import annotations

import sqlite3

from connectors.atera.sandbox import hints, seeds, stored
from connectors.atera.sandbox.seeds import Doc
from connectors.atera.sandbox.tenant import Row, Tenant, contact, technician
from connectors.atera.sandbox.wire import Body, Page, as_html, instant_out, missing

INSERT = "INSERT INTO atera_comments VALUES (?,?,?,?,?,?,?,?,?)"
QUERY = """
SELECT m.*, c.first AS user_first, c.last AS user_last, c.email AS user_email,
       h.first AS tech_first, h.last AS tech_last, h.email AS tech_email
FROM atera_comments m LEFT JOIN atera_contacts c ON c.id = m.user_id LEFT JOIN atera_technicians h ON h.id = m.tech_id
"""
INVALID = "Invalid input"
REOPENS = (seeds.PENDING, seeds.WAITING_CUSTOMER, seeds.RESOLVED)


def write(
    tenant: Tenant, conn: sqlite3.Connection, row: Row, text: str, *, html: str = "", user_id: int | None = None,
    tech_id: int | None = None, is_internal: bool = False, at: int | None = None, is_opening: bool = False,
) -> int:  # fmt: skip
    """Store one; answers its number inside the sandbox. `note_effects` and saving the ticket are the caller's."""
    at = tenant.now() if at is None else at
    values = (None, row["id"], at, text, html, user_id, tech_id, int(is_internal), tenant.clock.wall())
    number = conn.execute(INSERT, values).lastrowid or 0
    if not is_opening:
        note_effects(row, text, at, user_id=user_id, tech_id=tech_id, is_internal=is_internal)
    return number


def note_effects(row: Row, text: str, at: int, *, user_id: int | None, tech_id: int | None, is_internal: bool) -> None:
    """The first public answer is stamped; the last words of both sides are kept in the ticket."""
    if tech_id:
        if not is_internal and row["first_answer"] is None:
            row["first_answer"] = at
        row["tech_comment"], row["tech_at"] = text, max(at, row["tech_at"] or 0)
    elif user_id:
        row["user_comment"], row["user_at"] = text, max(at, row["user_at"] or 0)


def add(tenant: Tenant, conn: sqlite3.Connection, row: Row, body: Body, *, is_brief: bool) -> int:
    """A comment as the API takes it: a text and exactly one of the two details objects.

    A client's comment reopens what waits for the client, as the account's automation rule has it.
    """
    text = body.text("CommentText")
    by_technician, by_user = body.part("TechnicianCommentDetails"), body.part("EnduserCommentDetails")
    if not (text or "").strip():
        raise missing(INVALID)
    if by_technician is None and by_user is None and is_brief:
        by_technician = Body({"TechnicianId": row["tech_id"] or seeds.OWNER, "IsInternal": body.flag("IsInternal")})
    if (by_technician is None) == (by_user is None):
        raise missing(INVALID)
    at = body.instant("CommentTimestampUTC")
    assert text is not None
    if by_technician is not None:
        found = technician(conn, by_technician.integer("TechnicianId"), by_technician.text("TechnicianEmail"))
        if found is None:
            raise missing(INVALID)
        is_internal = bool(by_technician.flag("IsInternal"))
        number = write(tenant, conn, row, text, tech_id=found["id"], is_internal=is_internal, at=at)
        stored.save(tenant, conn, row, by_api=True)
        return number
    assert by_user is not None
    person = contact(conn, by_user.integer("EnduserId"))
    if person is None:
        raise missing(INVALID)
    number = write(tenant, conn, row, text, user_id=person["id"], at=at)
    replied(tenant, conn, row, by_api=True)
    return number


def replied(tenant: Tenant, conn: sqlite3.Connection, row: Row, *, by_api: bool = False) -> None:
    """Save the ticket after its client wrote; the rule "reopen on response" is applied."""
    before = row["status"]
    if before in REOPENS and tenant.setting("reopen_on_reply"):
        row["status"] = seeds.OPEN
        stored.enter(row, before, tenant.now())
    stored.save(tenant, conn, row, by_api=by_api)
    if row["status"] != before:
        hints.emit_status(tenant, conn, row["id"], row["status"])


def listed(
    conn: sqlite3.Connection, ticket_id: int, page: Page | None, base_url: str, stale_before: int | None = None
) -> tuple[list[Doc], int]:
    """(the page oldest first, how many there are). Without a page all of them."""
    where = "ticket_id = ? AND written_at <= ?"
    values = [ticket_id, 2**62 if stale_before is None else stale_before]
    total = int(conn.execute(f"SELECT count(*) FROM atera_comments WHERE {where}", values).fetchone()[0])
    limits = (page.size, page.offset) if page else (-1, 0)
    rows = conn.execute(f"{QUERY} WHERE m.{where} ORDER BY m.at, m.id LIMIT ? OFFSET ?", [*values, *limits])
    return [{**wire(row, base_url), "_id": row["id"], "_ticket": ticket_id} for row in rows], total


def wire(row: sqlite3.Row, base_url: str) -> Doc:
    """One comment. Pictures in its HTML lead to this host."""
    side = "tech" if row["tech_id"] else "user"
    return {
        "Date": instant_out(row["at"]), "Comment": row["text"],
        "CommentHtml": (row["html"] or as_html(row["text"])).replace('src="/files/', f'src="{base_url}/files/'),
        "EndUserID": row["user_id"], "TechnicianContactID": row["tech_id"], "Email": row[f"{side}_email"],
        "FirstName": row[f"{side}_first"], "LastName": row[f"{side}_last"], "IsInternal": bool(row["is_internal"]),
    }  # fmt: skip
