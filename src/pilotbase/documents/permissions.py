"""Who may do what: every act with its grants, which code, pages and docs share, and one function that reads them.

An act is allowed if the actor holds one of its grants: a role of the organisation, and a relation to the subject. What
an actor may *see* is decided not here but by the visibility of documents in the store. The regulator gives orders and
lifts them; no act edits evidence, because nobody may.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol, Self

from pilotbase.documents.texts import Language, Text, text
from pilotbase.documents.vocabularies import Role


class Relation(StrEnum):
    """An actor's relation to a subject; names: text ``relation.<value>``."""

    ANY = "any"
    """Any subject."""
    MEMBER = "member"
    """The subject is the actor's own organisation."""
    MANAGER = "manager"
    """The subject is the actor's own organisation, and this person manages it."""
    OWNER = "owner"
    """The actor's organisation is the demand owner of the subject."""
    SUPPLIER = "supplier"
    """The actor's organisation is the supplier of the subject."""
    HOST = "host"
    """The actor's organisation owns the demand that the subject is to join."""
    REVIEWER = "reviewer"
    """This person is named as a reviewer of the subject."""
    ASKER = "asker"
    """The actor's organisation asked the question."""
    AUTHOR = "author"
    """This person wrote the message."""
    MACHINE = "machine"
    """The base's own process at work: an operator without a person."""


@dataclass(frozen=True)
class Grant:
    """Organisations of ``role`` with this ``relation`` to the subject may do it."""

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
HOST = Grant(Role.DEMAND_OWNER, Relation.HOST)
REVIEWER = Grant(Role.REVIEWER, Relation.REVIEWER)
ANY_SUPPLIER = Grant(Role.SUPPLIER, Relation.ANY)
ANY_OWNER = Grant(Role.DEMAND_OWNER, Relation.ANY)
ANY_REVIEWER = Grant(Role.REVIEWER, Relation.ANY)
ITS_OWN = GrantToAll(Relation.OWNER)
"""The organisation that owns the service."""
MEMBERS, MANAGERS, EVERYBODY, ASKERS, AUTHORS = (
    tuple(Grant(role, relation) for role in Role)
    for relation in (Relation.MEMBER, Relation.MANAGER, Relation.ANY, Relation.ASKER, Relation.AUTHOR)
)


class Restricted(StrEnum):
    """What not everybody may do or read: each word with those who may."""

    grants: tuple[Grant | GrantToAll, ...]

    def __new__(cls, word: str, *grants: Grant | GrantToAll) -> Self:
        member = str.__new__(cls, word)
        member._value_, member.grants = word, grants
        return member


