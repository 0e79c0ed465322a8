"""Who may do what: one table that code, pages and docs share. Pure data, and one function that reads it.

An act is allowed if the actor holds one of its grants: a role of the organisation, and a relation to the subject. What
an actor may *see* is decided not here but by the visibility of documents in the store.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Protocol

from pilotbase.documents.texts import Text
from pilotbase.documents.vocabularies import Role


class Relation(StrEnum):
    """An actor's relation to a subject; names: text ``relation.<value>``."""

    ANY = "any"
    """Any subject."""
    MEMBER = "member"
    """The subject is the actor's own organisation."""
    OWNER = "owner"
    """The actor's organisation is the demand owner of the subject."""
    SUPPLIER = "supplier"
    """The actor's organisation is the supplier of the subject."""
    REVIEWER = "reviewer"
    """This person is named as a reviewer of the subject."""
    ASKER = "asker"
    """The actor's organisation asked the question."""
    AUTHOR = "author"
    """This person wrote the message."""
    MACHINE = "machine"
    """The base's own process at work: an operator without a person."""


class Act(StrEnum):
    """Everything that moves a record; names: text ``act.<value>``. The log uses the same words."""

    ORGANISATION_REGISTER = "organisation.register"
    ORGANISATION_EDIT = "organisation.edit"
    ORGANISATION_DECLARE = "organisation.declare"

    SCENARIO_REGISTER = "scenario.register"
    SCENARIO_EDIT = "scenario.edit"
    SCENARIO_SUBMIT = "scenario.submit"
    SCENARIO_RETURN = "scenario.return"
    SCENARIO_OPEN = "scenario.open"
    SCENARIO_CLOSE = "scenario.close"
    SCENARIO_WITHDRAW = "scenario.withdraw"

    APPLICATION_REGISTER = "application.register"
    APPLICATION_EDIT = "application.edit"
    APPLICATION_REHEARSE = "application.rehearse"
    APPLICATION_REHEARSED = "application.rehearsed"
    APPLICATION_BOARD = "application.board"
    APPLICATION_STOP = "application.stop"
    APPLICATION_SUBMIT = "application.submit"
    APPLICATION_WITHDRAW = "application.withdraw"

    COMMISSION_PROPOSE = "commission.propose"
    COMMISSION_COUNTER = "commission.counter"
    COMMISSION_REVISE = "commission.revise"
    COMMISSION_AGREE = "commission.agree"
    COMMISSION_CONCEDE = "commission.concede"
    COMMISSION_DECLINE = "commission.decline"
    COMMISSION_CANCEL = "commission.cancel"
    APPROVAL_FILE = "approval.file"
    REVIEWER_NAME = "reviewer.name"
    REVIEWER_RELEASE = "reviewer.release"
    INTEREST_DECLARE = "interest.declare"

    PLAN_DRAFT = "plan.draft"
    PLAN_RETURN = "plan.return"
    PLAN_APPROVE = "plan.approve"
    PLAN_FREEZE = "plan.freeze"
    PLAN_FROZEN = "plan.frozen"
    PLAN_REFUSED = "plan.refused"

    TRIAL_QUEUE = "trial.queue"
    TRIAL_START = "trial.start"
    TRIAL_STOP = "trial.stop"
    TRIAL_FAIL = "trial.fail"
    TRIAL_REPORT = "trial.report"
    TRIAL_HOLD = "trial.hold"
    CONSENT_GIVE = "consent.give"
    CONSENT_REFUSE = "consent.refuse"
    TRIAL_REPEAT = "trial.repeat"
    RETRIAL_ASK = "retrial.ask"
    REPORT_REVIEW = "report.review"
    RECTIFICATION_ASK = "rectification.ask"
    RECTIFICATION_SUBMIT = "rectification.submit"
    ACCEPTANCE_GIVE = "acceptance.give"
    ACCEPTANCE_REFUSE = "acceptance.refuse"

    CERTIFICATE_SIGN = "certificate.sign"
    CERTIFICATE_ISSUE = "certificate.issue"
    CERTIFICATE_FAIL = "certificate.fail"
    CERTIFICATE_SUSPEND = "certificate.suspend"
    CERTIFICATE_REINSTATE = "certificate.reinstate"
    CERTIFICATE_REVOKE = "certificate.revoke"

    APPEAL_FILE = "appeal.file"
    APPEAL_DECIDE = "appeal.decide"
    ORDER_GIVE = "order.give"
    ORDER_LIFT = "order.lift"

    DATASET_REGISTER = "dataset.register"
    DATASET_EDIT = "dataset.edit"
    DATASET_PUBLISH = "dataset.publish"
    DATASET_REVISE = "dataset.revise"
    DATASET_WITHDRAW = "dataset.withdraw"

    AGREEMENT_OFFER = "agreement.offer"
    AGREEMENT_TAKE = "agreement.take"
    AGREEMENT_ASK = "agreement.ask"
    AGREEMENT_AGREE = "agreement.agree"
    AGREEMENT_GRANT = "agreement.grant"
    AGREEMENT_BEGIN = "agreement.begin"
    AGREEMENT_EXPIRE = "agreement.expire"
    AGREEMENT_REVOKE = "agreement.revoke"
    AGREEMENT_RELEASE = "agreement.release"
    """Revoke it, and allow them to take up the published offer again."""
    AGREEMENT_END = "agreement.end"


