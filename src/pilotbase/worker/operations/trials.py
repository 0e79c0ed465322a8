"""Running trials."""

from __future__ import annotations

from pilotbase.catalogue.records import record_of
from pilotbase.documents.api.shapes import filled
from pilotbase.documents.api.trials import EstimateTold, OrderedBundle, QueuedWork
from pilotbase.documents.board import SeenTender, Tender, TenderTerms
from pilotbase.documents.files import File
from pilotbase.documents.subjects import commission_subject, scenario_subject
from pilotbase.operations import trials as declared
from pilotbase.operations.operation import NoInput
from pilotbase.worker.intake.sizes import plan_for
from pilotbase.worker.operations.binding import Caller, does, there
from pilotbase.worker.progress import told, waiting_line
from pilotbase.worker.sample_bundles.orders import fetch_bundle, find_order, order_bundle
from pilotbase.worker.trials import tenders
from pilotbase.worker.trials.boards import board_for
from pilotbase.worker.trials.comparing import compare
from pilotbase.worker.trials.consenting import estimate_told
from pilotbase.worker.trials.hidden_budgets import budget_of_scenario
from pilotbase.workspace.failures import ConflictError

does(declared.BOARD)(lambda caller, asked: board_for(caller.view, scenario_subject(asked.owner, asked.name)))
does(declared.TENDERS)(
    lambda caller, asked: tenders.tenders_of(
        caller.base, caller.view, scenario_subject(asked.owner, asked.name), caller.language
    )
)
does(declared.TENDER)(lambda caller, asked: _tender(caller, tenders.find_tender(caller.view, asked.tender)))
does(declared.ENTER_TENDER)(
    lambda caller, asked: _tender(
        caller, tenders.enter_tender(caller.base, caller.view, asked.tender, asked.application)
    )
)
does(declared.CLOSE_TENDER)(
    lambda caller, asked: _tender(caller, tenders.close_tender(caller.base, caller.view, asked.tender))
)
does(declared.COMPARISON)(
    lambda caller, asked: compare(caller.base, caller.view, scenario_subject(asked.owner, asked.name))
)
does(declared.PLAN_SIZE)(lambda caller, asked: plan_for(caller.base, caller.view, asked))
does(declared.BUDGET)(
    lambda caller, asked: there(budget_of_scenario(caller.base, caller.view, scenario_subject(asked.owner, asked.name)))
)


@does(declared.OPEN_TENDER)
def open_tender(caller: Caller, asked: declared.NewTender) -> SeenTender:
    """Open a tender on the caller's own scenario."""
    subject, terms = scenario_subject(asked.owner, asked.name), filled(TenderTerms, asked)
    return _tender(caller, tenders.open_tender(caller.base, caller.view, subject, terms))


def _tender(caller: Caller, found: Tender) -> SeenTender:
    return tenders.seen_tender(caller.base, caller.view, found, caller.language)


@does(declared.BUNDLE)
def bundle(caller: Caller, asked: declared.OfBundle) -> File | OrderedBundle:
    """Return the bundle that was packed for the caller, or how far the packing is, which this orders."""
    base, view, subject = caller.base, caller.view, commission_subject(asked.name)
    order = find_order(base, view, subject, asked.report)
    if order is not None and order.failed and not asked.again:
        raise ConflictError("bundle.not_packed", reason=order.job.reason or "")
    order = order_bundle(base, view, subject, asked.report)
    if order.packed is not None:
        kept = fetch_bundle(base, view, subject, order.report)
        return File.of(kept.name, kept.archive)
    work = told(order.job)
    return OrderedBundle(report=order.report, state=work.state, position=work.position)


@does(declared.QUEUE)
def queue(caller: Caller, asked: NoInput) -> list[QueuedWork]:
    """Return running and waiting work, in the order in which workers take it."""
    return [
        filled(
            QueuedWork,
            line,
            line.progress.spoken(caller.language),
            work=line.progress.kind,
            percent=line.progress.share,
        )
        for line in waiting_line(caller.view)
    ]


@does(declared.ESTIMATE)
def estimate(caller: Caller, asked: declared.OfTrial) -> EstimateTold:
    """Return the estimated time and cost of a trial."""
    record = record_of(caller.view, commission_subject(asked.name))
    return there(estimate_told(caller.view, record) if record is not None else None)
