"""The watch and the duty desk over the API, on the command line and on a page."""

from __future__ import annotations

from datetime import datetime
from typing import Literal

import pydantic

from pilotbase.documents.api.shapes import ResponseModel
from pilotbase.documents.base import Localized, Moment, Name, Part
from pilotbase.documents.hashes import Digest
from pilotbase.documents.observation import CaseId, LabelBatch, ObservationBatch, Scalar
from pilotbase.documents.texts import Text
from pilotbase.documents.vocabularies import Colour, ServingState, Signal
from pilotbase.documents.watch import Acknowledgement, Incident, RiskWarning, Silence, Watch

MAXIMUM_BATCHES = 1000
"""Maximum number of batches in one request."""
SentBatch = ObservationBatch | LabelBatch
"""A batch from a program; ``document`` says which of the two kinds it is."""


class RaisedWarning(Part):
    """A risk warning as shown in lists."""

    digest: Digest
    warning: RiskWarning
    acknowledged: Acknowledgement | None = None
    """Who is handling it; None: nobody yet."""
    next: Text | None = None
    """What to do next; None: it is over."""
    sure: Text | None = None
    """How sure it is, in plain words; the promise of the warning says it exactly. None: it is over."""


class LevelReading(Part):
    """How many calls of a day a signal counts, and how many of them count against it."""

    calls: int
    bad: int


class DetectorReading(Part):
    """State of one detector."""

    detector: str
    signal: Signal
    colour: Colour
    seen: int
    """Cases, labels or calls read so far."""
    value: float
    """1 marks the threshold of its second-highest colour, or its bound; see the page's picture."""
    level: float | None = None
    """Threshold of red for detectors that bet against a promised risk: 1/α; None: its colours have other bounds."""
    promise: Text | None = None
    last_at: Moment | None = None
    today: LevelReading | None = None
    """The current day of a service level signal."""


class CohortReading(Part):
    """State of one cohort."""

    begins_at: Moment
    seconds: int
    closes_at: Moment
    state: Literal["open", "closed", "entered"]
    cases: int
    labelled: int
    audited: int | None = None
    """How many cases were drawn to be labelled; None: none."""


class AuditCase(Part):
    """A case that waits for its label: what was asked, never what was answered."""

    case: CaseId
    at: Moment
    inputs: dict[str, Scalar]
    closes_at: Moment
    """Until when its label counts."""


class AuditWork(Part):
    """The random sample of a service that waits for labels."""

    service: Name
    drawn: int
    """Cases drawn from cohorts whose window for labels is open."""
    waiting: int
    """How many of them have no label."""
    labels: tuple[str, ...] = ()
    """The classes of the service's versions; empty: labels are no classes."""
    items: tuple[AuditCase, ...] = ()
    """The first of those without a label, the most urgent first."""


class PathPoint(Part):
    """State of a detector after it had read this many."""

    at: Moment
    seen: int
    value: float
    colour: Colour


class WatchStatus(Part):
    """Current state of one service's watch."""

    service: Name
    watch: Watch | None = None
    """None: there has never been one."""
    colour: Colour = Colour.GREEN
    """The highest colour of its detectors."""
    detectors: tuple[DetectorReading, ...] = ()
    warnings: tuple[RaisedWarning, ...] = ()
    """Warnings currently raised."""
    silences: tuple[Silence, ...] = ()
    cohorts: tuple[CohortReading, ...] = ()
    """Newest first."""
    counts: dict[str, int] = pydantic.Field(default_factory=dict)
    """Counts of what was refused, sent again or too late."""

    @property
    def has_data(self) -> bool:
        """Return whether any detector has read anything since the watch was armed; if not, green means nothing."""
        return any(one.seen and one.signal is not Signal.SILENCE for one in self.detectors)


class DraftedSection(ResponseModel):
    """A section of a drafted report."""

    heading: str
    lines: list[str]


class DraftedReport(ResponseModel):
    """What the next report about an incident says, from what is written down, in the caller's language."""

    number: int
    kind: Literal["first", "follow_up", "final"]
    """First: nothing was reported yet. Final: the incident is closed."""
    title: str
    version: Digest
    """The version of the incident that it was made from."""
    sections: list[DraftedSection]


class ListedIncidents(ResponseModel):
    """Incidents, newest first."""

    items: list[Incident]


class DeskWarning(ResponseModel):
    """A current warning about a service."""

    detector: str
    signal: Signal
    colour: Colour
    since: datetime
    reason: str


class DeskClock(ResponseModel):
    """A report that hasn't been made."""

    incident: int
    clock: str
    to: Localized
    due: datetime
    overdue: bool


class DeskService(ResponseModel):
    """One service on the duty desk."""

    service: str
    title: Localized
    organisation: str
    state: ServingState
    state_since: datetime
    reason: str
    """Reason for its standing."""
    watched: bool
    """Whether a watch is armed; without one, green means nothing."""
    has_data: bool
    """Whether its detectors have read anything since the watch was armed; if not, green means nothing either."""
    colour: Colour
    since: datetime | None
    warnings: list[DeskWarning]
    done: list[str]
    """Automatic reactions, newest first; of repeats only the newest, with their count among the last 60 steps."""
    incidents: list[int]
    """Numbers of open incidents."""
    clocks: list[DeskClock]


class DutyDesk(ResponseModel):
    """All services, the most serious first."""

    items: list[DeskService]
