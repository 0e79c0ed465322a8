"""Freezing a trial plan: every possible obstacle is reported now; afterwards nothing can change."""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from pilotbase.documents.base import Step, missing_for
from pilotbase.documents.errors import InputError, Issue, RefusedError
from pilotbase.documents.hashes import hex_of
from pilotbase.documents.moments import has_passed
from pilotbase.documents.plan import CarriedEvidence, TrialPlan
from pilotbase.documents.report import BlindFindings
from pilotbase.documents.scenario import Approval, Scenario, TrialTerms
from pilotbase.documents.site import SiteTerms
from pilotbase.documents.texts import text
from pilotbase.sandbox.box.probe import probe_host, require_level
from pilotbase.trial.blind_baselines.judging import judge_blind, require_not_blind
from pilotbase.trial.criteria_check import check_criteria, check_decidable, next_level, why_no_attempt
from pilotbase.trial.design_findings import published_statement
from pilotbase.trial.entering import AccessMode, require_leaving, require_terms
from pilotbase.trial.lab import SOFTWARE, TrialRuntime, name_once
from pilotbase.trial.rehearsing import has_rehearsed
from pilotbase.trial.repeating import planned_criteria
from pilotbase.trial.running import PreparedApplication
from pilotbase.trial.scenario_folder import MANIFEST
from pilotbase.trial.sealed import OpenedScenario, draw_of, left_of, read_public_sample
from pilotbase.trial.standards import freeze_standards
from pilotbase.vault.attempts import Remaining, order_commitment
from pilotbase.vault.opening import OpeningPurpose, ReaderGrant, read_hidden
from pilotbase.vault.sealing import HiddenSet
from pilotbase.workspace.actors import parties

_SETTLED = frozenset({"attempts", "cases"})
"""Terms that the hidden set settles when a plan is frozen."""
_AS_STATED = {"design"} | (TrialPlan.model_fields.keys() & TrialTerms.model_fields.keys()) - _SETTLED
"""Terms of a trial that a plan takes over as the scenario states them."""


@dataclass(frozen=True)
class FreezeOrder:
    """On which terms a plan is frozen; the caller has checked them. Each has its own plan."""

    granted: Sequence[Approval] = ()
    """Approvals filed since the scenario was written; one valid approval of a kind is enough."""
    repeat: str = ""
    """Why the pair is tried again, on fresh cases: an order, an upheld appeal."""
    site: SiteTerms | None = None
    """The base's terms for a run at the data owner's site."""
    carries: CarriedEvidence | None = None
    """The certificate of an earlier version, with which this one is compared."""

    @property
    def name(self) -> str:
        if self.carries is not None:
            return ":".join(filter(None, (self.repeat, hex_of(self.carries.certificates[0]))))
        return self.repeat if self.site is None else self.site.nonce


def freeze_plan(
    lab: TrialRuntime, sealed: OpenedScenario, candidate: PreparedApplication, order: FreezeOrder = FreezeOrder()
) -> TrialPlan:
    """Return the frozen plan for this application version on this scenario version; the same pair has one plan.

    Raises:
        InputError: criteria that can't be measured or that this few cases can never decide, all at once.
        RefusedError: missing approvals, no agreement on the scenario's dataset, an isolation level that the host can't
            provide, no passed rehearsal, no fresh cases, units or attempts left, units that are torn, criteria that a
            blind baseline meets, a supplier who is not admitted.
    """
    head, site = _head(sealed, candidate, order.name), order.site
    known = lab.view.load_head(head, TrialPlan)
    if known is not None:
        return known
    scenario = sealed.scenario
    hidden = lab.view.load(sealed.record.hidden_set, HiddenSet)
    left = left_of(lab, sealed, candidate.reference.supplier.organisation)
    cases = min(scenario.trial.cases_per_attempt or left.fresh, left.fresh)
    _require_possible(scenario, hidden, left, cases)
    draw = draw_of(left, scenario.trial.cases_per_attempt)
    cases, average = (cases, cases) if draw is None else (draw.cases, draw.average)
    criteria = planned_criteria(scenario, len(order.carries.certificates) if order.carries is not None else 0)
    given = sealed.record.classes, read_public_sample(lab, sealed), average, next_level(scenario, left)
    if order.carries is None:
        check_criteria(scenario, *given)
    else:
        check_decidable(scenario.model_copy(update={"criteria": criteria}), *given)
    require_not_blind(_blind(lab, sealed, hidden))
    release = site.release if site is not None else None
    require_ready(lab, sealed, candidate, AccessMode.of_trial(cases, release), order.granted)
    nonce = site.nonce if site is not None else secrets.token_hex(16)
    plan = TrialPlan(
        scenario=sealed.reference,
        application=candidate.reference,
        sealed=sealed.record.digest(),
        contract=sealed.contract,
        positive=scenario.positive,
        decision_threshold=scenario.decision_threshold,
        criteria=criteria,
        cases=cases,
        draw=draw,
        **{name: getattr(scenario.trial, name) for name in _AS_STATED},
        attempts=min(scenario.trial.attempts, hidden.attempts),
        order_commitment=order_commitment(lab.vault, hidden, candidate.reference.digest, nonce),
        nonce=nonce,
        release=release,
        labels=published_statement(lab.view, scenario),
        standards=freeze_standards(lab.view, scenario),
        carries=order.carries,
        frozen_at=lab.store.clock(),
        software=SOFTWARE,
    )
    supplier = plan.application.supplier.organisation
    with lab.view.transaction("trial.plan_frozen") as change:
        fields = {"scenario": scenario.name}
        digest = change.put(plan, parties(supplier), owner=scenario.owner.organisation, fields=fields)
    return lab.view.load(name_once(lab.view, head, digest), TrialPlan)


