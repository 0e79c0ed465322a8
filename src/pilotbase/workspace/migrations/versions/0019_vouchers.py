"""Vouchers: where each stands, what it pays, claims, movements."""

import sqlalchemy as sa
from alembic import op

revision = "0019"
down_revision = "0018"

_STANDING = sa.text("state in ('granted', 'paid')")


def upgrade() -> None:
    """Make the tables."""
    _make_vouchers()
    _make_uses()
    _make_claims()
    op.create_table(
        "voucher_moves",
        sa.Column("programme", sa.String(length=63), nullable=False),
        sa.Column("place", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("transfer", sa.String(length=200), nullable=False),
        sa.Column("step", sa.String(length=12), nullable=False),
        sa.Column("voucher", sa.String(length=32), nullable=False),
        sa.Column("job", sa.String(length=100), nullable=False),
        sa.Column("attempt", sa.Integer(), nullable=False),
        sa.Column("amount", sa.BigInteger(), nullable=False),
        sa.Column("moved_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("programme", "place"),
        sa.UniqueConstraint("transfer"),
    )
    op.create_index("voucher_moves_of", "voucher_moves", ["voucher", "place"], unique=False)
    op.create_table(
        "voucher_payers",
        sa.Column("service", sa.String(length=63), nullable=False),
        sa.Column("voucher", sa.String(length=32), nullable=False),
        sa.Column("pool", sa.String(length=63), nullable=False),
        sa.Column("since", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("service"),
    )


def _make_vouchers() -> None:
    op.create_table(
        "vouchers",
        sa.Column("identity", sa.String(length=32), nullable=False),
        sa.Column("programme", sa.String(length=63), nullable=False),
        sa.Column("organisation", sa.String(length=120), nullable=False),
        sa.Column("amount", sa.BigInteger(), nullable=False),
        sa.Column("state", sa.String(length=12), nullable=False),
        sa.Column("rules", sa.String(length=71), nullable=False),
        sa.Column("digest", sa.String(length=71), nullable=False),
        sa.Column("issued_at", sa.BigInteger(), nullable=False),
        sa.Column("expires_at", sa.BigInteger(), nullable=False),
        sa.CheckConstraint("amount > 0", name="vouchers_amount"),
        sa.PrimaryKeyConstraint("identity"),
    )
    op.create_index("vouchers_of", "vouchers", ["organisation", "issued_at"], unique=False)
    op.create_index("vouchers_expiring", "vouchers", ["state", "expires_at"], unique=False)


def _make_uses() -> None:
    op.create_table(
        "voucher_uses",
        sa.Column("job", sa.String(length=100), nullable=False),
        sa.Column("attempt", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("voucher", sa.String(length=32), nullable=False),
        sa.Column("programme", sa.String(length=63), nullable=False),
        sa.Column("organisation", sa.String(length=120), nullable=False),
        sa.Column("supplier", sa.String(length=120), nullable=False),
        sa.Column("state", sa.String(length=12), nullable=False),
        sa.Column("year", sa.Integer(), nullable=False),
        sa.Column("held", sa.BigInteger(), nullable=False),
        sa.Column("subsidy", sa.BigInteger(), nullable=False),
        sa.Column("hold", sa.String(length=71), nullable=False),
        sa.Column("settlement", sa.String(length=71), nullable=False),
        sa.Column("held_at", sa.BigInteger(), nullable=False),
        sa.Column("lapses_at", sa.BigInteger(), nullable=False),
        sa.CheckConstraint("held > 0 and subsidy >= 0 and subsidy <= held", name="voucher_uses_amounts"),
        sa.PrimaryKeyConstraint("job", "attempt"),
    )
    op.create_index("voucher_uses_of", "voucher_uses", ["voucher", "held_at"], unique=False)
    op.create_index("voucher_uses_lapsing", "voucher_uses", ["state", "lapses_at"], unique=False)


def _make_claims() -> None:
    op.create_table(
        "voucher_claims",
        sa.Column("identity", sa.String(length=71), nullable=False),
        sa.Column("job", sa.String(length=100), nullable=False),
        sa.Column("attempt", sa.Integer(), nullable=False),
        sa.Column("programme", sa.String(length=63), nullable=False),
        sa.Column("claimant", sa.String(length=120), nullable=False),
        sa.Column("side", sa.String(length=12), nullable=False),
        sa.Column("state", sa.String(length=12), nullable=False),
        sa.Column("year", sa.Integer(), nullable=False),
        sa.Column("amount", sa.BigInteger(), nullable=False),
        sa.Column("fee", sa.BigInteger(), nullable=False),
        sa.Column("payment", sa.String(length=71), nullable=False),
        sa.Column("decision", sa.String(length=71), nullable=False),
        sa.Column("claimed_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("identity"),
    )
    op.create_index(
        "voucher_claims_once",
        "voucher_claims",
        ["job", "attempt"],
        unique=True,
        sqlite_where=_STANDING,
        postgresql_where=_STANDING,
    )
    op.create_index("voucher_claims_payment", "voucher_claims", ["payment"], unique=False)
    op.create_index("voucher_claims_year", "voucher_claims", ["claimant", "programme", "year"], unique=False)
