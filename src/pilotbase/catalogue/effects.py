"""What a step changes in a record apart from its state: one function for each act that changes more than that."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import timedelta

from pilotbase.catalogue.records import load_record, record_of
from pilotbase.catalogue.situation import P, Situation, inherited
from pilotbase.documents.base import Document
from pilotbase.documents.estimate import ConsentAsked
from pilotbase.documents.hashes import Digest
from pilotbase.documents.lifecycles import APPEAL_DAYS
from pilotbase.documents.permissions import Act
from pilotbase.documents.record import (
    ORDERED_ACTS,
    Appeal,
    AppealDecision,
    ApplicationVersion,
    Approval,
    Commission,
    DeclaredInterest,
    FiledAppeal,
    GivenOrder,
    Interest,
    Order,
    OrderLifting,
    Record,
    Result,
    Reviewer,
)
from pilotbase.documents.scenario import Scenario
from pilotbase.documents.states import CommissionState, ScenarioState
from pilotbase.workspace.store import View

CONTENT: Mapping[str, str] = {
    "organisation": "organisation",
    "scenario": "scenario",
    "application-version": "application",
    "commission": "commission",
    "plan-proposal": "proposal",
    "acceptance": "acceptance",
    "dataset": "dataset",
    "agreement": "agreement",
    "consent-asked": "consent",
}
"""Documents that a person hands in: kind → the name under which the record keeps their digest."""
_RESULTS: Mapping[Act, str] = {
    Act.APPLICATION_REHEARSED: "rehearsal",
    Act.PLAN_FROZEN: "plan",
    Act.TRIAL_REPORT: "report",
    Act.CERTIFICATE_ISSUE: "certificate",
}
_OF_ONE_ROUND = frozenset({"proposal", "plan", "report", "acceptance", "consent"})


def apply(at: Situation) -> Record:
    """Return the record after the step, except for state, history and waiting work."""
    record = _with_content(at)
    effect = _EFFECTS.get(at.row.act)
    if effect is not None:
        record = effect(at.on(record))
    if record.kind == "commission" and at.row.target in (CommissionState.AGREED, CommissionState.RETEST):
        record = _with(record, documents={**record.documents, "scenario": scenario_to_try(at.base, record)})
    return _fulfil(at.on(record))


def _with_content(at: Situation) -> Record:
    brought, record = at.move.brings, at.record
    name = CONTENT.get(at.row.brings or "")
    if isinstance(brought, Document) and name is not None:
        is_new_version = name == record.kind and name in record.documents
        documents = {**record.documents, name: brought.digest()}
        record = _with(record, documents=documents, version=record.version + is_new_version)
    if at.row.act in _RESULTS:
        record = _with(record, documents={**record.documents, _RESULTS[at.row.act]: at.brought(Result).made})
    return record


def _retitle(at: Situation) -> Record:
    title = getattr(at.move.brings, "title", at.record.title)
    return _with(at.record, title=title)


def _take_application(at: Situation) -> Record:
    version = at.brought(ApplicationVersion)
    documents = {name: digest for name, digest in at.record.documents.items() if name != "rehearsal"}
    return _with(
        at.record,
        title=version.application.title,
        documents={**documents, "folder": version.folder},
        subjects={"scenario": version.scenario} if version.scenario else {},
    )


def _propose(at: Situation) -> Record:
    at.brought(Commission)
    return _with(at.record, duties=inherited(at.record.duties, _application(at)))


def _rectify(at: Situation) -> Record:
    """Take the application's newest version: the next round begins without plan, report and acceptance."""
    application = _application(at)
    documents = {
        **_lasting(at.record),
        "application": application.documents["application"],
        "folder": application.documents["folder"],
    }
    return _with(
        at.record,
        round=at.record.round + 1,
        documents=documents,
        duties=inherited(at.record.duties, application),
    )


def _repeat(at: Situation) -> Record:
    return _with(at.record, round=at.record.round + 1, documents=_lasting(at.record))


def _file_approval(at: Situation) -> Record:
    return _with(at.record, approvals=(*at.record.approvals, at.brought(Approval)))


def _name_reviewer(at: Situation) -> Record:
    reviewers = dict.fromkeys((*at.record.reviewers, at.brought(Reviewer)))
    return _with(at.record, reviewers=tuple(reviewers))