class ExchangeAct(StrEnum):
    """What people do apart from records: threads and webhooks; names: text ``act.<value>``."""

    THREAD_ASK = "thread.ask"
    THREAD_REPLY = "thread.reply"
    THREAD_ATTACH = "thread.attach"
    THREAD_CORRECT = "thread.correct"
    THREAD_REMOVE = "thread.remove"
    THREAD_MARK = "thread.mark"
    WEBHOOK_MANAGE = "webhook.manage"


class IncidentAct(StrEnum):
    """What people do about incidents; names: text ``act.<value>``."""

    NOTE = "incident.note"
    GRADE = "incident.grade"
    REPORT = "incident.report"
    """Mark a report as made."""
    MITIGATE = "incident.mitigate"
    CLOSE = "incident.close"
    CORRECT = "incident.correct"
    RUNBOOK = "runbook.edit"


class ServiceAct(StrEnum):
    """Acts on a service."""

    CREATE = "service.create"
    """Put a certified application into service, or a newer version of it."""
    MOVE = "service.move"
    """Fall back, hand over to a person, stop or start."""
    KEYS = "service.keys"
    """Make and revoke keys."""
    BUDGET = "service.budget"
    OVERRIDE = "service.override"
    """Admit an endpoint that holds no certificate."""
    INSPECT = "service.inspect"
    """See keys (never their secrets), budgets and usage."""


class WatchAct(StrEnum):
    """Acts on the watch of a service."""

    REPLAY = "watch.replay"
    ARM = "watch.arm"
    DISARM = "watch.disarm"
    SILENCE = "warning.silence"
    """Silence notices for a time, and end a silence."""
    CARE = "warning.acknowledge"
    HAND_IN = "observation.hand_in"
    """Hand in observations and labels without a key of the service."""
    ERASE = "observation.erase"


class DeskAct(StrEnum):
    """Acts on the base as a whole, and acts before there is a record."""

    IMPORT = "base.import"
    """Organisations, people and targets, many at once."""
    INVITE = "person.invite"
    """Admit people, and remove them."""
    PLAN = "roadmap.set"
    MEASURE = "base.measure"
    """See the process's health figures, which are not public."""
    UPLOAD = "upload.start"
    CANCEL = "job.cancel"
    CLAIM = "voucher.claim"
    DECIDE_CLAIM = "voucher.decide"
    PAY_CLAIM = "voucher.pay"
    RULES = "voucher.set-rules"


