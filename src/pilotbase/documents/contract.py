"""The data contract of a scenario: Croissant fields in, predictions out."""

from __future__ import annotations

from enum import StrEnum
from typing import Literal

import pydantic

from pilotbase.documents.base import Localized, Part


class DataType(StrEnum):
    """Croissant data types that a contract may use (Croissant 1.1, ``dataType``)."""

    FLOAT = "sc:Float"
    INTEGER = "sc:Integer"
    BOOLEAN = "sc:Boolean"
    TEXT = "sc:Text"
    DATE = "sc:Date"
    DATETIME = "sc:DateTime"


class Field(Part):
    """One column, with the property names of a Croissant ``cr:Field``."""

    name: str = pydantic.Field(min_length=1, max_length=120)
    data_type: DataType = pydantic.Field(alias="dataType")
    description: Localized | str | None = None
    unit: str | None = None
    minimum: float | None = None
    maximum: float | None = None


class Prediction(Part):
    """What ``predict`` returns, one entry a case.

    ``label``: one of ``classes``; ``probability``: of the positive class, in [0, 1]; ``value``: a number in ``unit``.
    A missing answer (None or NaN) is an abstention.
    """

    kind: Literal["label", "probability", "value"]
    classes: tuple[str, ...] = ()
    positive: str | None = None
    """The class whose probability is answered."""
    unit: str | None = None


class Contract(Part):
    """What the box is fed and what it answers: all that crosses its wall.

    ``features`` reach the application in this order; targets, groups that are no features and keys never do.
    """

    features: tuple[Field, ...] = pydantic.Field(min_length=1)
    prediction: Prediction
