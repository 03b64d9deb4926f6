"""Tables of the Atera imitation. Instants are milliseconds since 1970 UTC, NULL when unset.

`atera_tickets_before` keeps what a ticket row was before each write, for lists that lag behind (fault `stale_reads`).
A comment's `html` is empty where its text says the same. `atera_docs` holds the small resources, one JSON object each.
"""

TICKET_COLUMNS = (
    "id", "title", "priority", "impact", "status", "source", "type", "user_id", "customer_id", "contract_id",
    "tech_id", "created", "resolved", "first_answer", "response_due", "close_due", "first_comment", "user_comment",
    "user_at", "tech_comment", "tech_at", "on_site", "off_site", "on_sla", "off_sla", "modified", "is_done", "deleted",
    "written_at", "touched_at",
)  # fmt: skip
_TEXTS = {"title", "priority", "impact", "source", "type", "first_comment", "user_comment", "tech_comment"}


def _column(name: str) -> str:
    if name == "status":
        return "status TEXT COLLATE NOCASE"
    return f"{name} {'TEXT' if name in _TEXTS else 'INTEGER'}"


_COLUMNS = ", ".join(_column(name) for name in TICKET_COLUMNS if name != "id")

SCHEMA = f"""
CREATE TABLE IF NOT EXISTS atera_tickets (id INTEGER PRIMARY KEY, {_COLUMNS});
CREATE TABLE IF NOT EXISTS atera_tickets_before (id INTEGER, {_COLUMNS}, until INTEGER NOT NULL);
CREATE INDEX IF NOT EXISTS atera_before_until ON atera_tickets_before (until);
CREATE INDEX IF NOT EXISTS atera_by_id ON atera_tickets (deleted, id);
CREATE INDEX IF NOT EXISTS atera_by_status ON atera_tickets (deleted, status, id);
CREATE INDEX IF NOT EXISTS atera_by_customer ON atera_tickets (deleted, customer_id, id);
CREATE INDEX IF NOT EXISTS atera_by_modified ON atera_tickets (deleted, modified, id);
CREATE INDEX IF NOT EXISTS atera_by_done ON atera_tickets (deleted, is_done, id);
CREATE INDEX IF NOT EXISTS atera_not_closed ON atera_tickets (id) WHERE deleted = 0 AND status <> 'Closed';
CREATE INDEX IF NOT EXISTS atera_by_user ON atera_tickets (user_id);
CREATE TABLE IF NOT EXISTS atera_comments (
    id INTEGER PRIMARY KEY, ticket_id INTEGER NOT NULL, at INTEGER NOT NULL, text TEXT NOT NULL, html TEXT NOT NULL,
    user_id INTEGER, tech_id INTEGER, is_internal INTEGER NOT NULL, written_at INTEGER NOT NULL);
CREATE INDEX IF NOT EXISTS atera_comments_of ON atera_comments (ticket_id, at, id);
CREATE TABLE IF NOT EXISTS atera_hours (
    id INTEGER PRIMARY KEY, ticket_id INTEGER NOT NULL, starts INTEGER NOT NULL, ends INTEGER NOT NULL,
    tech_id INTEGER, billable INTEGER NOT NULL, on_site INTEGER NOT NULL, description TEXT NOT NULL, rate_id INTEGER);
CREATE INDEX IF NOT EXISTS atera_hours_of ON atera_hours (ticket_id, id);
CREATE INDEX IF NOT EXISTS atera_hours_at ON atera_hours (starts, ends);
CREATE TABLE IF NOT EXISTS atera_files (
    id INTEGER PRIMARY KEY, guid TEXT NOT NULL UNIQUE, ticket_id INTEGER NOT NULL, filename TEXT NOT NULL,
    content_type TEXT NOT NULL, size INTEGER NOT NULL, sha256 TEXT NOT NULL, at INTEGER NOT NULL);
CREATE INDEX IF NOT EXISTS atera_files_of ON atera_files (ticket_id, id);
CREATE TABLE IF NOT EXISTS atera_customers (
    id INTEGER PRIMARY KEY, name TEXT NOT NULL COLLATE NOCASE, created INTEGER NOT NULL, modified INTEGER NOT NULL,
    doc TEXT NOT NULL);
CREATE INDEX IF NOT EXISTS atera_customers_name ON atera_customers (name);
CREATE TABLE IF NOT EXISTS atera_contacts (
    id INTEGER PRIMARY KEY, customer_id INTEGER NOT NULL, first TEXT, last TEXT, email TEXT COLLATE NOCASE, phone TEXT,
    created INTEGER NOT NULL, modified INTEGER NOT NULL, doc TEXT NOT NULL);
CREATE INDEX IF NOT EXISTS atera_contacts_email ON atera_contacts (email);
CREATE INDEX IF NOT EXISTS atera_contacts_of ON atera_contacts (customer_id);
CREATE TABLE IF NOT EXISTS atera_technicians (
    id INTEGER PRIMARY KEY, first TEXT NOT NULL, last TEXT NOT NULL, email TEXT NOT NULL COLLATE NOCASE);
CREATE TABLE IF NOT EXISTS atera_docs (
    kind TEXT NOT NULL, id INTEGER NOT NULL, customer_id INTEGER, doc TEXT NOT NULL, PRIMARY KEY (kind, id));
CREATE INDEX IF NOT EXISTS atera_docs_of ON atera_docs (kind, customer_id, id);
CREATE TABLE IF NOT EXISTS atera_values (
    target TEXT NOT NULL, item_id INTEGER NOT NULL, name TEXT NOT NULL COLLATE NOCASE, value TEXT NOT NULL,
    PRIMARY KEY (target, item_id, name)) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS atera_relations (
    ticket_id INTEGER NOT NULL, related_id INTEGER NOT NULL, type TEXT NOT NULL, PRIMARY KEY (ticket_id, type));
CREATE TABLE IF NOT EXISTS atera_hints (
    id INTEGER PRIMARY KEY, url TEXT NOT NULL, event TEXT NOT NULL, ticket_id INTEGER NOT NULL, at INTEGER NOT NULL,
    sent_at INTEGER, status INTEGER, answer TEXT);
CREATE INDEX IF NOT EXISTS atera_hints_waiting ON atera_hints (id) WHERE sent_at IS NULL;
"""
TABLES = (
    "atera_tickets", "atera_tickets_before", "atera_comments", "atera_hours", "atera_files", "atera_customers",
    "atera_contacts", "atera_technicians", "atera_docs", "atera_values", "atera_relations", "atera_hints",
)  # fmt: skip
