"""How a record moves: state machines as data, read by the engine, the pages and the docs.

A scenario      draft → review → open → closed; withdrawn; an edit makes a version and a draft of it
An application  draft → submitted; withdrawn; an edit makes a version; rehearsed at any time before
A commission    proposed ⇄ countered → agreed → plan_review → plan_approved → freezing → frozen → queued → running →
                reported → accepted → signing → certified ⇄ suspended → revoked
                reported → rectification → retest → plan_review …   reported → refused   … → declined, cancelled
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Literal

from pilotbase.documents.permissions import Act
from pilotbase.documents.texts import Text
from pilotbase.documents.vocabularies import Role

RecordKind = Literal["organisation", "scenario", "application", "commission"]


class Duty(StrEnum):
    """What must not be done by the same person as something else; names: text ``duty.<value>``."""

    SUBMIT = "submit"
    OPEN = "open"
    PLAN = "plan"
    REVIEW = "review"
    ACCEPT = "accept"
    SIGN = "sign"
    DECIDE = "decide"


INCOMPATIBLE: frozenset[frozenset[Duty]] = frozenset(
    frozenset(pair)
    for pair in (
        (Duty.SUBMIT, Duty.OPEN),
        (Duty.SUBMIT, Duty.PLAN),
        (Duty.SUBMIT, Duty.REVIEW),
        (Duty.SUBMIT, Duty.ACCEPT),
        (Duty.SUBMIT, Duty.SIGN),
        (Duty.SUBMIT, Duty.DECIDE),
        (Duty.PLAN, Duty.REVIEW),
        (Duty.PLAN, Duty.SIGN),
        (Duty.REVIEW, Duty.SIGN),
        (Duty.REVIEW, Duty.DECIDE),
        (Duty.ACCEPT, Duty.REVIEW),
        (Duty.ACCEPT, Duty.SIGN),
        (Duty.SIGN, Duty.DECIDE),
    )
)
"""Pairs of duties that one person may not both have in one record, whatever organisation they act for."""


class Need(StrEnum):
    """What must hold for a transition, besides state, table and separation; names: text ``need.<value>``."""

    SAME_ORGANISATION = "same_organisation"
    """An organisation that declares its ties changes neither its name nor its roles."""
    SAME_SUBJECT = "same_subject"
    """What is handed in is about this very subject, its parties and versions."""
    REASONS_HOLD = "reasons_hold"
    """The reason beside a criterion that was changed was changed too, or is said to hold."""
    COMPLETE_SCENARIO = "complete_scenario"
    OPEN_SCENARIO = "open_scenario"
    SCENARIO_BOARD = "scenario_board"
    """The scenario has a board."""
    WORK_UNDER_WAY = "work_under_way"
    """Something of the record is queued or runs."""
    SUBMITTED_APPLICATION = "submitted_application"
    APPROVALS = "approvals"
    """Every approval that the scenario names is filed and unexpired."""
    FREE_OF_INTEREST = "free_of_interest"
    """The reviewer has declared to have no interest, and their organisation has none."""
    APPROVER_FREE_OF_INTEREST = "approver_free_of_interest"
    """Who approved the plan has declared no interest since."""
    OUTSIDE_REVIEWER = "outside_reviewer"
    """Where the parties have ownership ties, the reviewer is of none of their organisations."""
    APPROVED_PLAN = "approved_plan"
    """The plan that was frozen is of the versions that were reviewed."""
    OWN_REPORT = "own_report"
    """The report is the one under the frozen plan."""
    OWN_OPINION = "own_opinion"
    """The demand owner's opinion is on the report of the record, and says what the act says."""
    ACCEPTED_VERDICT = "accepted_verdict"
    """The verdict of the trial is accept."""
    OWN_CERTIFICATE = "own_certificate"
    """The certificate is over the report that was accepted."""
    NO_OPEN_APPEAL = "no_open_appeal"
    OPEN_APPEAL = "open_appeal"
    NO_SUSPENSION_ORDERED = "no_suspension_ordered"
    CAUSE_TO_REPEAT = "cause_to_repeat"
    """An order to re-run, an appeal that was upheld, or a risk warning about the service that came of it."""
    OPEN_ORDER = "open_order"
    DEADLINE_AHEAD = "deadline_ahead"