class Act(Restricted):
    """Everything that moves a record; names: text ``act.<value>``. The log uses the same words."""

    grants: tuple[Grant, ...]

    ORGANISATION_REGISTER = "organisation.register", OPERATOR, MACHINE
    ORGANISATION_EDIT = "organisation.edit", OPERATOR
    ORGANISATION_DECLARE = "organisation.declare", *MEMBERS

    SCENARIO_REGISTER = "scenario.register", OWNER, OPERATOR
    SCENARIO_EDIT = "scenario.edit", OWNER, OPERATOR
    SCENARIO_SUBMIT = "scenario.submit", OWNER
    SCENARIO_RETURN = "scenario.return", OPERATOR
    SCENARIO_OPEN = "scenario.open", OPERATOR
    SCENARIO_CLOSE = "scenario.close", OWNER, OPERATOR
    SCENARIO_WITHDRAW = "scenario.withdraw", OWNER

    DEMAND_REGISTER = "demand.register", OWNER
    DEMAND_EDIT = "demand.edit", OWNER
    DEMAND_TAKE_UP = "demand.take_up", MACHINE
    DEMAND_JOIN = "demand.join", OWNER
    DEMAND_ADMIT = "demand.admit", HOST
    DEMAND_DECLINE = "demand.decline", HOST
    DEMAND_LEAVE = "demand.leave", OWNER
    DEMAND_WITHDRAW = "demand.withdraw", OWNER, OPERATOR

    APPLICATION_REGISTER = "application.register", SUPPLIER
    APPLICATION_EDIT = "application.edit", SUPPLIER
    APPLICATION_REHEARSE = "application.rehearse", SUPPLIER
    APPLICATION_REHEARSED = "application.rehearsed", MACHINE
    APPLICATION_BOARD = "application.board", SUPPLIER
    APPLICATION_STOP = "application.stop", SUPPLIER, OPERATOR
    APPLICATION_SUBMIT = "application.submit", SUPPLIER
    APPLICATION_WITHDRAW = "application.withdraw", SUPPLIER

    COMMISSION_PROPOSE = "commission.propose", SUPPLIER
    COMMISSION_COUNTER = "commission.counter", OWNER
    COMMISSION_REVISE = "commission.revise", SUPPLIER
    COMMISSION_AGREE = "commission.agree", OWNER
    COMMISSION_CONCEDE = "commission.concede", SUPPLIER
    COMMISSION_DECLINE = "commission.decline", OWNER, SUPPLIER, OPERATOR
    COMMISSION_CANCEL = "commission.cancel", OWNER, SUPPLIER, OPERATOR
    APPROVAL_FILE = "approval.file", OWNER, SUPPLIER, OPERATOR
    REVIEWER_NAME = "reviewer.name", OPERATOR
    REVIEWER_RELEASE = "reviewer.release", OPERATOR
    INTEREST_DECLARE = "interest.declare", REVIEWER

    PLAN_DRAFT = "plan.draft", OPERATOR
    PLAN_RETURN = "plan.return", REVIEWER, OPERATOR
    PLAN_APPROVE = "plan.approve", REVIEWER
    PLAN_FREEZE = "plan.freeze", OPERATOR
    PLAN_FROZEN = "plan.frozen", MACHINE
    PLAN_REFUSED = "plan.refused", MACHINE

    TRIAL_QUEUE = "trial.queue", OPERATOR
    TRIAL_START = "trial.start", MACHINE
    TRIAL_STOP = "trial.stop", OPERATOR
    TRIAL_FAIL = "trial.fail", MACHINE
    TRIAL_REPORT = "trial.report", MACHINE
    TRIAL_HOLD = "trial.hold", MACHINE
    CONSENT_GIVE = "consent.give", OWNER, SUPPLIER, OPERATOR
    CONSENT_REFUSE = "consent.refuse", OWNER, SUPPLIER, OPERATOR
    TRIAL_JUDGE = "trial.judge", MACHINE
    TRIAL_JUDGED = "trial.judged", OWNER
    TRIAL_REPEAT = "trial.repeat", OPERATOR
    RETRIAL_ASK = "retrial.ask", MACHINE
    REPORT_REVIEW = "report.review", REVIEWER
    RECTIFICATION_ASK = "rectification.ask", OWNER, OPERATOR
    RECTIFICATION_SUBMIT = "rectification.submit", SUPPLIER
    ACCEPTANCE_GIVE = "acceptance.give", OWNER
    ACCEPTANCE_REFUSE = "acceptance.refuse", OWNER

    CERTIFICATE_SIGN = "certificate.sign", OPERATOR
    CERTIFICATE_ISSUE = "certificate.issue", MACHINE
    CERTIFICATE_FAIL = "certificate.fail", MACHINE
    CERTIFICATE_SUSPEND = "certificate.suspend", OPERATOR, MACHINE
    CERTIFICATE_REINSTATE = "certificate.reinstate", OPERATOR
    CERTIFICATE_REVOKE = "certificate.revoke", OPERATOR

    APPEAL_FILE = "appeal.file", OWNER, SUPPLIER
    APPEAL_DECIDE = "appeal.decide", OPERATOR
    ORDER_GIVE = "order.give", REGULATOR
    ORDER_LIFT = "order.lift", REGULATOR

    DATASET_REGISTER = "dataset.register", OWNER
    DATASET_EDIT = "dataset.edit", OWNER
    DATASET_PUBLISH = "dataset.publish", OWNER
    DATASET_REVISE = "dataset.revise", OWNER
    DATASET_WITHDRAW = "dataset.withdraw", OWNER, OPERATOR

    AGREEMENT_OFFER = "agreement.offer", OWNER
    AGREEMENT_TAKE = "agreement.take", SUPPLIER
    AGREEMENT_ASK = "agreement.ask", SUPPLIER
    AGREEMENT_AGREE = "agreement.agree", SUPPLIER
    AGREEMENT_GRANT = "agreement.grant", OWNER
    AGREEMENT_BEGIN = "agreement.begin", MACHINE
    AGREEMENT_EXPIRE = "agreement.expire", MACHINE
    AGREEMENT_REVOKE = "agreement.revoke", OWNER, OPERATOR
    AGREEMENT_RELEASE = "agreement.release", OWNER, OPERATOR
    """Revoke it, and allow them to take up the published offer again."""
    AGREEMENT_END = "agreement.end", SUPPLIER


