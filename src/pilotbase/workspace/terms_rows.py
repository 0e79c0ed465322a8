"""The states of datasets and agreements as rows: written with their records, read with every closed value."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from datetime import datetime

from sqlalchemy import Connection, select

from pilotbase.documents.hashes import Digest
from pilotbase.documents.states import HOLDS, AgreementState, DatasetState
from pilotbase.workspace.columns import check, index, key, moments, numbers, set_row, table, words

datasets = table(
    "datasets", *words(subject=200, owner=120, state=30, digest=71, version=40, opening=20), key("subject")
)
"""The state of each dataset: a copy of its record, read with every chunk. ``digest``: its newest description."""
agreements = table(
    "agreements",
    *words(subject=200, dataset=200, assigner=120, assignee=120, state=30, digest=71),
    *moments("begins", "ends", null=True),
    key("subject"),
    index("agreements_of", "dataset", "assignee"),
    index("agreements_ending", "state", "ends"),
)
"""The state of each agreement: a copy of its record. ``ends``: the first moment at which it no longer holds."""
uses = table(
    "uses",
    *words(ground=200),
    *numbers("place"),
    *words(
        request=71,
        target=200,
        version=71,
        action=40,
        organisation=120,
        person=63,
        purpose=200,
        recipient=120,
        channel=40,
    ),
    *numbers("cell_size", null=True),
    *numbers("epsilon", "rows", "epsilon_so_far", "rows_so_far"),
    *moments("used_at"),
    key("ground", "place"),
    index("uses_once", "ground", "request", unique=True),
    index("uses_target", "target", "used_at"),
    index("uses_organisation", "organisation", "used_at"),
    check("uses_spend", "epsilon >= 0 and rows >= 0"),
)
"""Every use, in the order of counting under its ``ground``: ``place`` is the count, and unique.

``epsilon`` in millionths; ``…_so_far``: spent under this ground up to this row, itself included. ``request`` names the
use: requested again, it is found and not counted again. A ground is an agreement, an open dataset, or a paper's digest.
"""
refusals = table(
    "refusals",
    *words(target=200, organisation=120, action=40, channel=40, reason=80, day=10),
    *numbers("times"),
    key("target", "organisation", "action", "channel", "reason", "day"),
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
    set_row(connection, datasets, {"subject": row.subject}, asdict(row))


def put_agreement(connection: Connection, row: AgreementRow) -> None:
    """Write the state of an agreement to its row."""
    set_row(connection, agreements, {"subject": row.subject}, asdict(row))


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
