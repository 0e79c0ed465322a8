"""What the API of the duty desk takes and gives besides incidents themselves."""

from __future__ import annotations

from datetime import datetime

from pilotbase.documents.api.shapes import ResponseModel
from pilotbase.documents.base import Localized
from pilotbase.documents.vocabularies import Colour, ServingState, Signal
from pilotbase.documents.watch import Incident


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
