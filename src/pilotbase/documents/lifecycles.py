"""How a record moves: state machines as data, read by the engine, the pages and the docs.

A scenario      draft → review → open → closed; withdrawn; an edit makes a new version, a draft
A demand        open → taken up, when a scenario that names it is saved; withdrawn
                open → joining → joined, as a site of another's demand; back to open when either side ends it
An application  draft → submitted; withdrawn; an edit makes a version; rehearsed at any time before
A commission    proposed ⇄ countered → agreed → plan_review → plan_approved → freezing → frozen → queued → running →
                reported → accepted → signing → certified ⇄ suspended → revoked
                running → consent → queued …; running → judging → queued …
                reported → rectification → retest → plan_review …   reported → refused
                … → declined, cancelled
A dataset       draft → published → withdrawn; a later version revises a published one
An agreement    offered → agreed → in_force → expired; revoked by its owner, ended by its assignee
                asked → agreed, if an earlier one was revoked
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Literal

from pilotbase.documents.permissions import Act
from pilotbase.documents.states import (
    AT_WORK,
    HOLDS,
    NEW,
    PREPARED,
    AgreementState,
    ApplicationState,
    CommissionState,
    DatasetState,
    DemandState,
    OrganisationState,
    RecordState,
    ScenarioState,
)
from pilotbase.documents.texts import Text
from pilotbase.documents.vocabularies import WorkKind

RecordKind = Literal["organisation", "demand", "scenario", "application", "commission", "dataset", "agreement"]


class Duty(StrEnum):
    """Duties to be kept apart between persons; names: text ``duty.<value>``."""

    SUBMIT = "submit"
    OPEN = "open"
    PLAN = "plan"
    REVIEW = "review"
    ACCEPT = "accept"
    SIGN = "sign"
    DECIDE = "decide"


_APART: Mapping[Duty, tuple[Duty, ...]] = {
    Duty.SUBMIT: (Duty.OPEN, Duty.PLAN, Duty.REVIEW, Duty.ACCEPT, Duty.SIGN, Duty.DECIDE),
    Duty.REVIEW: (Duty.PLAN, Duty.ACCEPT, Duty.SIGN, Duty.DECIDE),
    Duty.SIGN: (Duty.PLAN, Duty.ACCEPT, Duty.DECIDE),
}
INCOMPATIBLE = frozenset(frozenset((one, other)) for one, others in _APART.items() for other in others)
"""Pairs of duties that one person may not both have in one record, regardless of the organisation they act for."""


class Precondition(StrEnum):
    """Conditions of a transition apart from state, permissions and separated duties; names: text ``need.<value>``."""

    SAME_ORGANISATION = "same_organisation"
    """An organisation that declares its ties must not change its name or its roles."""
    SAME_SUBJECT = "same_subject"
    """What is handed in is about exactly this subject, its parties and versions."""
    REASONS_HOLD = "reasons_hold"
    """The reason beside a changed criterion was changed too, or is confirmed to still apply."""
    COMPLETE_SCENARIO = "complete_scenario"
    PROVES_SOMETHING = "proves_something"
    """Its cases can prove something, or it is confirmed that they cannot."""
    OWN_DEMAND = "own_demand"
    """The demand in words that the scenario names is its owner's, and no other scenario was made of it."""
    OPEN_DEMAND = "open_demand"
    """What it is to join is open, with data or in words, and another organisation's."""
    OPEN_SCENARIO = "open_scenario"
    SCENARIO_BOARD = "scenario_board"
    """The scenario has a board."""
    WORK_UNDER_WAY = "work_under_way"
    """Work for the record is queued or running."""
    SUBMITTED_APPLICATION = "submitted_application"
    APPROVALS = "approvals"
    """Every approval that the scenario names is filed and unexpired."""
    FREE_OF_INTEREST = "free_of_interest"
    """The reviewer has declared no conflict of interest, and their organisation has none."""
    APPROVER_FREE_OF_INTEREST = "approver_free_of_interest"
    """The reviewer who approved the plan has declared no conflict of interest since."""
    OUTSIDE_REVIEWER = "outside_reviewer"
    """If the parties have ownership ties, the reviewer is from neither organisation."""
    APPROVED_PLAN = "approved_plan"
    """The frozen plan covers the reviewed versions."""
    OWN_REPORT = "own_report"
    """The report belongs to the frozen plan."""
    OWN_OPINION = "own_opinion"
    """The demand owner's opinion is on the record's report, and agrees with the act."""
    ACCEPTED_VERDICT = "accepted_verdict"
    """The verdict of the trial is accept."""
    OWN_CERTIFICATE = "own_certificate"
    """The certificate is for the accepted report."""
    PAYS = "pays"
    """Their organisation pays for the trial; the operator may refuse on the payer's behalf."""
    VERDICTS = "verdicts"
    """Experts have judged every answer that the plan asks them about."""
    NO_OPEN_APPEAL = "no_open_appeal"
    OPEN_APPEAL = "open_appeal"
    NO_SUSPENSION_ORDERED = "no_suspension_ordered"
    CAUSE_TO_REPEAT = "cause_to_repeat"
    """An order to re-run, an upheld appeal, or a risk warning about the resulting service."""
    ATTEMPT_LEFT = "attempt_left"
    """The hidden data for the next plan allow another attempt."""
    OPEN_ORDER = "open_order"
    DEADLINE_AHEAD = "deadline_ahead"
    COMPLETE_DATASET = "complete_dataset"
    """Everything needed for publishing is present, and no records of data that are not open."""
    LATER_VERSION = "later_version"
    """Its version is later than the published one."""
    PUBLISHED_DATASET = "published_dataset"
    """The dataset is published, and this is the version agreed on."""
    PUBLISHED_OFFER = "published_offer"
    """The offer taken up is word for word what the dataset's owner offers to everyone."""
    PURPOSES_OFFERED = "purposes_offered"
    """Each agreed purpose is covered by a permission of the offer."""
    NOT_REVOKED = "not_revoked"
    """The owner has not revoked an earlier agreement with them on this dataset, or has offered or consented since."""
    FIRST_DAY = "first_day"
    LAST_DAY_OVER = "last_day_over"


