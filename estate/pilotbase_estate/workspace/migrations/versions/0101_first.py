"""The tables of the estate: shared pools, and vouchers that pay for computing. As declared, until 0.1 is released."""

from pilotbase.workspace.migrations.declared import make_tables
from pilotbase_estate.workspace import tables

revision = "0101"
down_revision = None


def upgrade() -> None:
    """Make the tables."""
    make_tables(tables)
