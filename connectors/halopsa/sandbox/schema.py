"""Tables of the HaloPSA imitation. Instants are milliseconds since 1970 UTC, 0 or NULL when unset.

Ticket rows are narrow and indexed, their long texts stand apart, so that lists and counts read little.
`halo_tickets_before`
keeps what a ticket row was before each write, for lists that lag behind (fault `stale_reads`).
"""

TICKET_COLUMNS = (
    "id", "guid", "summary", "client_id", "site_id", "user_id", "agent_id", "team_id", "status_id", "priority_id",
    "tickettype_id", "sla_id", "category_1", "category_2", "category_3", "category_4", "source", "impact", "urgency",
    "reportedby", "dateoccurred", "datecreated", "last_update", "lastactiondate", "respondbydate", "responsedate",
    "fixbydate", "dateclosed", "hold_since", "held_ms", "is_closed", "is_done", "deleted", "third_party_id_string",
    "timetaken", "attachment_count", "parent_id", "status_since", "contract_id", "excludefromsla", "flagged",
    "written_at",
)  # fmt: skip
TEXT_COLUMNS = (
    "summary", "guid", "category_1", "category_2", "category_3", "category_4", "reportedby", "third_party_id_string",
)  # fmt: skip

_COLUMNS = ", ".join(
    f"{name} {'TEXT' if name in TEXT_COLUMNS else 'REAL' if name == 'timetaken' else 'INTEGER'}"
    for name in TICKET_COLUMNS
    if name != "id"
)
TICKETS = f"""
CREATE TABLE IF NOT EXISTS halo_tickets (id INTEGER PRIMARY KEY, {_COLUMNS});
CREATE TABLE IF NOT EXISTS halo_tickets_before (id INTEGER, {_COLUMNS}, until INTEGER NOT NULL);
CREATE INDEX IF NOT EXISTS halo_before_until ON halo_tickets_before (until);
CREATE INDEX IF NOT EXISTS halo_by_update ON halo_tickets (deleted, last_update);
CREATE INDEX IF NOT EXISTS halo_by_id ON halo_tickets (deleted, id, last_update);
CREATE INDEX IF NOT EXISTS halo_by_occurred ON halo_tickets (deleted, dateoccurred);
CREATE INDEX IF NOT EXISTS halo_by_open ON halo_tickets (deleted, is_closed, dateoccurred);
CREATE INDEX IF NOT EXISTS halo_by_closed ON halo_tickets (dateclosed);
CREATE INDEX IF NOT EXISTS halo_by_client ON halo_tickets (client_id, deleted, dateoccurred);
CREATE INDEX IF NOT EXISTS halo_by_user ON halo_tickets (user_id);
CREATE INDEX IF NOT EXISTS halo_by_agent ON halo_tickets (agent_id, deleted, is_closed, dateoccurred);
CREATE INDEX IF NOT EXISTS halo_by_team ON halo_tickets (team_id, deleted, is_closed, dateoccurred);
CREATE INDEX IF NOT EXISTS halo_by_status ON halo_tickets (status_id, deleted, dateoccurred);
CREATE INDEX IF NOT EXISTS halo_by_priority ON halo_tickets (priority_id, deleted, dateoccurred);
CREATE INDEX IF NOT EXISTS halo_by_marker ON halo_tickets (third_party_id_string) WHERE third_party_id_string <> '';
CREATE TABLE IF NOT EXISTS halo_touched (ticket_id INTEGER PRIMARY KEY, at INTEGER NOT NULL);
CREATE TABLE IF NOT EXISTS halo_texts (ticket_id INTEGER PRIMARY KEY, details TEXT, details_html TEXT, extra TEXT);
"""

ACTIONS = """
CREATE TABLE IF NOT EXISTS halo_actions (
    ticket_id INTEGER NOT NULL, id INTEGER NOT NULL, guid TEXT NOT NULL, outcome_id INTEGER, outcome TEXT, who TEXT,
    who_type INTEGER, agent_id INTEGER, user_id INTEGER, at INTEGER, created INTEGER, note TEXT, note_html TEXT,
    timetaken REAL, nonbilltime REAL, hidden INTEGER, important INTEGER, old_status INTEGER, new_status INTEGER,
    attachment_count INTEGER, application TEXT, is_system INTEGER, deleted INTEGER NOT NULL DEFAULT 0, written_at
    INTEGER,
    extra TEXT, PRIMARY KEY (ticket_id, id));
CREATE INDEX IF NOT EXISTS halo_actions_time ON halo_actions (ticket_id) WHERE timetaken > 0;
CREATE TABLE IF NOT EXISTS halo_attachments (
    id INTEGER PRIMARY KEY, guid TEXT NOT NULL, ticket_id INTEGER NOT NULL, action_id INTEGER, filename TEXT,
    content_type TEXT, size INTEGER, sha256 TEXT, created INTEGER, showforusers INTEGER, isimage INTEGER, note TEXT,
    descr TEXT, user_id INTEGER, agent_id INTEGER, written_at INTEGER);
CREATE INDEX IF NOT EXISTS halo_attachments_ticket ON halo_attachments (ticket_id, action_id);
CREATE UNIQUE INDEX IF NOT EXISTS halo_attachments_guid ON halo_attachments (guid);
"""

PEOPLE = """
CREATE TABLE IF NOT EXISTS halo_clients (
    id INTEGER PRIMARY KEY, name TEXT, inactive INTEGER, main_site_id INTEGER, last_update INTEGER, extra TEXT);
CREATE TABLE IF NOT EXISTS halo_sites (
    id INTEGER PRIMARY KEY, name TEXT, client_id INTEGER, inactive INTEGER, last_update INTEGER, extra TEXT);
CREATE INDEX IF NOT EXISTS halo_sites_client ON halo_sites (client_id);
CREATE TABLE IF NOT EXISTS halo_users (
    id INTEGER PRIMARY KEY, name TEXT, emailaddress TEXT, client_id INTEGER, site_id INTEGER, inactive INTEGER,
    last_update INTEGER, extra TEXT);
CREATE INDEX IF NOT EXISTS halo_users_client ON halo_users (client_id);
CREATE INDEX IF NOT EXISTS halo_users_email ON halo_users (emailaddress);
CREATE TABLE IF NOT EXISTS halo_agents (
    id INTEGER PRIMARY KEY, name TEXT, email TEXT, team TEXT, isdisabled INTEGER, extra TEXT);
CREATE TABLE IF NOT EXISTS halo_config (
    kind TEXT NOT NULL, id TEXT NOT NULL, position INTEGER NOT NULL, doc TEXT NOT NULL, PRIMARY KEY (kind, id));
CREATE TABLE IF NOT EXISTS halo_events (
    id TEXT PRIMARY KEY, webhook_id TEXT NOT NULL, ticket_id INTEGER, event TEXT, at INTEGER, body TEXT, tries INTEGER,
    next_at INTEGER, status INTEGER, response TEXT, duration REAL);
CREATE INDEX IF NOT EXISTS halo_events_due ON halo_events (next_at) WHERE next_at IS NOT NULL;
"""

SCHEMA = TICKETS + ACTIONS + PEOPLE
TABLES = (
    "halo_tickets", "halo_tickets_before", "halo_touched", "halo_texts", "halo_actions", "halo_attachments",
    "halo_clients", "halo_sites", "halo_users", "halo_agents", "halo_config", "halo_events",
)  # fmt: skip
