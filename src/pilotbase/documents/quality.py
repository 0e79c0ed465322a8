"""Quality report 数据质量报告: what was measured on a dataset, by which formula, and how good that is for its purpose.

Measures carry three codes: ISO/IEC 5259-2 (aligned, the text of the standard is not claimed to be met), TC609-5-2025-04
and GB/T 36344. A measure without a reference to compare with is *not measured*, never 1.

Statements on the quality of labels: figures with their intervals, and what a scenario states about them.
"""

from __future__ import annotations

from typing import Annotated, Literal, Self

import pydantic
from pydantic import StringConstraints, model_validator

from pilotbase.documents.base import Document, Localized, Moment, Part
from pilotbase.documents.errors import InputError
from pilotbase.documents.hashes import Digest
from pilotbase.documents.texts import Text
from pilotbase.documents.vocabularies import Opening, Outcome

METHOD = "pb-1.0"
"""Version of the formulae; it changes when a figure can differ on the same data."""

Cell = Annotated[int, pydantic.Field(ge=0)] | None
"""A count; None (omitted in JSON): some, but fewer than the level of opening releases."""

MeasureState = Literal["measured", "not_measured", "not_applicable"]
Direction = Literal["higher", "lower", "neither"]
Purpose = Literal["training", "verification", "statistics"]
RuleKind = Literal[
    "required", "type", "range", "pattern", "values", "unit", "unique", "key", "reference", "row", "format"
]
SuspectName = Literal[
    "sentinel",
    "placeholder",
    "mixed_units",
    "units_in_cells",
    "mojibake",
    "variants",
    "impossible_time",
    "impossible_value",
    "level_shift",
    "stuck",
    "leak",
    "label_noise",
    "repeated",
    "near_repeated",
    "broken_key",
    "wrong_column",
]
Share = dict[str, float]
GuidelineVersion = Annotated[str, StringConstraints(min_length=1, max_length=100)]
"""Version of the guideline that annotators follow."""
FigureName = Literal["raw_agreement", "cohen_kappa", "krippendorff_alpha", "label_accuracy"]
IntervalMethod = Literal["wilson", "wider_of_two"]
"""``wilson``: for a share (Wilson 1927). ``wider_of_two``: of a bootstrap by item and an approximation (Cohen 1960)."""
Unmeasured = Literal["too_few_items", "one_class", "not_two_annotators", "numbers", "no_disagreement", "not_audited"]
"""Why a figure or its interval is missing; names: text ``labelling.unmeasured.<value>``."""


class QualityCodes(Part):
    """The name of a measure in three standards; empty if a standard has no such measure."""

    iso: str = ""
    """ISO/IEC 5259-2."""
    tc609: str = ""
    """TC609-5-2025-04."""
    gbt: str = ""
    """GB/T 36344."""


class QualityEntry(Part):
    """A part of a measure: a field, a class or a group, with its own figure."""

    name: str
    value: float | None = None
    numerator: float | None = None
    denominator: float | None = None


class QualityMeasurement(Part):
    """One measure of one record set; if ``value`` is missing, the reason is given."""

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
    """Lower bound of the interval at 95 %, if a sample represents the whole."""
    upper: float | None = None
    sample: int | None = pydantic.Field(default=None, ge=0)
    """Records examined, if not all."""
    entries: tuple[QualityEntry, ...] = ()
    reason: Text | None = None
    """Why it was not measured, or a remark on the figure."""


class RuleResult(Part):
    """One rule of the data contract, checked against every record that it covers."""

    rule: str
    kind: RuleKind
    record_set: str = pydantic.Field(alias="recordSet")
    fields: tuple[str, ...] = ()
    state: MeasureState = "measured"
    evaluated: Cell = None
    passed: Cell = None
    failed: Cell = None
    rows: tuple[int, ...] = ()
    """Numbers of the first failing rows, counted from 1 below the header; empty if the level of opening forbids it."""
    reason: Text | None = None


class Suspect(Part):
    """A fault that nobody declared and the data seem to have: what, where, how surely, and what to do about it."""

    kind: SuspectName
    record_set: str = pydantic.Field(alias="recordSet")
    fields: tuple[str, ...] = ()
    """Empty: whole rows."""
    count: Cell = None
    """Rows of the sample that seem to be at fault; 0: the column as a whole."""
    rows: tuple[int, ...] = ()
    """Numbers of the first of them, counted from 1 below the header; empty if the level of opening forbids it."""
    sample: int | None = pydantic.Field(default=None, ge=0)
    """Rows looked at, if not all."""
    values: tuple[str, ...] = ()
    """What stands for a missing value, if that is the fault; empty if the level of opening forbids it."""
    probability: float = pydantic.Field(ge=0, le=1)
    """The share of such suspects that were faults on real tables into which faults had been planted."""
    sentence: Text
    remedy: Text


class HistogramBin(Part):
    """Values from ``low`` up to ``high`` (included in the last bin), in each of the compared parts."""

    low: float
    high: float
    count: Cell = None
    later: int = pydantic.Field(default=0, ge=0)
    """How many of these are in the hidden, or later, part."""


class ValueCount(Part):
    """How often a value occurs; ``value`` None: all others together."""

    value: str | None = None
    count: Cell = None
    later: int = pydantic.Field(default=0, ge=0)


