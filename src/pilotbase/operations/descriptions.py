"""Files that are described: a worker reads uploads in a box, the owner answers, and a draft dataset is saved."""

from __future__ import annotations

from typing import Annotated

from pilotbase.documents.api.shapes import RequestModel
from pilotbase.documents.api.uploads import DescriptionTold, NewDescription, OpenDescription, UploadId
from pilotbase.documents.described import Answers
from pilotbase.documents.permissions import Act
from pilotbase.documents.record import Record
from pilotbase.operations.operation import BODY, NOTHING, PATH, NoInput, Operation, Repeated

_OWN = "members, of their own organisation"


class OfDescription(RequestModel):
    """Which description under way."""

    identity: Annotated[UploadId, PATH]


class AnswersGiven(OfDescription):
    """Everything that the owner answers, replacing the earlier answers."""

    answers: Annotated[Answers, BODY]


class SavedDescription(OfDescription):
    """How a description is saved."""

    usual_terms: bool = False
    """Add the usual offer for its level of opening if it has none."""
    keep: bool = True
    """Whether the files are kept as files of the dataset; otherwise they are erased."""


LIST = Operation("descriptions.list", "GET /descriptions", NoInput, list[OpenDescription], only=_OWN)
START = Operation(
    "descriptions.start",
    "POST /descriptions",
    NewDescription,
    DescriptionTold,
    who=Act.DATASET_REGISTER,
    location="/api/descriptions/{given.identity}",
    example={"uploads": ["0c5d7e1a9b3f4826a1d0c7e95b82f364"], "answers": {"title": "Pumps of line 3"}},
)
SHOW = Operation("descriptions.show", "GET /descriptions/{identity}", OfDescription, DescriptionTold, only=_OWN)
ANSWER = Operation(
    "descriptions.answer", "PUT /descriptions/{identity}/answers", AnswersGiven, DescriptionTold, only=_OWN
)
SAVE = Operation(
    "descriptions.save",
    "POST /descriptions/{identity}/dataset",
    SavedDescription,
    Record,
    only=_OWN,
    marked=True,
    location="/api/datasets/{given.name}",
    example={"usual_terms": True, "keep": True},
)
FORGET = Operation(
    "descriptions.forget",
    "DELETE /descriptions/{identity}",
    OfDescription,
    NOTHING,
    only=_OWN,
    repeated=Repeated.HARMLESS,
)
