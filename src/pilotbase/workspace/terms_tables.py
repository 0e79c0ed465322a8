"""The tables of terms: datasets and agreements as they stand, and the ledger of uses. Migrations build them."""

from __future__ import annotations

from sqlalchemy import BigInteger, CheckConstraint, Column, Index, String, Table

from pilotbase.workspace.columns import UtcMoment, metadata

datasets = Table(
    "datasets",
    metadata,
    Column("subject", String(200), primary_key=True),
    Column("owner", String(120), nullable=False),
    Column("state", String(30), nullable=False),
    Column("digest", String(71), nullable=False),
    Column("version", String(40), nullable=False),
    Column("opening", String(20), nullable=False),
)
"""How each dataset stands: a copy of its record, to be read with every chunk. ``digest``: its newest description."""

agreements = Table(
    "agreements",
    metadata,
    Column("subject", String(200), primary_key=True),
    Column("dataset", String(200), nullable=False),
    Column("assigner", String(120), nullable=False),
    Column("assignee", String(120), nullable=False),
    Column("state", String(30), nullable=False),
    Column("digest", String(71), nullable=False),
    Column("begins", UtcMoment, nullable=True),
    Column("ends", UtcMoment, nullable=True),
    Index("agreements_of", "dataset", "assignee"),
    Index("agreements_ending", "state", "ends"),
)
"""How each agreement stands: a copy of its record. ``ends``: the first moment at which it holds no more."""

uses = Table(
    "uses",
    metadata,
    Column("ground", String(200), primary_key=True),
    Column("place", BigInteger, primary_key=True, autoincrement=False),
    Column("request", String(71), nullable=False),
    Column("target", String(200), nullable=False),
    Column("version", String(71), nullable=False),
    Column("action", String(40), nullable=False),
    Column("organisation", String(120), nullable=False),
    Column("person", String(63), nullable=False),
    Column("purpose", String(200), nullable=False),
    Column("recipient", String(120), nullable=False),
    Column("channel", String(40), nullable=False),
    Column("cell_size", BigInteger, nullable=True),
    Column("epsilon", BigInteger, nullable=False),
    Column("rows", BigInteger, nullable=False),
    Column("epsilon_so_far", BigInteger, nullable=False),
    Column("rows_so_far", BigInteger, nullable=False),
    Column("used_at", UtcMoment, nullable=False),
    Index("uses_once", "ground", "request", unique=True),
    Index("uses_target", "target", "used_at"),
    Index("uses_organisation", "organisation", "used_at"),
    CheckConstraint("epsilon >= 0 and rows >= 0", name="uses_spend"),
)
"""Every use, in the order in which it was counted under its ``ground``: ``place`` is the count, no two have the same.

``epsilon`` in millionths; ``…_so_far``: spent under this ground up to this row, itself included. ``request`` names the
use: asked for again, it is found and not counted again. A ground is an agreement, an open dataset, or a paper's digest.
"""

refusals = Table(
    "refusals",
    metadata,
    Column("target", String(200), primary_key=True),
    Column("organisation", String(120), primary_key=True),
    Column("action", String(40), primary_key=True),
    Column("channel", String(40), primary_key=True),
    Column("reason", String(80), primary_key=True),
    Column("day", String(10), primary_key=True),
    Column("times", BigInteger, nullable=False),
)
"""How often a day the gate has refused whom what: counted, so that asking again and again does not fill the log."""
