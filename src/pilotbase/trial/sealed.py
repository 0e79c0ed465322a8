"""A scenario as sealed by a base: its record, its public sample, and the input of the box."""

from __future__ import annotations

import io
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

import polars as pl
from numpy.typing import NDArray

from pilotbase.data.batches import feature_columns
from pilotbase.documents.api.shapes import filled
from pilotbase.documents.base import Document, Name, Part
from pilotbase.documents.contract import Contract
from pilotbase.documents.errors import RefusedError
from pilotbase.documents.hashes import Digest
from pilotbase.documents.plan import ScenarioReference
from pilotbase.documents.report import BlindFindings
from pilotbase.documents.scenario import Scenario
from pilotbase.trial.lab import TrialRuntime
from pilotbase.trial.scoring import unit_of
from pilotbase.vault.board import BoardSlice
from pilotbase.vault.envelopes import open_sample
from pilotbase.vault.hidden import HiddenSet
from pilotbase.vault.opening import OpeningPurpose, ReaderGrant
from pilotbase.workspace.store import View


class SealedRecord(Part):
    """The recorded messages of one exchange, kept as the public sample is."""

    exchange: Name
    file: Digest


class SealedScenario(Document):
    """What a base keeps of a scenario version: everything that a trial needs, and no path of the owner's machine."""

    document: Literal["sealed-scenario/1"] = "sealed-scenario/1"
    scenario: Digest
    source: Digest
    """Digest of the owner's file."""
    public_sample: Digest
    sample_sealed: Literal[True] | None = None
    """The public sample is encrypted under the owner's key: its cases belong to a dataset. None: as plain Parquet."""
    public_cases: int
    hidden_set: Digest
    hidden_cases: int
    classes: tuple[str, ...]
    may_miss: tuple[str, ...] = ()
    """Features that have missing values anywhere: their arrays have the same type in rehearsal and trial."""
    reference_application: Digest | None = None
    """Folder digest of the baseline, where that is an application."""
    board: Digest | None = None
    """The board's slice, which is part of the hidden set and of no trial."""
    version: int | None = None
    """Number of this hidden set among the scenario's, from 1; None: sealed before they were numbered."""
    blind: BlindFindings | None = None
    """What blind baselines score on the hidden cases; None: sealed before they were asked, or without criteria."""
    exchanges: tuple[SealedRecord, ...] | None = None
    """The recordings of its exchanges, if it has any."""


@dataclass(frozen=True)
class OpenedScenario:
    """A scenario with its sealed data."""

    scenario: Scenario
    record: SealedScenario

    @property
    def contract(self) -> Contract:
        return self.scenario.contract(self.record.classes)

    def features(self, frame: pl.DataFrame) -> dict[str, NDArray[Any]]:
        """Return the input of the box from ``frame``: one array per feature, shape (rows,)."""
        return feature_columns(frame, self.contract, frozenset(self.record.may_miss))

    @property
    def reference(self) -> ScenarioReference:
        return filled(
            ScenarioReference,
            self.scenario,
            digest=self.record.scenario,
            public_sample=self.record.public_sample,
            hidden_set=self.record.hidden_set,
            hidden_cases=self.record.hidden_cases,
            hidden_version=self.record.version,
        )


def require_whole_units(lab: TrialRuntime, sealed: OpenedScenario, cases: int) -> None:
    """Return if an attempt of ``cases`` tears no unit (patient, machine), because it takes every one.

    A slice of cases holds nearly every large unit and few small ones, so the mean over its units is another one than
    that of the population; units drawn up to a number of cases favour some sizes too. What a board leaves is whole and
    as good as a fresh draw: its units were drawn one after another.

    Raises:
        RefusedError: it is fewer than all hidden cases beside the board's, or the board was cut by other units.
    """
    unit, whole = unit_of(sealed.scenario.criteria), sealed.record.hidden_cases
    if unit is None:
        return
    if sealed.record.board is not None:
        board = lab.view.load(sealed.record.board, BoardSlice)
        whole -= board.cases
        if board.unit != unit:
            raise RefusedError("trial.board_tears_units", unit=unit)
    if cases != whole:
        raise RefusedError("trial.units_torn", unit=unit, cases=cases, whole=whole)


def load_sealed(view: View, digest: Digest) -> OpenedScenario:
    """Return the sealed scenario whose record a plan names; raises `NotFoundError`."""
    record = view.load(digest, SealedScenario)
    return OpenedScenario(view.load(record.scenario, Scenario), record)


def read_public_sample(lab: TrialRuntime, sealed: OpenedScenario) -> pl.DataFrame:
    """Return the public sample, typed; opening a sealed one is logged.

    Raises:
        NotFoundError: the sample, or its owner's key, isn't here.
        InvalidProofError: it was altered.
    """
    return pl.read_parquet(io.BytesIO(_opened(lab, sealed, sealed.record.public_sample)))


def read_recorded(lab: TrialRuntime, sealed: OpenedScenario) -> Mapping[str, bytes]:
    """Return the recorded messages of each exchange by its name; raises as `read_public_sample`."""
    return {one.exchange: _opened(lab, sealed, one.file) for one in sealed.record.exchanges or ()}


def _opened(lab: TrialRuntime, sealed: OpenedScenario, digest: Digest) -> bytes:
    if sealed.record.sample_sealed is None:
        return lab.vault.blobs.get(digest)
    hidden = lab.view.load(sealed.record.hidden_set, HiddenSet)
    return open_sample(lab.vault, hidden, digest, ReaderGrant.of_owner(hidden.owner, OpeningPurpose.SAMPLE))
