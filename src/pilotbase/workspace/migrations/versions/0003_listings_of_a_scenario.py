"""Listings know the scenario and the application that they build on."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    """Add the two columns; records that stand there get them with their next step."""
    for name in ("scenario", "application"):
        op.add_column("listings", sa.Column(name, sa.String(length=200), nullable=False, server_default=""))
        op.create_index(f"listings_{name}", "listings", ["kind", name, "sequence"], unique=False)
