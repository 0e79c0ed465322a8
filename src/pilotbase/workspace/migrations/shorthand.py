"""What revisions make tables with; their columns, keys and indexes are in the shorthand of `workspace.columns`."""

from __future__ import annotations

from alembic import op
from sqlalchemy.schema import SchemaItem

from pilotbase.workspace.columns import kept_by


def make_table(name: str, *parts: SchemaItem, clustered: bool = False) -> None:
    """Make a table of columns, keys and indexes; ``clustered`` as in `kept_by`."""
    op.create_table(name, *parts, **kept_by(parts, clustered))
