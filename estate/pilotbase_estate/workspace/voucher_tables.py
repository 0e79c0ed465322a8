"""The tables of vouchers: their state, what they pay, who claimed. Migrations build them; a test compares the two.

Money is in accounts and postings; these rows record its purpose, and change in the same transaction.
"""

from __future__ import annotations

from sqlalchemy import BigInteger, CheckConstraint, Column, Index, Integer, String, Table, text

from pilotbase.workspace.columns import UtcMoment, metadata

vouchers = Table(
    "vouchers",
    metadata,
    Column("identity", String(32), primary_key=True),
    Column("programme", String(63), nullable=False),
    Column("organisation", String(120), nullable=False),
    Column("amount", BigInteger, nullable=False),
    Column("state", String(12), nullable=False),
    Column("rules", String(71), nullable=False),
    Column("digest", String(71), nullable=False),
    Column("issued_at", UtcMoment, nullable=False),
    Column("expires_at", UtcMoment, nullable=False),
    Index("vouchers_of", "organisation", "issued_at"),
    Index("vouchers_expiring", "state", "expires_at"),
    CheckConstraint("amount > 0", name="vouchers_amount"),
)
"""``rules``: digest of the rules that it was issued under; ``digest``: its document."""

voucher_uses = Table(
    "voucher_uses",
    metadata,
    Column("job", String(100), primary_key=True),
    Column("attempt", Integer, primary_key=True, autoincrement=False),
    Column("voucher", String(32), nullable=False),
    Column("programme", String(63), nullable=False),
    Column("organisation", String(120), nullable=False),
    Column("supplier", String(120), nullable=False),
    Column("state", String(12), nullable=False),
    Column("year", Integer, nullable=False),
    Column("held", BigInteger, nullable=False),
    Column("subsidy", BigInteger, nullable=False),
    Column("hold", String(71), nullable=False),
    Column("settlement", String(71), nullable=False),
    Column("held_at", UtcMoment, nullable=False),
    Column("lapses_at", UtcMoment, nullable=False),
    Index("voucher_uses_of", "voucher", "held_at"),
    Index("voucher_uses_lapsing", "state", "lapses_at"),
    CheckConstraint("held > 0 and subsidy >= 0 and subsidy <= held", name="voucher_uses_amounts"),
)
"""One attempt of a job, paid by one voucher. ``hold`` and ``settlement`` are documents; '': not settled yet."""

voucher_claims = Table(
    "voucher_claims",
    metadata,
    Column("identity", String(71), primary_key=True),
    Column("job", String(100), nullable=False),
    Column("attempt", Integer, nullable=False),
    Column("programme", String(63), nullable=False),
    Column("claimant", String(120), nullable=False),
    Column("side", String(12), nullable=False),
    Column("state", String(12), nullable=False),
    Column("year", Integer, nullable=False),
    Column("amount", BigInteger, nullable=False),
    Column("fee", BigInteger, nullable=False),
    Column("payment", String(71), nullable=False),
    Column("decision", String(71), nullable=False),
    Column("claimed_at", UtcMoment, nullable=False),
    Index(
        "voucher_claims_once",
        "job",
        "attempt",
        unique=True,
        sqlite_where=text("state in ('waiting', 'granted', 'paid')"),
        postgresql_where=text("state in ('waiting', 'granted', 'paid')"),
    ),
    Index("voucher_claims_payment", "payment"),
    Index("voucher_claims_year", "claimant", "programme", "year"),
)
"""``identity`` is the digest of the claim. In any race, a use is claimed once: by supplier or consumer, never both.

``fee`` is what the claim states as paid for this use by ``payment``, the digest of the evidence; '': none given.
"""

voucher_moves = Table(
    "voucher_moves",
    metadata,
    Column("programme", String(63), primary_key=True),
    Column("place", BigInteger, primary_key=True, autoincrement=False),
    Column("transfer", String(200), nullable=False, unique=True),
    Column("step", String(12), nullable=False),
    Column("voucher", String(32), nullable=False),
    Column("job", String(100), nullable=False),
    Column("attempt", Integer, nullable=False),
    Column("amount", BigInteger, nullable=False),
    Column("moved_at", UtcMoment, nullable=False),
    Index("voucher_moves_of", "voucher", "place"),
)
"""Every movement of a programme's money, numbered without gaps; ``transfer`` names it in ``postings``."""

voucher_payers = Table(
    "voucher_payers",
    metadata,
    Column("service", String(63), primary_key=True),
    Column("voucher", String(32), nullable=False),
    Column("pool", String(63), nullable=False),
    Column("since", UtcMoment, nullable=False),
)
"""Which voucher pays the calls of a service, at the prices of which pool, from when."""