@dataclass(frozen=True)
class Transition:
    """One row of a state machine. ``target`` None: the state stays. The act's grants say who may do it."""

    act: Act
    sources: frozenset[str]
    """States, or `NEW`."""
    target: RecordState | None
    days: int | None = None
    """Days within which those who may take it must, while the record is in its source state."""
    duty: Duty | None = None
    brings: str | None = None
    """Kind of what the actor hands in, such as ``commission``."""
    needs: tuple[Precondition, ...] = ()
    starts: WorkKind | None = None
    """Kind of the job that it queues."""
    stops: bool = False
    """Whether it cancels the record's job."""
    undo: Act | None = None
    """The act that takes it back."""


_O, _S, _A, _C = OrganisationState, ScenarioState, ApplicationState, CommissionState
_D, _G, _W, _N = DatasetState, AgreementState, DemandState, Precondition


def _row(act: Act, sources: Iterable[str], target: RecordState | None = None, **more: object) -> Transition:
    return Transition(act, frozenset(sources), target, **more)  # type: ignore[arg-type]


ORGANISATION = (
    _row(Act.ORGANISATION_REGISTER, (NEW,), _O.REGISTERED, brings="organisation"),
    _row(Act.ORGANISATION_EDIT, (_O.REGISTERED,), brings="organisation", needs=(_N.SAME_SUBJECT,)),
    _row(Act.ORGANISATION_DECLARE, (_O.REGISTERED,), brings="organisation", needs=(_N.SAME_ORGANISATION,)),
)

DEMAND = (
    _row(Act.DEMAND_REGISTER, (NEW,), _W.OPEN, brings="demand"),
    _row(Act.DEMAND_EDIT, (_W.OPEN,), brings="demand", needs=(_N.SAME_SUBJECT,)),
    _row(Act.DEMAND_TAKE_UP, (_W.OPEN,), _W.TAKEN_UP, brings="made-scenario"),
    _row(Act.DEMAND_JOIN, (_W.OPEN,), _W.JOINING, brings="joined-demand", needs=(_N.OPEN_DEMAND,)),
    _row(Act.DEMAND_ADMIT, (_W.JOINING,), _W.JOINED, days=10),
    _row(Act.DEMAND_DECLINE, (_W.JOINING, _W.JOINED), _W.OPEN),
    _row(Act.DEMAND_LEAVE, (_W.JOINING, _W.JOINED), _W.OPEN),
    _row(Act.DEMAND_WITHDRAW, (_W.OPEN,), _W.WITHDRAWN),
)

