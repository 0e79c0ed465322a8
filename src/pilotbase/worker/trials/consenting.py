"""What a trial costs: its estimate as far as each party may know it, and consent above a limit.

On the command line the base's own operator decides. On a hub, a trial on hold is marked by a step of its own
(`Act.TRIAL_HOLD`), with figures that its supplier may know too; the payer consents by a step, or refuses by one.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from pilotbase.catalogue.advancing import Move, advance
from pilotbase.catalogue.records import load_record
from pilotbase.documents.api.shapes import filled
from pilotbase.documents.api.trials import EstimateTold
from pilotbase.documents.errors import RefusedError
from pilotbase.documents.estimate import (
    DEFAULT,
    Ceiling,
    ConsentAsked,
    Payer,
    RunEstimate,
    Span,
    estimate_head,
    format_price,
    format_time,
    read_ceiling,
)
from pilotbase.documents.permissions import Act
from pilotbase.documents.plan import TrialPlan
from pilotbase.documents.progress import OnProgress
from pilotbase.documents.quantities import format_digits
from pilotbase.documents.record import Commission, Record, StepTaken
from pilotbase.documents.report import Report
from pilotbase.documents.states import CommissionState
from pilotbase.documents.texts import text
from pilotbase.documents.vocabularies import Role
from pilotbase.trial.estimating import CODE, SpendingLimit, estimate_of, note_consent
from pilotbase.trial.lab import TrialRuntime
from pilotbase.trial.phases.panel import WAITING
from pilotbase.trial.scorer import report_of
from pilotbase.trial.scorer_process import run_trial
from pilotbase.vault.attempts import attempts_of, cancel_attempt
from pilotbase.vault.sealing import HiddenSet
from pilotbase.worker.base import Base
from pilotbase.worker.providers import payer
from pilotbase.workspace.store import View

_ABOVE = "PILOTBASE_ASK_ABOVE"
"""Setting: the limit above which consent is required; `DEFAULT` if it is not set."""
_PRICES = "PILOTBASE_TRIAL_PRICES"
"""Setting: the pool whose prices are used for trials; else the first that seats trials and has prices."""
Runner = Callable[[TrialRuntime, TrialPlan, OnProgress], Report]
_ROLES: Mapping[Payer, Role] = {
    "supplier": Role.SUPPLIER,
    "demand_owner": Role.DEMAND_OWNER,
    "base": Role.OPERATOR,
}


@dataclass(frozen=True)
class ShownEstimate:
    """An estimate in words; "" for withheld parts."""

    told: EstimateTold
    time: str
    cost: str
    core_seconds: str
    memory_seconds: str
    share: int
    payer: Role | None
    """Who has to decide."""


def ceiling_of(above: list[str] | None = None) -> Ceiling:
    """Return the limit above which consent is required: given, else set, else the default; raises `InputError`."""
    return read_ceiling(above or [os.environ.get(_ABOVE) or DEFAULT])


def asking_of(view: View, above: list[str] | None = None, pool: str = "", tells: bool = False) -> SpendingLimit:
    """Return the spending limit: with the given ceiling, else the set one, else the default.

    Raises:
        InputError: the limit is invalid.
        NotFoundError: the pool has no price list.
    """
    prices = payer().prices(view, pool or os.environ.get(_PRICES, ""))
    return SpendingLimit(ceiling=ceiling_of(above), prices=prices, tells=tells)


def runner(asking: SpendingLimit, consented: bool) -> Runner:
    """Return a function that runs a plan as `run_trial` does, held above the limit unless somebody ``consented``."""

    def run(lab: TrialRuntime, plan: TrialPlan, on_progress: OnProgress) -> Report:
        if consented and report_of(lab, plan) is None:
            note_consent(lab, plan.digest(), lab.actor.organisation)
        return run_trial(lab, plan, on_progress, asking)

    return run


def run_unless_held(base: Base, record: Record, plan: TrialPlan, on_progress: OnProgress) -> Report | None:
    """Run the plan of a commission; if it is held, or waits for experts, note that on its record and return None."""
    given = _consent_in(record)
    if given is not None:
        note_consent(base.lab, plan.digest(), given.organisation, given.person)
    try:
        return run_trial(base.lab, plan, on_progress, asking_of(base.lab.view))
    except RefusedError as error:
        if error.code not in (CODE, WAITING):
            raise
        if error.code == WAITING:
            if load_record(base.lab.view, record.subject)[0].state == CommissionState.RUNNING:
                advance(base.lab.view, record.subject, Act.TRIAL_JUDGE, Move(reason=text("trial.panel_judging")))
            return None
    _hold(base, record, plan)
    return None


def end_refused(base: Base, subject: str) -> None:
    """End the attempt of a commission whose payer has refused: it counts, and has no verdict. Again: no change."""
    view = base.lab.view
    record = load_record(view, subject)[0]
    if record.state != CommissionState.CANCELLED or "plan" not in record.documents:
        return
    plan = view.load(record.documents["plan"], TrialPlan)
    hidden = view.load(plan.scenario.hidden_set, HiddenSet)
    for attempt in attempts_of(base.lab.vault, hidden):
        if attempt.plan == plan.digest():
            cancel_attempt(base.lab.vault, attempt)


def _hold(base: Base, record: Record, plan: TrialPlan) -> None:
    found, view = estimate_of(base.lab, plan.digest()), base.lab.view
    assert found is not None
    price = view.load(record.documents["commission"], Commission).price
    asked = ConsentAsked(estimate=found.coarse(), payer=price.paid_by)
    if load_record(view, record.subject)[0].state == CommissionState.RUNNING:
        advance(view, record.subject, Act.TRIAL_HOLD, Move(asked, reason=text("estimate.held")))


def _consent_in(record: Record) -> StepTaken | None:
    """Return the step that records the payer's consent to the present frozen plan."""
    for step in reversed(record.history):
        if step.act is Act.CONSENT_GIVE:
            return step
        if step.act is Act.PLAN_FROZEN:
            return None
    return None


