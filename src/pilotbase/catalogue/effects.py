"""What a step changes in a record apart from its state: one function for each act that changes more than that.

One step that is about to be taken: by whom, which transition, on which record, with what handed in.

And the separation of duties, by person: nobody who submitted an application approves its plan or signs for it.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TypeVar

from pilotbase.catalogue.records import load_record, record_of
from pilotbase.documents.base import Document, Part
from pilotbase.documents.errors import RefusedError
from pilotbase.documents.estimate import ConsentAsked
from pilotbase.documents.hashes import Digest
from pilotbase.documents.lifecycles import APPEAL_DAYS, INCOMPATIBLE, Transition, duty_name
from pilotbase.documents.permissions import Act, act_name
from pilotbase.documents.record import (
    ORDERED_ACTS,
    Appeal,
    AppealDecision,
    ApplicationVersion,
    Approval,
    Commission,
    DeclaredInterest,
    DutyDone,
    FiledAppeal,
    GivenOrder,
    Interest,
    JoinedDemand,
    MadeScenario,
    Order,
    OrderLifting,
    Record,
    Result,
    Reviewer,
)
from pilotbase.documents.scenario import Scenario
from pilotbase.documents.states import CommissionState, ScenarioState
from pilotbase.documents.subjects import holder_of
from pilotbase.documents.texts import Text
from pilotbase.workspace.actors import Actor
from pilotbase.workspace.store import View

P = TypeVar("P", bound=Part)
D = TypeVar("D", bound=Document)
AttemptsLeft = Callable[[View, Record, Act], None]
"""Returns if the hidden data allow the trial after ``act``; raises `BarredError`. The vault is a layer above."""


@dataclass(frozen=True)
class Move:
    """What a person hands in with a step."""

    brings: Part | None = None
    """What the transition needs (`Transition.brings`), such as a `Commission`."""
    note: str = ""
    seen: Digest | None = None
    """The version of the record that the person has seen; a newer one refuses the step."""
    reason: Text | None = None
    """The reason, in a sentence of ours, if the base itself takes the step."""
    why_holds: bool = False
    """The reasons beside changed criteria hold for the new ones too."""
    although: bool = False
    """The scenario is submitted or opened although its cases can prove nothing."""
    key: Digest | None = None
    """Names this very request: repeated because its answer was lost, it is not taken twice."""


def unlimited(base: View, record: Record, act: Act) -> None:
    """Allow every attempt: for acts that involve no hidden data."""


@dataclass(frozen=True)
class Situation:
    """Everything that needs and effects look at; ``base`` sees every document."""

    base: View
    actor: Actor
    row: Transition
    record: Record
    move: Move
    now: datetime
    attempts: AttemptsLeft = unlimited

    def brought(self, kind: type[P]) -> P:
        """Return what was handed in; the engine has already checked its kind."""
        assert isinstance(self.move.brings, kind)
        return self.move.brings

    def document(self, name: str, model: type[D]) -> D:
        """Return a document that the record is about."""
        return self.base.load(self.record.documents[name], model)

    def on(self, record: Record) -> Situation:
        """Return the same step on another version of the record."""
        return dataclasses.replace(self, record=record)


def require_separation(actor: Actor, row: Transition, record: Record) -> None:
    """Return if the person may have this duty here.

    Counts the person's acts in this record and in those it builds on, for any organisation.

    Raises:
        RefusedError: the person had a duty that excludes this one, or it is unknown which person acts.
    """
    if row.duty is None:
        return
    if actor.person is None:
        raise RefusedError("record.person_unknown", act=act_name(row.act))
    for done in record.duties:
        if done.person == actor.person and frozenset({done.duty, row.duty}) in INCOMPATIBLE:
            raise RefusedError("record.duties_mixed", act=act_name(row.act), duty=duty_name(done.duty))


def with_duty(duties: tuple[DutyDone, ...], actor: Actor, row: Transition) -> tuple[DutyDone, ...]:
    """Return ``duties`` with the one that the actor fulfils in this step."""
    if row.duty is None or actor.person is None:
        return duties
    return _without_doubles((*duties, DutyDone(person=actor.person, duty=row.duty)))


def inherited(duties: tuple[DutyDone, ...], other: Record) -> tuple[DutyDone, ...]:
    """Return ``duties`` with those of the record that this one builds on."""
    return _without_doubles((*duties, *other.duties))


def _without_doubles(duties: tuple[DutyDone, ...]) -> tuple[DutyDone, ...]:
    return tuple(dict.fromkeys(duties))


CONTENT: Mapping[str, str] = {
    "organisation": "organisation",
    "demand": "demand",
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


def _take_scenario(at: Situation) -> Record:
    demand = at.brought(Scenario).demand
    return _with(_retitle(at), subjects={"demand": demand} if demand is not None else {})


def _take_up(at: Situation) -> Record:
    return _with(at.record, subjects={"scenario": at.brought(MadeScenario).scenario})


def _join(at: Situation) -> Record:
    demand = at.brought(JoinedDemand).demand
    return _with(at.record, subjects={"joins": demand}, host=holder_of(demand))


def _part(at: Situation) -> Record:
    return _with(at.record, subjects={})


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
    Act.DEMAND_EDIT: _retitle,
    Act.DEMAND_TAKE_UP: _take_up,
    Act.DEMAND_JOIN: _join,
    Act.DEMAND_DECLINE: _part,
    Act.DEMAND_LEAVE: _part,
    Act.SCENARIO_REGISTER: _take_scenario,
    Act.SCENARIO_EDIT: _take_scenario,
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