_OPENS = (_N.COMPLETE_SCENARIO, _N.PROVES_SOMETHING)
SCENARIO = (
    _row(Act.SCENARIO_REGISTER, (NEW,), _S.DRAFT, brings="scenario", needs=(_N.OWN_DEMAND,)),
    _row(
        Act.SCENARIO_EDIT,
        (_S.DRAFT, _S.REVIEW, _S.OPEN),
        _S.DRAFT,
        brings="scenario",
        needs=(_N.SAME_SUBJECT, _N.REASONS_HOLD, _N.OWN_DEMAND),
    ),
    _row(Act.SCENARIO_SUBMIT, (_S.DRAFT,), _S.REVIEW, days=30, duty=Duty.SUBMIT, needs=_OPENS),
    _row(Act.SCENARIO_RETURN, (_S.REVIEW,), _S.DRAFT),
    _row(Act.SCENARIO_OPEN, (_S.REVIEW,), _S.OPEN, days=10, duty=Duty.OPEN, needs=_OPENS),
    _row(Act.SCENARIO_CLOSE, (_S.OPEN,), _S.CLOSED),
    _row(Act.SCENARIO_WITHDRAW, (_S.DRAFT, _S.REVIEW), _S.WITHDRAWN),
)

APPLICATION = (
    _row(Act.APPLICATION_REGISTER, (NEW,), _A.DRAFT, brings="application-version"),
    _row(
        Act.APPLICATION_EDIT, (_A.DRAFT, _A.SUBMITTED), _A.DRAFT, brings="application-version", needs=(_N.SAME_SUBJECT,)
    ),
    _row(
        Act.APPLICATION_REHEARSE,
        (_A.DRAFT, _A.SUBMITTED),
        needs=(_N.OPEN_SCENARIO,),
        starts=WorkKind.REHEARSE,
        undo=Act.APPLICATION_STOP,
    ),
    _row(Act.APPLICATION_REHEARSED, (_A.DRAFT, _A.SUBMITTED, _A.WITHDRAWN), brings="result"),
    _row(
        Act.APPLICATION_BOARD,
        (_A.DRAFT, _A.SUBMITTED),
        needs=(_N.OPEN_SCENARIO, _N.SCENARIO_BOARD),
        starts=WorkKind.BOARD,
        undo=Act.APPLICATION_STOP,
    ),
    _row(Act.APPLICATION_STOP, (_A.DRAFT, _A.SUBMITTED, _A.WITHDRAWN), needs=(_N.WORK_UNDER_WAY,), stops=True),
    _row(Act.APPLICATION_SUBMIT, (_A.DRAFT,), _A.SUBMITTED, days=30, duty=Duty.SUBMIT),
    _row(Act.APPLICATION_WITHDRAW, (_A.DRAFT, _A.SUBMITTED), _A.WITHDRAWN),
)

_AFTER_REPORT = (_C.REPORTED, _C.REFUSED, _C.RECTIFICATION, _C.ACCEPTED, _C.CERTIFIED, _C.SUSPENDED)

