"""PostgreSQL indexes threes of characters beside pairs: a search for a word of common pairs compares fewer texts."""

from alembic import op

from pilotbase.workspace import text_index

revision = "0015"
down_revision = "0014"


def upgrade() -> None:
    """Make the index of words anew."""
    connection = op.get_bind()
    if connection.dialect.name == "postgresql":
        text_index.rebuild(connection)
