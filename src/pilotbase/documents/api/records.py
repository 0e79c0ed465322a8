"""Records over the API: lists, waiting work, and the steps that may be taken."""

from __future__ import annotations

from datetime import datetime
from typing import Literal

from pilotbase.documents.api.shapes import RequestModel, ResponseModel
from pilotbase.documents.base import Localized, Note
from pilotbase.documents.hashes import Digest
from pilotbase.documents.permissions import Act
from pilotbase.documents.vocabularies import Role


class ListedRecord(ResponseModel):
    """One record as lists show it."""

    subject: str
    state: str
    title: Localized
    owner: str
    sector: str
    action: str
    digest: Digest
    """Names the content: the scenario, the application version, the commission, the organisation."""
    url: str


class RecordPage(ResponseModel):
    """Some records, newest first; pass ``next`` as ``after`` to read on."""

    items: list[ListedRecord]
    total: int
    next: str | None


class RemedyTold(ResponseModel):
    """An act that unblocks another one, and who may take it; an empty organisation means any."""

    subject: str
    act: Act
    role: Role
    organisation: str


class BarTold(ResponseModel):
    """Why a step cannot be taken now, and who can do what about it; nobody named: a colleague, or time."""

    code: str
    reason: str
    hint: str
    remedies: list[RemedyTold]


class MakesWayTold(ResponseModel):
    """A step that cannot be taken before another, and why."""

    subject: str
    act: Act
    reason: str
    hint: str


class WaitingWork(ResponseModel):
    """One thing that waits for the caller."""

    subject: str
    act: str
    title: Localized
    state: str
    since: datetime
    due: datetime | None
    overdue: bool
    makes_way: MakesWayTold | None = None
    """What others can't do until this is done, if the record itself doesn't wait for it."""
    bar: BarTold | None = None
    """Why it cannot be done now; empty: it can."""


class Work(ResponseModel):
    """``tasks``: what the caller can do now, by due date; ``held``: what others must unblock first."""

    tasks: list[WaitingWork]
    held: list[WaitingWork]


class PossibleStep(ResponseModel):
    """A step that the permission table and the state allow the caller; ``obstacle`` says what else prevents it."""

    act: Act
    name: str
    brings: str | None
    """Kind of what is handed in with it; empty: a note at most."""
    obstacle: str | None
    remedies: tuple[RemedyTold, ...] = ()
    """Who can do what about the obstacle."""


class Noted(RequestModel):
    """A step that takes only a note."""

    note: Note = ""


class NotedOpening(Noted):
    """A scenario is submitted or opened."""

    although: bool = False
    """Confirms that its cases can prove nothing (see its prospect); the history records it."""


class Erased(ResponseModel):
    """Number of versions whose files were erased."""

    erased: int


Section = Literal["demands", "scenarios", "applications", "trials", "organisations", "datasets", "agreements"]
SECTIONS: dict[str, Section] = {
    "demand": "demands",
    "scenario": "scenarios",
    "application": "applications",
    "commission": "trials",
    "organisation": "organisations",
    "dataset": "datasets",
    "agreement": "agreements",
}
"""Kind of record → section of the hub."""
