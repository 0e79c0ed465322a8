"""Quality report 数据质量报告: what was measured of a dataset, by which formula, and how good that is for its purpose.

Measures carry three codes: ISO/IEC 5259-2 (aligned, the text of the standard is not claimed to be met), TC609-5-2025-04
and GB/T 36344. A measure without what it is held against is *not measured*, never 1.
"""

from __future__ import annotations

from typing import Annotated, Literal

import pydantic

from pilotbase.documents.base import Document, Localized, Moment, Part
from pilotbase.documents.hashes import Digest
from pilotbase.documents.label_statement import LabelStatement
from pilotbase.documents.texts import Text
from pilotbase.documents.vocabularies import Opening, Outcome

METHOD = "pb-1.0"
"""Version of the formulae; it changes when a figure can come out otherwise on the same data."""

Cell = Annotated[int, pydantic.Field(ge=0)] | None
"""A count; None, in JSON left out: some, but fewer than the level of opening lets out."""

MeasureState = Literal["measured", "not_measured", "not_applicable"]
Direction = Literal["higher", "lower", "neither"]
Purpose = Literal["training", "verification", "statistics"]
RuleKind = Literal[
    "required", "type", "range", "pattern", "values", "unit", "unique", "key", "reference", "row", "format"
]
Share = dict[str, float]


class QualityCodes(Part):
    """What a measure is called in three standards; empty where one has no such measure."""

    iso: str = ""
    """ISO/IEC 5259-2."""
    tc609: str = ""
    """TC609-5-2025-04."""
    gbt: str = ""
    """GB/T 36344."""


class QualityEntry(Part):
    """A part of a measure: a field, a class, a group, with its own figure."""

    name: str
    value: float | None = None
    numerator: float | None = None
    denominator: float | None = None


class QualityMeasurement(Part):
    """One measure of one record set; without ``value`` it says why."""

    measure: str
    record_set: str = pydantic.Field(alias="recordSet")
    codes: QualityCodes
    state: MeasureState
    direction: Direction
    formula: str
    value: float | None = None
    numerator: float | None = None
    denominator: float | None = None
    lower: float | None = None
    """Lower bound of the interval at 95 %, where a sample stands for the whole."""
    upper: float | None = None
    sample: int | None = pydantic.Field(default=None, ge=0)
    """Records looked at, where these were not all."""
    entries: tuple[QualityEntry, ...] = ()
    reason: Text | None = None
    """Why it was not measured, or what is to be known of the figure."""


class RuleResult(Part):
    """One rule of the data contract, held against every record that it speaks about."""

    rule: str
    kind: RuleKind
    record_set: str = pydantic.Field(alias="recordSet")
    fields: tuple[str, ...] = ()
    state: MeasureState = "measured"
    evaluated: Cell = None
    passed: Cell = None
    failed: Cell = None
    rows: tuple[int, ...] = ()
    """Numbers of the first failing rows, counted from 1 below the header; empty where the level of opening forbids."""
    reason: Text | None = None


class HistogramBin(Part):
    """Values from ``low`` up to ``high`` (the last bin with it), in each of the parts compared."""

    low: float
    high: float
    count: Cell = None
    later: int = pydantic.Field(default=0, ge=0)
    """Of these in the hidden, or later, part."""


class ValueCount(Part):
    """How often a value stands there; ``value`` None: all others together."""

    value: str | None = None
    count: Cell = None
    later: int = pydantic.Field(default=0, ge=0)


class FieldProfile(Part):
    """What a field's values are like. Times are given in seconds since 1970."""

    field: str
    data_type: str = pydantic.Field(alias="dataType")
    label: bool = False
    missing: Cell = None
    wrong: Cell = None
    """Values that are none of the field's type."""
    distinct: int | None = None
    """About so many (HyperLogLog)."""
    minimum: float | None = None
    maximum: float | None = None
    mean: float | None = None
    deviation: float | None = None
    histogram: tuple[HistogramBin, ...] = ()
    values: tuple[ValueCount, ...] = ()
    drift: float | None = None
    """Population stability index between the two parts, Σ (p-q) ln(p/q); None without two parts."""


class RecordSetProfile(Part):
    """What a record set is like, field by field."""

    record_set: str = pydantic.Field(alias="recordSet")
    rows: int = pydantic.Field(ge=0)
    parts: Literal["none", "hidden", "later_half"] = "none"
    """What `later` counts: the hidden part of the declared split, or the later half of the time that is covered."""
    fields: tuple[FieldProfile, ...] = ()


class QualityRequirement(Part):
    """What the purpose asks of a measure, and what came of it."""

    measure: str
    record_set: str = pydantic.Field(alias="recordSet")
    at_least: float | None = None
    at_most: float | None = None
    value: float | None = None
    outcome: Outcome


class QualityGrade(Part):
    """The worst of the measures that the purpose requires, beside how many of them were measured.

    Fail: one misses what is asked. Inconclusive: none does, but not all were measured. There is no average.
    """

    purpose: Purpose
    outcome: Outcome
    worst: str | None = None
    """The measure that is furthest below, or least above, what is asked."""
    record_set: str | None = pydantic.Field(default=None, alias="recordSet")
    """Of which record set it is."""
    value: float | None = None
    measured: int = pydantic.Field(ge=0)
    required: int = pydantic.Field(ge=0)
    requirements: tuple[QualityRequirement, ...] = ()


class QualityReport(Document):
    """What one version of a dataset is worth for one purpose, with everything that this was told from."""

    document: Literal["quality/1"] = "quality/1"
    dataset: str
    """The dataset's subject."""
    title: Localized | str = ""
    version: str
    data: Digest | None = None
    """Digest over the bytes of the measured files. Released of closed data: their published commitment, or nothing: a
    plain hash would confirm a guess."""
    engine: str
    """Software, its version and that of the table library."""
    method: str = METHOD
    opening: Opening
    view: Literal["full", "released"] = "full"
    """``full``: for the owner. ``released``: cut to what the level of opening lets out."""
    least_cell: int | None = pydantic.Field(default=None, alias="leastCell", ge=1)
    """Fewer records than this are not told of; None: every count is."""
    files: tuple[str, ...] = ()
    profiles: tuple[RecordSetProfile, ...] = ()
    measurements: tuple[QualityMeasurement, ...] = ()
    rules: tuple[RuleResult, ...] = ()
    checks_declared: int = pydantic.Field(ge=0)
    checks_run: int = pydantic.Field(ge=0)
    grade: QualityGrade

    def measurement(self, measure: str) -> QualityMeasurement:
        """Return the first measurement of that name; raises `KeyError`."""
        return {one.measure: one for one in reversed(self.measurements)}[measure]

    def rule(self, rule: str) -> RuleResult:
        """Return the first result of that rule; raises `KeyError`."""
        return {one.rule: one for one in reversed(self.rules)}[rule]


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
