"""Private statistics of closed data and synthetic samples, ordered on a hub.

The process that takes the order opens nothing. The worker spends first, then opens the kept table under the paid leave;
if it is killed in between it does not pay twice, and what was spent stays spent.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from pilotbase.data.private.profiling import plan, request_of
from pilotbase.data.private.releasing import answer, answered, asked_of_gate, pay, require_answerable
from pilotbase.data.private.synthetic import require_rows
from pilotbase.data.quality.release import least_cell
from pilotbase.data.terms.evaluating import budget_of, budgets
from pilotbase.data.terms.gate import judge, require_permitted
from pilotbase.documents.api.datasets import BudgetTold, NewStatistics
from pilotbase.documents.base import Document
from pilotbase.documents.dataset import Dataset
from pilotbase.documents.errors import RefusedError
from pilotbase.documents.hashes import digest_json, hex_of
from pilotbase.documents.private import LeftOut, PrivacyTest, PrivateProfile, PrivateQuestion
from pilotbase.documents.progress import OnProgress, Progress
from pilotbase.documents.subjects import Subject, name_of
from pilotbase.documents.terms import TermsDecision
from pilotbase.documents.texts import text
from pilotbase.documents.vocabularies import WorkKind
from pilotbase.worker.base import Base
from pilotbase.worker.datasets.kept_tables import ReadTexts, kept_record_set, kept_table, opened_table
from pilotbase.worker.datasets.samples import KeptSample, keep_sample, sample_of, test_of
from pilotbase.workspace.actors import Actor, parties
from pilotbase.workspace.failures import ConflictError, NotFoundError
from pilotbase.workspace.jobs import Job, JobState, enqueue, jobs_under
from pilotbase.workspace.listings import require_listing
from pilotbase.workspace.store import View

_MOST_SHOWN = 200


class StatisticsOrder(Document):
    """A request for private statistics. The asking organisation and the owner see it."""

    document: Literal["statistics-order/1"] = "statistics-order/1"
    question: PrivateQuestion
    rows: int = 0
    """Rows of the synthetic sample; 0: the profile alone."""
    asked_at: datetime

    @property
    def identity(self) -> str:
        """What distinguishes the order: the question and the number of records to make, 64 hex digits."""
        return hex_of(digest_json([self.question.to_json_value(), self.rows]))

    @property
    def head(self) -> str:
        return _head(self.identity)


@dataclass(frozen=True)
class StatisticsRequest:
    """A question, its work, and its result as far as the reader sees it."""

    order: StatisticsOrder
    job: Job
    profile: PrivateProfile | None
    sample: KeptSample | None
    test: PrivacyTest | None


@dataclass(frozen=True)
class QuestionPrice:
    """The price of a question. ``paid``: it was asked before."""

    question: PrivateQuestion
    budget: BudgetTold
    decision: TermsDecision
    paid: bool
    fields: tuple[str, ...]
    left_out: tuple[LeftOut, ...]
    rows_error: int
    field_error: int
    pair_error: int | None

    @property
    def left_after(self) -> int | None:
        """The rest of the budget, in millionths of ε, after paying for the question; None: it has no limit."""
        left = self.budget.left
        return left if left is None or self.paid else left - self.question.epsilon


def order_statistics(base: Base, view: View, dataset: Subject, asked: NewStatistics) -> StatisticsRequest:
    """Queue the answer to a question, and return the request; the same question asked again is the same order.

    Nothing is spent here. A failed order is queued again.

    Raises:
        NotFoundError: no such dataset is seen.
        InputError: as `require_answerable`; its table is not kept, too few or too many rows.
        RefusedError: the terms do not permit it, with every reason.
    """
    described, question = _question(base, view, dataset, asked)
    order = StatisticsOrder(question=question, rows=asked.rows, asked_at=view.store.clock())
    known = _known(view, order.identity)
    if known is None:
        require_permitted(view, asked_of_gate(question))
        try:
            _keep(view, order, described.owner.organisation)
        except ConflictError:
            if _known(view, order.identity) is None:
                raise
    elif jobs_under(view, known.head)[0].state in (JobState.FAILED, JobState.CANCELLED):
        with view.transaction("statistics.ordered") as change:
            change.record("statistics.ordered", [dataset, known.identity])
            enqueue(change, WorkKind.STATISTICS, known.head, {"order": known.digest()})
    return find_asked(view, dataset, order.identity)


def price_of(base: Base, view: View, dataset: Subject, asked: NewStatistics) -> QuestionPrice:
    """Return the price of a question, from the contract and the ledger alone; raises as `order_statistics`."""
    described, question = _question(base, view, dataset, asked)
    planned = plan(described.record_set(question.record_set), question)
    known = _known(view, StatisticsOrder(question=question, rows=asked.rows, asked_at=view.store.clock()).identity)
    own = next((one for one in budgets(view, dataset) if one.organisation == question.by), None)
    return QuestionPrice(
        question=question,
        budget=own or budget_of(question.by),
        decision=judge(view, asked_of_gate(question)) if known is None else TermsDecision(()),
        paid=known is not None,
        fields=tuple(one.field.name for one in planned.grids),
        left_out=planned.left_out,
        rows_error=planned.noise.rows.error,
        field_error=planned.noise.cells.error,
        pair_error=planned.noise.pair.error if planned.pairs else None,
    )


def asked_of(view: View, dataset: Subject) -> list[StatisticsRequest]:
    """Return the questions about a dataset that the actor may see: their own; owner, operator and regulator see all."""
    found = view.find("statistics-order", {"dataset": dataset}, limit=_MOST_SHOWN)
    return [_found(view, stored.load(StatisticsOrder)) for stored in found]


def find_asked(view: View, dataset: Subject, identity: str) -> StatisticsRequest:
    """Return a question that the actor may see; raises `NotFoundError`."""
    order = _known(view, identity)
    if order is None or order.question.dataset != dataset:
        raise NotFoundError("statistics.not_found", dataset=dataset)
    return _found(view, order)


def answer_ordered(base: Base, job: Job, on_progress: OnProgress, read: ReadTexts) -> None:
    """Answer the question of ``job`` for the organisation that ordered it: spent first, then opened, counted and kept.

    Raises:
        InputError, RefusedError: as `order_statistics`.
    """
    order = base.lab.view.load(job.payload["order"], StatisticsOrder)
    taker, question = base.lab.store.as_actor(Actor(job.organisation, frozenset(), job.person)), order.question
    described = base.lab.view.load(question.version, Dataset)
    record_set = described.record_set(question.record_set)
    kept = kept_table(base, described, record_set)
    leave = pay(taker, described, question)
    if not order.rows and answered(taker, question) is not None:
        return
    on_progress(Progress(text("job.progress.statistics")))
    table = opened_table(base, kept, leave, record_set, read)
    profile = answer(taker, described, question, leave, table)
    if order.rows and sample_of(taker, order.identity) is None:
        on_progress(Progress(text("job.progress.sample")))
        keep_sample(base, order.identity, described, profile, (table, order.rows))


def _question(base: Base, view: View, dataset: Subject, asked: NewStatistics) -> tuple[Dataset, PrivateQuestion]:
    listing = require_listing(view, dataset)
    if not view.actor.organisation:
        raise RefusedError("workspace.not_yours", organisation="–", owner=name_of(dataset))
    described = view.load(listing.digest, Dataset)
    record_set = kept_record_set(base, described, asked.record_set)
    if asked.rows:
        require_rows(asked.rows)
    question = PrivateQuestion(
        dataset=dataset,
        version=described.digest(),
        record_set=record_set.name,
        by=view.actor.organisation,
        epsilon=asked.epsilon,
        cell_size=asked.cell_size or least_cell(described),
        at_most=asked.at_most if record_set.group is not None else 1,
        dates=tuple(asked.dates) or None,
        holdout=bool(asked.rows),
        name=asked.name,
    )
    require_answerable(view, described, question)
    return described, question


def _keep(view: View, order: StatisticsOrder, owner: str) -> None:
    with view.transaction("statistics.ordered") as change:
        digest = change.put(order, parties(owner), owner=order.question.by, fields={"dataset": order.question.dataset})
        change.set_head(order.head, digest, expected=None)
        change.record("statistics.ordered", [order.question.dataset, request_of(order.question)])
        enqueue(change, WorkKind.STATISTICS, order.head, {"order": digest})


def _known(view: View, identity: str) -> StatisticsOrder | None:
    return view.load_head(_head(identity), StatisticsOrder)


def _head(identity: str) -> str:
    return f"{WorkKind.STATISTICS}:{identity}"


def _found(view: View, order: StatisticsOrder) -> StatisticsRequest:
    sample = sample_of(view, order.identity) if order.rows else None
    test = test_of(view, order.identity) if order.rows else None
    return StatisticsRequest(order, jobs_under(view, order.head)[0], answered(view, order.question), sample, test)
