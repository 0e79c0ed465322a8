"""Keys, budgets and metering of services."""

import sqlalchemy as sa
from alembic import op

revision = "0012"
down_revision = "0011"


def upgrade() -> None:
    """Make the tables."""
    _make_keys()
    _make_budgets()
    _make_meters()


def _make_keys() -> None:
    op.create_table(
        "service_keys",
        sa.Column("identity", sa.String(length=16), nullable=False),
        sa.Column("service", sa.String(length=63), nullable=False),
        sa.Column("organisation", sa.String(length=120), nullable=False),
        sa.Column("title", sa.String(length=200), nullable=False),
        sa.Column("prefix", sa.String(length=16), nullable=False),
        sa.Column("secret", sa.String(length=64), nullable=False),
        sa.Column("scopes", sa.String(length=100), nullable=False),
        sa.Column("budget", sa.String(length=63), nullable=False),
        sa.Column("made_by", sa.String(length=63), nullable=False),
        sa.Column("made_at", sa.BigInteger(), nullable=False),
        sa.Column("expires_at", sa.BigInteger(), nullable=False),
        sa.Column("revoked_at", sa.BigInteger(), nullable=True),
        sa.PrimaryKeyConstraint("identity"),
        sa.UniqueConstraint("secret"),
    )
    op.create_index("service_keys_of", "service_keys", ["service", "made_at"])


def _make_budgets() -> None:
    op.create_table(
        "service_budgets",
        sa.Column("service", sa.String(length=63), nullable=False),
        sa.Column("name", sa.String(length=63), nullable=False),
        sa.Column("period", sa.String(length=8), nullable=False),
        sa.Column("calls", sa.BigInteger(), nullable=True),
        sa.Column("tokens", sa.BigInteger(), nullable=True),
        sa.PrimaryKeyConstraint("service", "name"),
    )
    op.create_table(
        "service_spending",
        sa.Column("service", sa.String(length=63), nullable=False),
        sa.Column("budget", sa.String(length=63), nullable=False),
        sa.Column("period", sa.String(length=8), nullable=False),
        sa.Column("calls", sa.BigInteger(), nullable=False),
        sa.Column("tokens", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("service", "budget", "period"),
    )
    op.create_table(
        "allotments",
        sa.Column("desk", sa.String(length=32), nullable=False),
        sa.Column("service", sa.String(length=63), nullable=False),
        sa.Column("budget", sa.String(length=63), nullable=False),
        sa.Column("period", sa.String(length=8), nullable=False),
        sa.Column("calls", sa.BigInteger(), nullable=False),
        sa.Column("tokens", sa.BigInteger(), nullable=False),
        sa.Column("renewed_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("desk", "service", "budget", "period"),
    )
    op.create_index("allotments_of", "allotments", ["service", "budget", "period"])
    op.create_index("allotments_renewed", "allotments", ["renewed_at"])


def _make_meters() -> None:
    op.create_table(
        "service_meters",
        sa.Column("service", sa.String(length=63), nullable=False),
        sa.Column("hour", sa.BigInteger(), nullable=False),
        sa.Column("key", sa.String(length=16), nullable=False),
        sa.Column("version", sa.String(length=71), nullable=False),
        sa.Column("end", sa.String(length=20), nullable=False),
        sa.Column("calls", sa.BigInteger(), nullable=False),
        sa.Column("cases", sa.BigInteger(), nullable=False),
        sa.Column("tokens", sa.BigInteger(), nullable=False),
        sa.Column("microseconds", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("service", "hour", "key", "version", "end"),
    )
    op.create_table(
        "service_journals",
        sa.Column("desk", sa.String(length=32), nullable=False),
        sa.Column("segment", sa.Integer(), nullable=False),
        sa.Column("place", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("desk"),
    )
