"""The first schema: documents, budgets, leases, log, vault."""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None

SERIAL = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    """Make all tables."""
    _make_documents()
    _make_budgets()
    _make_log()
    _make_vault()


def _make_documents() -> None:
    op.create_table(
        "documents",
        sa.Column("digest", sa.String(length=71), nullable=False),
        sa.Column("owner", sa.String(length=120), nullable=False),
        sa.Column("kind", sa.String(length=60), nullable=False),
        sa.Column("scope", sa.String(length=10), nullable=False),
        sa.Column("body", sa.LargeBinary(), nullable=False),
        sa.Column("search", sa.Text(), nullable=False),
        sa.Column("sequence", sa.BigInteger(), nullable=False),
        sa.Column("stored_at", sa.BigInteger(), nullable=False),
        sa.CheckConstraint("scope in ('public', 'parties', 'base')", name="documents_scope"),
        sa.PrimaryKeyConstraint("digest", "owner"),
    )
    op.create_index("documents_kind", "documents", ["kind", "sequence"], unique=False)
    op.create_index("documents_owner", "documents", ["owner", "kind"], unique=False)
    op.create_table(
        "document_fields",
        sa.Column("digest", sa.String(length=71), nullable=False),
        sa.Column("owner", sa.String(length=120), nullable=False),
        sa.Column("name", sa.String(length=60), nullable=False),
        sa.Column("value", sa.String(length=400), nullable=False),
        sa.ForeignKeyConstraint(["digest", "owner"], ["documents.digest", "documents.owner"]),
        sa.PrimaryKeyConstraint("digest", "owner", "name", "value"),
    )
    op.create_index("document_fields_value", "document_fields", ["name", "value"], unique=False)
    op.create_table(
        "document_parties",
        sa.Column("digest", sa.String(length=71), nullable=False),
        sa.Column("owner", sa.String(length=120), nullable=False),
        sa.Column("organisation", sa.String(length=120), nullable=False),
        sa.ForeignKeyConstraint(["digest", "owner"], ["documents.digest", "documents.owner"]),
        sa.PrimaryKeyConstraint("digest", "owner", "organisation"),
    )
    op.create_table(
        "heads",
        sa.Column("name", sa.String(length=200), nullable=False),
        sa.Column("digest", sa.String(length=71), nullable=False),
        sa.Column("owner", sa.String(length=120), nullable=False),
        sa.Column("moved_at", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["digest", "owner"], ["documents.digest", "documents.owner"]),
        sa.PrimaryKeyConstraint("name"),
    )
    op.create_table(
        "changes",
        sa.Column("sequence", SERIAL, autoincrement=True, nullable=False),
        sa.Column("kind", sa.String(length=60), nullable=False),
        sa.Column("event", sa.String(length=20), nullable=False),
        sa.Column("digest", sa.String(length=71), nullable=False),
        sa.Column("owner", sa.String(length=120), nullable=False),
        sa.Column("head", sa.String(length=200), nullable=True),
        sa.Column("changed_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("sequence"),
        sqlite_autoincrement=True,
    )


def _make_budgets() -> None:
    op.create_table(
        "counters",
        sa.Column("name", sa.String(length=200), nullable=False),
        sa.Column("value", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("name"),
    )
    op.create_table(
        "accounts",
        sa.Column("name", sa.String(length=200), nullable=False),
        sa.Column("balance", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("name"),
    )
    op.create_table(
        "postings",
        sa.Column("transfer", sa.String(length=200), nullable=False),
        sa.Column("account", sa.String(length=200), nullable=False),
        sa.Column("amount", sa.BigInteger(), nullable=False),
        sa.Column("posted_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("transfer", "account"),
    )
    op.create_index("postings_account", "postings", ["account", "posted_at"], unique=False)
    op.create_table(
        "leases",
        sa.Column("name", sa.String(length=200), nullable=False),
        sa.Column("holder", sa.String(length=200), nullable=False),
        sa.Column("token", sa.BigInteger(), nullable=False),
        sa.Column("seconds", sa.BigInteger(), nullable=False),
        sa.Column("renewed_at", sa.BigInteger(), nullable=True),
        sa.PrimaryKeyConstraint("name"),
    )


def _make_log() -> None:
    op.create_table(
        "log_entries",
        sa.Column("number", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("body", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("number"),
    )
    op.create_table(
        "log_nodes",
        sa.Column("level", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("position", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("hash", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("level", "position"),
    )
    op.create_table(
        "log_checkpoints",
        sa.Column("size", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("note", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("size"),
    )
    op.create_table(
        "log_payloads",
        sa.Column("number", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("salt", sa.LargeBinary(), nullable=False),
        sa.Column("payload", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("number"),
    )


def _make_vault() -> None:
    op.create_table(
        "hidden_sets",
        sa.Column("digest", sa.String(length=71), nullable=False),
        sa.Column("owner", sa.String(length=120), nullable=False),
        sa.Column("rows", sa.BigInteger(), nullable=False),
        sa.Column("wrapped", sa.LargeBinary(), nullable=False),
        sa.Column("scored", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("digest"),
    )
    op.create_table(
        "attempts",
        sa.Column("identity", SERIAL, autoincrement=True, nullable=False),
        sa.Column("hidden_set", sa.String(length=71), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("plan", sa.String(length=71), nullable=False),
        sa.Column("application", sa.String(length=71), nullable=False),
        sa.Column("nonce", sa.String(length=64), nullable=False),
        sa.Column("state", sa.String(length=12), nullable=False),
        sa.Column("reserved", sa.LargeBinary(), nullable=False),
        sa.Column("answers", sa.String(length=71), nullable=True),
        sa.Column("opened_at", sa.BigInteger(), nullable=False),
        sa.Column("delivered_at", sa.BigInteger(), nullable=True),
        sa.Column("closed_at", sa.BigInteger(), nullable=True),
        sa.ForeignKeyConstraint(["hidden_set"], ["hidden_sets.digest"]),
        sa.PrimaryKeyConstraint("identity"),
        sqlite_autoincrement=True,
    )
    op.create_index(
        "attempts_held",
        "attempts",
        ["hidden_set", "number"],
        unique=True,
        sqlite_where=sa.text("state <> 'returned'"),
        postgresql_where=sa.text("state <> 'returned'"),
    )
    op.create_index("attempts_set", "attempts", ["hidden_set", "number"], unique=False)