class FieldProfile(Part):
    """Statistics of a field's values. Times are given in seconds since 1970."""

    field: str
    data_type: str = pydantic.Field(alias="dataType")
    label: bool = False
    missing: Cell = None
    wrong: Cell = None
    """Values that don't have the field's type."""
    distinct: int | None = None
    """Approximate number of distinct values (HyperLogLog)."""
    minimum: float | None = None
    maximum: float | None = None
    mean: float | None = None
    deviation: float | None = None
    histogram: tuple[HistogramBin, ...] = ()
    values: tuple[ValueCount, ...] = ()
    drift: float | None = None
    """Population stability index between the two parts, Σ (p-q) ln(p/q); None if there aren't two parts."""


class RecordSetProfile(Part):
    """Statistics of a record set, field by field."""

    record_set: str = pydantic.Field(alias="recordSet")
    rows: int = pydantic.Field(ge=0)
    parts: Literal["none", "hidden", "later_half"] = "none"
    """What `later` counts: the hidden part of the declared split, or the later half of the period covered."""
    fields: tuple[FieldProfile, ...] = ()


class QualityRequirement(Part):
    """What the purpose requires of a measure, and the result."""

    measure: str
    record_set: str = pydantic.Field(alias="recordSet")
    at_least: float | None = None
    at_most: float | None = None
    value: float | None = None
    outcome: Outcome


class QualityGrade(Part):
    """The worst of the measures that the purpose requires, beside how many of them were measured.

    Fail: one misses its requirement. Inconclusive: none does, but not all were measured. There is no average.
    """

    purpose: Purpose
    outcome: Outcome
    worst: str | None = None
    """The measure furthest below, or least above, its requirement."""
    record_set: str | None = pydantic.Field(default=None, alias="recordSet")
    """The record set of this measure."""
    value: float | None = None
    measured: int = pydantic.Field(ge=0)
    required: int = pydantic.Field(ge=0)
    requirements: tuple[QualityRequirement, ...] = ()


class QualityReport(Document, published=True):
    """The quality of one dataset version for one purpose, with everything that it was derived from."""

    document: Literal["quality/1"] = "quality/1"
    dataset: str
    """The dataset's subject."""
    title: Localized | str = ""
    version: str
    data: Digest | None = None
    """Digest over the bytes of the measured files. For closed data, the released report has their
    published commitment or nothing: a plain hash would confirm a guess."""
    engine: str
    """Software, its version and that of the table library."""
    method: str = METHOD
    opening: Opening
    view: Literal["full", "released"] = "full"
    """``full``: for the owner. ``released``: cut to what the level of opening lets out."""
    least_cell: int | None = pydantic.Field(default=None, alias="leastCell", ge=1)
    """Counts below this are withheld; None: no count is."""
    files: tuple[str, ...] = ()
    profiles: tuple[RecordSetProfile, ...] = ()
    measurements: tuple[QualityMeasurement, ...] = ()
    rules: tuple[RuleResult, ...] = ()
    suspects: tuple[Suspect, ...] = ()
    """Faults that nobody declared, the surest of each record set first; they are in no grade."""
    checks_declared: int = pydantic.Field(ge=0)
    checks_run: int = pydantic.Field(ge=0)
    grade: QualityGrade

    def measurement(self, measure: str) -> QualityMeasurement:
        """Return the first measurement of this name; raises `KeyError`."""
        return {one.measure: one for one in reversed(self.measurements)}[measure]

    def rule(self, rule: str) -> RuleResult:
        """Return the first result of this rule; raises `KeyError`."""
        return {one.rule: one for one in reversed(self.rules)}[rule]


class Currency(Part):
    """When records count as old: (as_of - time) ≤ days. ``as_of`` is declared, never the clock's."""

    as_of: Moment
    days: float = pydantic.Field(gt=0)
    time: str | None = None
    """The field with a record's time; default: the record set's own."""


class Delay(Part):
    """How soon records must be available: (available - event) ≤ hours."""

    event: str
    available: str
    hours: float = pydantic.Field(gt=0)


class Fitness(Part):
    """What a simple model is claimed to reach on these data: balanced accuracy on the half it did not learn from."""

    balanced_accuracy: float = pydantic.Field(gt=0, le=1)


class QualityReference(Document, published=True):
    """What the owner declares for one record set; what is left out is not measured."""

    document: Literal["quality_reference/1"] = "quality_reference/1"
    currency: Currency | None = None
    delay: Delay | None = None
    order: tuple[str, ...] = ()
    """Time fields that follow each other in every record."""
    target: dict[str, Share] = pydantic.Field(default={})
    """Field → value → its share in the population that the data represent."""
    expected: dict[str, dict[str, int]] = pydantic.Field(default={})
    """Field → value → in how many records it is expected."""
    small: int | None = pydantic.Field(default=None, gt=0)
    """A class with fewer records counts as small."""
    group: str | None = None
    """Field whose values are compared for `label_proportion_gap`."""
    audited: str | None = None
    """Table of records that somebody has checked, matched by the record set's key; path relative to this file."""
    labels: LabelStatement | None = None
    """What is known about the labels, as printed by `pilotbase data labels agreement`; ``audited`` takes precedence."""
    learned_from: str | None = None
    """Table whose records must not be among these; path relative to this file."""
    fitness: Fitness | None = None


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
