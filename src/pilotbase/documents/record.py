"""The record of a scenario, a trial, a dataset and so on: its state, whom it waits for, and who did what when.

Only `pilotbase.catalogue.advancing.advance` moves a record; each move stores a new version of it. Records
name persons by an opaque identifier: the hub's accounts know who that is, and forget it when the account is erased.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Annotated, Any, Literal

import pydantic
from pydantic import StringConstraints

from pilotbase.documents.agreement import Agreement
from pilotbase.documents.application import Application
from pilotbase.documents.base import Day, Document, Localized, Moment, Name, Note, Part, Sentence
from pilotbase.documents.certificate import Acceptance
from pilotbase.documents.dataset import Dataset
from pilotbase.documents.demand import WordedDemand
from pilotbase.documents.estimate import ConsentAsked, Payer
from pilotbase.documents.hashes import Digest
from pilotbase.documents.lifecycles import Duty, RecordKind
from pilotbase.documents.moments import has_passed
from pilotbase.documents.permissions import Act, SubjectRelation
from pilotbase.documents.scenario import Scenario
from pilotbase.documents.states import CommissionState
from pilotbase.documents.subjects import Organisation, Subject, name_of
from pilotbase.documents.texts import Text
from pilotbase.documents.vocabularies import Role

PersonId = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9][A-Za-z0-9_.-]{0,62}$")]
"""An opaque identifier of a person, the same in every organisation that they act for; never a name."""
Amount = Annotated[str, StringConstraints(pattern=r"^(0|[1-9][0-9]{0,11})(\.[0-9]{1,2})?$")]
ORDERED_ACTS: dict[str, Act] = {
    "rerun": Act.TRIAL_REPEAT,
    "rectification": Act.RECTIFICATION_ASK,
    "suspension": Act.CERTIFICATE_SUSPEND,
}
"""Which act of the operator fulfils an order."""
_FIRST: Mapping[str, tuple[Act, ...]] = {
    "demanded": (Act.SCENARIO_REGISTER,),
    "opened": (Act.SCENARIO_OPEN,),
    "proposed": (Act.COMMISSION_PROPOSE,),
    "answered": (Act.COMMISSION_AGREE, Act.COMMISSION_COUNTER, Act.COMMISSION_DECLINE),
    "agreed": (Act.COMMISSION_AGREE, Act.COMMISSION_CONCEDE),
    "frozen": (Act.PLAN_FROZEN,),
    "certified": (Act.CERTIFICATE_ISSUE,),
}
_LAST: Mapping[str, tuple[Act, ...]] = {"reported": (Act.TRIAL_REPORT,), "accepted": (Act.ACCEPTANCE_GIVE,)}
"""If there are several rounds, the last one before the certificate counts: rectification is part of the trial."""


class Price(Part):
    """What the trial costs and who pays."""

    amount: Amount
    currency: Annotated[str, StringConstraints(pattern=r"^[A-Z]{3}$")] = "CNY"
    paid_by: Payer = "supplier"


class Commission(Document):
    """Commission 委托协议: the terms on which an application version is tried on a scenario version."""

    document: Literal["commission/1"] = "commission/1"
    scenario: Subject
    application: Subject
    scenario_version: Digest
    application_version: Digest
    scope: Localized | str
    price: Price
    results: Literal["supplier", "demand_owner", "shared"]
    """Who owns the results of the trial."""
    results_note: Localized | str | None = None
    deadline: Day
    carries: Digest | None = None
    """Serial number of an earlier version's certificate that the trial builds on; all is shown anew when not set."""


class ApplicationVersion(Document):
    """One immutable version of an application: its manifest, and the digest of its folder."""

    document: Literal["application-version/1"] = "application-version/1"
    application: Application
    folder: Digest
    scenario: Subject | None = None
    """The scenario it was made for and is rehearsed on."""


class PlanProposal(Document):
    """What reviewers approve before a plan is frozen: the versions that will meet, and what counts as pass."""

    document: Literal["plan-proposal/1"] = "plan-proposal/1"
    commission: Subject
    scenario_version: Digest
    folder: Digest
    criteria: tuple[str, ...] = pydantic.Field(min_length=1, max_length=100)
    remarks: Localized | str | None = None


class Approval(Part):
    """An approval that was granted: ethics, data, filing."""

    kind: Name
    issued_by: Annotated[str, StringConstraints(min_length=1, max_length=200)]
    reference: Annotated[str, StringConstraints(min_length=1, max_length=200)]
    until: Day | None = None
    """The last day on which it is valid; None: it does not expire."""
    paper: Digest | None = None
    """Digest of the scanned document, a blob."""

    def holds_at(self, now: datetime) -> bool:
        """Return whether it is unexpired."""
        return self.until is None or not has_passed(self.until, now)


