"""The tables of services: keys, budgets, metering. The migrations build them; a test compares the two."""

from __future__ import annotations

from sqlalchemy import BigInteger, Column, Index, Integer, String, Table

from pilotbase.workspace.columns import UtcMoment, metadata

service_keys = Table(
    "service_keys",
    metadata,
    Column("identity", String(16), primary_key=True),
    Column("service", String(63), nullable=False),
    Column("organisation", String(120), nullable=False),
    Column("title", String(200), nullable=False),
    Column("prefix", String(16), nullable=False),
    Column("secret", String(64), nullable=False, unique=True),
    Column("scopes", String(100), nullable=False),
    Column("budget", String(63), nullable=False),
    Column("made_by", String(63), nullable=False),
    Column("made_at", UtcMoment, nullable=False),
    Column("expires_at", UtcMoment, nullable=False),
    Column("revoked_at", UtcMoment, nullable=True),
    Index("service_keys_of", "service", "made_at"),
)
"""Who may call a service. ``secret`` is its hex SHA-256, ``prefix`` its beginning; no budget: ''."""

service_budgets = Table(
    "service_budgets",
    metadata,
    Column("service", String(63), primary_key=True),
    Column("name", String(63), primary_key=True),
    Column("period", String(8), nullable=False),
    Column("calls", BigInteger, nullable=True),
    Column("tokens", BigInteger, nullable=True),
)
"""How much may be used in a period ('month' or 'total'); null: no limit."""

service_spending = Table(
    "service_spending",
    metadata,
    Column("service", String(63), primary_key=True),
    Column("budget", String(63), primary_key=True),
    Column("period", String(8), primary_key=True),
    Column("calls", BigInteger, nullable=False),
    Column("tokens", BigInteger, nullable=False),
)
"""The part of a budget spent in one period (``2026-11``, or 'total'): used, or in an allotment."""

allotments = Table(
    "allotments",
    metadata,
    Column("desk", String(32), primary_key=True),
    Column("service", String(63), primary_key=True),
    Column("budget", String(63), primary_key=True),
    Column("period", String(8), primary_key=True),
    Column("calls", BigInteger, nullable=False),
    Column("tokens", BigInteger, nullable=False),
    Column("renewed_at", UtcMoment, nullable=False),
    Index("allotments_of", "service", "budget", "period"),
    Index("allotments_renewed", "renewed_at"),
)
"""The part of a budget that a desk holds and has not accounted for: included in ``service_spending``."""

service_meters = Table(
    "service_meters",
    metadata,
    Column("service", String(63), primary_key=True),
    Column("hour", UtcMoment, primary_key=True),
    Column("key", String(16), primary_key=True),
    Column("version", String(71), primary_key=True),
    Column("end", String(20), primary_key=True),
    Column("calls", BigInteger, nullable=False),
    Column("cases", BigInteger, nullable=False),
    Column("tokens", BigInteger, nullable=False),
    Column("microseconds", BigInteger, nullable=False),
)
"""What was used, by the hour in which the call ended; ``version``: digest of the answering version, or ''."""

service_journals = Table(
    "service_journals",
    metadata,
    Column("desk", String(32), primary_key=True),
    Column("segment", Integer, nullable=False),
    Column("place", BigInteger, nullable=False),
)
"""The segment and byte up to which the journal of a desk has been taken in; segment -1: all of it."""
