"""What must hold for a step, one function a need; each returns, or raises an error that says what is missing."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping

from pilotbase.catalogue.effects import Situation
from pilotbase.catalogue.records import are_tied, operators, record_of, tied_to, ties
from pilotbase.catalogue.subjects import is_revoked, require_subject
from pilotbase.documents.agreement import Agreement
from pilotbase.documents.base import Step, missing_for
from pilotbase.documents.certificate import Acceptance, Certificate
from pilotbase.documents.dataset import Dataset
from pilotbase.documents.errors import BarredError, InputError, InvalidProofError, Issue
from pilotbase.documents.lifecycles import Precondition
from pilotbase.documents.moments import format_day, has_passed
from pilotbase.documents.permissions import Act
from pilotbase.documents.plan import CaseProspect, TrialPlan
from pilotbase.documents.publication import Lack, given_away, missing
from pilotbase.documents.record import (
    AppealDecision,
    ApprovalState,
    Commission,
    JoinedDemand,
    Order,
    OrderLifting,
    PlanProposal,
    Record,
    Result,
)
from pilotbase.documents.report import Report
from pilotbase.documents.scenario import Criterion, Scenario
from pilotbase.documents.states import NEW, ApplicationState, DatasetState, DemandState, ScenarioState
from pilotbase.documents.subjects import Organisation, name_of, verdicts_head
from pilotbase.documents.terms import unmet
from pilotbase.documents.texts import text
from pilotbase.documents.vocabularies import Verdict
from pilotbase.workspace.jobs import jobs_of

_ISSUED = "issued-certificate"
_FIXED_IN_COMMISSION = ("scenario", "application", "scenario_version", "application_version")

OF_WHAT_IS_BROUGHT = frozenset(
    {
        Precondition.SAME_ORGANISATION,
        Precondition.SAME_SUBJECT,
        Precondition.REASONS_HOLD,
        Precondition.PROVES_SOMETHING,
        Precondition.OWN_DEMAND,
        Precondition.OPEN_DEMAND,
        Precondition.APPROVED_PLAN,
        Precondition.OWN_REPORT,
        Precondition.OWN_OPINION,
        Precondition.OWN_CERTIFICATE,
        Precondition.DEADLINE_AHEAD,
        Precondition.LATER_VERSION,
        Precondition.PUBLISHED_OFFER,
        Precondition.PURPOSES_OFFERED,
        Precondition.NOT_REVOKED,
    }
)
"""Needs that cannot be judged before something is handed in."""


def require(need: Precondition, at: Situation) -> None:
    """Return if ``need`` holds; raises the error that says what is missing."""
    _CHECKS[need](at)


def _same_organisation(at: Situation) -> None:
    _same_subject(at)
    kept, new = at.document("organisation", Organisation), at.brought(Organisation)
    if set(kept.roles) != set(new.roles):
        raise BarredError("record.roles_fixed", organisation=new.name)


def _same_subject(at: Situation) -> None:
    brought = at.move.brings
    if isinstance(brought, Commission):
        kept = at.document("commission", Commission)
        same = all(getattr(kept, name) == getattr(brought, name) for name in _FIXED_IN_COMMISSION)
    elif isinstance(brought, PlanProposal):
        same = (brought.commission, brought.scenario_version, brought.folder) == (
            at.record.subject,
            at.record.documents["scenario"],
            at.record.documents["folder"],
        ) and brought.criteria == tuple(criterion.rule for criterion in at.document("scenario", Scenario).criteria)
    else:
        require_subject(brought, at.record.subject)
        return
    if not same:
        raise InputError("record.other_subject", subject=at.record.subject)


def _reasons_hold(at: Situation) -> None:
    changed = _outdated_reasons(at.document("scenario", Scenario), at.brought(Scenario))
    if changed and not at.move.why_holds:
        problem = text("record.why_outdated", rules=", ".join(criterion.rule for criterion in changed))
        raise InputError.at("scenario.yaml", "why_holds", problem)


def _own_demand(at: Situation) -> None:
    demand = at.brought(Scenario).demand
    record = record_of(at.base, demand) if demand is not None else None
    if demand is None or (record is not None and record.subjects.get("scenario") == at.record.subject):
        return
    if record is None or record.demand_owner != at.record.demand_owner:
        raise InputError("demand.not_yours", subject=demand)
    if record.state != DemandState.OPEN:
        raise BarredError("demand.not_open", subject=demand)


def _open_demand(at: Situation) -> None:
    demand = at.brought(JoinedDemand).demand
    record = record_of(at.base, demand)
    if record is None or record.kind not in ("demand", "scenario") or record.state != "open":
        raise BarredError("demand.not_joinable", subject=demand)
    if record.demand_owner == at.record.demand_owner:
        raise InputError("demand.joins_own", subject=demand)


def _complete_scenario(at: Situation) -> None:
    lacking = missing_for(at.document("scenario", Scenario), Step.FREEZE)
    if lacking:
        problem = text("input.missing_for_step", step=text("step.freeze"))
        raise InputError.from_issues(
            at.record.subject, [Issue(file=at.record.subject, path=path, problem=problem) for path in lacking]
        )


def _proves_something(at: Situation) -> None:
    found = at.base.every(CaseProspect, {"scenario": at.record.documents["scenario"]})
    if found and found[0].against and not at.move.although:
        raise BarredError("record.proves_nothing", why=found[0].against[0])


def _open_scenario(at: Situation) -> None:
    subject = at.record.subjects.get("scenario", "–")
    record = record_of(at.base, subject)
    wanted = at.record.documents.get("scenario")
    if record is None or record.state != ScenarioState.OPEN or wanted not in (None, record.documents["scenario"]):
        raise BarredError("record.scenario_not_open", scenario=subject)


def _scenario_board(at: Situation) -> None:
    record = record_of(at.base, at.record.subjects["scenario"])
    scenario = at.base.load(record.documents["scenario"], Scenario) if record is not None else None
    if scenario is None or scenario.trial.board is None:
        raise BarredError("record.no_board")


def _work_under_way(at: Situation) -> None:
    if all(job.ended or job.stopping for job in jobs_of(at.base, at.record.subject)):
        raise BarredError("record.no_work", subject=at.record.subject)


def _submitted_application(at: Situation) -> None:
    """The newest version is submitted; a re-test needs another version than the one already tried."""
    subject = at.record.subjects["application"]
    record = record_of(at.base, subject)
    if record is None or record.state != ApplicationState.SUBMITTED or record.supplier != at.record.supplier:
        raise BarredError("record.application_not_submitted", application=name_of(subject))
    tried = at.record.documents["application"]
    newest = record.documents["application"]
    if (at.row.act is Act.RECTIFICATION_SUBMIT) == (newest == tried):
        raise BarredError("record.other_version_needed", application=name_of(subject))


def _approvals(at: Situation) -> None:
    for one in at.record.approvals_at(at.now):
        if one.kind not in at.record.approvals_needed:
            continue
        if one.state is ApprovalState.MISSING:
            raise BarredError("record.approval_missing", kind=one.kind)
        if one.state is ApprovalState.EXPIRED:
            raise BarredError("record.approval_expired", kind=one.kind, until=one.filed[-1].until)


def _free_of_interest(at: Situation) -> None:
    organisation, person = at.actor.organisation, at.actor.person
    parties = {*filter(None, [at.record.demand_owner, at.record.supplier])}
    if tied_to(at.base, organisation, parties):
        raise BarredError("record.interest_of_organisation", organisation=organisation)
    declared = [one.has_interest for one in at.record.interests if one.person == person]
    if not declared:
        raise BarredError("record.interest_undeclared")
    if any(declared):
        raise BarredError("record.interest_declared")


def _approver_free_of_interest(at: Situation) -> None:
    approver = next(step.person for step in reversed(at.record.history) if step.act is Act.PLAN_APPROVE)
    if any(one.has_interest and one.person == approver for one in at.record.interests):
        raise BarredError("record.approver_has_interest")


def _outside_reviewer(at: Situation) -> None:
    found = ties(at.base, at.record)
    inside = sorted(operators(at.base, at.record))
    if found and any(are_tied(at.base, at.actor.organisation, one) for one in inside):
        raise BarredError("record.outside_reviewer_needed", one=found[0].one, other=found[0].other)


def _approved_plan(at: Situation) -> None:
    plan = at.base.load(at.brought(Result).made, TrialPlan)
    proposal = at.document("proposal", PlanProposal)
    made = (plan.scenario.digest, plan.application.digest, plan.application.supplier.organisation)
    if made != (proposal.scenario_version, proposal.folder, at.record.supplier):
        raise InvalidProofError("record.not_as_approved", plan=plan.digest())


def _own_report(at: Situation) -> None:
    report = at.base.load(at.brought(Result).made, Report)
    if not report.evidence or report.plan != at.record.documents["plan"]:
        raise InvalidProofError("record.foreign_report", report=report.digest())


def _own_opinion(at: Situation) -> None:
    opinion, report = at.brought(Acceptance), at.record.documents["report"]
    declined = opinion.decision == "declined"
    if (opinion.report, opinion.organisation) != (report, at.actor.organisation):
        raise InputError("record.other_subject", subject=at.record.subject)
    if declined != (at.row.act is Act.ACCEPTANCE_REFUSE):
        raise InputError("record.opinion_differs", decision=opinion.decision)


def _accepted_verdict(at: Situation) -> None:
    report = at.document("report", Report)
    if report.verdict is not Verdict.ACCEPT:
        raise BarredError("record.verdict_not_accept", verdict=report.verdict_in_words)


def _own_certificate(at: Situation) -> None:
    made = at.brought(Result).made
    stored = at.base.get(made)
    issued = json.loads(stored.body)["certificate"] if stored is not None and stored.kind == _ISSUED else None
    if issued is None or Certificate.model_validate(issued).report != at.record.documents["report"]:
        raise InvalidProofError("record.foreign_certificate", certificate=made)


def _pays(at: Situation) -> None:
    operates, payer = at.actor.is_operator, at.record.payer
    organisation = {"demand_owner": at.record.demand_owner, "supplier": at.record.supplier}.get(payer or "")
    pays = operates if organisation is None else at.actor.organisation == organisation
    if not pays and not (operates and at.row.act is Act.CONSENT_REFUSE):
        raise BarredError("record.not_payer", payer=text(f"hub.payer.{payer}"))


def _verdicts(at: Situation) -> None:
    if at.base.head(verdicts_head(at.record.documents.get("plan", ""))) is None:
        raise BarredError("record.not_judged")


def _no_open_appeal(at: Situation) -> None:
    if at.record.open_appeals:
        raise BarredError("record.appeal_open", number=at.record.open_appeals[0].number)


def _open_appeal(at: Situation) -> None:
    opened = [appeal.number for appeal in at.record.open_appeals]
    number = at.brought(AppealDecision).number if at.move.brings is not None else next(iter(opened), 1)
    if number not in opened:
        raise InputError("record.no_open_appeal", number=number)


def _no_suspension_ordered(at: Situation) -> None:
    for order in at.record.orders:
        if order.kind == "suspension" and order.lifted_at is None:
            raise BarredError("record.suspension_ordered", number=order.number, organisation=order.organisation)


def _cause_to_repeat(at: Situation) -> None:
    reported = max((step.at for step in at.record.history if step.act is Act.TRIAL_REPORT), default=at.record.since)
    upheld = any(one.decision is not None and one.decision.upheld and one.at >= reported for one in at.record.appeals)
    ordered = any(order.kind == "rerun" for order in at.record.open_orders)
    if not upheld and not ordered and at.record.asked_retrial is None:
        raise BarredError("record.no_cause_to_repeat")


def _attempt_left(at: Situation) -> None:
    at.attempts(at.base, at.record, at.row.act)


def _open_order(at: Situation) -> None:
    standing = [order.number for order in at.record.orders if order.lifted_at is None]
    number = at.brought(OrderLifting).number if at.move.brings is not None else next(iter(standing), 1)
    if number not in standing:
        raise InputError("record.no_such_order", number=number)


def _deadline_ahead(at: Situation) -> None:
    brought = at.move.brings
    deadline = brought.deadline if isinstance(brought, Commission | Order) else None
    if isinstance(brought, Agreement):
        deadline = brought.ends
    if deadline is not None and has_passed(deadline, at.now):
        raise InputError("record.deadline_past", deadline=deadline)


def _outdated_reasons(before: Scenario, after: Scenario) -> tuple[Criterion, ...]:
    """Return the criteria of ``after`` that have a new rule but keep the reason given for a rule that is gone."""
    old = [criterion.parsed() for criterion in before.criteria]
    new = [criterion.parsed() for criterion in after.criteria]
    orphaned = [criterion.why for criterion, rule in zip(before.criteria, old, strict=True) if rule not in new]
    return tuple(
        criterion
        for criterion, rule in zip(after.criteria, new, strict=True)
        if rule not in old and criterion.why is not None and criterion.why in orphaned
    )


def _complete_dataset(at: Situation) -> None:
    brought = at.move.brings
    dataset = brought if isinstance(brought, Dataset) else at.document("dataset", Dataset)
    issues = [
        Issue(file=at.record.subject, path=path, problem=problem) for path, problem in _lacking(dataset, at.record)
    ]
    if issues:
        raise InputError.from_issues(at.record.subject, issues)


def _lacking(dataset: Dataset, record: Record) -> Iterator[Lack]:
    yield from missing(dataset)
    yield from given_away(dataset)
    usage = dataset.usage
    if usage is not None and (usage.target, usage.assigner) != (dataset.subject, record.owner):
        yield Lack("usageInfo.target", text("terms.foreign_offer", dataset=dataset.subject, found=usage.target))
    for path, problem in unmet(usage) if usage is not None else ():
        yield Lack(f"usageInfo.{path}", problem)


def _later_version(at: Situation) -> None:
    kept, new = at.document("dataset", Dataset).version, at.brought(Dataset).version
    if _numbers(new) <= _numbers(kept):
        raise InputError("record.no_later_version", found=new, published=kept)


def _published_dataset(at: Situation) -> None:
    agreement = _agreement(at)
    record = record_of(at.base, agreement.dataset)
    if record is None or record.state != DatasetState.PUBLISHED or record.owner != agreement.assigner:
        raise BarredError("record.dataset_not_published", dataset=agreement.dataset)
    published = at.base.load(record.documents["dataset"], Dataset)
    is_new = NEW in at.row.sources
    if (is_new and agreement.dataset_version != published.digest()) or not agreement.covers(published.version):
        raise BarredError("record.other_dataset_version", dataset=agreement.dataset, version=published.version)


def _published_offer(at: Situation) -> None:
    agreement = at.brought(Agreement)
    published = at.base.load(agreement.dataset_version, Dataset)
    if published.usage != agreement.offer or agreement.version != published.version:
        raise BarredError("record.other_offer", dataset=agreement.dataset)


def _purposes_offered(at: Situation) -> None:
    agreement = at.brought(Agreement)
    unknown = [purpose for purpose in agreement.purposes if not agreement.offer.is_for(purpose)]
    if unknown:
        known = ", ".join(agreement.offer.purposes) or "–"
        raise InputError("terms.unknown_purpose", found=", ".join(unknown), allowed=known)


def _not_revoked(at: Situation) -> None:
    agreement = at.brought(Agreement)
    if is_revoked(at.base, agreement.dataset, agreement.assignee):
        raise BarredError("record.revoked_before", organisation=agreement.assignee, dataset=agreement.dataset)


def _first_day(at: Situation) -> None:
    agreement = at.document("agreement", Agreement)
    if not agreement.has_begun(at.now) or agreement.is_over(at.now):
        raise BarredError("record.not_in_force", begins=agreement.begins or "–", ends=agreement.ends or "–")


def _last_day_over(at: Situation) -> None:
    agreement = at.document("agreement", Agreement)
    if not agreement.is_over(at.now):
        raise BarredError("record.not_over", ends=agreement.ends or "–", today=format_day(at.now))


def _agreement(at: Situation) -> Agreement:
    brought = at.move.brings
    return brought if isinstance(brought, Agreement) else at.document("agreement", Agreement)


def _numbers(version: str) -> tuple[int, ...]:
    return tuple(int(part) for part in version.split("."))


_CHECKS: Mapping[Precondition, Callable[[Situation], None]] = {need: globals()[f"_{need}"] for need in Precondition}
