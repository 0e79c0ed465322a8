"""How datasets and agreements stand, as rows: written with their records, read with every closed value.

What holds is told by state and clock together: an agreement whose last day is over holds no more, whether or not
anybody has moved its record since.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from datetime import datetime

from sqlalchemy import Connection, Table, insert, select, update

from pilotbase.documents.hashes import Digest
from pilotbase.documents.states import HOLDS, AgreementState, DatasetState
from pilotbase.workspace import terms_tables

_datasets, _agreements = terms_tables.datasets.c, terms_tables.agreements.c


@dataclass(frozen=True)
class DatasetRow:
    """How a dataset stands; see `terms_tables.datasets`."""

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
    """How an agreement stands; see `terms_tables.agreements`."""

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
        """Tell whether it may be used."""
        return self.state_at(now) == AgreementState.IN_FORCE


def put_dataset(connection: Connection, row: DatasetRow) -> None:
    """Let the row of a dataset say how it stands."""
    _put(connection, terms_tables.datasets, asdict(row))


def put_agreement(connection: Connection, row: AgreementRow) -> None:
    """Let the row of an agreement say how it stands."""
    _put(connection, terms_tables.agreements, asdict(row))


def dataset_row(connection: Connection, subject: str) -> DatasetRow | None:
    """Return how a dataset stands, or None for one that is not there."""
    found = connection.execute(select(terms_tables.datasets).where(_datasets.subject == subject)).one_or_none()
    return None if found is None else DatasetRow(**found._mapping)


def agreement_row(connection: Connection, subject: str) -> AgreementRow | None:
    """Return how an agreement stands, or None for one that is not there."""
    found = connection.execute(select(terms_tables.agreements).where(_agreements.subject == subject)).one_or_none()
    return None if found is None else AgreementRow(**found._mapping)


def agreements_between(connection: Connection, dataset: str, assignee: str) -> list[AgreementRow]:
    """Return the agreements of an organisation on a dataset, whatever became of them."""
    rows = select(terms_tables.agreements).where(_agreements.dataset == dataset, _agreements.assignee == assignee)
    return [AgreementRow(**found._mapping) for found in connection.execute(rows.order_by(_agreements.subject))]


def agreements_on(connection: Connection, dataset: str) -> list[AgreementRow]:
    """Return the agreements of everybody on a dataset, whatever became of them."""
    rows = select(terms_tables.agreements).where(_agreements.dataset == dataset).order_by(_agreements.subject)
    return [AgreementRow(**found._mapping) for found in connection.execute(rows)]


def ending(connection: Connection, now: datetime) -> list[AgreementRow]:
    """Return the agreements whose last day is over and whose record does not say so yet, the first over first."""
    rows = select(terms_tables.agreements).where(_agreements.state.in_(HOLDS), _agreements.ends <= now)
    return [AgreementRow(**found._mapping) for found in connection.execute(rows.order_by(_agreements.ends))]


def beginning(connection: Connection, now: datetime) -> list[AgreementRow]:
    """Return the agreements that hold and whose record does not say so yet."""
    rows = select(terms_tables.agreements).where(_agreements.state == AgreementState.AGREED)
    found = (AgreementRow(**row._mapping) for row in connection.execute(rows.order_by(_agreements.subject)))
    return [row for row in found if row.holds_at(now)]


def _put(connection: Connection, table: Table, values: dict[str, object]) -> None:
    changed = connection.execute(update(table).where(table.c.subject == values["subject"]).values(values))
    if changed.rowcount == 0:
        connection.execute(insert(table).values(values))
