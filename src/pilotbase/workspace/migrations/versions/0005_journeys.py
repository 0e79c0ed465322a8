"""Journeys: when each demand came by which milestone, for figures over many records."""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"

MILESTONES = ("demanded", "opened", "proposed", "agreed", "frozen", "reported", "accepted", "certified")


def upgrade() -> None:
    """Make the table; records that stand there get their row with their next step."""
    op.create_table(
        "journeys",
        sa.Column("subject", sa.String(length=200), nullable=False),
        sa.Column("kind", sa.String(length=20), nullable=False),
        *(sa.Column(f"{name}_at", sa.BigInteger(), nullable=True) for name in MILESTONES),
        sa.Column("verdict", sa.String(length=20), nullable=False),
        sa.Column("supplier", sa.String(length=120), nullable=False),
        sa.Column("amount", sa.BigInteger(), nullable=True),
        sa.Column("currency", sa.String(length=3), nullable=False),
        sa.ForeignKeyConstraint(["subject"], ["listings.subject"]),
        sa.PrimaryKeyConstraint("subject"),
    )
    op.create_index("journeys_certified", "journeys", ["kind", "certified_at"], unique=False)
