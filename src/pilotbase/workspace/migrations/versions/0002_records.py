"""Records of many organisations: listings, what waits for whom, and the queue of jobs."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"

SERIAL = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    """Make the three tables, and the index by which lists are cut to an actor without reading documents."""
    op.create_index("documents_seen", "documents", ["digest", "owner", "scope"], unique=False)
    _make_listings()
    _make_waits()
    _make_jobs()


def _make_listings() -> None:
    op.create_table(
        "listings",
        sa.Column("subject", sa.String(length=200), nullable=False),
        sa.Column("kind", sa.String(length=20), nullable=False),
        sa.Column("state", sa.String(length=30), nullable=False),
        sa.Column("digest", sa.String(length=71), nullable=False),
        sa.Column("owner", sa.String(length=120), nullable=False),
        sa.Column("sector", sa.String(length=40), nullable=False),
        sa.Column("action", sa.String(length=40), nullable=False),
        sa.Column("title", sa.LargeBinary(), nullable=False),
        sa.Column("words", sa.Text(), nullable=False),
        sa.Column("sequence", sa.BigInteger(), nullable=False),
        sa.Column("moved_at", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["digest", "owner"], ["documents.digest", "documents.owner"]),
        sa.PrimaryKeyConstraint("subject"),
    )
    op.create_index("listings_kind", "listings", ["kind", "sequence"], unique=False)
    op.create_index("listings_state", "listings", ["kind", "state", "sequence"], unique=False)
    op.create_index("listings_sector", "listings", ["kind", "sector", "sequence"], unique=False)
    op.create_index("listings_content", "listings", ["digest", "owner"], unique=False)


def _make_waits() -> None:
    op.create_table(
        "waits",
        sa.Column("subject", sa.String(length=200), nullable=False),
        sa.Column("position", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("act", sa.String(length=60), nullable=False),
        sa.Column("role", sa.String(length=20), nullable=False),
        sa.Column("organisation", sa.String(length=120), nullable=False),
        sa.Column("person", sa.String(length=63), nullable=False),
        sa.Column("since", sa.BigInteger(), nullable=False),
        sa.Column("due", sa.BigInteger(), nullable=True),
        sa.ForeignKeyConstraint(["subject"], ["listings.subject"]),
        sa.PrimaryKeyConstraint("subject", "position"),
    )
    op.create_index("waits_for", "waits", ["role", "organisation", "due"], unique=False)


def _make_jobs() -> None:
    op.create_table(
        "jobs",
        sa.Column("identity", SERIAL, autoincrement=True, nullable=False),
        sa.Column("kind", sa.String(length=40), nullable=False),
        sa.Column("subject", sa.String(length=200), nullable=False),
        sa.Column("payload", sa.LargeBinary(), nullable=False),
        sa.Column("organisation", sa.String(length=120), nullable=False),
        sa.Column("person", sa.String(length=63), nullable=False),
        sa.Column("state", sa.String(length=12), nullable=False),
        sa.Column("attempt", sa.Integer(), nullable=False),
        sa.Column("stopping", sa.Boolean(), nullable=False),
        sa.Column("progress", sa.LargeBinary(), nullable=True),
        sa.Column("reason", sa.LargeBinary(), nullable=True),
        sa.Column("queued_at", sa.BigInteger(), nullable=False),
        sa.Column("started_at", sa.BigInteger(), nullable=True),
        sa.Column("beat_at", sa.BigInteger(), nullable=True),
        sa.Column("ended_at", sa.BigInteger(), nullable=True),
        sa.PrimaryKeyConstraint("identity"),
        sqlite_autoincrement=True,
    )
    op.create_index("jobs_state", "jobs", ["state", "identity"], unique=False)
    op.create_index("jobs_subject", "jobs", ["subject", "identity"], unique=False)