@dataclass(frozen=True)
class Grant:
    """One row of the table: organisations of ``role`` with this ``relation`` to the subject may do it."""

    role: Role
    relation: Relation

    def admits(self, roles: frozenset[Role]) -> bool:
        """Return whether the grant covers somebody who acts in ``roles``."""
        return self.role in roles


@dataclass(frozen=True)
class GrantToAll:
    """Anyone who acts for an organisation in this ``relation``, in any role: a program with its key has no role."""

    relation: Relation

    def admits(self, roles: frozenset[Role]) -> bool:
        """Return whether the grant covers somebody who acts in ``roles``: it covers everyone."""
        return True


OPERATOR = Grant(Role.OPERATOR, Relation.ANY)
MACHINE = Grant(Role.OPERATOR, Relation.MACHINE)
REGULATOR = Grant(Role.REGULATOR, Relation.ANY)
OWNER = Grant(Role.DEMAND_OWNER, Relation.OWNER)
SUPPLIER = Grant(Role.SUPPLIER, Relation.SUPPLIER)
REVIEWER = Grant(Role.REVIEWER, Relation.REVIEWER)
MEMBERS = tuple(Grant(role, Relation.MEMBER) for role in Role)

PERMISSIONS: Mapping[Act, tuple[Grant, ...]] = {
    Act.ORGANISATION_REGISTER: (OPERATOR, MACHINE),
    Act.ORGANISATION_EDIT: (OPERATOR,),
    Act.ORGANISATION_DECLARE: MEMBERS,
    Act.SCENARIO_REGISTER: (OWNER, OPERATOR),
    Act.SCENARIO_EDIT: (OWNER, OPERATOR),
    Act.SCENARIO_SUBMIT: (OWNER,),
    Act.SCENARIO_RETURN: (OPERATOR,),
    Act.SCENARIO_OPEN: (OPERATOR,),
    Act.SCENARIO_CLOSE: (OWNER, OPERATOR),
    Act.SCENARIO_WITHDRAW: (OWNER,),
    Act.APPLICATION_REGISTER: (SUPPLIER,),
    Act.APPLICATION_EDIT: (SUPPLIER,),
    Act.APPLICATION_REHEARSE: (SUPPLIER,),
    Act.APPLICATION_REHEARSED: (MACHINE,),
    Act.APPLICATION_BOARD: (SUPPLIER,),
    Act.APPLICATION_STOP: (SUPPLIER, OPERATOR),
    Act.APPLICATION_SUBMIT: (SUPPLIER,),
    Act.APPLICATION_WITHDRAW: (SUPPLIER,),
    Act.COMMISSION_PROPOSE: (SUPPLIER,),
    Act.COMMISSION_COUNTER: (OWNER,),
    Act.COMMISSION_REVISE: (SUPPLIER,),
    Act.COMMISSION_AGREE: (OWNER,),
    Act.COMMISSION_CONCEDE: (SUPPLIER,),
    Act.COMMISSION_DECLINE: (OWNER, SUPPLIER, OPERATOR),
    Act.COMMISSION_CANCEL: (OWNER, SUPPLIER, OPERATOR),
    Act.APPROVAL_FILE: (OWNER, SUPPLIER, OPERATOR),
    Act.REVIEWER_NAME: (OPERATOR,),
    Act.REVIEWER_RELEASE: (OPERATOR,),
    Act.INTEREST_DECLARE: (REVIEWER,),
    Act.PLAN_DRAFT: (OPERATOR,),
    Act.PLAN_RETURN: (REVIEWER, OPERATOR),
    Act.PLAN_APPROVE: (REVIEWER,),
    Act.PLAN_FREEZE: (OPERATOR,),
    Act.PLAN_FROZEN: (MACHINE,),
    Act.PLAN_REFUSED: (MACHINE,),
    Act.TRIAL_QUEUE: (OPERATOR,),
    Act.TRIAL_START: (MACHINE,),
    Act.TRIAL_STOP: (OPERATOR,),
    Act.TRIAL_FAIL: (MACHINE,),
    Act.TRIAL_REPORT: (MACHINE,),
    Act.TRIAL_HOLD: (MACHINE,),
    Act.CONSENT_GIVE: (OWNER, SUPPLIER, OPERATOR),
    Act.CONSENT_REFUSE: (OWNER, SUPPLIER, OPERATOR),
    Act.TRIAL_REPEAT: (OPERATOR,),
    Act.RETRIAL_ASK: (MACHINE,),
    Act.REPORT_REVIEW: (REVIEWER,),
    Act.RECTIFICATION_ASK: (OWNER, OPERATOR),
    Act.RECTIFICATION_SUBMIT: (SUPPLIER,),
    Act.ACCEPTANCE_GIVE: (OWNER,),
    Act.ACCEPTANCE_REFUSE: (OWNER,),
    Act.CERTIFICATE_SIGN: (OPERATOR,),
    Act.CERTIFICATE_ISSUE: (MACHINE,),
    Act.CERTIFICATE_FAIL: (MACHINE,),
    Act.CERTIFICATE_SUSPEND: (OPERATOR, MACHINE),
    Act.CERTIFICATE_REINSTATE: (OPERATOR,),
    Act.CERTIFICATE_REVOKE: (OPERATOR,),
    Act.APPEAL_FILE: (OWNER, SUPPLIER),
    Act.APPEAL_DECIDE: (OPERATOR,),
    Act.ORDER_GIVE: (REGULATOR,),
    Act.ORDER_LIFT: (REGULATOR,),
    Act.DATASET_REGISTER: (OWNER,),
    Act.DATASET_EDIT: (OWNER,),
    Act.DATASET_PUBLISH: (OWNER,),
    Act.DATASET_REVISE: (OWNER,),
    Act.DATASET_WITHDRAW: (OWNER, OPERATOR),
    Act.AGREEMENT_OFFER: (OWNER,),
    Act.AGREEMENT_TAKE: (SUPPLIER,),
    Act.AGREEMENT_ASK: (SUPPLIER,),
    Act.AGREEMENT_AGREE: (SUPPLIER,),
    Act.AGREEMENT_GRANT: (OWNER,),
    Act.AGREEMENT_BEGIN: (MACHINE,),
    Act.AGREEMENT_EXPIRE: (MACHINE,),
    Act.AGREEMENT_REVOKE: (OWNER, OPERATOR),
    Act.AGREEMENT_RELEASE: (OWNER, OPERATOR),
    Act.AGREEMENT_END: (SUPPLIER,),
}
"""Act → who may do it. The regulator gives orders and lifts them; no act edits evidence, because nobody may."""

