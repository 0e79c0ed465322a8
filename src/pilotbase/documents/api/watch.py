"""The watch and the duty desk over the API, on the command line and on a page."""

from __future__ import annotations

from datetime import datetime
from typing import Literal

import pydantic

from pilotbase.documents.api.shapes import ResponseModel
from pilotbase.documents.base import Localized, Moment, Name, Part
from pilotbase.documents.hashes import Digest
from pilotbase.documents.observation import LabelBatch, ObservationBatch
from pilotbase.documents.texts import Text
from pilotbase.documents.vocabularies import Colour, ServingState, Signal
from pilotbase.documents.watch import Acknowledgement, Incident, RiskWarning, Silence, Watch

MAXIMUM_BATCHES = 1000
"""So many batches are handed in at once."""
SentBatch = ObservationBatch | LabelBatch
"""What a program hands in; its ``document`` says which of the two it is."""


class RaisedWarning(Part):
    """A risk warning as it is listed."""

    digest: Digest
    warning: RiskWarning
    acknowledged: Acknowledgement | None = None
    """Who takes care of it; None: nobody yet."""


class LevelReading(Part):
    """How many calls of a day count for a signal, and how many of them against it."""

    calls: int
    bad: int


class DetectorReading(Part):
    """Where one detector stands."""

    detector: str
    signal: Signal
    colour: Colour
    seen: int
    """Cases, labels or calls that it has read."""
    value: float
    """1: the level of its highest colour but one, or where its bound lies; see the page's picture."""
    level: float | None = None
    """Where red begins for what bets against a promised risk: 1/α; None: its colours have other bounds."""
    promise: Text | None = None
    last_at: Moment | None = None
    today: LevelReading | None = None
    """The day under way, of a signal of a service level."""


class CohortReading(Part):
    """Where one cohort stands."""

    begins_at: Moment
    seconds: int
    closes_at: Moment
    state: Literal["open", "closed", "entered"]
    cases: int
    labelled: int


class PathPoint(Part):
    """Where a detector stood when it had read so many."""

    at: Moment
    seen: int
    value: float
    colour: Colour


class WatchStatus(Part):
    """The watch of one service as it stands."""

    service: Name
    watch: Watch | None = None
    """None: there was never one."""
    colour: Colour = Colour.GREEN
    """The highest of its detectors."""
    detectors: tuple[DetectorReading, ...] = ()
    warnings: tuple[RaisedWarning, ...] = ()
    """Those that stand now."""
    silences: tuple[Silence, ...] = ()
    cohorts: tuple[CohortReading, ...] = ()
    """Newest first."""
    counts: dict[str, int] = pydantic.Field(default_factory=dict)
    """What was refused, came again or came too late."""

    @property
    def has_data(self) -> bool:
        """Tell whether any detector has read anything since the watch was armed: without that, green says nothing."""
        return any(one.seen and one.signal is not Signal.SILENCE for one in self.detectors)


class ListedIncidents(ResponseModel):
    """Incidents, newest first."""

    items: list[Incident]


class DeskWarning(ResponseModel):
    """What a service is warned of now."""

    detector: str
    signal: Signal
    colour: Colour
    since: datetime
    reason: str


class DeskClock(ResponseModel):
    """A report that has not been made."""

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
    """Why it stands so."""
    watched: bool
    """Whether a watch is armed: without one, green says nothing."""
    has_data: bool
    """Whether its detectors have read anything since the watch was armed: if not, green says nothing either."""
    colour: Colour
    since: datetime | None
    warnings: list[DeskWarning]
    done: list[str]
    """What was done by itself, newest first; of repeats the newest, with how often among the last 60 steps."""
    incidents: list[int]
    """Numbers of those that are not closed."""
    clocks: list[DeskClock]


class DutyDesk(ResponseModel):
    """All services, the most serious first."""

    items: list[DeskService]