COMMISSION = (
    _row(
        Act.COMMISSION_PROPOSE,
        (NEW,),
        _C.PROPOSED,
        duty=Duty.SUBMIT,
        brings="commission",
        needs=(_N.OPEN_SCENARIO, _N.SUBMITTED_APPLICATION, _N.DEADLINE_AHEAD),
    ),
    _row(
        Act.COMMISSION_COUNTER,
        (_C.PROPOSED,),
        _C.COUNTERED,
        brings="commission",
        needs=(_N.SAME_SUBJECT, _N.DEADLINE_AHEAD),
    ),
    _row(
        Act.COMMISSION_REVISE,
        (_C.PROPOSED, _C.COUNTERED),
        _C.PROPOSED,
        duty=Duty.SUBMIT,
        brings="commission",
        needs=(_N.SAME_SUBJECT, _N.DEADLINE_AHEAD),
    ),
    _row(Act.COMMISSION_AGREE, (_C.PROPOSED,), _C.AGREED, days=10),
    _row(Act.COMMISSION_CONCEDE, (_C.COUNTERED,), _C.AGREED, days=10, duty=Duty.SUBMIT),
    _row(Act.COMMISSION_DECLINE, (_C.PROPOSED, _C.COUNTERED), _C.DECLINED),
    _row(
        Act.COMMISSION_CANCEL,
        (*PREPARED, _C.FROZEN, _C.RECTIFICATION, _C.REFUSED),
        _C.CANCELLED,
        starts=WorkKind.CONSENT_REFUSED,
    ),
    _row(Act.APPROVAL_FILE, (*PREPARED, _C.FROZEN), brings="approval"),
    _row(Act.REVIEWER_NAME, (*PREPARED, *_AFTER_REPORT), brings="reviewer", undo=Act.REVIEWER_RELEASE),
    _row(Act.REVIEWER_RELEASE, (*PREPARED, *_AFTER_REPORT), brings="reviewer"),
    _row(Act.INTEREST_DECLARE, (*PREPARED, *_AFTER_REPORT), brings="interest"),
    _row(
        Act.PLAN_DRAFT,
        (_C.AGREED, _C.RETEST),
        _C.PLAN_REVIEW,
        days=10,
        duty=Duty.PLAN,
        brings="plan-proposal",
        needs=(_N.SAME_SUBJECT,),
    ),
    _row(Act.PLAN_RETURN, (_C.PLAN_REVIEW, _C.PLAN_APPROVED), _C.AGREED),
    _row(
        Act.PLAN_APPROVE,
        (_C.PLAN_REVIEW,),
        _C.PLAN_APPROVED,
        days=10,
        duty=Duty.REVIEW,
        needs=(_N.FREE_OF_INTEREST, _N.OUTSIDE_REVIEWER),
        undo=Act.PLAN_RETURN,
    ),
    _row(
        Act.PLAN_FREEZE,
        (_C.PLAN_APPROVED,),
        _C.FREEZING,
        days=5,
        needs=(_N.APPROVALS, _N.APPROVER_FREE_OF_INTEREST, _N.ATTEMPT_LEFT),
        starts=WorkKind.FREEZE,
    ),
    _row(
        Act.PLAN_FROZEN,
        (_C.FREEZING,),
        _C.FROZEN,
        brings="result",
        needs=(_N.APPROVALS, _N.APPROVER_FREE_OF_INTEREST, _N.APPROVED_PLAN),
    ),
    _row(Act.PLAN_REFUSED, (_C.FREEZING,), _C.PLAN_APPROVED),
    _row(
        Act.TRIAL_QUEUE,
        (_C.FROZEN,),
        _C.QUEUED,
        days=5,
        needs=(_N.APPROVALS,),
        starts=WorkKind.TRIAL,
        undo=Act.TRIAL_STOP,
    ),
    _row(Act.TRIAL_START, (_C.QUEUED,), _C.RUNNING),
    _row(Act.TRIAL_STOP, (_C.QUEUED, _C.RUNNING, _C.JUDGING), _C.FROZEN, stops=True),
    _row(Act.TRIAL_FAIL, (_C.QUEUED, _C.RUNNING), _C.FROZEN),
    _row(Act.TRIAL_REPORT, (_C.RUNNING,), _C.REPORTED, brings="result", needs=(_N.OWN_REPORT,)),
    _row(Act.TRIAL_HOLD, (_C.RUNNING,), _C.CONSENT, brings="consent-asked", stops=True),
    _row(Act.CONSENT_GIVE, (_C.CONSENT,), _C.QUEUED, needs=(_N.PAYS,), starts=WorkKind.TRIAL),
    _row(Act.CONSENT_REFUSE, (_C.CONSENT,), _C.CANCELLED, needs=(_N.PAYS,), starts=WorkKind.CONSENT_REFUSED),
    _row(Act.TRIAL_JUDGE, (_C.RUNNING,), _C.JUDGING, stops=True),
    _row(Act.TRIAL_JUDGED, (_C.JUDGING,), _C.QUEUED, needs=(_N.VERDICTS,), starts=WorkKind.TRIAL),
    _row(
        Act.TRIAL_REPEAT,
        (_C.REPORTED, _C.REFUSED, _C.ACCEPTED, _C.SUSPENDED),
        _C.RETEST,
        needs=(_N.CAUSE_TO_REPEAT, _N.ATTEMPT_LEFT),
    ),
    _row(Act.RETRIAL_ASK, (_C.SUSPENDED,)),
    _row(Act.REPORT_REVIEW, _AFTER_REPORT, needs=(_N.FREE_OF_INTEREST,)),
    _row(Act.RECTIFICATION_ASK, (_C.REPORTED, _C.REFUSED, _C.SUSPENDED), _C.RECTIFICATION),
    _row(
        Act.RECTIFICATION_SUBMIT,
        (_C.RECTIFICATION,),
        _C.RETEST,
        days=30,
        duty=Duty.SUBMIT,
        needs=(_N.SUBMITTED_APPLICATION,),
    ),
    _row(
        Act.ACCEPTANCE_GIVE,
        (_C.REPORTED,),
        _C.ACCEPTED,
        days=15,
        duty=Duty.ACCEPT,
        brings="acceptance",
        needs=(_N.OWN_OPINION, _N.ACCEPTED_VERDICT, _N.NO_OPEN_APPEAL),
    ),
    _row(
        Act.ACCEPTANCE_REFUSE,
        (_C.REPORTED,),
        _C.REFUSED,
        duty=Duty.ACCEPT,
        brings="acceptance",
        needs=(_N.OWN_OPINION,),
    ),
    _row(
        Act.CERTIFICATE_SIGN,
        (_C.ACCEPTED,),
        _C.SIGNING,
        days=5,
        duty=Duty.SIGN,
        needs=(_N.ACCEPTED_VERDICT, _N.NO_OPEN_APPEAL, _N.NO_SUSPENSION_ORDERED),
        starts=WorkKind.CERTIFICATE,
    ),
    _row(Act.CERTIFICATE_ISSUE, (_C.SIGNING,), _C.CERTIFIED, brings="result", needs=(_N.OWN_CERTIFICATE,)),
    _row(Act.CERTIFICATE_FAIL, (_C.SIGNING,), _C.ACCEPTED),
    _row(
        Act.CERTIFICATE_SUSPEND,
        (_C.CERTIFIED,),
        _C.SUSPENDED,
        starts=WorkKind.SUSPENSION,
        undo=Act.CERTIFICATE_REINSTATE,
    ),
    _row(
        Act.CERTIFICATE_REINSTATE,
        (_C.SUSPENDED,),
        _C.CERTIFIED,
        needs=(_N.NO_SUSPENSION_ORDERED, _N.NO_OPEN_APPEAL),
        starts=WorkKind.REINSTATEMENT,
    ),
    _row(Act.CERTIFICATE_REVOKE, (_C.CERTIFIED, _C.SUSPENDED), _C.REVOKED, starts=WorkKind.REVOCATION),
    _row(Act.APPEAL_FILE, (*_AFTER_REPORT, _C.REVOKED), brings="appeal"),
    _row(
        Act.APPEAL_DECIDE,
        (*_AFTER_REPORT, _C.REVOKED),
        duty=Duty.DECIDE,
        brings="appeal-decision",
        needs=(_N.OPEN_APPEAL,),
    ),
    _row(Act.ORDER_GIVE, _AFTER_REPORT, brings="order", needs=(_N.DEADLINE_AHEAD,)),
    _row(
        Act.ORDER_LIFT,
        (*_AFTER_REPORT, *PREPARED, *AT_WORK, _C.SIGNING, _C.REVOKED, _C.CANCELLED),
        brings="order-lifting",
        needs=(_N.OPEN_ORDER,),
    ),
)

