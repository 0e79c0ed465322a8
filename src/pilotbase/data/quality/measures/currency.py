"""Whether records are young enough, came soon enough, and are in order: by declared times, never by the clock."""

from __future__ import annotations

from itertools import pairwise

import polars as pl

from pilotbase.data.quality.checks import CheckCount
from pilotbase.data.quality.columns import TableColumn
from pilotbase.data.quality.definition import (
    QualityContext,
    QualityRequest,
    measure,
    not_applicable,
    not_measured,
    share,
)

_DAY, _HOUR = 86_400, 3600


@measure("records with (declared moment - time) ≤ A / records with a time", iso="Cur-ML-1", tc609="0303", gbt="0501")
def currentness(asked: QualityContext) -> QualityRequest:
    """Return how many of the records with a time are within the age limit at the declared moment."""
    currency = asked.reference.currency
    if currency is None:
        raise not_measured("quality.reason.no_as_of")
    time = _time(asked, currency.time or asked.table.record_set.time or "")
    if time is None:
        raise not_applicable("quality.reason.no_time")
    age = currency.as_of.timestamp() - time.seconds
    return _share_of("current", time.value.is_not_null(), age <= currency.days * _DAY)


@measure("records with (available - event) ≤ L / records with both", iso="Tml-ML-1", tc609="0303", gbt="0502")
def timeliness(asked: QualityContext) -> QualityRequest:
    """Return how many of the records with both times came soon enough."""
    delay = asked.reference.delay
    if delay is None:
        raise not_measured("quality.reason.no_delay")
    event, available = _time(asked, delay.event), _time(asked, delay.available)
    if event is None or available is None:
        raise not_applicable("quality.reason.no_time")
    waited = available.seconds - event.seconds
    return _share_of("timely", waited.is_not_null(), waited <= delay.hours * _HOUR)


@measure("records with t1 ≤ t2 ≤ … / records with all of them", gbt="0503")
def order(asked: QualityContext) -> QualityRequest:
    """Return how many of the records with all declared times have them in order."""
    times = [column for name in asked.reference.order if (column := _time(asked, name)) is not None]
    if len(asked.reference.order) < 2:
        raise not_measured("quality.reason.no_order")
    if len(times) < len(asked.reference.order):
        raise not_applicable("quality.reason.no_time")
    there = pl.all_horizontal(column.value.is_not_null() for column in times)
    in_order = pl.all_horizontal(one.seconds <= other.seconds for one, other in pairwise(times))
    return _share_of("in order", there, in_order)


def _time(asked: QualityContext, name: str) -> TableColumn | None:
    column = asked.table.columns.get(name)
    return column if column is not None and column.is_time else None


def _share_of(name: str, judged: pl.Expr, holds: pl.Expr) -> QualityRequest:
    counts = CheckCount(f"{name} judged", judged.sum()), CheckCount(name, (judged & holds).sum())
    return QualityRequest(lambda answers: share(answers.count(counts[1]), answers.count(counts[0])), counts)
