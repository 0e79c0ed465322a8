"""Opening: everything in the plan is found, the gate admits the trial, and nothing leaks. Nothing is spent."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from pilotbase.data.leakage import Leakage, check_leakage
from pilotbase.documents.errors import RefusedError
from pilotbase.documents.plan import TrialPlan
from pilotbase.documents.progress import OnProgress, Progress
from pilotbase.documents.terms import AccessGrant
from pilotbase.documents.texts import text
from pilotbase.documents.vocabularies import Outcome
from pilotbase.sandbox.box.settings import LogPolicy
from pilotbase.trial.entering import AccessMode, enter
from pilotbase.trial.estimating import SpendingLimit
from pilotbase.trial.lab import TrialRuntime
from pilotbase.trial.running import BoxTerms, PreparedApplication, planned_candidate
from pilotbase.trial.sealed import OpenedScenario, load_sealed, read_public_sample
from pilotbase.vault.hidden import HiddenSet
from pilotbase.vault.opening import OpeningPurpose, ReaderGrant, read_hidden


@dataclass(frozen=True)
class TrialContext:
    """Everything about one trial that is fixed before it runs."""

    lab: TrialRuntime
    plan: TrialPlan
    sealed: OpenedScenario
    candidate: PreparedApplication
    hidden: HiddenSet
    limit: SpendingLimit
    """The limit above which the run is held until there is consent."""
    on_progress: OnProgress
    began: datetime

    @property
    def terms(self) -> BoxTerms:
        """Return the terms of its boxes, whose output is withheld."""
        plan, leaves = self.plan, self.candidate.endpoint is not None
        return BoxTerms(plan.contract, plan.limits, plan.isolation, plan.batch_rows, LogPolicy.WITHHELD, leaves)


@dataclass(frozen=True)
class OpenedTrial:
    """A trial that can run, with the leave to open its hidden cases and the result of the leakage check."""

    trial: TrialContext
    leave: AccessGrant
    leakage: Leakage


def open_trial(lab: TrialRuntime, plan: TrialPlan, limit: SpendingLimit, on_progress: OnProgress) -> OpenedTrial:
    """Return a trial that can run, with its permission counted once.

    Raises:
        InvalidProofError: hidden data, application or environment differ from the plan.
        RefusedError: no agreement permits it, or the data leak.
    """
    began = lab.store.clock()
    candidate = planned_candidate(lab, plan.application, plan.digest())
    sealed, hidden = load_sealed(lab.view, plan.sealed), lab.view.load(plan.scenario.hidden_set, HiddenSet)
    trial = TrialContext(lab, plan, sealed, candidate, hidden, limit, on_progress, began)
    supplier, mode = plan.application.supplier.organisation, AccessMode.of_trial(plan.cases, plan.release)
    leave = enter(lab.view, sealed.scenario, supplier, plan.digest(), mode)
    return OpenedTrial(trial, leave, _leakage(trial, leave))


def _leakage(trial: TrialContext, leave: AccessGrant) -> Leakage:
    """Return the leakage check; leaking hidden data prove nothing, so they cost no attempt."""
    trial.on_progress(Progress(text("trial.progress.leakage")))
    hidden = read_hidden(trial.lab.vault, trial.hidden, ReaderGrant(OpeningPurpose.LEAKAGE, leave))
    leakage = check_leakage(read_public_sample(trial.lab, trial.sealed), hidden, trial.sealed.scenario)
    failed = [check.sentence for check in leakage.checks if check.outcome is Outcome.FAIL]
    if failed:
        raise RefusedError("trial.leakage", problem=failed[0])
    return leakage
