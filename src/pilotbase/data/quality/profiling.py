"""Statistics of each field's values: figures of the first pass, then counts in bins and of values in a second.

The grade: the worst measure that the purpose requires, beside how many of the required ones were measured.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from types import MappingProxyType

import numpy as np
import numpy.typing as npt
import polars as pl

from pilotbase.data.drift import stability_index
from pilotbase.data.quality.checks import ROWS, CheckCount, present, typed
from pilotbase.data.quality.columns import RecordTable, TableColumn, seconds_of
from pilotbase.data.quality.definition import Parts
from pilotbase.data.quality.measures import QUALITY_MEASURES
from pilotbase.documents.api.shapes import filled
from pilotbase.documents.contract import DataType
from pilotbase.documents.dataset import Dataset, RequiredMeasure
from pilotbase.documents.errors import InputError, offer
from pilotbase.documents.quality import (
    FieldProfile,
    HistogramBin,
    Purpose,
    QualityGrade,
    QualityMeasurement,
    QualityRequirement,
    RecordSetProfile,
    ValueCount,
)
from pilotbase.documents.vocabularies import Outcome

MOST_DRAWN = 60
"""Fields whose distribution is counted; others have figures alone."""
_BINS, _MOST_VALUES, _SHOWN_VALUES = 20, 50, 12
_BATCH = 250_000
_LATER = ""
"""No field has this name."""
Counts = npt.NDArray[np.int64]


def profile_counts(table: RecordTable) -> list[CheckCount]:
    """Return the counts of the first pass that the profile needs."""
    return [ROWS, *(count for column in table.columns.values() for count in _column_counts(column))]


def _column_counts(column: TableColumn) -> Iterator[CheckCount]:
    yield from (present(column), typed(column))
    yield CheckCount(f"distinct {column.name}", _distinct(column))
    if column.is_number or column.is_time:
        yield CheckCount(f"least {column.name}", _number(column, column.value.min()))
        yield CheckCount(f"most {column.name}", _number(column, column.value.max()))
    if column.is_number:
        yield CheckCount(f"mean {column.name}", column.value.mean())
        yield CheckCount(f"deviation {column.name}", column.value.std())


def _distinct(column: TableColumn) -> pl.Expr:
    """Return about how many different values there are, including a missing one; for truths exactly how many."""
    if column.data_type is not DataType.BOOLEAN:
        return column.value.approx_n_unique()
    found = (column.value.any(), (~column.value).any(), column.value.null_count() > 0)
    return pl.sum_horizontal(one.cast(pl.UInt32) for one in found)


def _number(column: TableColumn, values: pl.Expr) -> pl.Expr:
    """Return numbers as they are, times in seconds since 1970."""
    return seconds_of(values) if column.is_time else values


def ends_of(counts: Mapping[str, float], name: str | None) -> tuple[float, float] | None:
    """Return the smallest and largest value of a field; None without any."""
    if name is None or f"least {name}" not in counts:
        return None
    return float(counts[f"least {name}"]), float(counts[f"most {name}"])


def profile(
    table: RecordTable, counts: Mapping[str, float], parts: Parts | None, most: int = MOST_DRAWN, closed: bool = False
) -> RecordSetProfile:
    """Return the profile of a record set; the values of the first ``most`` fields are counted in one further pass.

    ``closed``: bins end where the declared range ends, which reveals nothing about a record.
    """
    drawn = list(table.columns.values())[:most]
    counted = _count_values(table, drawn, counts, parts, closed)
    return RecordSetProfile(
        record_set=table.record_set.name,
        rows=int(counts["rows"]),
        parts=parts.kind if parts else "none",
        fields=tuple(_profiled(column, counts, counted.get(column.name)) for column in table.columns.values()),
    )


def _profiled(column: TableColumn, counts: Mapping[str, float], counted: _Counted | None) -> FieldProfile:
    name = column.name
    there = int(counts[present(column).name])
    ends = ends_of(counts, name)
    return FieldProfile(
        field=name,
        data_type=column.data_type.value,
        label=column.field.is_label,
        missing=int(counts["rows"]) - there,
        wrong=there - int(counts[typed(column).name]),
        distinct=int(counts.get(f"distinct {name}", 0)),
        minimum=ends[0] if ends else None,
        maximum=ends[1] if ends else None,
        mean=counts.get(f"mean {name}"),
        deviation=counts.get(f"deviation {name}"),
        histogram=counted.histogram() if counted else (),
        values=counted.most_frequent() if counted else (),
        drift=counted.drift() if counted else None,
    )


class _Counted:
    """Counts of one column, in the earlier part and in the later one."""

    def __init__(self, column: TableColumn, edges: tuple[float, float] | None, divided: bool) -> None:
        self.column, self.edges, self.divided = column, edges, divided
        self.bins: Counts = np.zeros((2, _BINS), np.int64)
        self.found: tuple[Counter[str], Counter[str]] = (Counter(), Counter())

    def code(self) -> pl.Expr:
        """Return the bin of a number, or the text of a value."""
        if self.edges is None:
            return self.column.canonical.cast(pl.String).alias(self.column.name)
        low, high = self.edges
        width = _BINS / (high - low) if high > low else 0.0
        scaled = (_number(self.column, self.column.value).cast(pl.Float64) - low) * width
        return scaled.clip(0, _BINS - 1).cast(pl.UInt8).alias(self.column.name)

    def add(self, codes: pl.Series, later: Counts) -> None:
        if self.edges is not None:
            there = codes.is_not_null().to_numpy()
            places = codes.fill_null(0).to_numpy()[there].astype(np.int64) + _BINS * later[there]
            self.bins += np.bincount(places, minlength=2 * _BINS).reshape(2, _BINS)
            return
        for part in (0, 1):
            counts = codes.alias("value").filter(pl.Series(later == part)).drop_nulls().value_counts()
            self.found[part].update(dict(counts.iter_rows()))

    def histogram(self) -> tuple[HistogramBin, ...]:
        if self.edges is None:
            return ()
        low, high = self.edges
        lines = np.linspace(low, high, _BINS + 1) if high > low else [low, high]
        both, later = self.bins.sum(axis=0), self.bins[1]
        return tuple(
            HistogramBin(low=float(start), high=float(end), count=int(count), later=int(of_these))
            for start, end, count, of_these in zip(lines, lines[1:], both, later, strict=False)
        )

    def most_frequent(self) -> tuple[ValueCount, ...]:
        whole = self.found[0] + self.found[1]
        ranked = sorted(whole.items(), key=lambda pair: (-pair[1], pair[0]))
        shown = [
            ValueCount(value=value, count=number, later=self.found[1][value])
            for value, number in ranked[:_SHOWN_VALUES]
        ]
        if len(ranked) > _SHOWN_VALUES:
            rest = ranked[_SHOWN_VALUES:]
            later = sum(self.found[1][value] for value, _ in rest)
            shown.append(ValueCount(value=None, count=sum(number for _, number in rest), later=later))
        return tuple(shown)

    def drift(self) -> float | None:
        """Return the stability index between the two parts, over ten bins or the values; times do not drift."""
        if not self.divided or self.column.is_time:
            return None
        if self.edges is not None:
            earlier, later = self.bins.reshape(2, _BINS // 2, 2).sum(axis=2)
        else:
            names = sorted({*self.found[0], *self.found[1]})
            earlier, later = (np.array([found[name] for name in names], np.int64) for found in self.found)
        if not earlier.sum() or not later.sum():
            return None
        return stability_index(zip((earlier / earlier.sum()).tolist(), (later / later.sum()).tolist(), strict=True))


def _count_values(
    table: RecordTable, drawn: list[TableColumn], counts: Mapping[str, float], parts: Parts | None, closed: bool
) -> dict[str, _Counted]:
    counted = {column.name: _Counted(column, _edges(column, counts, closed), parts is not None)
               for column in drawn if _is_countable(column, counts)}  # fmt: skip
    if not counted:
        return {}
    later = pl.lit(0, pl.Int64) if parts is None else parts.later.cast(pl.Int64).fill_null(0)
    chosen = [later.alias(_LATER), *(one.code() for one in counted.values())]
    for rows in table.frame.select(chosen).collect_batches(chunk_size=_BATCH, engine="streaming"):
        part = np.broadcast_to(rows[_LATER].to_numpy(), (rows.height,))
        for name, one in counted.items():
            one.add(rows[name], part)
    return counted


def _is_countable(column: TableColumn, counts: Mapping[str, float]) -> bool:
    if column.is_number or column.is_time:
        return f"least {column.name}" in counts
    return column.data_type is DataType.BOOLEAN or counts.get(f"distinct {column.name}", 0) <= _MOST_VALUES


def _edges(column: TableColumn, counts: Mapping[str, float], closed: bool) -> tuple[float, float] | None:
    if closed and column.is_number and column.field.minimum is not None and column.field.maximum is not None:
        return column.field.minimum, column.field.maximum
    return ends_of(counts, column.name)


def _at_least(**measures: float) -> tuple[RequiredMeasure, ...]:
    return tuple(RequiredMeasure(measure=name, at_least=bound) for name, bound in measures.items())


DEFAULTS: Mapping[Purpose, tuple[RequiredMeasure, ...]] = MappingProxyType(
    {
        "training": _at_least(
            value_completeness=0.95,
            label_completeness=0.99,
            syntactic_accuracy=0.99,
            semantic_consistency=0.99,
            uniqueness=0.99,
            label_consistency=0.98,
            label_distribution_balance=0.3,
        ),
        "verification": (
            *_at_least(
                record_completeness=0.95,
                label_completeness=1.0,
                label_accuracy=0.95,
                syntactic_accuracy=0.99,
                semantic_consistency=0.99,
                uniqueness=0.99,
                label_consistency=0.98,
            ),
            RequiredMeasure(measure="split_leakage", at_most=0.0),
        ),
        "statistics": _at_least(
            value_completeness=0.95,
            syntactic_accuracy=0.99,
            semantic_consistency=0.99,
            uniqueness=0.99,
            representativeness_overlap=0.9,
            currentness=0.9,
        ),
    }
)
"""Purpose → its usual requirements. Measures that do not apply to a record set are not required of it."""


def required_of(dataset: Dataset) -> tuple[RequiredMeasure, ...]:
    """Return the requirements of the dataset's purpose; those in its description replace the usual ones of that name.

    Raises:
        InputError: ``quality.unknown_measure``, with a suggestion.
    """
    known = {measure.name for measure in QUALITY_MEASURES}
    for one in dataset.required:
        if one.measure not in known:
            raise InputError("quality.unknown_measure", found=one.measure, allowed=offer(one.measure, sorted(known)))
    usual = {one.measure: one for one in DEFAULTS[dataset.purpose]}
    return tuple((usual | {one.measure: one for one in dataset.required}).values())


def grade(dataset: Dataset, measurements: Iterable[QualityMeasurement]) -> QualityGrade:
    """Return the grade of ``dataset``; a measure that applies to no record set is not required."""
    required = {one.measure: one for one in required_of(dataset)}
    judged = [
        _judged(required[one.measure], one)
        for one in measurements
        if one.measure in required and one.state != "not_applicable"
    ]
    measured = [one for one in judged if one.value is not None]
    worst = min(measured, key=_margin, default=None)
    return QualityGrade(
        purpose=dataset.purpose,
        outcome=_outcome(judged),
        worst=worst.measure if worst else None,
        record_set=worst.record_set if worst else None,
        value=worst.value if worst else None,
        measured=len(measured),
        required=len(judged),
        requirements=tuple(judged),
    )


def _judged(required: RequiredMeasure, found: QualityMeasurement) -> QualityRequirement:
    outcome = Outcome.NOT_MEASURED
    if found.value is not None:
        low, high = required.at_least, required.at_most
        held = (low is None or found.value >= low) and (high is None or found.value <= high)
        outcome = Outcome.PASS if held else Outcome.FAIL
    return filled(QualityRequirement, required, found, outcome=outcome)


def _margin(one: QualityRequirement) -> float:
    """Return how far the value is above its requirement; negative if it misses."""
    value = one.value or 0.0
    margins = [value - one.at_least] if one.at_least is not None else []
    margins += [one.at_most - value] if one.at_most is not None else []
    return min(margins, default=float("inf"))


def _outcome(judged: list[QualityRequirement]) -> Outcome:
    found = {one.outcome for one in judged}
    if Outcome.FAIL in found:
        return Outcome.FAIL
    return Outcome.INCONCLUSIVE if Outcome.NOT_MEASURED in found or not judged else Outcome.PASS