class ApprovalState(StrEnum):
    """State of one kind of approval; names: text ``hub.approval_state.<value>``."""

    FILED = "filed"
    EXPIRED = "expired"
    MISSING = "missing"


@dataclass(frozen=True)
class ApprovalStanding:
    """A kind of approval that a trial needs or has, what was filed for it, and whether any of that is valid."""

    kind: str
    filed: tuple[Approval, ...]
    state: ApprovalState


class Reviewer(Part):
    """A person named as reviewer, for an organisation."""

    organisation: Name
    person: PersonId


class Interest(Part):
    """A reviewer's declaration: whether they have an interest in the outcome, and which."""

    has_interest: bool
    explanation: Note = ""


class DeclaredInterest(Interest):
    """A declaration as kept in the record."""

    organisation: Name
    person: PersonId
    at: Moment


class Appeal(Part):
    """Why a party does not accept what was done."""

    grounds: Sentence


class AppealDecision(Part):
    """The decision on an appeal."""

    number: int = pydantic.Field(ge=1)
    upheld: bool
    reasons: Sentence


class FiledAppeal(Appeal):
    """An appeal as kept in the record; open until it is decided."""

    number: int
    organisation: Name
    at: Moment
    due: Moment
    decision: AppealDecision | None = None


class Order(Part):
    """What the regulator orders, and by when: re-run, rectification, suspension. Never a change of evidence."""

    kind: Literal["rerun", "rectification", "suspension"]
    reasons: Sentence
    deadline: Day


class OrderLifting(Part):
    """The lifting of an order."""

    number: int = pydantic.Field(ge=1)


class GivenOrder(Order):
    """An order as kept in the record."""

    number: int
    organisation: Name
    at: Moment
    fulfilled_at: Moment | None = None
    lifted_at: Moment | None = None


class Result(Part):
    """A result of the base's own work: the digest of a plan, a report, a certificate."""

    made: Digest


class MadeScenario(Part):
    """The scenario that was made of a demand in words."""

    scenario: Subject


class JoinedDemand(Part):
    """The demand of another organisation, with data or in words, that a demand is to join."""

    demand: Subject


BROUGHT: dict[str, type[Part]] = {
    "organisation": Organisation,
    "demand": WordedDemand,
    "made-scenario": MadeScenario,
    "joined-demand": JoinedDemand,
    "scenario": Scenario,
    "application-version": ApplicationVersion,
    "commission": Commission,
    "plan-proposal": PlanProposal,
    "approval": Approval,
    "reviewer": Reviewer,
    "interest": Interest,
    "acceptance": Acceptance,
    "appeal": Appeal,
    "appeal-decision": AppealDecision,
    "order": Order,
    "order-lifting": OrderLifting,
    "result": Result,
    "consent-asked": ConsentAsked,
    "dataset": Dataset,
    "agreement": Agreement,
}
"""What may be handed in with a transition (`Transition.brings`): name → model."""
CONTENTS: dict[str, type[Any]] = {
    "organisation": Organisation,
    "demand": WordedDemand,
    "scenario": Scenario,
    "application": ApplicationVersion,
    "commission": Commission,
    "dataset": Dataset,
    "agreement": Agreement,
}
"""Kind of record → its content."""


class Waiting(Part):
    """Pending work: what, for which role of which organisation (None: any), since when, and by when."""

    act: Act
    role: Role
    organisation: Name | None = None
    person: PersonId | None = None
    since: Moment
    due: Moment | None = None


class StepTaken(Part):
    """One step of the history."""

    act: Act
    state: str
    """The state after it."""
    organisation: Name
    person: PersonId | None = None
    """None: the base's own process."""
    at: Moment
    note: Note = ""
    reason: Text | None = None
    """The reason, in one of our sentences: a trial that broke off, a freeze that was refused."""
    document: Digest | None = None
    """What was handed in with it."""
    key: Digest | None = None
    """Identifies the request for it, if the request may be sent again."""


class DutyDone(Part):
    """A person's duty in this record, or in one that it builds on."""

    person: PersonId
    duty: Duty


