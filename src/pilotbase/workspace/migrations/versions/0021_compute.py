"""Shared pools: jobs, attempts, turns."""

import sqlalchemy as sa
from alembic import op

revision = "0021"
down_revision = "0020"


def upgrade() -> None:
    """Make the tables."""
    _make_jobs()
    _make_attempts()
    op.create_table(
        "compute_turns",
        sa.Column("pool", sa.String(length=63), nullable=False),
        sa.Column("recent", sa.Text(), nullable=False),
        sa.Column("kept", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("pool"),
    )


def _make_jobs() -> None:
    op.create_table(
        "compute_jobs",
        sa.Column("name", sa.String(length=63), nullable=False),
        sa.Column("pool", sa.String(length=63), nullable=False),
        sa.Column("organisation", sa.String(length=120), nullable=False),
        sa.Column("person", sa.String(length=120), nullable=False),
        sa.Column("kind", sa.String(length=20), nullable=False),
        sa.Column("subject", sa.String(length=160), nullable=False),
        sa.Column("state", sa.String(length=12), nullable=False),
        sa.Column("asked", sa.Text(), nullable=False),
        sa.Column("work", sa.Text(), nullable=False),
        sa.Column("voucher", sa.String(length=32), nullable=False),
        sa.Column("attempt", sa.Integer(), nullable=False),
        sa.Column("losses", sa.Integer(), nullable=False),
        sa.Column("evictions", sa.Integer(), nullable=False),
        sa.Column("nodes", sa.Text(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("submitted_at", sa.BigInteger(), nullable=False),
        sa.Column("started_at", sa.BigInteger(), nullable=True),
        sa.Column("ended_at", sa.BigInteger(), nullable=True),
        sa.PrimaryKeyConstraint("name"),
    )
    op.create_index("compute_jobs_of_pool", "compute_jobs", ["pool", "state"], unique=False)
    op.create_index("compute_jobs_of", "compute_jobs", ["organisation", "submitted_at"], unique=False)
    op.create_index("compute_jobs_about", "compute_jobs", ["subject", "state"], unique=False)


def _make_attempts() -> None:
    op.create_table(
        "compute_attempts",
        sa.Column("job", sa.String(length=63), nullable=False),
        sa.Column("number", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("pool", sa.String(length=63), nullable=False),
        sa.Column("organisation", sa.String(length=120), nullable=False),
        sa.Column("held", sa.Text(), nullable=False),
        sa.Column("nodes", sa.Text(), nullable=False),
        sa.Column("ending", sa.String(length=12), nullable=False),
        sa.Column("wall_ms", sa.BigInteger(), nullable=False),
        sa.Column("cpu_ms", sa.BigInteger(), nullable=False),
        sa.Column("memory_mib_ms", sa.BigInteger(), nullable=False),
        sa.Column("began_at", sa.BigInteger(), nullable=False),
        sa.Column("ended_at", sa.BigInteger(), nullable=True),
        sa.CheckConstraint("wall_ms >= 0 and cpu_ms >= 0 and memory_mib_ms >= 0", name="compute_attempts_metered"),
        sa.PrimaryKeyConstraint("job", "number"),
    )
    op.create_index("compute_attempts_of_pool", "compute_attempts", ["pool", "began_at"], unique=False)
    op.create_index("compute_attempts_open", "compute_attempts", ["pool", "ended_at"], unique=False)