def _blind(lab: TrialRuntime, sealed: OpenedScenario, hidden: HiddenSet) -> BlindFindings | None:
    """Return the blind baselines found at sealing; for data sealed before these existed, open the hidden set."""
    if sealed.record.blind is not None:
        return sealed.record.blind
    grant = ReaderGrant.of_owner(hidden.owner, OpeningPurpose.PROFILE)
    rows = read_hidden(lab.vault, hidden, grant)
    return judge_blind(sealed.scenario, sealed.record.classes, read_public_sample(lab, sealed), rows)


def _require_possible(scenario: Scenario, hidden: HiddenSet, left: Remaining, cases: int) -> None:
    """Check that the hidden data allow an attempt of ``cases``, and that the scenario is complete for one."""
    wanted = max(scenario.trial.cases_per_attempt or 1, scenario.trial.cases or 1)
    if left.units is None and cases < wanted:
        raise RefusedError("trial.hidden_set_used_up", wanted=wanted, left=left.fresh)
    if (refused := why_no_attempt(scenario, hidden, left)) is not None:
        raise refused
    lacking = missing_for(scenario, Step.FREEZE)
    if lacking:
        problem = text("input.missing_for_step", step=text("step.freeze"))
        issues = [Issue(file=MANIFEST, path=path, problem=problem) for path in lacking]
        raise InputError.from_issues(MANIFEST, issues)


def require_ready(
    lab: TrialRuntime,
    sealed: OpenedScenario,
    candidate: PreparedApplication,
    mode: AccessMode,
    granted: Sequence[Approval],
) -> None:
    """Check that approvals, the data's terms, this host and a passed rehearsal permit a trial, or a submission.

    ``granted``: approvals that are filed elsewhere than in the scenario. Raises `RefusedError`.
    """
    require_approvals(sealed.scenario, lab.store.clock(), granted)
    require_terms(lab.view, sealed.scenario, candidate.reference.supplier.organisation, mode)
    require_leaving(lab.view, sealed.scenario, candidate.submission.application, mode.rows)
    require_level(sealed.scenario.trial.isolation, probe_host())
    if not has_rehearsed(lab, sealed, candidate):
        raise RefusedError("trial.not_rehearsed", application=candidate.reference.name)


def require_approvals(scenario: Scenario, now: datetime, granted: Sequence[Approval]) -> None:
    """Return if every approval was granted and holds ``now``; raises `RefusedError`: no hidden case leaves before."""
    for needed in scenario.trial.approvals:
        known = [one for one in (needed, *granted) if one.kind == needed.kind and one.reference]
        if not known:
            raise RefusedError("trial.approval_missing", kind=needed.kind)
        if all(one.until is not None and has_passed(one.until, now) for one in known):
            raise RefusedError("trial.approval_expired", kind=needed.kind, until=known[-1].until)


def _head(sealed: OpenedScenario, candidate: PreparedApplication, repeat: str) -> str:
    parts = (sealed.record.digest(), candidate.reference.digest, candidate.reference.environment)
    return "plan:" + ":".join(hex_of(part)[:40] for part in parts) + (f":{repeat}" if repeat else "")
