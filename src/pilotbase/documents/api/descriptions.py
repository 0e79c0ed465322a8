"""Files described over the API: begun with uploads, answered, saved as a draft dataset."""

from __future__ import annotations

from typing import Annotated

import pydantic

from pilotbase.documents.api.shapes import ProblemIssue, RequestModel, ResponseModel
from pilotbase.documents.api.trials import TrialProgress
from pilotbase.documents.api.uploads import UploadId
from pilotbase.documents.dataset import Dataset
from pilotbase.documents.described import Answers
from pilotbase.documents.subjects import Subject


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
