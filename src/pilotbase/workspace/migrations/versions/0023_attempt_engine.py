"""Attempts tell on which engine they run, so that a worker of another one does not look for them where they are not."""

import sqlalchemy as sa
from alembic import op

revision = "0023"
down_revision = "0022"


def upgrade() -> None:
    """Add the column; of attempts that stand there nobody knows."""
    op.add_column("compute_attempts", sa.Column("engine", sa.String(length=12), nullable=False, server_default=""))
