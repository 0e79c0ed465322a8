"""Sealing: a scenario's file becomes a public sample that everyone may see and a hidden set in the vault.

A source that keeps growing yields new versions of a scenario's hidden data. A version is a hidden set. The next one
contains cases of the source that are in no version yet, split by the scenario's rule; cases that the newest version
shows stay shown. None of its cases has been scored, so its attempts start again at number 1; cases that were hidden
before stay with their version and its spent budget. A case whose key is in a version with other cells has changed: it
stays where it is.
"""

from __future__ import annotations

import io
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import polars as pl
from numpy.typing import NDArray

from pilotbase.data.splits import Split, split_cases
from pilotbase.documents.errors import InputError
from pilotbase.documents.hashes import Digest, digest_bytes, digest_json
from pilotbase.documents.scenario import Scenario
from pilotbase.documents.texts import text
from pilotbase.trial.board_measure import board_rule, check_board, weighed_clusters
from pilotbase.trial.cases_to_seal import CasesToSeal, cases_to_seal, source_of
from pilotbase.trial.criteria_check import check_rules, check_truths
from pilotbase.trial.lab import TrialRuntime, name_once
from pilotbase.trial.recorded_exchanges.recorded import keep_to_contract, missing_somewhere, recorded_files
from pilotbase.trial.scenario_folder import MANIFEST, read_cases
from pilotbase.trial.scoring import error_level, unit_of
from pilotbase.trial.sealed import (
    OpenedScenario,
    SealedRecord,
    SealedScenario,
    keep_units_by,
    read_public_sample,
)
from pilotbase.vault.attempts import mark_scored_before
from pilotbase.vault.board import SliceTerms, cut_slice
from pilotbase.vault.carrying import Past, past_of, same_cases, spend_published
from pilotbase.vault.envelopes import seal_sample
from pilotbase.vault.opening import ReaderGrant, read_hidden
from pilotbase.vault.overlaps import record_overlap
from pilotbase.vault.sealing import HiddenSet, SealTerms, seal
from pilotbase.workspace.actors import PUBLIC, parties
from pilotbase.workspace.records import Stored
from pilotbase.workspace.store import View

_MOST_VERSIONS = 1000


@dataclass(frozen=True)
class DataVersion:
    """A hidden set of a scenario, numbered from 1, with the newest record that names it."""

    number: int
    record: SealedScenario
    hidden: HiddenSet