@dataclass(frozen=True)
class Due:
    """Whose work the transition is while the record stands in its source, and within how many days."""

    role: Role
    days: int


@dataclass(frozen=True)
class Transition:
    """One row of a state machine. ``target`` None: the state stays. Who may do it says `PERMISSIONS`."""

    act: Act
    sources: frozenset[str]
    target: str | None
    due: Due | None = None
    duty: Duty | None = None
    brings: str | None = None
    """Kind of what the actor hands in with it, such as ``commission``."""
    needs: tuple[Need, ...] = ()
    starts: str | None = None
    """Kind of the job that this queues."""
    stops: bool = False
    """Whether this cancels the record's job."""


NEW = "new"
"""The state of what is not there yet."""


def _row(act: Act, sources: str, target: str | None = None, due: Due | None = None, **more: object) -> Transition:
    return Transition(act, frozenset(sources.split()), target, due, **more)  # type: ignore[arg-type]


ORGANISATION = (
    _row(Act.ORGANISATION_REGISTER, NEW, "registered", brings="organisation"),
    _row(Act.ORGANISATION_EDIT, "registered", brings="organisation", needs=(Need.SAME_SUBJECT,)),
    _row(Act.ORGANISATION_DECLARE, "registered", brings="organisation", needs=(Need.SAME_ORGANISATION,)),
)

SCENARIO = (
    _row(Act.SCENARIO_REGISTER, NEW, "draft", brings="scenario"),
    _row(
        Act.SCENARIO_EDIT, "draft review open", "draft", brings="scenario", needs=(Need.SAME_SUBJECT, Need.REASONS_HOLD)
    ),
    _row(
        Act.SCENARIO_SUBMIT,
        "draft",
        "review",
        Due(Role.DEMAND_OWNER, 30),
        duty=Duty.SUBMIT,
        needs=(Need.COMPLETE_SCENARIO,),
    ),
    _row(Act.SCENARIO_RETURN, "review", "draft"),
    _row(Act.SCENARIO_OPEN, "review", "open", Due(Role.OPERATOR, 10), duty=Duty.OPEN, needs=(Need.COMPLETE_SCENARIO,)),
    _row(Act.SCENARIO_CLOSE, "open", "closed"),
    _row(Act.SCENARIO_WITHDRAW, "draft review", "withdrawn"),
)

APPLICATION = (
    _row(Act.APPLICATION_REGISTER, NEW, "draft", brings="application-version"),
    _row(Act.APPLICATION_EDIT, "draft submitted", "draft", brings="application-version", needs=(Need.SAME_SUBJECT,)),
    _row(Act.APPLICATION_REHEARSE, "draft submitted", needs=(Need.OPEN_SCENARIO,), starts="rehearse"),
    _row(Act.APPLICATION_REHEARSED, "draft submitted withdrawn", brings="result"),
    _row(
        Act.APPLICATION_BOARD,
        "draft submitted",
        needs=(Need.OPEN_SCENARIO, Need.SCENARIO_BOARD),
        starts="board",
    ),
    _row(Act.APPLICATION_STOP, "draft submitted withdrawn", needs=(Need.WORK_UNDER_WAY,), stops=True),
    _row(Act.APPLICATION_SUBMIT, "draft", "submitted", Due(Role.SUPPLIER, 30), duty=Duty.SUBMIT),
    _row(Act.APPLICATION_WITHDRAW, "draft submitted", "withdrawn"),
)

_BEFORE_FREEZE = "agreed retest plan_review plan_approved"
_AT_WORK = "freezing frozen queued running signing"
_AFTER_REPORT = "reported refused rectification accepted certified suspended"

