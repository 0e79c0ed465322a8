"""The cases of a closed cohort with the labels that had come when it closed."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from sqlalchemy import Connection, select

from pilotbase.documents.observation import Scalar
from pilotbase.watch.cohorts import Cohort
from pilotbase.watch.keys import case_key
from pilotbase.watch.labels import labels_of
from pilotbase.watch.packs import Pack
from pilotbase.workspace import watch_tables as tables

_packs = tables.observation_packs.c


@dataclass(frozen=True)
class LabelledPack:
    """Cases with the place of each in the order of its cohort and its label, None where there is none."""

    keys: list[bytes]
    pack: Pack
    labels: list[Scalar]

    def among(self, rows: Sequence[int]) -> LabelledPack:
        """Return these rows of it."""
        if len(rows) == len(self.keys):
            return self
        return LabelledPack([self.keys[row] for row in rows], self.pack.among(rows), [self.labels[row] for row in rows])


def cases_of(connection: Connection, cohort: Cohort) -> Iterator[LabelledPack]:
    """Yield the cases of a closed cohort, pack by pack; those that were erased are left out."""
    here = (_packs.cohort == cohort.number, _packs.body.is_not(None))
    numbers = connection.scalars(select(_packs.number).where(*here).order_by(_packs.number)).all()
    for number in numbers:
        whole = Pack.from_bytes(connection.scalar(select(_packs.body).where(_packs.number == number)) or b"")
        pack = whole.among([row for row, case in enumerate(whole.ids) if case])
        keys = [case_key(cohort.service, case) for case in pack.ids]
        known = labels_of(connection, keys, cohort.labels_to)
        yield LabelledPack(keys, pack, [known.get(key) for key in keys])