class Record(Document):
    """The state of a demand, a scenario, an application, a commission, an organisation, a dataset or an agreement."""

    document: Literal["record/1"] = "record/1"
    subject: Subject
    kind: RecordKind
    title: Localized | str
    state: str
    since: Moment
    """When it entered this state."""
    version: int = pydantic.Field(default=1, ge=1)
    """Counts the versions of its content."""
    round: int = pydantic.Field(default=1, ge=1)
    """Counts the trials of a commission: a re-test is the next one."""
    organisation: Name | None = None
    demand_owner: Name | None = None
    supplier: Name | None = None
    host: Name | None = None
    """Whose demand it was last to join."""
    reviewers: tuple[Reviewer, ...] = ()
    documents: dict[str, Digest] = pydantic.Field(default_factory=dict)
    """Its documents, by name: scenario, application, folder, commission, plan, report, acceptance, certificate."""
    subjects: dict[str, Subject] = pydantic.Field(default_factory=dict)
    """The records that it builds on: demand, scenario, application."""
    approvals_needed: tuple[Name, ...] = ()
    approvals: tuple[Approval, ...] = ()
    interests: tuple[DeclaredInterest, ...] = ()
    appeals: tuple[FiledAppeal, ...] = ()
    orders: tuple[GivenOrder, ...] = ()
    payer: Payer | None = None
    """Who was asked to consent to the cost of its trial, if it was held for that."""
    duties: tuple[DutyDone, ...] = ()
    waits: tuple[Waiting, ...] = ()
    history: tuple[StepTaken, ...] = ()

    @property
    def stands(self) -> SubjectRelation:
        """Return its parties, as the permission table needs them."""
        reviewers = frozenset((reviewer.organisation, reviewer.person) for reviewer in self.reviewers)
        return SubjectRelation(self.organisation, self.demand_owner, self.supplier, reviewers, host=self.host)

    @property
    def parties(self) -> frozenset[str]:
        """Return the organisations that see it, in addition to operator and regulator."""
        named = {self.organisation, self.demand_owner, self.supplier, self.host}
        return frozenset({*(one for one in named if one), *(reviewer.organisation for reviewer in self.reviewers)})

    @property
    def name(self) -> str:
        """Return its name within its kind: ``plant/milling``."""
        return name_of(self.subject)

    @property
    def owner(self) -> str:
        """Return the organisation that owns the document."""
        return self.demand_owner or self.supplier or self.organisation or ""

    @property
    def due(self) -> datetime | None:
        """Return the earliest due time of its pending work."""
        return min((waiting.due for waiting in self.waits if waiting.due), default=None)

    @property
    def asked_retrial(self) -> StepTaken | None:
        """Return the step that requested a re-trial, while its certificate is suspended."""
        if self.state != CommissionState.SUSPENDED:
            return None
        acts = (Act.RETRIAL_ASK, Act.CERTIFICATE_SUSPEND)
        newest = next((step for step in reversed(self.history) if step.act in acts), None)
        return newest if newest is not None and newest.act is Act.RETRIAL_ASK else None

    def approvals_at(self, now: datetime) -> tuple[ApprovalStanding, ...]:
        """Return every kind of approval that is needed, then others that were filed, each with its state at ``now``."""
        kinds = dict.fromkeys((*self.approvals_needed, *(one.kind for one in self.approvals)))
        return tuple(self._approval(kind, now) for kind in kinds)

    def _approval(self, kind: str, now: datetime) -> ApprovalStanding:
        filed = tuple(one for one in self.approvals if one.kind == kind)
        if any(one.holds_at(now) for one in filed):
            return ApprovalStanding(kind, filed, ApprovalState.FILED)
        return ApprovalStanding(kind, filed, ApprovalState.EXPIRED if filed else ApprovalState.MISSING)

    @property
    def open_appeals(self) -> tuple[FiledAppeal, ...]:
        return tuple(appeal for appeal in self.appeals if appeal.decision is None)

    @property
    def open_orders(self) -> tuple[GivenOrder, ...]:
        """Return the orders that are neither fulfilled nor lifted."""
        return tuple(order for order in self.orders if order.fulfilled_at is None and order.lifted_at is None)


def milestones(steps: Iterable[tuple[str, datetime]]) -> dict[str, datetime]:
    """Return milestone → when it was reached, from the acts and times of a history, oldest first.

    Nothing after the first certificate counts.
    """
    reached: dict[str, datetime] = {}
    for act, at in steps:
        for milestone, acts in _FIRST.items():
            if act in acts:
                reached.setdefault(milestone, at)
        if "certified" not in reached:
            reached.update({milestone: at for milestone, acts in _LAST.items() if act in acts})
    return reached
