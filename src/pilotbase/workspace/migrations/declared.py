"""How a first revision makes tables: as their modules declare them. A later revision says what it changes by itself."""

from __future__ import annotations

from types import ModuleType

import sqlalchemy as sa
from alembic import op

from pilotbase.workspace.columns import metadata


def make_tables(*modules: ModuleType) -> None:
    """Make the tables, with their indexes, that ``modules`` declare."""
    declared = [part for module in modules for part in vars(module).values() if isinstance(part, sa.Table)]
    metadata.create_all(op.get_bind(), declared, checkfirst=False)