DATASET = (
    _row(Act.DATASET_REGISTER, (NEW,), _D.DRAFT, brings="dataset"),
    _row(Act.DATASET_EDIT, (_D.DRAFT,), brings="dataset", needs=(_N.SAME_SUBJECT,)),
    _row(Act.DATASET_PUBLISH, (_D.DRAFT,), _D.PUBLISHED, days=30, needs=(_N.COMPLETE_DATASET,)),
    _row(
        Act.DATASET_REVISE,
        (_D.PUBLISHED,),
        brings="dataset",
        needs=(_N.SAME_SUBJECT, _N.COMPLETE_DATASET, _N.LATER_VERSION),
    ),
    _row(Act.DATASET_WITHDRAW, (_D.DRAFT, _D.PUBLISHED), _D.WITHDRAWN),
)

_TAKEN_UP = (_N.PUBLISHED_DATASET, _N.PUBLISHED_OFFER, _N.PURPOSES_OFFERED, _N.DEADLINE_AHEAD)
_MAY_END = (_G.OFFERED, _G.ASKED, *HOLDS)

AGREEMENT = (
    _row(
        Act.AGREEMENT_OFFER,
        (NEW,),
        _G.OFFERED,
        brings="agreement",
        needs=(_N.PUBLISHED_DATASET, _N.PURPOSES_OFFERED, _N.DEADLINE_AHEAD),
    ),
    _row(Act.AGREEMENT_TAKE, (NEW,), _G.AGREED, brings="agreement", needs=(*_TAKEN_UP, _N.NOT_REVOKED)),
    _row(Act.AGREEMENT_ASK, (NEW,), _G.ASKED, brings="agreement", needs=_TAKEN_UP),
    _row(Act.AGREEMENT_AGREE, (_G.OFFERED,), _G.AGREED, days=30, needs=(_N.PUBLISHED_DATASET,)),
    _row(Act.AGREEMENT_GRANT, (_G.ASKED,), _G.AGREED, days=30, needs=(_N.PUBLISHED_DATASET,)),
    _row(Act.AGREEMENT_BEGIN, (_G.AGREED,), _G.IN_FORCE, needs=(_N.FIRST_DAY,)),
    _row(Act.AGREEMENT_EXPIRE, HOLDS, _G.EXPIRED, needs=(_N.LAST_DAY_OVER,)),
    _row(Act.AGREEMENT_REVOKE, _MAY_END, _G.REVOKED),
    _row(Act.AGREEMENT_RELEASE, _MAY_END, _G.REVOKED),
    _row(Act.AGREEMENT_END, _MAY_END, _G.ENDED),
)

