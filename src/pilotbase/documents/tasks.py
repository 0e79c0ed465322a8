"""Task types 任务类型: what may be asked of an application, in which kinds it may answer, and what the target holds."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Literal

AnswerKind = Literal["label", "probability", "value", "interval", "text", "labels", "ranking", "boxes", "mask"]
"""What ``predict`` returns of a case; `pilotbase.documents.contract.Prediction` says how each is spelled."""

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
"""What the target column holds: a class of few, a number, or a text that spells the right answer."""

TARGETS: Mapping[str, TargetForm] = MappingProxyType(
    {
        "label": "labels",
        "probability": "labels",
        "value": "numbers",
        "interval": "numbers",
        "text": "texts",
        "labels": "texts",
        "ranking": "texts",
        "boxes": "texts",
        "mask": "texts",
    }
)
SPELLED: frozenset[AnswerKind] = frozenset({"text", "labels", "ranking", "boxes", "mask"})
"""Kinds whose answers cross the wall, and are kept, as texts."""
STRUCTURED: frozenset[AnswerKind] = SPELLED - {"text"}
"""Kinds whose texts are read before they are measured."""
WITH_CLASSES: frozenset[AnswerKind] = frozenset({"label", "probability", "labels", "boxes", "mask"})
WITH_POSITIVE: frozenset[AnswerKind] = frozenset({"label", "probability", "labels"})


@dataclass(frozen=True)
class TaskType:
    """In which kinds a task may be answered, the usual one first; ``in_time``: hidden is what comes later."""

    kinds: tuple[AnswerKind, ...]
    in_time: bool = False
    needs_positive: bool = False


_TEXT = TaskType(("text",))

TASKS: Mapping[Task, TaskType] = MappingProxyType(
    {
        "classification": TaskType(("label", "probability")),
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
        "agent": TaskType(("text", "label")),
    }
)
