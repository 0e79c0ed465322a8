"""The tables of shared pools: jobs and their state, every attempt, what the order of turns depends on.

Migrations build them; a test compares the two.
"""

from __future__ import annotations

from sqlalchemy import BigInteger, CheckConstraint, Column, Index, Integer, String, Table, Text

from pilotbase.workspace.columns import UtcMoment, metadata

compute_jobs = Table(
    "compute_jobs",
    metadata,
    Column("name", String(63), primary_key=True),
    Column("pool", String(63), nullable=False),
    Column("organisation", String(120), nullable=False),
    Column("person", String(120), nullable=False),
    Column("kind", String(20), nullable=False),
    Column("subject", String(160), nullable=False),
    Column("state", String(12), nullable=False),
    Column("asked", Text, nullable=False),
    Column("work", Text, nullable=False),
    Column("voucher", String(32), nullable=False),
    Column("attempt", Integer, nullable=False),
    Column("losses", Integer, nullable=False),
    Column("evictions", Integer, nullable=False),
    Column("nodes", Text, nullable=False),
    Column("reason", Text, nullable=False),
    Column("submitted_at", UtcMoment, nullable=False),
    Column("started_at", UtcMoment, nullable=True),
    Column("ended_at", UtcMoment, nullable=True),
    Index("compute_jobs_of_pool", "pool", "state"),
    Index("compute_jobs_of", "organisation", "submitted_at"),
    Index("compute_jobs_about", "subject", "state"),
)
"""``asked``: the `ComputeJob`; ``work``: what a backend is to do, '' for a seat that a process of the base takes.

``subject``: what it is about, ''; ``attempt`` counts from 1 once it has started; ``nodes``: JSON; ``reason``: a text.
"""

compute_attempts = Table(
    "compute_attempts",
    metadata,
    Column("job", String(63), primary_key=True),
    Column("number", Integer, primary_key=True, autoincrement=False),
    Column("pool", String(63), nullable=False),
    Column("organisation", String(120), nullable=False),
    Column("held", Text, nullable=False),
    Column("nodes", Text, nullable=False),
    Column("ending", String(12), nullable=False),
    Column("wall_ms", BigInteger, nullable=False),
    Column("cpu_ms", BigInteger, nullable=False),
    Column("memory_mib_ms", BigInteger, nullable=False),
    Column("began_at", UtcMoment, nullable=False),
    Column("ended_at", UtcMoment, nullable=True),
    Column("engine", String(12), nullable=False, server_default=""),
    Index("compute_attempts_of_pool", "pool", "began_at"),
    Index("compute_attempts_open", "pool", "ended_at"),
    CheckConstraint("wall_ms >= 0 and cpu_ms >= 0 and memory_mib_ms >= 0", name="compute_attempts_metered"),
)
"""``held``: the vector of all members, JSON; ``ending``: how it ended, '' while it runs.

``engine``: where it runs, '' for a seat or if unknown.
"""

compute_turns = Table(
    "compute_turns",
    metadata,
    Column("pool", String(63), primary_key=True),
    Column("recent", Text, nullable=False),
    Column("kept", Text, nullable=False),
)
"""What the next decision depends on besides the jobs: organisations' recent use, and for whom machines are kept."""