class ExchangeAct(Restricted):
    """What people do apart from records: threads, rooms and webhooks; names: text ``act.<value>``."""

    THREAD_ASK = "thread.ask", *EVERYBODY
    THREAD_REPLY = "thread.reply", *EVERYBODY
    THREAD_ATTACH = "thread.attach", *AUTHORS
    THREAD_CORRECT = "thread.correct", *AUTHORS, OPERATOR
    THREAD_REMOVE = "thread.remove", *AUTHORS, OPERATOR
    THREAD_MARK = "thread.mark", *ASKERS, OWNER, SUPPLIER
    ROOM_OPEN = "room.open", OWNER, SUPPLIER
    """Propose a room for a match."""
    ROOM_TAKE_PART = "room.take_part", OWNER, SUPPLIER
    KIT_STATE = "kit.state", SUPPLIER
    """State the replication kit of an application."""
    KIT_AGREE = "kit.agree", OWNER
    WEBHOOK_MANAGE = "webhook.manage", *MEMBERS


class IncidentAct(Restricted):
    """What people do about incidents; names: text ``act.<value>``."""

    NOTE = "incident.note", OPERATOR, MACHINE, OWNER
    GRADE = "incident.grade", OPERATOR, MACHINE, OWNER
    REPORT = "incident.report", OPERATOR, MACHINE, OWNER
    """Mark a report as made."""
    MITIGATE = "incident.mitigate", OPERATOR, MACHINE, OWNER
    CLOSE = "incident.close", OPERATOR, MACHINE, OWNER
    CORRECT = "incident.correct", OPERATOR, MACHINE, OWNER
    RUNBOOK = "runbook.edit", OPERATOR, MACHINE, OWNER


class ServiceAct(Restricted):
    """Acts on a service."""

    CREATE = "service.create", OWNER, OPERATOR, MACHINE
    """Put a certified application into service, or a newer version of it."""
    MOVE = "service.move", OWNER, OPERATOR, MACHINE
    """Fall back, hand over to a person, stop or start."""
    KEYS = "service.keys", OWNER, OPERATOR, MACHINE
    """Make and revoke keys."""
    BUDGET = "service.budget", OWNER, OPERATOR, MACHINE
    CONSENT = "service.consent", OWNER
    """Consent to a single act of an agent, or decline it."""
    OVERRIDE = "service.override", OPERATOR, MACHINE
    """Admit an endpoint that holds no certificate."""
    INSPECT = "service.inspect", OWNER, OPERATOR, MACHINE, REGULATOR
    """See keys (never their secrets), budgets and usage."""


class WatchAct(Restricted):
    """Acts on the watch of a service."""

    REPLAY = "watch.replay", OPERATOR, MACHINE
    ARM = "watch.arm", OPERATOR, MACHINE
    DISARM = "watch.disarm", OPERATOR, MACHINE
    SILENCE = "warning.silence", OPERATOR, MACHINE
    """Silence notices for a time, and end a silence."""
    CARE = "warning.acknowledge", ITS_OWN, OPERATOR, MACHINE
    HAND_IN = "observation.hand_in", ITS_OWN, OPERATOR, MACHINE
    """Hand in observations and labels without a key of the service."""
    ERASE = "observation.erase", ITS_OWN, OPERATOR, MACHINE


class DeskAct(Restricted):
    """Acts on the base as a whole, and acts before there is a record."""

    IMPORT = "base.import", OPERATOR, MACHINE
    """Organisations, people and targets, many at once."""
    WORKFORCE = "workforce.state", OWNER, OPERATOR, MACHINE
    """State a scenario's effect on employment, and report its staffing."""
    STAFF = "organisation.staff", OPERATOR, MACHINE, *MANAGERS
    """Invite people, set their roles, end memberships: the operator in every organisation, managers in their own."""
    MANAGE = "person.manage", OPERATOR
    """Consent to rights, end sessions, block people."""
    PLAN = "roadmap.set", OPERATOR, MACHINE
    SCORE = "potential.score", ANY_REVIEWER
    """Score the potential of scenarios."""
    BADGES = "badge.withdraw", OPERATOR, MACHINE
    """Withdraw a badge for a course."""
    KITS = "kit.admit", OPERATOR, MACHINE
    ADVISE = "advisory.tell", OPERATOR, MACHINE
    """Keep an advisory and tell those whom it concerns."""
    MEASURE = "base.measure", OPERATOR
    """See the process's health figures, which are not public."""
    UPLOAD = "upload.start", ANY_SUPPLIER, ANY_OWNER, OPERATOR
    CANCEL = "job.cancel", *MEMBERS, OPERATOR, MACHINE


class PluginAct(Restricted):
    """Base class of the acts on the base as a whole that a plug-in adds."""


