"""The states of datasets and agreements as rows: written with their records, read with every closed value."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from datetime import datetime

from sqlalchemy import BigInteger, CheckConstraint, Column, Connection, Index, String, Table, insert, select, update

from pilotbase.documents.hashes import Digest
from pilotbase.documents.states import HOLDS, AgreementState, DatasetState
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
"""The state of each dataset: a copy of its record, read with every chunk. ``digest``: its newest description."""
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
"""The state of each agreement: a copy of its record. ``ends``: the first moment at which it no longer holds."""
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
"""Every use, in the order of counting under its ``ground``: ``place`` is the count, and unique.

``epsilon`` in millionths; ``…_so_far``: spent under this ground up to this row, itself included. ``request`` names the
use: requested again, it is found and not counted again. A ground is an agreement, an open dataset, or a paper's digest.
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
"""How often a day the gate has refused which act to whom: counted, so that repeated requests do not fill the log."""
_datasets, _agreements = datasets.c, agreements.c


@dataclass(frozen=True)
class DatasetRow:
    """The state of a dataset; see `datasets`."""

    subject: str
    owner: str
    state: str
    digest: Digest
    version: str
    opening: str

    @property
    def is_published(self) -> bool:
        return self.state == DatasetState.PUBLISHED


@dataclass(frozen=True)
class AgreementRow:
    """The state of an agreement; see `agreements`."""

    subject: str
    dataset: str
    assigner: str
    assignee: str
    state: str
    digest: Digest
    begins: datetime | None = None
    ends: datetime | None = None

    def state_at(self, now: datetime) -> str:
        """Return its state by the clock: agreed before its first day, expired after its last."""
        if self.state not in HOLDS:
            return self.state
        if self.ends is not None and now >= self.ends:
            return AgreementState.EXPIRED
        return AgreementState.AGREED if self.begins is not None and now < self.begins else AgreementState.IN_FORCE

    def holds_at(self, now: datetime) -> bool:
        """Return whether it may be used."""
        return self.state_at(now) == AgreementState.IN_FORCE


def put_dataset(connection: Connection, row: DatasetRow) -> None:
    """Write the state of a dataset to its row."""
    _put(connection, datasets, asdict(row))


def put_agreement(connection: Connection, row: AgreementRow) -> None:
    """Write the state of an agreement to its row."""
    _put(connection, agreements, asdict(row))


def dataset_row(connection: Connection, subject: str) -> DatasetRow | None:
    """Return the state of a dataset, or None if there is none."""
    found = connection.execute(select(datasets).where(_datasets.subject == subject)).one_or_none()
    return None if found is None else DatasetRow(**found._mapping)


def agreement_row(connection: Connection, subject: str) -> AgreementRow | None:
    """Return the state of an agreement, or None if there is none."""
    found = connection.execute(select(agreements).where(_agreements.subject == subject)).one_or_none()
    return None if found is None else AgreementRow(**found._mapping)


def agreements_between(connection: Connection, dataset: str, assignee: str) -> list[AgreementRow]:
    """Return the agreements of an organisation on a dataset, in any state."""
    rows = select(agreements).where(_agreements.dataset == dataset, _agreements.assignee == assignee)
    return [AgreementRow(**found._mapping) for found in connection.execute(rows.order_by(_agreements.subject))]


def agreements_on(connection: Connection, dataset: str) -> list[AgreementRow]:
    """Return everybody's agreements on a dataset, in any state."""
    rows = select(agreements).where(_agreements.dataset == dataset).order_by(_agreements.subject)
    return [AgreementRow(**found._mapping) for found in connection.execute(rows)]


def ending(connection: Connection, now: datetime) -> list[AgreementRow]:
    """Return the agreements whose last day is over but whose record does not say so yet, earliest end first."""
    rows = select(agreements).where(_agreements.state.in_(HOLDS), _agreements.ends <= now)
    return [AgreementRow(**found._mapping) for found in connection.execute(rows.order_by(_agreements.ends))]


def beginning(connection: Connection, now: datetime) -> list[AgreementRow]:
    """Return the agreements in force whose record does not say so yet."""
    rows = select(agreements).where(_agreements.state == AgreementState.AGREED)
    found = (AgreementRow(**row._mapping) for row in connection.execute(rows.order_by(_agreements.subject)))
    return [row for row in found if row.holds_at(now)]


def _put(connection: Connection, table: Table, values: dict[str, object]) -> None:
    changed = connection.execute(update(table).where(table.c.subject == values["subject"]).values(values))
    if changed.rowcount == 0:
        connection.execute(insert(table).values(values))
