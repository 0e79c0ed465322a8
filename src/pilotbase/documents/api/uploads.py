"""Uploads over the API: sent in pieces, handed in as a version, tried as a world, or described as a dataset."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

import pydantic
from pydantic import StringConstraints

from pilotbase.documents.api.shapes import ProblemIssue, RequestModel, ResponseModel
from pilotbase.documents.api.trials import TrialProgress
from pilotbase.documents.base import Note
from pilotbase.documents.dataset import Dataset
from pilotbase.documents.described import Answers
from pilotbase.documents.hashes import Digest
from pilotbase.documents.subjects import Subject
from pilotbase.documents.world import WorldCheck

MAXIMUM_PIECE = 4 << 20
"""Largest piece of an upload, in bytes."""


FileName = Annotated[str, StringConstraints(min_length=1, max_length=200, pattern=r"^[^\x00-\x1f\x7f/\\]+$")]
UploadId = Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{32}$")]


class NewUpload(RequestModel):
    """What will be sent; the digest covers the whole content."""

    name: FileName
    size: int = pydantic.Field(ge=1, le=1 << 40)
    digest: Digest


class OpenUpload(ResponseModel):
    """An upload: ``received`` bytes are stored at the base, encrypted; it is erased at ``expires_at``."""

    identity: UploadId
    name: str
    size: int
    digest: Digest
    received: int
    finished: bool
    expires_at: datetime


class HandedIn(RequestModel):
    """A finished upload (a zip of a folder) that becomes a version; it is erased once it is imported."""

    upload: UploadId
    note: Note = ""


class HandedInScenario(HandedIn):
    """A zip of a scenario's folder."""

    new: bool = False
    """Require a new scenario: refused if its name is taken, instead of becoming a version of the existing one."""
    why_holds: bool = False
    """The reasons given for criteria that were changed also apply to the new criteria."""


class HandedInApplication(HandedIn):
    """A zip of an application's folder, and the scenario it is made for."""

    scenario: Subject | None = None
    """None: that of the previous version, if there is one."""


class KeptVersion(ResponseModel):
    """The files of one version of a scenario that the base keeps, encrypted, until ``kept_until``."""

    scenario: Digest
    size: int
    kept_until: datetime


class NewDescription(RequestModel):
    """Finished uploads to describe as one dataset, with what is already known about them."""

    uploads: Annotated[list[UploadId], pydantic.Field(min_length=1, max_length=20)]
    answers: Answers = Answers.model_construct()
    dataset: Subject | None = None
    """The caller's own dataset of which they are a newer state: what its description says is kept."""


class OpenDescription(ResponseModel):
    """A description in progress."""

    identity: UploadId
    files: list[str]
    round: int
    """Number of times answers were given, including the start."""


class GuessTold(ResponseModel):
    """One guess: its place (``table.column``; empty for the dataset), the part it fills, its ground and confidence."""

    place: str
    part: str
    value: str
    ground: str
    sure: str


class QuestionTold(ResponseModel):
    """What only the owner can say. ``answer``: the name of the answer; ``guessed``: the value used without one."""

    answer: str
    asked: str
    guessed: str
    several: bool


class WorldTold(ResponseModel):
    """A world that was sent, and what its gates have found."""

    identity: UploadId
    name: str
    progress: TrialProgress
    refused: str | None
    problems: list[ProblemIssue]
    """Why the folder can't be read as a world."""
    check: WorldCheck | None
    """None while a worker is trying them, or if the folder can't be read."""


class DescriptionTold(OpenDescription):
    """A description in progress with its findings, which are empty while a worker is running."""

    answers: Answers
    progress: TrialProgress
    refused: str | None
    problems: list[ProblemIssue]
    """Why the files were refused: every problem at once, each with its place and what to do."""
    dataset: Dataset | None
    guesses: list[GuessTold]
    findings: list[ProblemIssue]
    """Problems in the values; they don't block anything."""
    questions: list[QuestionTold]
    units: list[str]
    """Measured quantities without a stated unit."""
    missing: list[str]
    """What is still missing for publishing."""
    changed: list[str]
    """Changes against the previous description."""