@dataclass(frozen=True)
class NextVersion:
    """The contents of the next version, and how it compares with the source and the newest version."""

    number: int
    table: pl.DataFrame
    """Cases that are shown already, then new ones."""
    split: Split
    new: int
    known: int
    changed: int
    """Cases of the source whose key is in a version with other cells."""
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
    """Return the version that the cases of ``source``, conformed, would form; every opening of a set is logged.

    Raises:
        InputError: ``worker.refresh_*``: nothing is sealed yet, columns differ from the newest version's, or a split
            would hide shown cases; ``data.*``: as raised by `split_cases`.
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
    shown = rows_shown(lab, versions[-1].record).select(source.columns)
    newest = pl.concat([shown, hidden_rows(lab, versions[-1].hidden).select(source.columns)])
    counts = int(known.sum()), int(changed.sum()), _not_among(newest, source, scenario)
    if new.is_empty():
        return Unchanged(*counts)
    table = pl.concat([shown, new])
    split = split_cases(table, scenario)
    if same_cases(split.hidden, shown).any():
        raise InputError("worker.refresh_other_split", count=int(same_cases(split.hidden, shown).sum()))
    return NextVersion(versions[-1].number + 1, table, split, new.height, *counts)


def rows_shown(lab: TrialRuntime, record: SealedScenario) -> pl.DataFrame:
    """Return the public sample of a sealed scenario, typed."""
    return read_public_sample(lab, OpenedScenario(lab.view.load(record.scenario, Scenario), record))


def hidden_rows(lab: TrialRuntime, hidden: HiddenSet) -> pl.DataFrame:
    """Return all rows of a hidden set, for the work of its owner; the opening is logged."""
    return read_hidden(lab.vault, hidden, ReaderGrant.of_owner(hidden.owner))


def shown_so_far(lab: TrialRuntime, like: pl.DataFrame) -> pl.DataFrame:
    """Return every case with the columns of ``like`` that any public sample on the base has shown."""
    samples = list(_samples(lab, lab.view.find("sealed-scenario", limit=10_000)))
    return pl.concat([like.clear(), *(sample for sample in samples if sample.schema == like.schema)]).unique()


def seal_scenario(
    lab: TrialRuntime,
    scenario: Scenario,
    folder: Path,
    reference: Digest | None = None,
    read: Callable[[Scenario, Path], pl.DataFrame] = read_cases,
) -> OpenedScenario:
    """Return the scenario with its data sealed; the same scenario over the same file is sealed once.

    ``reference``: digest of the reference application that is the baseline, if it is one. ``read``: reads the cases, in
    a box if the file isn't the caller's own. Hidden cases that another version of the scenario has already sealed are
    the same hidden set: scored cases stay scored, and attempts keep counting.

    Raises:
        InputError: the file is missing or doesn't fit the contract; the split hides nothing, or only one class; or a
            criterion can't be measured for such answers.
    """
    source = source_of(lab, scenario, folder)
    head = _head(scenario, folder, source, reference)
    known = lab.view.load_head(head, SealedScenario)
    if known is not None:
        return OpenedScenario(scenario, known)
    found = cases_to_seal(lab, scenario, folder, source, read)
    with lab.sealing():
        record = _seal(lab, scenario, found, folder, (source, reference))
        owner = scenario.owner.organisation
        with lab.view.transaction("scenario.sealed") as change:
            change.put(scenario, PUBLIC, owner=owner, fields={"name": scenario.name, "sector": scenario.sector.value})
            digest = change.put(record, parties(owner), owner=owner, fields={"scenario": scenario.name})
        return OpenedScenario(scenario, lab.view.load(name_once(lab.view, head, digest), SealedScenario))


def find_sealed(lab: TrialRuntime, scenario: Scenario, folder: Path, reference: Digest | None) -> OpenedScenario | None:
    """Return the scenario with its data where `seal_scenario` has sealed just that before, else None."""
    head = _head(scenario, folder, source_of(lab, scenario, folder), reference)
    known = lab.view.load_head(head, SealedScenario)
    return None if known is None else OpenedScenario(scenario, known)


def published_cases(lab: TrialRuntime, owner: str, frame: pl.DataFrame) -> NDArray[np.int64]:
    """Return the cases of ``frame`` shown in any public sample of the owner: they can't prove anything any more."""
    shown = np.zeros(frame.height, dtype=np.bool_)
    sealed = [stored for stored in lab.view.find("sealed-scenario", limit=10_000) if stored.owner == owner]
    for sample in _samples(lab, sealed):
        shown |= same_cases(frame, sample)
    return np.flatnonzero(shown).astype(np.int64)


def _samples(lab: TrialRuntime, sealed: Iterable[Stored]) -> Iterator[pl.DataFrame]:
    """Yield the public samples of sealed scenarios, each once."""
    records = (stored.load(SealedScenario) for stored in sealed)
    for record in {record.public_sample: record for record in records}.values():
        yield rows_shown(lab, record)


def _rows_of(lab: TrialRuntime, versions: tuple[DataVersion, ...]) -> Iterator[pl.DataFrame]:
    for version in versions:
        yield rows_shown(lab, version.record)
        yield hidden_rows(lab, version.hidden)


def _not_among(rows: pl.DataFrame, source: pl.DataFrame, scenario: Scenario) -> int:
    """Return how many of ``rows`` the source has not, by their key where they have one."""
    key = scenario.data.key
    if key is not None:
        return int((~rows[key].is_in(source[key].implode())).sum())
    return int((~same_cases(rows, source)).sum())


def _seal(
    lab: TrialRuntime, scenario: Scenario, found: CasesToSeal, folder: Path, given: tuple[Digest, Digest | None]
) -> SealedScenario:
    (source, reference), split, classes, frame = given, found.split, found.classes, found.frame
    check_board(scenario, classes, split.hidden)
    check_rules(scenario)
    check_truths(scenario, classes, frame)
    recorded = keep_to_contract(scenario, folder, classes, split)
    hidden = _hidden_set(lab, scenario, split.hidden)
    if (unit := unit_of(scenario.criteria)) is not None:
        keep_units_by(lab, hidden, split.hidden[unit])
    # Of equal rows a split never hides one and shows the other, so the set itself need not be opened for this.
    others = [other for other in _hidden_sets_of(lab, hidden.owner) if other.digest() != hidden.digest()]
    spend_published(lab.vault, split.public, others)
    return SealedScenario(
        scenario=scenario.digest(),
        source=source,
        public_sample=_keep(lab, hidden, _to_parquet(split.public)),
        sample_sealed=None if hidden.dataset is None else True,
        public_cases=split.public.height,
        hidden_set=hidden.digest(),
        hidden_cases=split.hidden.height,
        classes=classes,
        may_miss=missing_somewhere(scenario, frame),
        reference_application=reference,
        board=_cut_board(lab, scenario, hidden, classes, split.hidden),
        version=_version_number(lab, scenario, hidden),
        blind=found.judge(),
        exchanges=tuple(
            SealedRecord(exchange=name, file=_keep(lab, hidden, content)) for name, content in recorded.items()
        )
        or None,
    )


