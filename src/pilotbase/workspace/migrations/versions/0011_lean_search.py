"""The terms of a listing lie beside its row on PostgreSQL: whoever only counts rows does not read them."""

from alembic import op

from pilotbase.workspace import text_index

revision = "0011"
down_revision = "0010"


def upgrade() -> None:
    """Keep terms out of line, and write them anew so."""
    connection = op.get_bind()
    if connection.dialect.name == "postgresql":
        op.execute("ALTER TABLE listing_search ALTER COLUMN terms SET STORAGE EXTERNAL")
        op.execute("ALTER TABLE listing_search SET (toast_tuple_target = 128)")
        text_index.rebuild(connection)
