"""Sealing: a scenario's file becomes a public sample that everybody may see and a hidden set in the vault."""

from __future__ import annotations

import io
from collections.abc import Callable
from pathlib import Path

import numpy as np
import polars as pl
from numpy.typing import NDArray

from pilotbase.data.column_types import classes_of
from pilotbase.data.splits import split_cases
from pilotbase.documents.hashes import Digest, digest_bytes, digest_file, digest_json
from pilotbase.documents.scenario import HashSplit, Scenario
from pilotbase.trial.blind.judging import judge_blind
from pilotbase.trial.board_measure import board_rule, check_board
from pilotbase.trial.criteria_check import check_rules, check_truths
from pilotbase.trial.data_versions import shown_by, versions_of
from pilotbase.trial.exchanging.recorded import keep_to_contract, missing_somewhere, recorded_files
from pilotbase.trial.lab import TrialRuntime, name_once
from pilotbase.trial.scenario_folder import data_file, read_cases
from pilotbase.trial.sealed import OpenedScenario, SealedRecord, SealedScenario
from pilotbase.trial.verdict_rules import error_level
from pilotbase.vault.attempts import mark_scored_before
from pilotbase.vault.board import SliceTerms, cut_slice
from pilotbase.vault.carrying import past_of, same_cases, spend_published
from pilotbase.vault.envelopes import seal_sample
from pilotbase.vault.hidden import HiddenSet, SealTerms
from pilotbase.vault.overlaps import record_overlap
from pilotbase.vault.sealing import seal
from pilotbase.workspace.actors import PUBLIC, parties
from pilotbase.workspace.records import Stored


def seal_scenario(
    lab: TrialRuntime,
    scenario: Scenario,
    folder: Path,
    reference: Digest | None = None,
    read: Callable[[Scenario, Path], pl.DataFrame] = read_cases,
) -> OpenedScenario:
    """Return the scenario with its data sealed; the same scenario over the same file is sealed once.

    ``reference``: digest of the reference application that is the baseline, if it is one. ``read``: reads the cases,
    where the file is not the caller's own in a box. Hidden cases that another
    version of the scenario has sealed already are the same hidden set: what has been scored stays scored, and
    attempts go on counting.

    Raises:
        InputError: the file is missing or does not fit the contract; a split that hides nothing, or one class only;
            a criterion that cannot be measured of such answers.
    """
    source = digest_file(data_file(scenario, folder))
    head = _head(scenario, folder, source, reference)
    known = lab.view.head(head)
    if known is not None:
        return OpenedScenario(scenario, lab.view.load(known, SealedScenario))
    frame = read(scenario, folder)
    with lab.sealing():
        record = _seal(lab, scenario, frame, folder, (source, reference))
        owner = scenario.owner.organisation
        with lab.view.transaction("scenario.sealed") as change:
            change.put(scenario, PUBLIC, owner=owner, fields={"name": scenario.name, "sector": scenario.sector.value})
            digest = change.put(record, parties(owner), owner=owner, fields={"scenario": scenario.name})
        return OpenedScenario(scenario, lab.view.load(name_once(lab.view, head, digest), SealedScenario))


def find_sealed(
    lab: TrialRuntime, scenario: Scenario, folder: Path, reference: Digest | None = None
) -> OpenedScenario | None:
    """Return the scenario with its data where `seal_scenario` has sealed just that before, else None."""
    known = lab.view.head(_head(scenario, folder, digest_file(data_file(scenario, folder)), reference))
    return None if known is None else OpenedScenario(scenario, lab.view.load(known, SealedScenario))


def _seal(
    lab: TrialRuntime, scenario: Scenario, frame: pl.DataFrame, folder: Path, given: tuple[Digest, Digest | None]
) -> SealedScenario:
    (source, reference), split = given, split_cases(frame, scenario)
    classes = classes_of(split.public, scenario)
    check_board(scenario, classes)
    check_rules(scenario)
    check_truths(scenario, classes, frame)
    recorded = keep_to_contract(scenario, folder, classes, split)
    hidden = _hidden_set(lab, scenario, split.hidden)
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
        board=_cut_board(lab, scenario, hidden, split.hidden),
        version=_version_number(lab, scenario, hidden),
        blind=judge_blind(scenario, classes, split.public, split.hidden),
        exchanges=tuple(
            SealedRecord(exchange=name, file=_keep(lab, hidden, content)) for name, content in recorded.items()
        )
        or None,
    )


def _keep(lab: TrialRuntime, hidden: HiddenSet, plain: bytes) -> Digest:
    """Keep what is public, sealed where it is of a dataset: terms may close later what they leave open today."""
    return lab.vault.blobs.keep(plain) if hidden.dataset is None else seal_sample(lab.vault, hidden, plain)


