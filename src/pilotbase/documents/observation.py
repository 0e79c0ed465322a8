"""Observations 观测: what a service was asked and answered, and the labels that arrive later by case id."""

from __future__ import annotations

from typing import Annotated, Literal, Self

import pydantic
from pydantic import StringConstraints, model_validator

from pilotbase.documents.base import Document, Moment, Name, Part
from pilotbase.documents.errors import InputError
from pilotbase.documents.hashes import Digest
from pilotbase.documents.texts import Text
from pilotbase.documents.vocabularies import CallEnd

MAXIMUM_CASES = 65_536
CASE_ID_PATTERN = r"^[A-Za-z0-9][A-Za-z0-9_.:/-]{0,99}$"
CaseId = Annotated[str, StringConstraints(pattern=CASE_ID_PATTERN)]
"""Identifies one case as long as it is watched; for a call with several cases it is ``<call>/<row>``."""
BatchId = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9][A-Za-z0-9_.:-]{0,99}$")]
"""Identifies a batch: handing it in again changes nothing."""
Scalar = bool | int | float | str | None


class ObservationBatch(Document, published=True):
    """Cases of one service with the same end, by column; every column has one entry per case."""

    document: Literal["observation-batch/1"] = "observation-batch/1"
    service: Name
    batch: BatchId
    at: Moment
    """When the answer was given."""
    version: Digest | None = None
    """Digest of the application that answered; None: nothing answered, or an endpoint without one."""
    end: CallEnd = CallEnd.ANSWERED
    milliseconds: float | None = pydantic.Field(default=None, ge=0)
    """Time from the complete question to the complete answer."""
    ids: Annotated[tuple[CaseId, ...], pydantic.Field(min_length=1, max_length=MAXIMUM_CASES)]
    inputs: dict[str, tuple[Scalar, ...]] = pydantic.Field(default_factory=dict)
    answers: tuple[Scalar, ...] = ()
    """Empty if nothing was answered; None: an abstention."""

    @model_validator(mode="after")
    def _one_entry_a_case(self) -> Self:
        if len(set(self.ids)) < len(self.ids):
            raise InputError("observation.case_twice", found=_first_double(self.ids))
        columns = {**self.inputs, **({"answers": self.answers} if self.answers else {})}
        for name, column in columns.items():
            if len(column) != len(self.ids):
                raise InputError("observation.column_length", column=name, found=len(column), cases=len(self.ids))
        return self


class LabelBatch(Document, published=True):
    """The true labels of observed cases."""

    document: Literal["label-batch/1"] = "label-batch/1"
    service: Name
    batch: BatchId
    labels: Annotated[dict[CaseId, Scalar], pydantic.Field(min_length=1, max_length=MAXIMUM_CASES)]


class Refusal(Part):
    """A batch that was refused entirely, and why."""

    batch: BatchId
    reason: Text


class Taken(Document, published=True):
    """The result of handing in batches. What it counts as taken is in the store."""

    document: Literal["taken/1"] = "taken/1"
    batches: int = 0
    cases: int = 0
    labels: int = 0
    repeated: int = 0
    """Batches already taken before: nothing was changed."""
    repeated_cases: int = 0
    """Cases in new batches that had been handed in before, with the same content."""
    late_cases: int = 0
    """Cases whose cohort had closed: kept, and read by every detector except those of risk."""
    late_labels: int = 0
    """Labels of cases whose cohort had closed: kept, and counted by no detector."""
    unknown_labels: int = 0
    """Labels of cases that have not arrived yet: kept, and matched when they arrive."""
    unread_answers: int = 0
    """Answers that aren't a class or number of the service's contract: kept, and counted as abstentions."""
    refused: tuple[Refusal, ...] = ()


def _first_double(ids: tuple[str, ...]) -> str:
    seen: set[str] = set()
    for one in ids:
        if one in seen:
            return one
        seen.add(one)
    return ""
