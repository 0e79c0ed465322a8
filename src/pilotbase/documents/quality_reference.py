"""What data are held against where they cannot be judged by themselves: declared times, shares, audited records."""

from __future__ import annotations

from typing import Literal

import pydantic

from pilotbase.documents.base import Document, Moment, Part
from pilotbase.documents.label_statement import LabelStatement

Share = dict[str, float]


class Currency(Part):
    """By when records count as old: (as_of - time) ≤ days. ``as_of`` is declared, never the clock's."""

    as_of: Moment
    days: float = pydantic.Field(gt=0)
    time: str | None = None
    """The field that says when a record is of; default: the record set's own."""


class Delay(Part):
    """How soon records are to be there: (available - event) ≤ hours."""

    event: str
    available: str
    hours: float = pydantic.Field(gt=0)


class Fitness(Part):
    """What a simple model is said to reach on these data: balanced accuracy on the half it did not learn from."""

    balanced_accuracy: float = pydantic.Field(gt=0, le=1)


class QualityReference(Document):
    """What the owner declares for one record set; what is left out is not measured."""

    document: Literal["quality_reference/1"] = "quality_reference/1"
    currency: Currency | None = None
    delay: Delay | None = None
    order: tuple[str, ...] = ()
    """Fields of times that follow each other in every record."""
    target: dict[str, Share] = pydantic.Field(default={})
    """Field → value → its share in the population that the data stand for."""
    expected: dict[str, dict[str, int]] = pydantic.Field(default={})
    """Field → value → in how many records it is expected."""
    small: int | None = pydantic.Field(default=None, gt=0)
    """A class with fewer records counts as small."""
    group: str | None = None
    """Field whose values are compared for `label_proportion_gap`."""
    audited: str | None = None
    """Table of records that somebody has checked, found by the record set's key; path beside this file."""
    labels: LabelStatement | None = None
    """What is known of the labels, as `pilotbase data labels agreement` prints it; ``audited`` counts before it."""
    learned_from: str | None = None
    """Table none of whose records may be among these; path beside this file."""
    fitness: Fitness | None = None
