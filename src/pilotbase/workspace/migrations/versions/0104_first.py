"""The store of 0.1, without the tables of the computing estate.

Until 0.1 is released, it makes what the modules declare; the release writes that out here.
"""

from alembic import op

from pilotbase.workspace import tables, terms_rows, watch_tables
from pilotbase.workspace.migrations.declared import make_tables

revision = "0104"
down_revision = None


def upgrade() -> None:
    """Make the tables."""
    make_tables(tables, terms_rows, watch_tables)
    for statement in _SEARCH[op.get_bind().dialect.name]:
        op.execute(statement)


_SEARCH = {
    "sqlite": [
        "DROP TABLE listing_search",
        "CREATE VIRTUAL TABLE listing_search USING fts5(terms, content='', columnsize=0, tokenize='ascii')",
    ],
    "postgresql": [
        "ALTER TABLE listing_search ALTER COLUMN terms SET STORAGE EXTERNAL",  # counting rows reads none
        "ALTER TABLE listing_search SET (toast_tuple_target = 128)",
    ],
}