def _version_number(lab: TrialRuntime, scenario: Scenario, hidden: HiddenSet) -> int:
    known = {one.record.hidden_set: one.number for one in versions_of(lab.view, scenario)}
    return known.get(hidden.digest(), len(known) + 1)


def _cut_board(lab: TrialRuntime, scenario: Scenario, hidden: HiddenSet, frame: pl.DataFrame) -> Digest | None:
    """Return the slice of the scenario's board, cut the first time that a version asks for it; None without board."""
    board = scenario.trial.board
    if board is None:
        return None
    measure = board_rule(scenario, board.measure).key
    return cut_slice(lab.vault, hidden, SliceTerms(measure, board.share), clusters_of(frame, scenario)).digest()


def _head(scenario: Scenario, folder: Path, source: Digest, reference: Digest | None) -> str:
    recorded = [digest_bytes(content) for content in recorded_files(scenario, folder).values()]
    return f"sealed:{digest_json([scenario.digest(), source, reference or '', *recorded])}"


def _hidden_set(lab: TrialRuntime, scenario: Scenario, frame: pl.DataFrame) -> HiddenSet:
    """Return the sealed set of exactly these cases, sealing them only the first time."""
    dataset = scenario.data.dataset
    # Rows of a dataset open under its terms: they are another set than the same rows of none.
    head = f"hidden:{digest_bytes(frame.write_csv().encode())}" + (f":{dataset}" if dataset is not None else "")
    known = lab.view.head(head)
    if known is not None:
        return lab.view.load(known, HiddenSet)
    owner = scenario.owner.organisation
    past = past_of(lab.vault, frame, _hidden_sets_of(lab, owner))
    terms = SealTerms(
        scenario=scenario.digest(),
        owner=owner,
        alpha=error_level(scenario.criteria),
        attempts=scenario.trial.attempts,
        attempts_before=past.attempts,
        dataset=dataset,
    )
    hidden = seal(lab.vault, frame, terms)
    spent = np.union1d(past.scored, published_cases(lab, owner, frame))
    if len(spent):
        mark_scored_before(lab.vault, hidden, spent)
    for earlier, shared in past.shared:
        record_overlap(lab.vault, owner, hidden.digest(), earlier.digest(), shared)
    return lab.view.load(name_once(lab.view, head, hidden.digest()), HiddenSet)


def published_cases(lab: TrialRuntime, owner: str, frame: pl.DataFrame) -> NDArray[np.int64]:
    """Return the cases of ``frame`` that a public sample of the owner has shown: they can prove nothing any more."""
    shown = np.zeros(frame.height, dtype=np.bool_)
    records = (stored.load(SealedScenario) for stored in _sealed_by(lab, owner))
    for record in {record.public_sample: record for record in records}.values():
        shown |= same_cases(frame, shown_by(lab, record))
    return np.flatnonzero(shown).astype(np.int64)


def _hidden_sets_of(lab: TrialRuntime, owner: str) -> list[HiddenSet]:
    return [stored.load(HiddenSet) for stored in lab.view.find("hidden-set", limit=10_000) if stored.owner == owner]


def _sealed_by(lab: TrialRuntime, owner: str) -> list[Stored]:
    return [stored for stored in lab.view.find("sealed-scenario", limit=10_000) if stored.owner == owner]


def _to_parquet(frame: pl.DataFrame) -> bytes:
    buffer = io.BytesIO()
    frame.write_parquet(buffer)
    return buffer.getvalue()


def clusters_of(frame: pl.DataFrame, scenario: Scenario) -> NDArray[np.int64]:
    """Return a code per case, shape (rows,): equal where two cases share all features, or a unit, directly or not."""
    from scipy.sparse import coo_array  # every trial loads this file, few have a board
    from scipy.sparse.csgraph import connected_components

    split = scenario.data.split
    columns = {criterion.unit for criterion in scenario.criteria} - {"case"}
    columns |= {split.by} if isinstance(split, HashSplit) and split.by else set()
    features = [field.name for field in scenario.feature_fields]
    kinds = [frame.select(features), *(frame.select(name) for name in sorted(columns))]
    rows, offset, values = np.arange(frame.height), frame.height, []
    for kind in kinds:
        codes = np.unique(kind.hash_rows().to_numpy(), return_inverse=True)[1]
        values.append(codes + offset)
        offset += int(codes.max(initial=-1)) + 1
    edges = (np.ones(len(kinds) * len(rows), dtype=np.int8), (np.tile(rows, len(kinds)), np.concatenate(values)))
    _, found = connected_components(coo_array(edges, shape=(offset, offset)))
    return np.asarray(found[: frame.height], dtype=np.int64)