COMMISSION = (
    _row(
        Act.COMMISSION_PROPOSE,
        NEW,
        "proposed",
        duty=Duty.SUBMIT,
        brings="commission",
        needs=(Need.OPEN_SCENARIO, Need.SUBMITTED_APPLICATION, Need.DEADLINE_AHEAD),
    ),
    _row(
        Act.COMMISSION_COUNTER,
        "proposed",
        "countered",
        brings="commission",
        needs=(Need.SAME_SUBJECT, Need.DEADLINE_AHEAD),
    ),
    _row(
        Act.COMMISSION_REVISE,
        "proposed countered",
        "proposed",
        duty=Duty.SUBMIT,
        brings="commission",
        needs=(Need.SAME_SUBJECT, Need.DEADLINE_AHEAD),
    ),
    _row(Act.COMMISSION_AGREE, "proposed", "agreed", Due(Role.DEMAND_OWNER, 10)),
    _row(Act.COMMISSION_CONCEDE, "countered", "agreed", Due(Role.SUPPLIER, 10), duty=Duty.SUBMIT),
    _row(Act.COMMISSION_DECLINE, "proposed countered", "declined"),
    _row(Act.COMMISSION_CANCEL, f"{_BEFORE_FREEZE} rectification refused", "cancelled"),
    _row(Act.APPROVAL_FILE, _BEFORE_FREEZE, brings="approval"),
    _row(Act.REVIEWER_NAME, f"{_BEFORE_FREEZE} {_AFTER_REPORT}", brings="reviewer"),
    _row(Act.REVIEWER_RELEASE, f"{_BEFORE_FREEZE} {_AFTER_REPORT}", brings="reviewer"),
    _row(Act.INTEREST_DECLARE, f"{_BEFORE_FREEZE} {_AFTER_REPORT}", brings="interest"),
    _row(
        Act.PLAN_DRAFT,
        "agreed retest",
        "plan_review",
        Due(Role.OPERATOR, 10),
        duty=Duty.PLAN,
        brings="plan-proposal",
        needs=(Need.SAME_SUBJECT,),
    ),
    _row(Act.PLAN_RETURN, "plan_review plan_approved", "agreed"),
    _row(
        Act.PLAN_APPROVE,
        "plan_review",
        "plan_approved",
        Due(Role.REVIEWER, 10),
        duty=Duty.REVIEW,
        needs=(Need.FREE_OF_INTEREST, Need.OUTSIDE_REVIEWER),
    ),
    _row(
        Act.PLAN_FREEZE,
        "plan_approved",
        "freezing",
        Due(Role.OPERATOR, 5),
        needs=(Need.APPROVALS, Need.APPROVER_FREE_OF_INTEREST),
        starts="freeze",
    ),
    _row(
        Act.PLAN_FROZEN,
        "freezing",
        "frozen",
        brings="result",
        needs=(Need.APPROVALS, Need.APPROVER_FREE_OF_INTEREST, Need.APPROVED_PLAN),
    ),
    _row(Act.PLAN_REFUSED, "freezing", "plan_approved"),
    _row(Act.TRIAL_QUEUE, "frozen", "queued", Due(Role.OPERATOR, 5), needs=(Need.APPROVALS,), starts="trial"),
    _row(Act.TRIAL_START, "queued", "running"),
    _row(Act.TRIAL_STOP, "queued running", "frozen", stops=True),
    _row(Act.TRIAL_FAIL, "queued running", "frozen"),
    _row(Act.TRIAL_REPORT, "running", "reported", brings="result", needs=(Need.OWN_REPORT,)),
    _row(Act.TRIAL_REPEAT, "reported refused accepted suspended", "retest", needs=(Need.CAUSE_TO_REPEAT,)),
    _row(Act.RETRIAL_ASK, "suspended"),
    _row(Act.REPORT_REVIEW, _AFTER_REPORT, needs=(Need.FREE_OF_INTEREST,)),
    _row(Act.RECTIFICATION_ASK, "reported refused suspended", "rectification"),
    _row(
        Act.RECTIFICATION_SUBMIT,
        "rectification",
        "retest",
        Due(Role.SUPPLIER, 30),
        duty=Duty.SUBMIT,
        needs=(Need.SUBMITTED_APPLICATION,),
    ),
    _row(
        Act.ACCEPTANCE_GIVE,
        "reported",
        "accepted",
        Due(Role.DEMAND_OWNER, 15),
        duty=Duty.ACCEPT,
        brings="acceptance",
        needs=(Need.OWN_OPINION, Need.ACCEPTED_VERDICT, Need.NO_OPEN_APPEAL),
    ),
    _row(
        Act.ACCEPTANCE_REFUSE,
        "reported",
        "refused",
        duty=Duty.ACCEPT,
        brings="acceptance",
        needs=(Need.OWN_OPINION,),
    ),
    _row(
        Act.CERTIFICATE_SIGN,
        "accepted",
        "signing",
        Due(Role.OPERATOR, 5),
        duty=Duty.SIGN,
        needs=(Need.ACCEPTED_VERDICT, Need.NO_OPEN_APPEAL, Need.NO_SUSPENSION_ORDERED),
        starts="certificate",
    ),
    _row(Act.CERTIFICATE_ISSUE, "signing", "certified", brings="result", needs=(Need.OWN_CERTIFICATE,)),
    _row(Act.CERTIFICATE_FAIL, "signing", "accepted"),
    _row(Act.CERTIFICATE_SUSPEND, "certified", "suspended", starts="suspension"),
    _row(
        Act.CERTIFICATE_REINSTATE,
        "suspended",
        "certified",
        needs=(Need.NO_SUSPENSION_ORDERED, Need.NO_OPEN_APPEAL),
        starts="reinstatement",
    ),
    _row(Act.CERTIFICATE_REVOKE, "certified suspended", "revoked", starts="revocation"),
    _row(Act.APPEAL_FILE, f"{_AFTER_REPORT} revoked", brings="appeal"),
    _row(
        Act.APPEAL_DECIDE,
        f"{_AFTER_REPORT} revoked",
        duty=Duty.DECIDE,
        brings="appeal-decision",
        needs=(Need.OPEN_APPEAL,),
    ),
    _row(Act.ORDER_GIVE, _AFTER_REPORT, brings="order", needs=(Need.DEADLINE_AHEAD,)),
    _row(
        Act.ORDER_LIFT,
        f"{_AFTER_REPORT} {_BEFORE_FREEZE} {_AT_WORK} revoked cancelled",
        brings="order-lifting",
        needs=(Need.OPEN_ORDER,),
    ),
)

