"""Private statistics of closed datasets."""

from __future__ import annotations

from typing import TypeVar

from pilotbase.data.terms.evaluating import budgets
from pilotbase.documents.api.datasets import (
    NewStatistics,
    PriceTold,
    StatisticsAnswer,
    StatisticsPage,
    StatisticsTold,
)
from pilotbase.documents.api.shapes import filled
from pilotbase.documents.texts import Language
from pilotbase.operations import statistics as declared
from pilotbase.operations.datasets import OfDataset, OfDatasetWith
from pilotbase.worker.datasets.samples import fetch_sample
from pilotbase.worker.datasets.statistics import (
    StatisticsRequest,
    asked_of,
    find_asked,
    order_statistics,
    price_of,
)
from pilotbase.worker.operations.binding import Caller, does
from pilotbase.worker.progress import told
from pilotbase.workspace.listings import require_listing

_Told = TypeVar("_Told", bound=StatisticsTold)


does(declared.SAMPLE)(
    lambda caller, asked: fetch_sample(
        caller.base, caller.view, find_asked(caller.view, asked.subject, asked.asked).order.identity
    )
)

does(declared.ASK)(
    lambda caller, asked: _told(
        StatisticsTold, order_statistics(caller.base, caller.view, asked.subject, asked.sent), caller.language
    )
)


@does(declared.LIST)
def list_all(caller: Caller, asked: OfDataset) -> StatisticsPage:
    """Return budgets and questions."""
    subject = require_listing(caller.view, asked.subject).subject
    items = [_told(StatisticsTold, one, caller.language) for one in asked_of(caller.view, subject)]
    return StatisticsPage(budgets=budgets(caller.view, subject), items=items)


@does(declared.PRICE)
def price(caller: Caller, asked: OfDatasetWith[NewStatistics]) -> PriceTold:
    """Return the price of a question."""
    found = price_of(caller.base, caller.view, asked.subject, asked.sent)
    reason = "; ".join(one.render(caller.language) for one in found.decision.reasons) or None
    return filled(PriceTold, found, found.question, permitted=found.decision.permitted, reason=reason)


@does(declared.SHOW)
def show(caller: Caller, asked: declared.OfAnswer) -> StatisticsAnswer:
    """Return a question with its answer."""
    found = find_asked(caller.view, asked.subject, asked.asked)
    return _told(StatisticsAnswer, found, caller.language, document=found.profile, privacy_test=found.test)


def _told(model: type[_Told], asked: StatisticsRequest, reader: Language, **more: object) -> _Told:
    question, sample = asked.order.question, asked.sample
    return filled(
        model,
        asked.order,
        question,
        told(asked.job).spoken(reader),
        organisation=question.by,
        profile=asked.profile.digest() if asked.profile else None,
        sample=sample.name if sample else None,
        **more,
    )
