"""Exchange and notices: threads, what happened for whom, how it is delivered, and how far that has come."""

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"

SERIAL = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    """Make the tables; what happened before makes no notices."""
    op.create_index("waits_due", "waits", ["due"], unique=False)
    _make_threads()
    _make_notices()
    _make_mails()
    _make_webhooks()
    op.create_table(
        "positions",
        sa.Column("name", sa.String(length=60), nullable=False),
        sa.Column("value", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("name"),
    )
    op.execute("INSERT INTO positions (name, value) SELECT 'notices', coalesce(max(sequence), 0) FROM changes")


def _make_threads() -> None:
    op.create_table(
        "threads",
        sa.Column("identity", sa.String(length=32), nullable=False),
        sa.Column("subject", sa.String(length=200), nullable=False),
        sa.Column("organisation", sa.String(length=120), nullable=False),
        sa.Column("private", sa.Boolean(), nullable=False),
        sa.Column("answered", sa.Boolean(), nullable=False),
        sa.Column("digest", sa.String(length=71), nullable=False),
        sa.Column("owner", sa.String(length=120), nullable=False),
        sa.Column("sequence", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["digest", "owner"], ["documents.digest", "documents.owner"]),
        sa.PrimaryKeyConstraint("identity"),
    )
    op.create_index("threads_subject", "threads", ["subject", "sequence"], unique=False)
    op.create_index("threads_sequence", "threads", ["sequence"], unique=False)


def _make_notices() -> None:
    op.create_table(
        "notices",
        sa.Column("sequence", SERIAL, autoincrement=True, nullable=False),
        sa.Column("identity", sa.String(length=64), nullable=False),
        sa.Column("kind", sa.String(length=20), nullable=False),
        sa.Column("subject", sa.String(length=200), nullable=False),
        sa.Column("thread", sa.String(length=32), nullable=False),
        sa.Column("organisation", sa.String(length=120), nullable=False),
        sa.Column("role", sa.String(length=20), nullable=False),
        sa.Column("person", sa.String(length=63), nullable=False),
        sa.Column("author", sa.String(length=63), nullable=False),
        sa.Column("body", sa.LargeBinary(), nullable=False),
        sa.Column("made_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("sequence"),
        sa.UniqueConstraint("identity"),
        sqlite_autoincrement=True,
    )
    op.create_index("notices_for", "notices", ["organisation", "role", "sequence"], unique=False)
    op.create_index("notices_made", "notices", ["made_at"], unique=False)
    op.create_table(
        "notice_reads",
        sa.Column("person", sa.String(length=63), nullable=False),
        sa.Column("notice", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.ForeignKeyConstraint(["notice"], ["notices.sequence"]),
        sa.PrimaryKeyConstraint("person", "notice"),
    )
    op.create_index("notice_reads_notice", "notice_reads", ["notice"], unique=False)


def _make_mails() -> None:
    op.create_table(
        "notice_mails",
        sa.Column("person", sa.String(length=63), nullable=False),
        sa.Column("choice", sa.String(length=10), nullable=False),
        sa.Column("position", sa.BigInteger(), nullable=False),
        sa.Column("tries", sa.Integer(), nullable=False),
        sa.Column("failure", sa.String(length=200), nullable=False),
        sa.Column("next_at", sa.BigInteger(), nullable=True),
        sa.Column("sent_at", sa.BigInteger(), nullable=True),
        sa.PrimaryKeyConstraint("person"),
    )


def _make_webhooks() -> None:
    op.create_table(
        "webhooks",
        sa.Column("identity", sa.String(length=32), nullable=False),
        sa.Column("organisation", sa.String(length=120), nullable=False),
        sa.Column("url", sa.Text(), nullable=False),
        sa.Column("secret", sa.LargeBinary(), nullable=False),
        sa.Column("made_by", sa.String(length=63), nullable=False),
        sa.Column("made_at", sa.BigInteger(), nullable=False),
        sa.Column("ended_at", sa.BigInteger(), nullable=True),
        sa.PrimaryKeyConstraint("identity"),
    )
    op.create_index("webhooks_organisation", "webhooks", ["organisation"], unique=False)
    op.create_table(
        "webhook_deliveries",
        sa.Column("identity", sa.String(length=64), nullable=False),
        sa.Column("webhook", sa.String(length=32), nullable=False),
        sa.Column("notice", sa.BigInteger(), nullable=False),
        sa.Column("state", sa.String(length=12), nullable=False),
        sa.Column("tries", sa.Integer(), nullable=False),
        sa.Column("next_at", sa.BigInteger(), nullable=True),
        sa.Column("status", sa.Integer(), nullable=True),
        sa.Column("failure", sa.String(length=200), nullable=False),
        sa.Column("ended_at", sa.BigInteger(), nullable=True),
        sa.ForeignKeyConstraint(["webhook"], ["webhooks.identity"]),
        sa.ForeignKeyConstraint(["notice"], ["notices.sequence"]),
        sa.PrimaryKeyConstraint("identity"),
    )
    op.create_index("webhook_deliveries_next", "webhook_deliveries", ["state", "next_at"], unique=False)
    op.create_index("webhook_deliveries_of", "webhook_deliveries", ["webhook", "notice"], unique=False)
    op.create_index("webhook_deliveries_notice", "webhook_deliveries", ["notice"], unique=False)