def _keep(lab: TrialRuntime, hidden: HiddenSet, plain: bytes) -> Digest:
    """Store the public sample, sealed if it belongs to a dataset: its terms may later close what is open today."""
    return lab.vault.blobs.keep(plain) if hidden.dataset is None else seal_sample(lab.vault, hidden, plain)


def _version_number(lab: TrialRuntime, scenario: Scenario, hidden: HiddenSet) -> int:
    known = {one.record.hidden_set: one.number for one in versions_of(lab.view, scenario)}
    return known.get(hidden.digest(), len(known) + 1)


def _cut_board(
    lab: TrialRuntime, scenario: Scenario, hidden: HiddenSet, classes: tuple[str, ...], frame: pl.DataFrame
) -> Digest | None:
    """Return the slice of the scenario's board, cut when a version first needs it; None without a board."""
    board = scenario.trial.board
    if board is None:
        return None
    measure = board_rule(scenario, board.measure).key
    clusters, weights = weighed_clusters(scenario, board.measure, classes, frame)
    return cut_slice(
        lab.vault, hidden, SliceTerms(measure, board.share, unit_of(scenario.criteria)), clusters, weights
    ).digest()


def _head(scenario: Scenario, folder: Path, source: Digest, reference: Digest | None) -> str:
    recorded = [digest_bytes(content) for content in recorded_files(scenario, folder).values()]
    return f"sealed:{digest_json([scenario.digest(), source, reference or '', *recorded])}"


def _hidden_set(lab: TrialRuntime, scenario: Scenario, frame: pl.DataFrame) -> HiddenSet:
    """Return the sealed set of exactly these cases, sealing them only the first time."""
    dataset = scenario.data.dataset
    # Rows of a dataset open under its terms: they are another set than the same rows of none.
    head = f"hidden:{digest_bytes(frame.write_csv().encode())}" + (f":{dataset}" if dataset is not None else "")
    known = lab.view.load_head(head, HiddenSet)
    owner = scenario.owner.organisation
    past = past_of(lab.vault, frame, _hidden_sets_of(lab, owner)) if known is None else Past(np.empty(0, np.int64), 0)
    split = scenario.trial.suppliers
    for earlier in [known] if known is not None else [earlier for earlier, _ in past.shared]:
        if earlier.suppliers != split:  # the sum of two divisions of one α could exceed it
            before = ", ".join(earlier.suppliers or "–")
            raise InputError.at(MANIFEST, "trial.suppliers", text("trial.other_split", before=before))
    if known is not None:
        return known
    terms = SealTerms(
        scenario=scenario.digest(),
        owner=owner,
        alpha=error_level(scenario.criteria),
        attempts=scenario.trial.attempts,
        attempts_before=past.attempts,
        dataset=dataset,
        suppliers=split,
    )
    hidden = seal(lab.vault, frame, terms)
    spent = np.union1d(past.scored, published_cases(lab, owner, frame))
    if len(spent):
        mark_scored_before(lab.vault, hidden, spent)
    for earlier, shared in past.shared:
        record_overlap(lab.vault, owner, hidden.digest(), earlier.digest(), shared)
    return lab.view.load(name_once(lab.view, head, hidden.digest()), HiddenSet)


def _hidden_sets_of(lab: TrialRuntime, owner: str) -> list[HiddenSet]:
    return [stored.load(HiddenSet) for stored in lab.view.find("hidden-set", limit=10_000) if stored.owner == owner]


def _to_parquet(frame: pl.DataFrame) -> bytes:
    buffer = io.BytesIO()
    frame.write_parquet(buffer)
    return buffer.getvalue()
