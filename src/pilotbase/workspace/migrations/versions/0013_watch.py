"""Observations, labels, cohorts and states of detectors."""

import sqlalchemy as sa
from alembic import op

revision = "0013"
down_revision = "0012"

_SERIAL = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    """Make the tables."""
    _make_observations()
    _make_labels()
    _make_cohorts()
    _make_detectors()
    _make_reactions()


def _make_observations() -> None:
    op.create_table(
        "observation_packs",
        sa.Column("number", _SERIAL, nullable=False),
        sa.Column("service", sa.String(length=63), nullable=False),
        sa.Column("cohort", sa.BigInteger(), nullable=True),
        sa.Column("cases", sa.Integer(), nullable=False),
        sa.Column("first_at", sa.BigInteger(), nullable=False),
        sa.Column("last_at", sa.BigInteger(), nullable=False),
        sa.Column("taken_at", sa.BigInteger(), nullable=False),
        sa.Column("body", sa.LargeBinary(), nullable=True),
        sa.PrimaryKeyConstraint("number"),
        sqlite_autoincrement=True,
    )
    op.create_index("observation_packs_age", "observation_packs", ["service", "last_at"], unique=False)
    op.create_index("observation_packs_cohort", "observation_packs", ["cohort", "number"], unique=False)
    op.create_index("observation_packs_service", "observation_packs", ["service", "number"], unique=False)
    op.create_table(
        "observed_batches",
        sa.Column("key", sa.LargeBinary(length=16), nullable=False),
        sa.Column("digest", sa.LargeBinary(length=16), nullable=False),
        sa.Column("pack", sa.BigInteger(), nullable=True),
        sa.PrimaryKeyConstraint("key"),
        sqlite_with_rowid=False,
    )
    op.create_index("observed_batches_pack", "observed_batches", ["pack"], unique=False)
    op.create_table(
        "observed_cases",
        sa.Column("key", sa.LargeBinary(length=16), nullable=False),
        sa.Column("pack", sa.BigInteger(), nullable=False),
        sa.Column("row", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("key"),
        sqlite_with_rowid=False,
    )
    op.create_index("observed_cases_pack", "observed_cases", ["pack"], unique=False)


def _make_labels() -> None:
    op.create_table(
        "label_batches",
        sa.Column("number", _SERIAL, nullable=False),
        sa.Column("service", sa.String(length=63), nullable=False),
        sa.Column("key", sa.LargeBinary(length=16), nullable=False),
        sa.Column("digest", sa.LargeBinary(length=16), nullable=False),
        sa.Column("cases", sa.Integer(), nullable=False),
        sa.Column("unknown", sa.Integer(), nullable=False),
        sa.Column("taken_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("number"),
        sa.UniqueConstraint("key"),
        sqlite_autoincrement=True,
    )
    op.create_index("label_batches_service", "label_batches", ["service", "number"], unique=False)
    op.create_table(
        "labels",
        sa.Column("key", sa.LargeBinary(length=16), nullable=False),
        sa.Column("batch", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("value", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("key", "batch"),
        sqlite_with_rowid=False,
    )
    op.create_index("labels_batch", "labels", ["batch"], unique=False)


def _make_cohorts() -> None:
    op.create_table(
        "watch_cohorts",
        sa.Column("number", _SERIAL, nullable=False),
        sa.Column("service", sa.String(length=63), nullable=False),
        sa.Column("begins_at", sa.BigInteger(), nullable=False),
        sa.Column("seconds", sa.BigInteger(), nullable=False),
        sa.Column("closes_at", sa.BigInteger(), nullable=False),
        sa.Column("state", sa.String(length=8), nullable=False),
        sa.Column("cases", sa.BigInteger(), nullable=False),
        sa.Column("labelled", sa.BigInteger(), nullable=False),
        sa.Column("labels_to", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("number"),
        sqlite_autoincrement=True,
    )
    op.create_index("watch_cohorts_due", "watch_cohorts", ["state", "closes_at"], unique=False)
    op.create_index("watch_cohorts_span", "watch_cohorts", ["service", "begins_at", "seconds"], unique=True)
    op.create_table(
        "watch_counts",
        sa.Column("service", sa.String(length=63), nullable=False),
        sa.Column("what", sa.String(length=40), nullable=False),
        sa.Column("count", sa.BigInteger(), nullable=False),
        sa.Column("last_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("service", "what"),
    )


def _make_detectors() -> None:
    op.create_table(
        "watches",
        sa.Column("service", sa.String(length=63), nullable=False),
        sa.Column("watch", sa.String(length=71), nullable=False),
        sa.Column("armed", sa.Integer(), nullable=False),
        sa.Column("passes", sa.BigInteger(), nullable=False),
        sa.Column("read_to", sa.BigInteger(), nullable=False),
        sa.Column("colour", sa.String(length=10), nullable=False),
        sa.Column("ran_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("service"),
    )
    op.create_index("watches_armed", "watches", ["armed"], unique=False)
    op.create_table(
        "watch_states",
        sa.Column("service", sa.String(length=63), nullable=False),
        sa.Column("detector", sa.String(length=200), nullable=False),
        sa.Column("signal", sa.String(length=20), nullable=False),
        sa.Column("promise", sa.Text(), nullable=False),
        sa.Column("state", sa.LargeBinary(), nullable=False),
        sa.Column("seen", sa.BigInteger(), nullable=False),
        sa.Column("colour", sa.String(length=10), nullable=False),
        sa.Column("value", sa.Float(), nullable=False),
        sa.Column("last_at", sa.BigInteger(), nullable=True),
        sa.PrimaryKeyConstraint("service", "detector"),
    )
    op.create_table(
        "watch_points",
        sa.Column("service", sa.String(length=63), nullable=False),
        sa.Column("detector", sa.String(length=200), nullable=False),
        sa.Column("number", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("seen", sa.BigInteger(), nullable=False),
        sa.Column("value", sa.Float(), nullable=False),
        sa.Column("colour", sa.String(length=10), nullable=False),
        sa.PrimaryKeyConstraint("service", "detector", "number"),
    )


def _make_reactions() -> None:
    op.create_table(
        "warning_levels",
        sa.Column("service", sa.String(length=63), nullable=False),
        sa.Column("detector", sa.String(length=200), nullable=False),
        sa.Column("colour", sa.String(length=10), nullable=False),
        sa.Column("warning", sa.String(length=71), nullable=False),
        sa.PrimaryKeyConstraint("service", "detector"),
    )
    op.create_table(
        "reactions",
        sa.Column("cause", sa.String(length=71), nullable=False),
        sa.Column("step", sa.String(length=80), nullable=False),
        sa.Column("service", sa.String(length=63), nullable=False),
        sa.Column("place", sa.Integer(), nullable=False),
        sa.Column("done_at", sa.BigInteger(), nullable=False),
        sa.Column("outcome", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("cause", "step"),
    )
    op.create_index("reactions_of", "reactions", ["service", "done_at"], unique=False)
    op.create_table(
        "incidents",
        sa.Column("number", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("service", sa.String(length=63), nullable=False),
        sa.Column("state", sa.String(length=10), nullable=False),
        sa.Column("digest", sa.String(length=71), nullable=False),
        sa.PrimaryKeyConstraint("number"),
    )
    op.create_index("incidents_of", "incidents", ["service", "state"], unique=False)
    op.create_table(
        "incident_clocks",
        sa.Column("incident", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("clock", sa.String(length=63), nullable=False),
        sa.Column("due", sa.BigInteger(), nullable=False),
        sa.Column("told", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("incident", "clock"),
    )
    op.create_index("incident_clocks_due", "incident_clocks", ["told", "due"], unique=False)
