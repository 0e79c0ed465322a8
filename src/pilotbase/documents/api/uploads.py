"""Uploads over the API: brought in pieces, handed in as a version, or described and saved as a draft dataset."""

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

MAXIMUM_PIECE = 4 << 20
"""Largest piece of an upload, in bytes."""


FileName = Annotated[str, StringConstraints(min_length=1, max_length=200, pattern=r"^[^\x00-\x1f\x7f/\\]+$")]
UploadId = Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{32}$")]


class NewUpload(RequestModel):
    """What is going to be sent: the digest is of the whole content."""

    name: FileName
    size: int = pydantic.Field(ge=1, le=1 << 40)
    digest: Digest


class OpenUpload(ResponseModel):
    """An upload: ``received`` bytes are on the disk of the base, encrypted; it is erased at ``expires_at``."""

    identity: UploadId
    name: str
    size: int
    digest: Digest
    received: int
    finished: bool
    expires_at: datetime


class HandedIn(RequestModel):
    """A finished upload, a zip of a folder, that becomes a version; it is erased once it is taken in."""

    upload: UploadId
    note: Note = ""


class HandedInScenario(HandedIn):
    """A zip of a scenario's folder."""

    new: bool = False
    """It is meant as a new scenario: refused where its name is taken, not made a version of what is there."""
    why_holds: bool = False
    """The reasons beside criteria that were changed hold for the new ones too."""


class HandedInApplication(HandedIn):
    """A zip of an application's folder, and the scenario that it is made for."""

    scenario: Subject | None = None
    """None: that of the version before, if there is one."""


class KeptVersion(ResponseModel):
    """The files of one version of a scenario that the base keeps, encrypted, until ``kept_until``."""

    scenario: Digest
    size: int
    kept_until: datetime


class NewDescription(RequestModel):
    """Finished uploads that are described as one dataset, with what is known of them already."""

    uploads: Annotated[list[UploadId], pydantic.Field(min_length=1, max_length=20)]
    answers: Answers = Answers()
    dataset: Subject | None = None
    """A dataset of one's own that they are a newer state of: what its description says stays."""


class SavedDescription(RequestModel):
    """How a description is saved."""

    usual_terms: bool = False
    """With the usual offer of its level of opening, where it has none."""
    keep: bool = True
    """The files are kept as files of the dataset; else they are erased."""


class OpenDescription(ResponseModel):
    """A description under way."""

    identity: UploadId
    files: list[str]
    round: int
    """How often it was answered, the beginning counted."""


class GuessTold(ResponseModel):
    """One guess: of which part of what (``table.column``; nothing for the dataset), why, and how sure it is."""

    place: str
    part: str
    value: str
    ground: str
    sure: str


class QuestionTold(ResponseModel):
    """What only the owner can say. ``answer``: under which name it is taken; ``guessed``: what stands there else."""

    answer: str
    asked: str
    guessed: str
    several: bool


class DescriptionTold(OpenDescription):
    """A description under way with what was found; nothing of that while a worker is at it."""

    answers: Answers
    progress: TrialProgress
    refused: str | None
    problems: list[ProblemIssue]
    """Why the files were refused: every problem at once, each with its place and what to do."""
    dataset: Dataset | None
    guesses: list[GuessTold]
    findings: list[ProblemIssue]
    """What is wrong in the values; it stops nothing."""
    questions: list[QuestionTold]
    units: list[str]
    """Measured numbers whose unit nobody has said."""
    missing: list[str]
    """What publishing still lacks."""
    changed: list[str]
    """Against the description that was there before."""