class ReadScope(Restricted):
    """Reading that needs more than access to a record or a base: it reveals hidden cases, or other parties."""

    BUNDLE = "bundle", OPERATOR, MACHINE, OWNER, REGULATOR
    """The sample bundle of a trial: the raw records, including true labels of scored cases."""
    BUDGET = "budget", OPERATOR, OWNER, REGULATOR
    """Attempts used and unscored cases left: how often others have tried."""
    COMPARISON = "comparison", OPERATOR, OWNER
    """The candidates for one scenario side by side."""
    OVERVIEW = "overview", OPERATOR, REGULATOR
    """The director's figures of the whole base."""
    AUDIT = "audit", OPERATOR, MACHINE, REGULATOR
    """The log of the base: who did what when."""
    LEDGER = "ledger", ANY_OWNER, OPERATOR, MACHINE, REGULATOR
    """What the base has done: all of it, or a demand owner's own part."""
    POTENTIAL = "potential", OWNER, OPERATOR, REGULATOR, ANY_REVIEWER
    """Reviewers' scores of a scenario's potential once they are opened, and how many there are before that."""
    DESK = "desk", ANY_OWNER, OPERATOR, MACHINE, REGULATOR
    """Standing of services, reactions to warnings, incidents: suppliers see only a suspension."""
    READERS = "readers", OPERATOR, MACHINE, OWNER, REGULATOR
    """Who has read a dataset, or the hidden cases of a scenario."""
    BOARD = "board", OPERATOR, OWNER, REGULATOR, ANY_SUPPLIER
    """That a scenario has a board, and how to get on it; the board's own visibility decides who sees the entries."""
    WHAT_IF = "what-if", OPERATOR, MACHINE, REGULATOR
    """A pool's past jobs replayed under other rules: shows what each organisation requested, and how long it waited."""


AnyAct = Act | ExchangeAct | IncidentAct | ServiceAct | WatchAct | DeskAct | PluginAct


class Acting(Protocol):
    """Who acts: an organisation in roles, and which person (None: the base's own process, or the command line)."""

    @property
    def organisation(self) -> str: ...

    @property
    def roles(self) -> frozenset[Role]: ...

    @property
    def person(self) -> str | None: ...

    @property
    def manages(self) -> bool: ...


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
    host: str | None = None
    """The organisation whose demand it is to join."""


NOBODY = SubjectRelation()
"""The relation of people to the base as a whole."""


def permitted(act: AnyAct | ReadScope, actor: Acting, stands: SubjectRelation = NOBODY) -> bool:
    """Return whether the table lets ``actor`` do ``act`` or read it, with the parties in ``stands``."""
    held = relations(actor, stands)
    return any(grant.admits(actor.roles) and grant.relation in held for grant in act.grants)


def may_begin(act: AnyAct, actor: Acting) -> bool:
    """Return whether ``actor`` may do ``act`` to any subject at all: to one that its own organisation would own."""
    own = actor.organisation
    return permitted(act, actor, SubjectRelation(organisation=own, demand_owner=own, supplier=own))


def roles_for(act: AnyAct | ReadScope) -> tuple[Role, ...]:
    """Return the roles of which one is enough to do ``act`` or read it."""
    return tuple(dict.fromkeys(grant.role for grant in act.grants if isinstance(grant, Grant)))


def relations(actor: Acting, stands: SubjectRelation) -> frozenset[Relation]:
    """Return every relation of ``actor`` to the subject; the base's own process has only one."""
    if actor.person is None and Role.OPERATOR in actor.roles:
        return frozenset({Relation.MACHINE})
    holds = {
        Relation.ANY: True,
        Relation.MEMBER: actor.organisation == stands.organisation,
        Relation.MANAGER: actor.organisation == stands.organisation and actor.manages,
        Relation.OWNER: actor.organisation == stands.demand_owner,
        Relation.SUPPLIER: actor.organisation == stands.supplier,
        Relation.HOST: actor.organisation == stands.host,
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


def granted(grants: Sequence[Grant | GrantToAll], language: Language) -> str:
    """Return whom the grants admit, as people are called; the base's own process is left out."""
    people = [grant for grant in grants if grant.relation is not Relation.MACHINE]
    if {grant.role for grant in people if isinstance(grant, Grant) and grant.relation is Relation.ANY} == set(Role):
        return text("hub.api_callers.members").render(language)
    return ", ".join(dict.fromkeys(_admitted(grant).render(language) for grant in people))


def _admitted(grant: Grant | GrantToAll) -> Text:
    if isinstance(grant, Grant) and grant.relation is Relation.ANY:
        return Text(code=f"role.{grant.role}")
    return relation_name(grant.relation)