def _release_reviewer(at: Situation) -> Record:
    released = at.brought(Reviewer)
    return _with(at.record, reviewers=tuple(one for one in at.record.reviewers if one != released))


def _declare_interest(at: Situation) -> Record:
    declared = DeclaredInterest(
        **dict(at.brought(Interest)), organisation=at.actor.organisation, person=at.actor.person or "", at=at.now
    )
    return _with(at.record, interests=(*at.record.interests, declared))


def _hold(at: Situation) -> Record:
    return _with(at.record, payer=at.brought(ConsentAsked).payer)


def _file_appeal(at: Situation) -> Record:
    appeal = FiledAppeal(
        **dict(at.brought(Appeal)),
        number=len(at.record.appeals) + 1,
        organisation=at.actor.organisation,
        at=at.now,
        due=at.now + timedelta(days=APPEAL_DAYS),
    )
    return _with(at.record, appeals=(*at.record.appeals, appeal))


def _decide_appeal(at: Situation) -> Record:
    decision = at.brought(AppealDecision)
    appeals = [one for one in at.record.appeals if one.number == decision.number]
    return _with(at.record, appeals=_changed(at.record.appeals, appeals, decision=decision))


def _give_order(at: Situation) -> Record:
    order = GivenOrder(
        **dict(at.brought(Order)), number=len(at.record.orders) + 1, organisation=at.actor.organisation, at=at.now
    )
    return _with(at.record, orders=(*at.record.orders, order))


def _lift_order(at: Situation) -> Record:
    orders = [one for one in at.record.orders if one.number == at.brought(OrderLifting).number]
    return _with(at.record, orders=_changed(at.record.orders, orders, lifted_at=at.now))


def _fulfil(at: Situation) -> Record:
    """Mark the orders that require this very act as fulfilled."""
    orders = [one for one in at.record.open_orders if ORDERED_ACTS[one.kind] is at.row.act]
    return _with(at.record, orders=_changed(at.record.orders, orders, fulfilled_at=at.now))


def _application(at: Situation) -> Record:
    return load_record(at.base, at.record.subjects["application"])[0]


def _lasting(record: Record) -> dict[str, str]:
    return {name: digest for name, digest in record.documents.items() if name not in _OF_ONE_ROUND}


def _changed(all_of_them: Sequence[P], some: Sequence[P], **changes: object) -> tuple[P, ...]:
    return tuple(one.model_copy(update=changes) if one in some else one for one in all_of_them)


def _with(record: Record, **changes: object) -> Record:
    return record.model_copy(update=changes)


_EFFECTS: Mapping[Act, Callable[[Situation], Record]] = {
    Act.ORGANISATION_EDIT: _retitle,
    Act.ORGANISATION_DECLARE: _retitle,
    Act.SCENARIO_EDIT: _retitle,
    Act.DATASET_EDIT: _retitle,
    Act.DATASET_REVISE: _retitle,
    Act.APPLICATION_REGISTER: _take_application,
    Act.APPLICATION_EDIT: _take_application,
    Act.COMMISSION_PROPOSE: _propose,
    Act.APPROVAL_FILE: _file_approval,
    Act.REVIEWER_NAME: _name_reviewer,
    Act.REVIEWER_RELEASE: _release_reviewer,
    Act.INTEREST_DECLARE: _declare_interest,
    Act.RECTIFICATION_SUBMIT: _rectify,
    Act.TRIAL_REPEAT: _repeat,
    Act.TRIAL_HOLD: _hold,
    Act.APPEAL_FILE: _file_appeal,
    Act.APPEAL_DECIDE: _decide_appeal,
    Act.ORDER_GIVE: _give_order,
    Act.ORDER_LIFT: _lift_order,
}


def scenario_to_try(base: View, record: Record) -> Digest:
    """Return the open version if it differs from the one in ``record`` only in its data file, else that one.

    The agreed criteria and contract stay; ``base`` sees every document.
    """
    agreed = record.documents["scenario"]
    known = record_of(base, record.subjects["scenario"])
    if known is None or known.state != ScenarioState.OPEN or known.documents["scenario"] == agreed:
        return agreed
    newest = known.documents["scenario"]
    before, after = base.load(agreed, Scenario), base.load(newest, Scenario)
    same = after.model_copy(update={"data": after.data.model_copy(update={"file": before.data.file})}) == before
    return newest if same else agreed
