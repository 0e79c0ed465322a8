"""Private statistics of closed datasets."""

from __future__ import annotations

from pilotbase.data.terms.budgets import budgets
from pilotbase.documents.api.statistics import (
    PriceTold,
    StatisticsAnswer,
    StatisticsPage,
    StatisticsTold,
)
from pilotbase.documents.files import File
from pilotbase.documents.texts import Language
from pilotbase.operations import statistics as declared
from pilotbase.operations.datasets import OfDataset
from pilotbase.worker.bound.binding import Caller, does
from pilotbase.worker.datasets.statistics import (
    StatisticsRequest,
    asked_of,
    fetch_sample,
    find_asked,
    order_statistics,
    price_of,
)
from pilotbase.worker.progress import told
from pilotbase.workspace.listings import require_listing


@does(declared.LIST)
def list_all(caller: Caller, asked: OfDataset) -> StatisticsPage:
    """Return budgets and questions."""
    subject = require_listing(caller.view, asked.subject).subject
    items = [StatisticsTold.model_validate(_told(one, caller.language)) for one in asked_of(caller.view, subject)]
    return StatisticsPage(budgets=budgets(caller.view, subject), items=items)


@does(declared.PRICE)
def price(caller: Caller, asked: declared.StatisticsWanted) -> PriceTold:
    """Return the price of a question."""
    found = price_of(caller.base, caller.view, asked.subject, asked.question)
    return PriceTold(
        record_set=found.question.record_set,
        epsilon=found.question.epsilon,
        cell_size=found.question.cell_size,
        budget=found.budget,
        left_after=found.left_after,
        paid=found.paid,
        permitted=found.decision.permitted,
        reason="; ".join(one.render(caller.language) for one in found.decision.reasons) or None,
        fields=list(found.fields),
        left_out=list(found.left_out),
        rows_error=found.rows_error,
        field_error=found.field_error,
        pair_error=found.pair_error,
    )


@does(declared.ASK)
def ask(caller: Caller, asked: declared.StatisticsWanted) -> StatisticsTold:
    """Order a profile or a synthetic sample."""
    found = order_statistics(caller.base, caller.view, asked.subject, asked.question)
    return StatisticsTold.model_validate(_told(found, caller.language))


@does(declared.SHOW)
def show(caller: Caller, asked: declared.OfAnswer) -> StatisticsAnswer:
    """Return a question with its answer."""
    found = find_asked(caller.view, asked.subject, asked.asked)
    answer = {"document": found.profile, "privacy_test": found.test}
    return StatisticsAnswer.model_validate({**_told(found, caller.language), **answer})


@does(declared.SAMPLE)
def sample(caller: Caller, asked: declared.OfAnswer) -> File:
    """Return the archive of a synthetic sample."""
    found = find_asked(caller.view, asked.subject, asked.asked)
    return fetch_sample(caller.base, caller.view, found.order.identity)


def _told(asked: StatisticsRequest, reader: Language) -> dict[str, object]:
    question, work = asked.order.question, told(asked.job)
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
        "reason": work.reason.render(reader) if work.reason else None,
        "profile": asked.profile.digest() if asked.profile else None,
        "sample": asked.sample.name if asked.sample else None,
        "tested": asked.sample is not None,
    }