def seen_estimate(view: View, record: Record) -> RunEstimate | None:
    """Return the estimate of a commission's run, as finely as the actor may know it; None: nothing is known.

    Its demand owner, the operator and the regulator see two digits; everybody else sees steps, and only while it is
    held.
    """
    plan = record.documents.get("plan")
    if plan is None:
        return None
    digest = record.documents.get("consent")
    found = _fine(view, plan)
    if found is None and digest is not None:
        asked = view.get(digest)
        return None if asked is None else asked.load(ConsentAsked).estimate
    return found


def _fine(view: View, plan: str) -> RunEstimate | None:
    digest = view.head(estimate_head(plan))
    stored = view.get(digest) if digest is not None else None
    return None if stored is None else stored.load(RunEstimate)


def estimate_told(view: View, record: Record) -> EstimateTold | None:
    """Return the estimate of a record's trial until it has its report; None: nothing is known or shown."""
    found = None if "report" in record.documents else seen_estimate(view, record)
    return None if found is None else _told(found, record)


def estimate_shown(view: View, record: Record) -> ShownEstimate | None:
    """Return the same in words."""
    found = None if "report" in record.documents else seen_estimate(view, record)
    if found is None:
        return None
    told = _told(found, record)
    return ShownEstimate(
        told=told,
        time=format_time(found.wall),
        cost=format_price(found.money, found.currency) if found.money is not None else "",
        core_seconds=_plain(found.cpu),
        memory_seconds=_plain(found.memory),
        share=round(100 * found.confidence),
        payer=_ROLES[record.payer] if told.held and record.payer is not None else None,
    )


def _told(found: RunEstimate, record: Record) -> EstimateTold:
    held = record.state == CommissionState.CONSENT
    return filled(
        EstimateTold,
        found,
        held=held,
        payer=record.payer if held else None,
        limit=found.ceiling.spelled(),
        coarse=found.wall.expected is None,
        seconds=found.wall,
        core_seconds=found.cpu,
        mib_seconds=found.memory,
    )


def _plain(found: Span | None) -> str:
    if found is None or found.expected is None:
        return ""
    return f"{format_digits(found.expected)} ({format_digits(found.low)} – {format_digits(found.high)})"
