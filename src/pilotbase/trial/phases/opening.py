"""Opening: everything in the plan is found, the gate admits the trial, and nothing leaks. Nothing is spent.

Leakage depends on the sealed version alone, so its check is computed once and kept, encrypted under the owner's key.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Literal

import pydantic

from pilotbase.data.leakage import Leakage, check_leakage
from pilotbase.documents.base import Document
from pilotbase.documents.errors import InvalidProofError, RefusedError
from pilotbase.documents.hashes import Digest, hex_of
from pilotbase.documents.plan import TrialPlan
from pilotbase.documents.progress import OnProgress, Progress
from pilotbase.documents.terms import AccessGrant
from pilotbase.documents.texts import text
from pilotbase.documents.vocabularies import Outcome
from pilotbase.sandbox.box.settings import LogPolicy
from pilotbase.trial.entering import AccessMode, enter
from pilotbase.trial.estimating import SpendingLimit
from pilotbase.trial.lab import SOFTWARE, TrialRuntime
from pilotbase.trial.running import BoxTerms, PreparedApplication, planned_candidate
from pilotbase.trial.sealed import OpenedScenario, load_sealed, read_public_sample
from pilotbase.vault.envelopes import open_envelope, seal_envelope
from pilotbase.vault.opening import OpeningPurpose, ReaderGrant, read_hidden
from pilotbase.vault.sealing import HiddenSet
from pilotbase.workspace.actors import BASE
from pilotbase.workspace.failures import NotFoundError

_FINDINGS = pydantic.TypeAdapter(tuple[Digest, str, Leakage])
"""Of which sealed version, by which program, and what it found: this is encrypted, so no other findings pass for it."""


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
        door, withheld = self.sealed.scenario.door, LogPolicy.WITHHELD
        return BoxTerms(plan.contract, plan.limits, plan.isolation, plan.batch_rows, withheld, leaves, door)


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


class LeakageRecord(Document):
    """Where the leakage check of a sealed version is kept, encrypted. Only the base sees it."""

    document: Literal["leakage/1"] = "leakage/1"
    sealed: Digest
    blob: Digest


def _leakage(trial: TrialContext, leave: AccessGrant) -> Leakage:
    """Return the leakage check; leaking hidden data prove nothing, so they cost no attempt."""
    trial.on_progress(Progress(text("trial.progress.leakage")))
    grant = ReaderGrant(OpeningPurpose.LEAKAGE, leave)
    leakage = _kept(trial, grant) or _computed(trial, grant)
    failed = [check.sentence for check in leakage.checks if check.outcome is Outcome.FAIL]
    if failed:
        raise RefusedError("trial.leakage", problem=failed[0])
    return leakage


def _kept(trial: TrialContext, grant: ReaderGrant) -> Leakage | None:
    """Return the check that this program has made of this sealed version before; None: there is no sound one."""
    known = trial.lab.view.load_head(_head(trial), LeakageRecord)
    if known is None:
        return None
    try:
        plain = open_envelope(trial.lab.vault, trial.hidden.owner, trial.hidden.digest(), known.blob, grant)
        sealed, software, leakage = _FINDINGS.validate_json(plain)
    except (InvalidProofError, NotFoundError, ValueError):
        return None
    return leakage if (sealed, software) == (trial.plan.sealed, SOFTWARE) else None


def _computed(trial: TrialContext, grant: ReaderGrant) -> Leakage:
    lab, hidden, sealed = trial.lab, trial.hidden, trial.plan.sealed
    rows = read_hidden(lab.vault, hidden, grant)
    leakage = check_leakage(read_public_sample(lab, trial.sealed), rows, trial.sealed.scenario)
    plain = _FINDINGS.dump_json((sealed, SOFTWARE, leakage))
    record = LeakageRecord(sealed=sealed, blob=seal_envelope(lab.vault, hidden.owner, hidden.digest(), plain))
    with lab.view.transaction("trial.leakage_checked") as change:
        change.let_stand(_head(trial), change.put(record, BASE, owner=hidden.owner))
    return leakage


def _head(trial: TrialContext) -> str:
    return f"leakage:{hex_of(trial.plan.sealed)}"