EVERYBODY = tuple(Grant(role, Relation.ANY) for role in Role)
ASKERS = tuple(Grant(role, Relation.ASKER) for role in Role)
AUTHORS = tuple(Grant(role, Relation.AUTHOR) for role in Role)

EXCHANGE: Mapping[ExchangeAct, tuple[Grant, ...]] = {
    ExchangeAct.THREAD_ASK: EVERYBODY,
    ExchangeAct.THREAD_REPLY: EVERYBODY,
    ExchangeAct.THREAD_ATTACH: AUTHORS,
    ExchangeAct.THREAD_CORRECT: (*AUTHORS, OPERATOR),
    ExchangeAct.THREAD_REMOVE: (*AUTHORS, OPERATOR),
    ExchangeAct.THREAD_MARK: (*ASKERS, OWNER, SUPPLIER),
    ExchangeAct.WEBHOOK_MANAGE: MEMBERS,
}
"""Who may do what in a thread that they can see, and with an organisation's webhooks."""


INCIDENTS: Mapping[IncidentAct, tuple[Grant, ...]] = {act: (OPERATOR, MACHINE, OWNER) for act in IncidentAct}
"""Who may do what about an incident: its service's owner, and the operator, also on the command line."""

SERVICES: Mapping[ServiceAct, tuple[Grant, ...]] = {
    ServiceAct.CREATE: (OWNER, OPERATOR, MACHINE),
    ServiceAct.MOVE: (OWNER, OPERATOR, MACHINE),
    ServiceAct.KEYS: (OWNER, OPERATOR, MACHINE),
    ServiceAct.BUDGET: (OWNER, OPERATOR, MACHINE),
    ServiceAct.OVERRIDE: (OPERATOR, MACHINE),
    ServiceAct.INSPECT: (OWNER, OPERATOR, MACHINE, REGULATOR),
}
"""Who may do what to a service."""

