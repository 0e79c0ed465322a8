"""The table of greetings."""

from pilotbase_tiny.workspace import tables

from pilotbase.workspace.migrations.declared import make_tables

revision = "0001"
down_revision = None


def upgrade() -> None:
    """Make the table."""
    make_tables(tables)
