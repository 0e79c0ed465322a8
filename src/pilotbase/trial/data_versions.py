"""Versions of a scenario's hidden data, and the next one from a source that lives on.

A version is a hidden set. The next one holds cases of the source that stand in no version yet, split by the scenario's
rule; what the newest version shows stays shown. No case of it has been scored, so its attempts begin anew at number 1;
cases that were hidden before stay with their version and its spent budget. A case whose key stands in a version with
other cells is a case that changed: it stays where it is.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import polars as pl

from pilotbase.data.splits import Split, split_cases
from pilotbase.documents.errors import InputError
from pilotbase.documents.scenario import Scenario
from pilotbase.trial.lab import TrialRuntime
from pilotbase.trial.sealed import OpenedScenario, SealedScenario, read_public_sample
from pilotbase.vault.carrying import same_cases
from pilotbase.vault.hidden import HiddenSet
from pilotbase.vault.opening import ReaderGrant, open_hidden
from pilotbase.workspace.store import View

_MOST_VERSIONS = 1000


@dataclass(frozen=True)
class DataVersion:
    """A hidden set of a scenario, the first of which is number 1, with the newest record that names it."""

    number: int
    record: SealedScenario
    hidden: HiddenSet


@dataclass(frozen=True)
class NextVersion:
    """What the next version would be, and what became of the cases of the source and of the newest version."""

    number: int
    table: pl.DataFrame
    """Cases that are shown already, then new ones."""
    split: Split
    new: int
    known: int
    changed: int
    """Cases of the source whose key stands in a version with other cells."""
    gone: int
    """Cases of the newest version that the source no longer has."""


@dataclass(frozen=True)
class Unchanged:
    """That the source has no new case."""

    known: int
    changed: int
    gone: int


def versions_of(view: View, scenario: Scenario) -> tuple[DataVersion, ...]:
    """Return the versions that a base has sealed of a scenario's data, oldest first, as far as the actor sees them."""
    return versions_named(view, scenario.name, scenario.owner.organisation)


def versions_named(view: View, name: str, owner: str) -> tuple[DataVersion, ...]:
    """Return the versions of the data of the scenario of that name and owner, as `versions_of`."""
    newest: dict[str, SealedScenario] = {}
    for stored in reversed(view.find("sealed-scenario", {"scenario": name}, limit=_MOST_VERSIONS)):
        if stored.owner == owner:
            record = stored.load(SealedScenario)
            newest[record.hidden_set] = record
    return tuple(
        DataVersion(number, record, view.load(record.hidden_set, HiddenSet))
        for number, record in enumerate(newest.values(), start=1)
    )


def next_version(lab: TrialRuntime, scenario: Scenario, source: pl.DataFrame) -> NextVersion | Unchanged:
    """Return the version that the cases of ``source``, conformed, would make; every opening of a set is logged.

    Raises:
        InputError: ``worker.refresh_*``: nothing is sealed yet, other columns than the newest version's, a split that
            would hide what is shown; ``data.*``: what `split_cases` raises.
    """
    versions = versions_of(lab.view, scenario)
    if not versions:
        raise InputError("worker.refresh_unsealed", scenario=scenario.name)
    known = np.zeros(source.height, dtype=np.bool_)
    keys = pl.Series("key", [], dtype=pl.String)
    for rows in _rows_of(lab, versions):
        if dict(rows.schema) != dict(source.schema):
            columns = sorted({name for name, _ in rows.schema.items() ^ source.schema.items()})
            raise InputError("worker.refresh_other_columns", found=", ".join(columns))
        known |= same_cases(source, rows)
        if scenario.data.key is not None:
            keys = pl.concat([keys, rows[scenario.data.key].cast(pl.String)]).unique()
    changed = np.zeros(source.height, dtype=np.bool_)
    if scenario.data.key is not None:
        changed = ~known & source[scenario.data.key].cast(pl.String).is_in(keys.implode()).to_numpy()
    new = source.filter(pl.Series(~known & ~changed))
    shown = shown_by(lab, versions[-1].record).select(source.columns)
    newest = pl.concat([shown, hidden_rows(lab, versions[-1].hidden).select(source.columns)])
    counts = int(known.sum()), int(changed.sum()), _not_among(newest, source, scenario)
    if new.is_empty():
        return Unchanged(*counts)
    table = pl.concat([shown, new])
    split = split_cases(table, scenario)
    if same_cases(split.hidden, shown).any():
        raise InputError("worker.refresh_other_split", count=int(same_cases(split.hidden, shown).sum()))
    return NextVersion(versions[-1].number + 1, table, split, new.height, *counts)


def shown_by(lab: TrialRuntime, record: SealedScenario) -> pl.DataFrame:
    """Return the public sample of a sealed scenario, typed."""
    return read_public_sample(lab, OpenedScenario(lab.view.load(record.scenario, Scenario), record))


def hidden_rows(lab: TrialRuntime, hidden: HiddenSet) -> pl.DataFrame:
    """Return all rows of a hidden set, for the work of its owner; the opening is logged."""
    return pl.concat([piece.frame for piece in open_hidden(lab.vault, hidden, ReaderGrant.of_owner(hidden.owner))])


def shown_so_far(lab: TrialRuntime, like: pl.DataFrame) -> pl.DataFrame:
    """Return every case with the columns of ``like`` that any public sample on the base has shown."""
    records = (stored.load(SealedScenario) for stored in lab.view.find("sealed-scenario", limit=10_000))
    first = {record.public_sample: record for record in records}
    samples = [shown_by(lab, record) for record in first.values()]
    return pl.concat([like.clear(), *(sample for sample in samples if sample.schema == like.schema)]).unique()


def _rows_of(lab: TrialRuntime, versions: tuple[DataVersion, ...]) -> Iterator[pl.DataFrame]:
    for version in versions:
        yield shown_by(lab, version.record)
        yield hidden_rows(lab, version.hidden)


def _not_among(rows: pl.DataFrame, source: pl.DataFrame, scenario: Scenario) -> int:
    """Return how many of ``rows`` the source has not, by their key where they have one."""
    key = scenario.data.key
    if key is not None:
        return int((~rows[key].is_in(source[key].implode())).sum())
    return int((~same_cases(rows, source)).sum())