ITS_OWN = GrantToAll(Relation.OWNER)
"""The organisation that owns the service."""
WATCHES: Mapping[WatchAct, tuple[Grant | GrantToAll, ...]] = {
    WatchAct.REPLAY: (OPERATOR, MACHINE),
    WatchAct.ARM: (OPERATOR, MACHINE),
    WatchAct.DISARM: (OPERATOR, MACHINE),
    WatchAct.SILENCE: (OPERATOR, MACHINE),
    WatchAct.CARE: (ITS_OWN, OPERATOR, MACHINE),
    WatchAct.HAND_IN: (ITS_OWN, OPERATOR, MACHINE),
    WatchAct.ERASE: (ITS_OWN, OPERATOR, MACHINE),
}
"""Who may do what about the watch of a service."""

ANY_SUPPLIER = Grant(Role.SUPPLIER, Relation.ANY)
ANY_OWNER = Grant(Role.DEMAND_OWNER, Relation.ANY)
DESKS: Mapping[DeskAct, tuple[Grant, ...]] = {
    DeskAct.IMPORT: (OPERATOR, MACHINE),
    DeskAct.INVITE: (OPERATOR,),
    DeskAct.PLAN: (OPERATOR, MACHINE),
    DeskAct.MEASURE: (OPERATOR,),
    DeskAct.UPLOAD: (ANY_SUPPLIER, ANY_OWNER, OPERATOR),
    DeskAct.CANCEL: (*MEMBERS, OPERATOR, MACHINE),
    DeskAct.CLAIM: (*EVERYBODY, MACHINE),
    DeskAct.DECIDE_CLAIM: (OPERATOR, MACHINE, REGULATOR),
    DeskAct.PAY_CLAIM: (OPERATOR, MACHINE),
    DeskAct.RULES: (OPERATOR, MACHINE),
}
"""Who may do what for the base, and who hands in files."""


class ReadScope(StrEnum):
    """Reading that needs more than access to a record or a base: it reveals hidden cases, or other parties."""

    BUNDLE = "bundle"
    """The sample bundle of a trial: the raw records, including true labels of scored cases."""
    BUDGET = "budget"
    """Attempts used and unscored cases left: how often others have tried."""
    COMPARISON = "comparison"
    """The candidates for one scenario side by side."""
    OVERVIEW = "overview"
    """The director's figures of the whole base."""
    LEDGER = "ledger"
    """What the base has done: all of it, or a demand owner's own part."""
    DESK = "desk"
    """Standing of services, reactions to warnings, incidents: suppliers see only a suspension."""
    READERS = "readers"
    """Who has read a dataset, or the hidden cases of a scenario."""
    BOARD = "board"
    """That a scenario has a board, and how to get on it; the board's own visibility decides who sees the entries."""
    WHAT_IF = "what-if"
    """A pool's past jobs replayed under other rules: shows what each organisation requested, and how long it waited."""


READINGS: Mapping[ReadScope, tuple[Grant, ...]] = {
    ReadScope.BUNDLE: (OPERATOR, MACHINE, OWNER, REGULATOR),
    ReadScope.BUDGET: (OPERATOR, OWNER, REGULATOR),
    ReadScope.COMPARISON: (OPERATOR, OWNER),
    ReadScope.OVERVIEW: (OPERATOR, REGULATOR),
    ReadScope.LEDGER: (ANY_OWNER, OPERATOR, MACHINE, REGULATOR),
    ReadScope.DESK: (ANY_OWNER, OPERATOR, MACHINE, REGULATOR),
    ReadScope.READERS: (OPERATOR, MACHINE, OWNER, REGULATOR),
    ReadScope.BOARD: (OPERATOR, OWNER, REGULATOR, ANY_SUPPLIER),
    ReadScope.WHAT_IF: (OPERATOR, MACHINE, REGULATOR),
}
"""Reading → who may, among those who see the record."""

