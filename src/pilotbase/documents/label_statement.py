"""Statements on the quality of labels: figures with their intervals, and what a scenario states about them."""

from __future__ import annotations

from typing import Annotated, Literal, Self

import pydantic
from pydantic import StringConstraints, model_validator

from pilotbase.documents.base import Part
from pilotbase.documents.errors import InputError
from pilotbase.documents.hashes import Digest

GuidelineVersion = Annotated[str, StringConstraints(min_length=1, max_length=100)]
"""Version of the guideline that annotators follow."""
FigureName = Literal["raw_agreement", "cohen_kappa", "krippendorff_alpha", "label_accuracy"]
IntervalMethod = Literal["wilson", "wider_of_two"]
"""``wilson``: for a share (Wilson 1927). ``wider_of_two``: of a bootstrap by item and an approximation (Cohen 1960)."""
Unmeasured = Literal["too_few_items", "one_class", "not_two_annotators", "numbers", "no_disagreement", "not_audited"]
"""Why a figure or its interval is missing; names: text ``labelling.unmeasured.<value>``."""


class LabelFigure(Part):
    """One figure of the quality of labels; without ``value`` it is not measured, and ``unmeasured`` says why."""

    measure: FigureName
    items: int = pydantic.Field(ge=0)
    """Items that it is based on."""
    value: float | None = pydantic.Field(default=None, ge=-1, le=1)
    lower: float | None = pydantic.Field(default=None, ge=-1, le=1)
    """Lower bound of the interval at 95 %."""
    upper: float | None = pydantic.Field(default=None, ge=-1, le=1)
    method: IntervalMethod | None = None
    unmeasured: Unmeasured | None = None

    @model_validator(mode="after")
    def _in_order(self) -> Self:
        if (self.lower is None) != (self.upper is None) or (self.value is None and self.lower is not None):
            raise InputError("labelling.half_an_interval", measure=self.measure)
        found = [bound for bound in (self.lower, self.value, self.upper) if bound is not None]
        if found != sorted(found):
            raise InputError("labelling.not_in_order", lower=self.lower, value=self.value, upper=self.upper)
        return self


class LabelAudit(Part):
    """An expert who had labelled none of them checked a random sample of the final labels."""

    audited: int = pydantic.Field(ge=1, le=10**9)
    correct: int = pydantic.Field(ge=0, le=10**9)

    @model_validator(mode="after")
    def _no_more_than_all(self) -> Self:
        if self.correct > self.audited:
            raise InputError("labelling.more_than_audited", correct=self.correct, audited=self.audited)
        return self


class LabelStatement(Part):
    """What a scenario states about its labels; `pilotbase data labels agreement` writes it."""

    guideline: GuidelineVersion
    agreement: LabelFigure
    """Between blind annotators, before any adjudication."""
    audit: LabelAudit | None = None
    """None: the share of wrong labels is unknown, whatever the agreement."""
    quality: Digest | None = None
    """Digest of the `label_quality/1` document it was taken from."""
