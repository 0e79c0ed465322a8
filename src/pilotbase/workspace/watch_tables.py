"""The tables of the watch: observations, labels, cohorts, states of detectors. The migrations build them."""

from __future__ import annotations

from sqlalchemy import BigInteger, Column, Float, Index, Integer, LargeBinary, String, Table, Text

from pilotbase.workspace.columns import SERIAL, UtcMoment, metadata

observation_packs = Table(
    "observation_packs",
    metadata,
    Column("number", SERIAL, primary_key=True, autoincrement=True),
    Column("service", String(63), nullable=False),
    Column("cohort", BigInteger, nullable=True),
    Column("cases", Integer, nullable=False),
    Column("first_at", UtcMoment, nullable=False),
    Column("last_at", UtcMoment, nullable=False),
    Column("taken_at", UtcMoment, nullable=False),
    Column("body", LargeBinary, nullable=True),
    Index("observation_packs_service", "service", "number"),
    Index("observation_packs_cohort", "cohort", "number"),
    Index("observation_packs_age", "service", "last_at"),
    sqlite_autoincrement=True,
)
"""Cases of one service that came together, column by column, compressed. Null body: erased; null cohort: came late."""

observed_batches = Table(
    "observed_batches",
    metadata,
    Column("key", LargeBinary(16), primary_key=True),
    Column("digest", LargeBinary(16), nullable=False),
    Column("pack", BigInteger, nullable=True),
    Index("observed_batches_pack", "pack"),
    sqlite_with_rowid=False,
)
"""The batches taken in: ``key`` is a hash of service and batch, ``digest`` one of its contents."""

observed_cases = Table(
    "observed_cases",
    metadata,
    Column("key", LargeBinary(16), primary_key=True),
    Column("pack", BigInteger, nullable=False),
    Column("row", Integer, nullable=False),
    Index("observed_cases_pack", "pack"),
    sqlite_with_rowid=False,
)
"""The place of each case; ``key`` is a hash of service and case, and the order in which a cohort is entered."""

label_batches = Table(
    "label_batches",
    metadata,
    Column("number", SERIAL, primary_key=True, autoincrement=True),
    Column("service", String(63), nullable=False),
    Column("key", LargeBinary(16), nullable=False, unique=True),
    Column("digest", LargeBinary(16), nullable=False),
    Column("cases", Integer, nullable=False),
    Column("unknown", Integer, nullable=False),
    Column("taken_at", UtcMoment, nullable=False),
    Index("label_batches_service", "service", "number"),
    sqlite_autoincrement=True,
)

labels = Table(
    "labels",
    metadata,
    Column("key", LargeBinary(16), primary_key=True),
    Column("batch", BigInteger, primary_key=True, autoincrement=False),
    Column("value", Text, nullable=False),
    Index("labels_batch", "batch"),
    sqlite_with_rowid=False,
)
"""Every label that came, as JSON, by the key of its case; the newest counts until the cohort closes."""

watch_cohorts = Table(
    "watch_cohorts",
    metadata,
    Column("number", SERIAL, primary_key=True, autoincrement=True),
    Column("service", String(63), nullable=False),
    Column("begins_at", UtcMoment, nullable=False),
    Column("seconds", BigInteger, nullable=False),
    Column("closes_at", UtcMoment, nullable=False),
    Column("state", String(8), nullable=False),
    Column("cases", BigInteger, nullable=False),
    Column("labelled", BigInteger, nullable=False),
    Column("labels_to", BigInteger, nullable=False),
    Index("watch_cohorts_span", "service", "begins_at", "seconds", unique=True),
    Index("watch_cohorts_due", "state", "closes_at"),
    sqlite_autoincrement=True,
)
"""Spans of cases. Once closed, it takes no case, and no label of a batch after ``labels_to``."""

watch_counts = Table(
    "watch_counts",
    metadata,
    Column("service", String(63), primary_key=True),
    Column("what", String(40), primary_key=True),
    Column("count", BigInteger, nullable=False),
    Column("last_at", UtcMoment, nullable=False),
)
"""How often something was refused, was repeated, or came too late."""

watches = Table(
    "watches",
    metadata,
    Column("service", String(63), primary_key=True),
    Column("watch", String(71), nullable=False),
    Column("armed", Integer, nullable=False),
    Column("passes", BigInteger, nullable=False),
    Column("read_to", BigInteger, nullable=False),
    Column("colour", String(10), nullable=False),
    Column("ran_at", UtcMoment, nullable=False),
    Index("watches_armed", "armed"),
)
"""The states of a service's detectors: what they have read, their highest colour.

``passes`` counts the writes: a worker that has computed from another state than this writes nothing.
"""

watch_states = Table(
    "watch_states",
    metadata,
    Column("service", String(63), primary_key=True),
    Column("detector", String(200), primary_key=True),
    Column("signal", String(20), nullable=False),
    Column("promise", Text, nullable=False),
    Column("state", LargeBinary, nullable=False),
    Column("seen", BigInteger, nullable=False),
    Column("colour", String(10), nullable=False),
    Column("value", Float, nullable=False),
    Column("last_at", UtcMoment, nullable=True),
)

watch_points = Table(
    "watch_points",
    metadata,
    Column("service", String(63), primary_key=True),
    Column("detector", String(200), primary_key=True),
    Column("number", BigInteger, primary_key=True, autoincrement=False),
    Column("at", UtcMoment, nullable=False),
    Column("seen", BigInteger, nullable=False),
    Column("value", Float, nullable=False),
    Column("colour", String(10), nullable=False),
)
"""What each detector read, pass by pass: the path that a page draws."""

warning_levels = Table(
    "warning_levels",
    metadata,
    Column("service", String(63), primary_key=True),
    Column("detector", String(200), primary_key=True),
    Column("colour", String(10), nullable=False),
    Column("warning", String(71), nullable=False),
)
"""The colour of each detector's newest warning that was reacted to: only a more serious one is raised."""

reactions = Table(
    "reactions",
    metadata,
    Column("cause", String(71), primary_key=True),
    Column("step", String(80), primary_key=True),
    Column("service", String(63), nullable=False),
    Column("place", Integer, nullable=False),
    Column("done_at", UtcMoment, nullable=False),
    Column("outcome", LargeBinary, nullable=False),
    Index("reactions_of", "service", "done_at"),
)
"""What was done about a cause (the digest of a document), step by step: each once, in the step's own transaction."""

incidents = Table(
    "incidents",
    metadata,
    Column("number", BigInteger, primary_key=True, autoincrement=False),
    Column("service", String(63), nullable=False),
    Column("state", String(10), nullable=False),
    Column("digest", String(71), nullable=False),
    Index("incidents_of", "service", "state"),
)
"""The newest version of each incident, to be listed."""

incident_clocks = Table(
    "incident_clocks",
    metadata,
    Column("incident", BigInteger, primary_key=True, autoincrement=False),
    Column("clock", String(63), primary_key=True),
    Column("due", UtcMoment, nullable=False),
    Column("told", Integer, nullable=False),
    Index("incident_clocks_due", "told", "due"),
)
"""Running reporting clocks, by the time at which they end; ``told``: whether their end was announced."""