LIFECYCLES: Mapping[RecordKind, tuple[Transition, ...]] = {
    "organisation": ORGANISATION,
    "demand": DEMAND,
    "scenario": SCENARIO,
    "application": APPLICATION,
    "commission": COMMISSION,
    "dataset": DATASET,
    "agreement": AGREEMENT,
}

APPEAL_DAYS = 15
"""Days within which the operator decides an appeal."""
APPROVAL_DAYS = 20
"""Days from the agreement within which the parties file the approvals that the scenario names."""
RETRIAL_DAYS = 10
"""Days from a warning that requires it within which the operator repeats the trial or confirms the certificate."""
CONSENT_DAYS = 10
"""Days within which the payer of a trial consents to its cost, or refuses."""
REVIEWER_DAYS = 5
"""Days from a plan's draft within which the operator names a reviewer."""

_BY_ACT = {row.act: (kind, row) for kind, rows in LIFECYCLES.items() for row in rows}


def transition(act: Act) -> Transition:
    """Return the only transition of ``act``."""
    return _BY_ACT[act][1]


def kind_moved(act: Act) -> RecordKind:
    """Return the kind of record that ``act`` moves."""
    return _BY_ACT[act][0]


def states(kind: RecordKind) -> tuple[RecordState, ...]:
    """Return the states of a kind in the order of its state machine; names: text ``state.<kind>.<state>``."""
    targets = (row.target for row in LIFECYCLES[kind] if row.target is not None)
    return tuple(dict.fromkeys(targets))


def listed_states(kind: RecordKind) -> tuple[RecordState, ...]:
    """Return the states in which a list may show a record of a kind: those of `states`, and what the clock makes."""
    found = states(kind)
    return (*found, _C.EXPIRED) if kind == "commission" else found


def state_name(kind: RecordKind, state: str) -> Text:
    """Return the name of a state."""
    return Text(code=f"state.{kind}.{state}")


def duty_name(duty: Duty) -> Text:
    """Return the name of a duty, as in "you cannot … after you have …"."""
    return Text(code=f"duty.{duty}")
