"""PostgreSQL: the words of a ticket beside its text, so that a common word can be looked for row by row.

With the index on an expression every row that was looked at had its words cut anew; kept as a column they are read,
and the statistics on them tell the planner whether to walk the list (common word) or to ask the index (rare word).
"""

from django.db import migrations

FORWARDS = [
    "DROP INDEX IF EXISTS tickets_searchtext_words",
    "ALTER TABLE tickets_searchtext ADD COLUMN words tsvector"
    " GENERATED ALWAYS AS (to_tsvector('simple', text)) STORED",
    "ALTER TABLE tickets_searchtext ALTER COLUMN words SET STATISTICS 1000",
    "CREATE INDEX tickets_searchtext_words ON tickets_searchtext USING gin (words)",
    "ANALYZE tickets_searchtext",
]
BACKWARDS = [
    "DROP INDEX tickets_searchtext_words",
    "ALTER TABLE tickets_searchtext DROP COLUMN words",
    "CREATE INDEX tickets_searchtext_words ON tickets_searchtext USING gin (to_tsvector('simple', text))",
]


def keep_words(apps, schema_editor):
    _run(schema_editor, FORWARDS)


def drop_words(apps, schema_editor):
    _run(schema_editor, BACKWARDS)


def _run(schema_editor, statements):
    if schema_editor.connection.vendor == "postgresql":
        for statement in statements:
            schema_editor.execute(statement)


class Migration(migrations.Migration):
    dependencies = [("tickets", "0004_outcomes")]
    operations = [migrations.RunPython(keep_words, drop_words)]
