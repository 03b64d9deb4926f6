"""The database's own full-text index over `tickets_searchtext`: FTS5 with triggers, or a GIN index."""

from django.db import migrations

SQLITE = [
    "CREATE VIRTUAL TABLE tickets_searchindex USING fts5("
    "text, content='tickets_searchtext', content_rowid='ticket_id', prefix='2 3', tokenize='unicode61')",
    "CREATE TRIGGER tickets_searchtext_insert AFTER INSERT ON tickets_searchtext BEGIN"
    " INSERT INTO tickets_searchindex(rowid, text) VALUES (new.ticket_id, new.text); END",
    "CREATE TRIGGER tickets_searchtext_delete AFTER DELETE ON tickets_searchtext BEGIN"
    " INSERT INTO tickets_searchindex(tickets_searchindex, rowid, text)"
    " VALUES ('delete', old.ticket_id, old.text); END",
    "CREATE TRIGGER tickets_searchtext_update AFTER UPDATE ON tickets_searchtext BEGIN"
    " INSERT INTO tickets_searchindex(tickets_searchindex, rowid, text)"
    " VALUES ('delete', old.ticket_id, old.text);"
    " INSERT INTO tickets_searchindex(rowid, text) VALUES (new.ticket_id, new.text); END",
]
POSTGRES = [
    "CREATE INDEX tickets_searchtext_words ON tickets_searchtext USING gin (to_tsvector('simple', text))",
]


def make_index(apps, schema_editor):
    for statement in POSTGRES if schema_editor.connection.vendor == "postgresql" else SQLITE:
        schema_editor.execute(statement)


def drop_index(apps, schema_editor):
    if schema_editor.connection.vendor == "postgresql":
        schema_editor.execute("DROP INDEX tickets_searchtext_words")
        return
    for name in ("insert", "delete", "update"):
        schema_editor.execute(f"DROP TRIGGER tickets_searchtext_{name}")
    schema_editor.execute("DROP TABLE tickets_searchindex")


class Migration(migrations.Migration):
    dependencies = [("tickets", "0001_initial")]
    operations = [migrations.RunPython(make_index, drop_index)]