AnyAct = Act | ExchangeAct | IncidentAct | ServiceAct | WatchAct | DeskAct
_PARTS: tuple[Mapping[Any, tuple[Grant | GrantToAll, ...]], ...] = (
    PERMISSIONS,
    EXCHANGE,
    INCIDENTS,
    SERVICES,
    WATCHES,
    DESKS,
    READINGS,
)
TABLE: Mapping[AnyAct | ReadScope, tuple[Grant | GrantToAll, ...]] = {
    what: who for part in _PARTS for what, who in part.items()
}
"""Every restricted act or reading → who may."""


class Acting(Protocol):
    """Who acts: an organisation in roles, and which person (None: the base's own process, or the command line)."""

    @property
    def organisation(self) -> str: ...

    @property
    def roles(self) -> frozenset[Role]: ...

    @property
    def person(self) -> str | None: ...


@dataclass(frozen=True)
class SubjectRelation:
    """The parties of a subject; `Record` provides its own."""

    organisation: str | None = None
    demand_owner: str | None = None
    supplier: str | None = None
    reviewers: frozenset[tuple[str, str]] = frozenset()
    """(organisation, person) for each named reviewer."""
    asker: str | None = None
    """The organisation that asked the question of a thread."""
    author: tuple[str, str] | None = None
    """(organisation, person) of the author of a message."""


NOBODY = SubjectRelation()
"""The relation of people to the base as a whole."""


def permitted(act: AnyAct | ReadScope, actor: Acting, stands: SubjectRelation = NOBODY) -> bool:
    """Return whether the table lets ``actor`` do ``act`` or read it, with the parties in ``stands``."""
    held = relations(actor, stands)
    return any(grant.admits(actor.roles) and grant.relation in held for grant in TABLE[act])


def may_read(reading: ReadScope, actor: Acting, stands: SubjectRelation = NOBODY) -> bool:
    """Return whether the table lets ``actor`` read this of a record with the parties in ``stands``."""
    return permitted(reading, actor, stands)


def may_begin(act: AnyAct, actor: Acting) -> bool:
    """Return whether ``actor`` may do ``act`` to any subject at all: to one that its own organisation would own."""
    own = actor.organisation
    return permitted(act, actor, SubjectRelation(organisation=own, demand_owner=own, supplier=own))


def roles_for(act: AnyAct | ReadScope) -> tuple[Role, ...]:
    """Return the roles of which one is enough to do ``act`` or read it."""
    return tuple(dict.fromkeys(grant.role for grant in TABLE[act] if isinstance(grant, Grant)))


def relations(actor: Acting, stands: SubjectRelation) -> frozenset[Relation]:
    """Return every relation of ``actor`` to the subject; the base's own process has only one."""
    if actor.person is None and Role.OPERATOR in actor.roles:
        return frozenset({Relation.MACHINE})
    holds = {
        Relation.ANY: True,
        Relation.MEMBER: actor.organisation == stands.organisation,
        Relation.OWNER: actor.organisation == stands.demand_owner,
        Relation.SUPPLIER: actor.organisation == stands.supplier,
        Relation.REVIEWER: (actor.organisation, actor.person) in stands.reviewers,
        Relation.ASKER: actor.organisation == stands.asker,
        Relation.AUTHOR: (actor.organisation, actor.person) == stands.author,
    }
    return frozenset(relation for relation, true in holds.items() if true)


def act_name(act: Act | ExchangeAct | IncidentAct) -> Text:
    """Return the name of an act."""
    return Text(code=f"act.{act}")


def relation_name(relation: Relation) -> Text:
    """Return the name of a relation."""
    return Text(code=f"relation.{relation}")
