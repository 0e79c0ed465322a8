"""Which step first needs a field: a draft may omit what only a later step reads."""

from __future__ import annotations

from enum import IntEnum
from typing import Any

import pydantic

from pilotbase.documents.base import Document


class Step(IntEnum):
    """Steps of a document, in order."""

    DRAFT = 0
    REHEARSE = 1
    FREEZE = 2
    PUBLISH = 3
    """For a dataset: it enters the catalogue."""


def needed_for(step: Step, empty: object = None) -> Any:
    """Return a pydantic field that may stay ``empty`` until ``step``."""
    return pydantic.Field(default=empty, json_schema_extra={"needed_for": step.name.lower()})


def missing_for(document: Document, step: Step) -> tuple[str, ...]:
    """Return the paths of fields that ``document`` still needs for ``step``."""
    return tuple(_missing(document, step, ""))


def _missing(part: pydantic.BaseModel, step: Step, path: str) -> list[str]:
    found: list[str] = []
    for name, info in type(part).model_fields.items():
        value = getattr(part, name)
        extra = info.json_schema_extra
        needed = extra.get("needed_for") if isinstance(extra, dict) else None
        if needed is not None and Step[str(needed).upper()] <= step and value in (None, ()):
            found.append(f"{path}{name}")
        if isinstance(value, pydantic.BaseModel):
            found += _missing(value, step, f"{path}{name}.")
    return found
