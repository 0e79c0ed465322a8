"""Private statistics as pages tell them."""

from __future__ import annotations

from decimal import Decimal

from pilotbase.charts import Bin, RankedBar, format_number, histogram_chart, ranked_chart
from pilotbase.data.terms.budgets import PrivacyBudget
from pilotbase.documents.private import PrivateField, PrivateProfile
from pilotbase.documents.terms import MILLIONTHS
from pilotbase.documents.texts import Text, text

_TENTHS = 10


def decimal(millionths: int) -> str:
    """Return ε as people write it: 0.5 of 500000."""
    return f"{Decimal(millionths) / MILLIONTHS:f}"


def bar_of(budget: PrivacyBudget) -> dict[str, object]:
    """Return what a page shows of a budget: whose, spent, left, whether any is set, its spent tenths, rounded up."""
    limit = budget.limit or 0
    tenths = -(-_TENTHS * budget.spent // limit) if limit else (_TENTHS if budget.spent else 0)
    return {
        "organisation": budget.organisation,
        "spent": decimal(budget.spent),
        "limit": None if budget.limit is None else decimal(budget.limit),
        "left": None if budget.left is None else decimal(budget.left),
        "set": budget.limit != 0,
        "tenths": 0 if budget.limit is None else min(tenths, _TENTHS),
    }


def charts_of(profile: PrivateProfile) -> list[dict[str, object]]:
    """Return of each field its chart and what is told beside it: its error, what lies outside, what is missing."""
    return [_chart(profile, one) for one in profile.fields]


def _chart(profile: PrivateProfile, field: PrivateField) -> dict[str, object]:
    least = profile.question.cell_size
    if field.cells and field.cells[0].value is not None:
        bars = [RankedBar(cell.value or "", cell.count or 0, _spelled(cell.count, least)) for cell in field.cells]
        svg = ranked_chart(bars, field.field)
    else:
        bins = [Bin(cell.low or 0.0, cell.high or 0.0, cell.count) for cell in field.cells]
        svg = histogram_chart(bins, field.field)
    mean = field.mean if field.mean is not None and field.mean.value is not None else None
    return {
        "name": field.field,
        "svg": svg,
        "error": field.noise.error,
        "epsilon": decimal(field.noise.epsilon),
        "outside": _spelled(field.outside, least),
        "missing": _spelled(field.missing, least),
        "mean": None if mean is None else format_number(mean.value or 0.0),
        "mean_error": None if mean is None else format_number(mean.error or 0.0),
    }


def unit_of(profile: PrivateProfile) -> Text:
    """Return whom the noise protects."""
    unit = profile.unit
    return text(f"private.unit.{unit.kind}", column=unit.column, at_most=unit.at_most)


def rows_of(profile: PrivateProfile) -> str:
    """Return the number of rows as it is told."""
    return _spelled(profile.rows, profile.question.cell_size)


def _spelled(count: int | None, least: int) -> str:
    return f"<{least}" if count is None else f"{count:,}"
