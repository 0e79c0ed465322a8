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
from pilotbase.documents.plan import ScenarioReference, UnitDraw
from pilotbase.documents.report import BlindFindings
from pilotbase.documents.scenario import Scenario
from pilotbase.trial.lab import TrialRuntime
from pilotbase.trial.scoring import codes_of, unit_of
from pilotbase.vault.attempts import Remaining, remaining
from pilotbase.vault.envelopes import open_sample
from pilotbase.vault.opening import OpeningPurpose, ReaderGrant, read_hidden
from pilotbase.vault.sealing import HiddenSet
from pilotbase.vault.units import DrawnUnits, HiddenUnits, keep_units, units_kept
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
    """Digest of the owner's file, or of the world that episodes are drawn from."""
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
        contract = self.scenario.contract(self.record.classes)
        return contract if self.scenario.world is None else contract.model_copy(update={"world": self.record.source})

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


def units_of(lab: TrialRuntime, sealed: OpenedScenario) -> HiddenUnits | None:
    """Return the units of the hidden set that the criteria count; None if every case is its own unit."""
    column = unit_of(sealed.scenario.criteria)
    if column is None:
        return None
    hidden = lab.view.load(sealed.record.hidden_set, HiddenSet)
    known = units_kept(lab.vault, hidden, column)
    if known is not None:
        return known
    # Sealed by a version that kept no units.
    rows = read_hidden(lab.vault, hidden, ReaderGrant.of_owner(hidden.owner, OpeningPurpose.PROFILE))
    return keep_units_by(lab, hidden, rows[column])


def keep_units_by(lab: TrialRuntime, hidden: HiddenSet, column: pl.Series) -> HiddenUnits:
    """Return the record of the units of a hidden set, whose cases have the values of ``column``."""
    return keep_units(lab.vault, hidden, column.name, codes_of(column))


def left_of(lab: TrialRuntime, sealed: OpenedScenario, supplier: str | None = None) -> Remaining:
    """Return what is left of the hidden set of a sealed scenario, in the units that its criteria count too."""
    hidden = lab.view.load(sealed.record.hidden_set, HiddenSet)
    return remaining(lab.vault, hidden, supplier, units_of(lab, sealed))


def draw_of(left: Remaining, cases: int | None) -> UnitDraw | None:
    """Return the whole units that an attempt of ``cases`` draws (None: of all that are left); None: it draws cases.

    Raises:
        RefusedError: fewer whole units are left; or only parts of some, so that the others are no random draw.
    """
    units = left.units
    if units is None:
        return None
    if units.torn:
        raise RefusedError("vault.units_torn", unit=units.of.column, torn=units.torn)
    drawn = max(1, units.fresh) if cases is None else units.of.held_by(cases)
    if drawn > units.fresh:
        raise RefusedError("vault.no_fresh_units", unit=units.of.column, wanted=drawn, left=units.fresh)
    most, average = sum(units.most[:drawn]), min(units.cases(drawn), sum(units.most[:drawn]))
    return UnitDraw(column=units.of.column, units=drawn, hidden=units.of.units, cases=most, average=average)


def drawn_units(lab: TrialRuntime, sealed: OpenedScenario, draw: UnitDraw | None) -> DrawnUnits | None:
    """Return the units that the vault draws for a frozen plan; None: cases.

    A plan of an earlier version, which has no ``draw``, took all hidden cases, and so all units that are left.
    """
    units = units_of(lab, sealed)
    if units is None or draw is not None:
        return None if units is None or draw is None else DrawnUnits(units, draw.units)
    left = left_of(lab, sealed).units
    return None if left is None else DrawnUnits(units, max(left.fresh, 1))


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
