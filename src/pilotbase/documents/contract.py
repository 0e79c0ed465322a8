"""The data contract of a scenario, fields in and predictions out, and the task types 任务类型 that it may require."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from types import MappingProxyType
from typing import Literal

import pydantic

from pilotbase.documents.base import Localized, Part
from pilotbase.documents.hashes import Digest

AnswerKind = Literal[
    "label",
    "probability",
    "probabilities",
    "value",
    "interval",
    "text",
    "labels",
    "ranking",
    "boxes",
    "mask",
    "episode",
]
"""What ``predict`` returns for a case; `pilotbase.documents.contract.Prediction` describes each format."""

Task = Literal[
    "classification",
    "regression",
    "forecasting",
    "anomaly",
    "multilabel",
    "ranking",
    "detection",
    "segmentation",
    "transcription",
    "answering",
    "extraction",
    "summarising",
    "dialogue",
    "grounded",
    "agent",
]
"""Names: text ``match.task.<value>``."""

TargetForm = Literal["labels", "numbers", "texts"]
"""What the target column holds: one of a few classes, a number, or a text with the right answer."""

TARGETS: Mapping[str, TargetForm] = MappingProxyType(
    {
        "label": "labels",
        "probability": "labels",
        "probabilities": "labels",
        "value": "numbers",
        "interval": "numbers",
        "text": "texts",
        "labels": "texts",
        "ranking": "texts",
        "boxes": "texts",
        "mask": "texts",
        "episode": "texts",
    }
)
SPELLED: frozenset[AnswerKind] = frozenset({"text", "probabilities", "labels", "ranking", "boxes", "mask", "episode"})
"""Kinds whose answers leave the box and are stored as texts."""
AS_WRITTEN: frozenset[AnswerKind] = frozenset({"text", "episode"})
"""Kinds whose answers are measured as the texts that they are."""
STRUCTURED: frozenset[AnswerKind] = SPELLED - AS_WRITTEN - {"probabilities"}
"""Kinds whose truths are texts that are parsed before they are measured."""
WITH_CLASSES: frozenset[AnswerKind] = frozenset(
    {"label", "probability", "probabilities", "labels", "boxes", "mask", "episode"}
)
WITH_POSITIVE: frozenset[AnswerKind] = frozenset({"label", "probability", "probabilities", "labels"})
LONGEST_ANSWER = 64 << 10
"""Maximum bytes of one text answer, unless the contract says otherwise."""
LONGEST_TRANSCRIPT = 16 << 20
"""Maximum bytes of the transcript of one episode."""


@dataclass(frozen=True)
class TaskType:
    """Kinds of answers that a task allows, the usual one first; ``in_time``: the later cases are hidden."""

    kinds: tuple[AnswerKind, ...]
    in_time: bool = False
    needs_positive: bool = False


_TEXT = TaskType(("text",))

TASKS: Mapping[Task, TaskType] = MappingProxyType(
    {
        "classification": TaskType(("label", "probability", "probabilities")),
        "regression": TaskType(("value", "interval")),
        "forecasting": TaskType(("value", "interval"), in_time=True),
        "anomaly": TaskType(("probability", "label"), needs_positive=True),
        "multilabel": TaskType(("labels",)),
        "ranking": TaskType(("ranking",)),
        "detection": TaskType(("boxes",)),
        "segmentation": TaskType(("mask",)),
        "transcription": _TEXT,
        "answering": TaskType(("text", "label")),
        "extraction": _TEXT,
        "summarising": _TEXT,
        "dialogue": _TEXT,
        "grounded": _TEXT,
        "agent": TaskType(("text", "label", "episode")),
    }
)


class DataType(StrEnum):
    """Croissant data types that a contract may use (Croissant 1.1, ``dataType``)."""

    FLOAT = "sc:Float"
    INTEGER = "sc:Integer"
    BOOLEAN = "sc:Boolean"
    TEXT = "sc:Text"
    DATE = "sc:Date"
    DATETIME = "sc:DateTime"
    IMAGE = "sc:ImageObject"
    """Pixels, an array of bytes of shape (height, width, channels)."""
    AUDIO = "sc:AudioObject"
    """Samples, an array of shape (samples,)."""


ARRAYS: frozenset[DataType] = frozenset({DataType.IMAGE, DataType.AUDIO})
"""Types whose cells are arrays."""


class Field(Part):
    """One column, with the property names of a Croissant ``cr:Field``."""

    name: str = pydantic.Field(min_length=1, max_length=120)
    data_type: DataType = pydantic.Field(alias="dataType")
    description: Localized | str | None = None
    unit: str | None = None
    minimum: float | None = None
    maximum: float | None = None
    rate: int | None = pydantic.Field(default=None, ge=1, le=1_000_000)
    """Samples per second, for audio."""


class Prediction(Part):
    """What ``predict`` returns, one entry per case.

    ``label``: one of ``classes``; ``probability``: of the positive class, in [0, 1]; ``probabilities``: of each of
    ``classes``, in their order or by name, with the sum 1; ``value``: a number in ``unit``; ``interval``: (lower,
    upper) in ``unit``; ``text``; ``labels``: a list of classes, maybe empty; ``ranking``: a list of names, best
    first; ``boxes``: a list of (class, x, y, width, height, score), in pixels; ``mask``: codes of classes, shape
    (height, width), 255 for none; ``episode``: not an answer of ``predict``, but the transcript of what an
    application did in a world; ``classes`` are those of its acts. A missing answer (None or NaN) is an abstention.
    """

    kind: AnswerKind
    classes: tuple[str, ...] = ()
    positive: str | None = None
    """The class whose probability is the answer."""
    unit: str | None = None
    longest: int | None = pydantic.Field(default=None, ge=1, le=16 << 20)
    """Maximum bytes of one answer in words; `LONGEST_ANSWER` when not set."""

    @property
    def is_spelled(self) -> bool:
        """Return whether answers are texts: words, or a structure in the format of `answer_texts`."""
        return self.kind in SPELLED

    @property
    def most_bytes(self) -> int:
        """Return the maximum bytes of one answer in words."""
        return self.longest or LONGEST_ANSWER


class Contract(Part):
    """What the box receives and what it answers: everything that crosses its wall.

    ``features`` reach the application in this order; targets, keys, and groups that are not features never do.
    """

    features: tuple[Field, ...] = pydantic.Field(min_length=1)
    prediction: Prediction
    world: Digest | None = None
    """The world in which episodes are played: there its tools' results reach the application, not the features."""
