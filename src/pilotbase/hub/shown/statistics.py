"""Private statistics as pages and API tell them."""

from __future__ import annotations

from decimal import Decimal

from pilotbase.charts import Bin, RankedBar, histogram_chart, ranked_chart, spell_number
from pilotbase.data.terms.budgets import Budget
from pilotbase.documents.api.statistics import BudgetTold, PriceTold, StatisticsAnswer, StatisticsTold
from pilotbase.documents.private import PrivateField, PrivateProfile
from pilotbase.documents.terms import MILLIONTHS
from pilotbase.documents.texts import Text, text
from pilotbase.hub.acting import language
from pilotbase.worker.datasets.statistics import Asked, Price
from pilotbase.worker.progress import told as told_of

_TENTHS = 10


def budget_told(budget: Budget) -> BudgetTold:
    """Return a budget as the API tells it."""
    return BudgetTold(organisation=budget.organisation, spent=budget.spent, limit=budget.limit, left=budget.left)


def price_told(price: Price) -> PriceTold:
    """Return a price as the API tells it."""
    reasons = [one.render(language()) for one in price.decision.reasons]
    return PriceTold(
        record_set=price.question.record_set,
        epsilon=price.question.epsilon,
        cell_size=price.question.cell_size,
        budget=budget_told(price.budget),
        left_after=left_after(price),
        paid=price.paid,
        permitted=price.decision.permitted,
        reason="; ".join(reasons) or None,
        fields=list(price.fields),
        left_out=list(price.left_out),
        rows_error=price.rows_error,
        field_error=price.field_error,
        pair_error=price.pair_error,
    )


def left_after(price: Price) -> int | None:
    """Return what a budget has left, in millionths of ε, once a question is paid for; None: it has no limit."""
    left = price.budget.left
    return left if left is None or price.paid else left - price.question.epsilon


def asked_told(asked: Asked) -> StatisticsTold:
    """Return a question as the API tells it."""
    return StatisticsTold.model_validate(_told(asked))


def answer_told(asked: Asked) -> StatisticsAnswer:
    """Return a question with its answer as the API tells it."""
    return StatisticsAnswer.model_validate({**_told(asked), "document": asked.profile, "privacy_test": asked.test})


def decimal(millionths: int) -> str:
    """Return ε as people write it: 0.5 of 500000."""
    return f"{Decimal(millionths) / MILLIONTHS:f}"


def bar_of(budget: Budget) -> dict[str, object]:
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
        "mean": None if mean is None else spell_number(mean.value or 0.0),
        "mean_error": None if mean is None else spell_number(mean.error or 0.0),
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


def _told(asked: Asked) -> dict[str, object]:
    question, work = asked.order.question, told_of(asked.job)
    return {
        "identity": asked.order.identity,
        "dataset": question.dataset,
        "record_set": question.record_set,
        "organisation": question.by,
        "epsilon": question.epsilon,
        "cell_size": question.cell_size,
        "rows": asked.order.rows,
        "asked_at": asked.order.asked_at,
        "state": work.state,
        "reason": work.reason.render(language()) if work.reason else None,
        "profile": asked.profile.digest() if asked.profile else None,
        "sample": asked.sample.name if asked.sample else None,
        "tested": asked.sample is not None,
    }