LIFECYCLES: Mapping[RecordKind, tuple[Transition, ...]] = {
    "organisation": ORGANISATION,
    "scenario": SCENARIO,
    "application": APPLICATION,
    "commission": COMMISSION,
}

APPEAL_DAYS = 15
"""Within so many days the operator decides an appeal."""
APPROVAL_DAYS = 20
"""Within so many days of the agreement the parties file the approvals that the scenario names."""
RETRIAL_DAYS = 10
"""Within so many days of a warning that asks for it the operator repeats the trial, or lets the certificate hold."""
REVIEWER_DAYS = 5
"""Within so many days of a plan's draft the operator names a reviewer."""

_BY_ACT = {row.act: (kind, row) for kind, rows in LIFECYCLES.items() for row in rows}


def transition(act: Act) -> Transition:
    """Return the one transition that ``act`` is."""
    return _BY_ACT[act][1]


def kind_moved(act: Act) -> RecordKind:
    """Return which kind of record ``act`` moves."""
    return _BY_ACT[act][0]


def states(kind: RecordKind) -> tuple[str, ...]:
    """Return the states of a kind in the order of its machine; names: text ``state.<kind>.<state>``."""
    targets = (row.target for row in LIFECYCLES[kind] if row.target is not None)
    return tuple(dict.fromkeys(targets))


def state_name(kind: RecordKind, state: str) -> Text:
    """Return what a state is called."""
    return Text(code=f"state.{kind}.{state}")


def duty_name(duty: Duty) -> Text:
    """Return what a duty is called, as in "you cannot … after you have …"."""
    return Text(code=f"duty.{duty}")
