"""Terms of use 使用条款: a closed subset of ODRL 2.2, in which anything not understood denies.

An `Offer` says what a dataset's owner permits; an `Agreement` is an offer that an organisation has taken up. Property
names are ODRL's own (ODRL Information Model 2.2, §2). Evaluated by `pilotbase.data.terms`, before any value is read;
anyone who is let in holds an `AccessGrant`.

The base asks for access in a few fixed ways, each with limited facts; a constraint on anything else denies.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Annotated, Literal, Self

import pydantic
from pydantic import StringConstraints, model_validator

from pilotbase.documents.base import Moment, Name, Part
from pilotbase.documents.errors import InputError
from pilotbase.documents.hashes import Digest
from pilotbase.documents.texts import Text, text

PROFILE: Literal["urn:pilotbase:odrl:1"] = "urn:pilotbase:odrl:1"
"""Identifies this subset and our own terms in it (``odrl:profile``)."""
MILLIONTHS = 1_000_000
"""Units per ε: budgets are integers, so that one can be used up exactly."""
Number = Annotated[int, pydantic.Field(ge=0, le=10**15)]
Word = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9][A-Za-z0-9:._/#-]{0,199}$")]
"""A purpose or a place: our own name or one from a vocabulary, such as ``pb:verification`` or ``DUO:0000042``."""
_DIGITS = re.compile(r"0|[1-9][0-9]{0,14}")


class Action(StrEnum):
    """What may be done with a dataset."""

    USE = "odrl:use"
    """Download its files and work with them, within the requesting organisation."""
    REPRODUCE = "odrl:reproduce"
    DISTRIBUTE = "odrl:distribute"
    DISPLAY = "odrl:display"
    """See a few rows on a page."""
    COMPUTE_ON = "pb:computeOn"
    """Let an application answer its cases in a box, or compute an aggregate of it."""
    REIDENTIFY = "pb:reidentify"
    ATTRIBUTE = "odrl:attribute"
    INFORM = "odrl:inform"
    DELETE = "odrl:delete"
    OBTAIN_CONSENT = "odrl:obtainConsent"
    WATERMARK = "odrl:watermark"
    """A copy of a file is marked for its recipient: a few of its rows are made up."""


class LeftOperand(StrEnum):
    """What a constraint examines."""

    PURPOSE = "odrl:purpose"
    RECIPIENT = "odrl:recipient"
    DATE_TIME = "odrl:dateTime"
    SPATIAL = "odrl:spatial"
    COUNT = "odrl:count"
    """Number of uses, including this one."""
    OUTPUT_CHANNEL = "pb:outputChannel"
    MIN_CELL_SIZE = "pb:minCellSize"
    """Number of records behind the smallest released figure."""
    EPSILON_BUDGET = "pb:epsilonBudget"
    """In millionths of ε: integers, so that a budget can be used up exactly."""
    ROW_COUNT = "pb:rowCount"
    """Rows read in all uses together."""


class Operator(StrEnum):
    """How the request's value is compared with the constraint's."""

    EQ = "odrl:eq"
    LT = "odrl:lt"
    LTEQ = "odrl:lteq"
    GT = "odrl:gt"
    GTEQ = "odrl:gteq"
    IS_ANY_OF = "odrl:isAnyOf"
    IS_NONE_OF = "odrl:isNoneOf"


class Purpose(StrEnum):
    """Purposes that Pilotbase itself uses; an offer may name others."""

    VERIFICATION = "pb:verification"
    """Try an application: nothing learns from it."""
    TRAINING = "pb:training"
    STATISTICS = "pb:statistics"
    LABELLING = "pb:labelling"
    """Show items to people who label them."""


class Channel(StrEnum):
    """The channel through which results are released."""

    DOWNLOAD = "pb:download"
    PREVIEW = "pb:preview"
    REPORT = "pb:report"
    """Only what the report of a trial says."""
    BOARD = "pb:board"
    """Only what a board releases."""
    STATISTICS = "pb:statistics"
    SITE_PACK = "pb:sitePack"


_WORDS = {
    one.value: f"terms.{vocabulary}.{one.name.lower()}"
    for vocabulary, words in (("channel", Channel), ("purpose", Purpose), ("action", Action))
    for one in words
}
"""Word → the text that names it. What is both purpose and channel is called as the purpose."""


def term_name(word: str) -> Text | None:
    """Return the name of a word such as ``pb:verification``; None for one of another vocabulary."""
    return Text(code=_WORDS[word]) if word in _WORDS else None


_NAMES = frozenset({Operator.EQ, Operator.IS_ANY_OF, Operator.IS_NONE_OF})
_OF_SEVERAL = frozenset({Operator.IS_ANY_OF, Operator.IS_NONE_OF})
_AT_MOST = frozenset({Operator.LT, Operator.LTEQ})
_AT_LEAST = frozenset({Operator.GT, Operator.GTEQ})
FITTING: Mapping[LeftOperand, frozenset[Operator]] = {
    LeftOperand.PURPOSE: _NAMES,
    LeftOperand.RECIPIENT: _NAMES,
    LeftOperand.SPATIAL: _NAMES,
    LeftOperand.OUTPUT_CHANNEL: _NAMES,
    LeftOperand.DATE_TIME: _AT_MOST | _AT_LEAST,
    LeftOperand.COUNT: _AT_MOST,
    LeftOperand.EPSILON_BUDGET: _AT_MOST,
    LeftOperand.ROW_COUNT: _AT_MOST,
    LeftOperand.MIN_CELL_SIZE: _AT_LEAST,
}
"""The operators that are valid for each left operand; any other pair is not a constraint."""
DUTIES = frozenset({Action.ATTRIBUTE, Action.INFORM, Action.DELETE, Action.OBTAIN_CONSENT, Action.WATERMARK})
"""Actions that can be duties. Nobody requests them."""


class Constraint(Part):
    """``leftOperand operator rightOperand``; ``rightOperand`` is text, with moments as RFC 3339."""

    left_operand: LeftOperand = pydantic.Field(alias="leftOperand")
    operator: Operator
    right_operand: tuple[str, ...] = pydantic.Field(alias="rightOperand", min_length=1, max_length=1000)

    @property
    def moment(self) -> datetime:
        """Return its value as a moment; raises `ValueError`."""
        found = datetime.fromisoformat(self.right_operand[0])
        if found.tzinfo is None:
            raise ValueError("no zone")
        return found

    @property
    def number(self) -> int:
        """Return its value as a number; raises `ValueError`."""
        if _DIGITS.fullmatch(self.right_operand[0]) is None:
            raise ValueError("no number")
        return int(self.right_operand[0])

    def lets(self, word: str) -> bool:
        """Return whether it holds for ``word``, if it examines a name."""
        return (word in self.right_operand) is not (self.operator is Operator.IS_NONE_OF)

    @model_validator(mode="after")
    def _means_something(self) -> Self:
        fitting = FITTING[self.left_operand]
        if self.operator not in fitting:
            allowed = sorted(fitting)
            raise InputError("terms.no_such_pair", operand=self.left_operand, found=self.operator, allowed=allowed)
        if self.operator not in _OF_SEVERAL and len(self.right_operand) != 1:
            raise InputError("terms.one_value", operand=self.left_operand, operator=self.operator)
        if fitting != _NAMES:
            self._read()
        return self

    def _read(self) -> None:
        try:
            _ = self.moment if self.left_operand is LeftOperand.DATE_TIME else self.number
        except ValueError:
            found = self.right_operand[0]
            raise InputError("terms.unreadable_value", operand=self.left_operand, found=found) from None


class Duty(Part):
    """What the user of a permission must do."""

    action: Action


class Permission(Part):
    """What may be done, under which constraints (all of them), with which duties."""

    action: Action
    constraint: tuple[Constraint, ...] = pydantic.Field(default=(), max_length=100)
    duty: tuple[Duty, ...] = pydantic.Field(default=(), max_length=20)

    @property
    def of_purpose(self) -> tuple[Constraint, ...]:
        """Return the constraints on the purpose."""
        return tuple(one for one in self.constraint if one.left_operand is LeftOperand.PURPOSE)


class Prohibition(Part):
    """What must not be done; it overrides every permission (``odrl:conflict odrl:prohibit``)."""

    action: Action
    constraint: tuple[Constraint, ...] = pydantic.Field(default=(), max_length=100)


class Offer(Part):
    """What the owner of a dataset permits (``odrl:Offer``)."""

    uid: str = pydantic.Field(pattern=r"^urn:[A-Za-z0-9:._/-]{1,300}$")
    profile: Literal["urn:pilotbase:odrl:1"] = PROFILE
    assigner: Name
    target: str = pydantic.Field(min_length=1, max_length=300)
    """The dataset's subject."""
    conflict: Literal["odrl:prohibit"] = "odrl:prohibit"
    permission: tuple[Permission, ...] = pydantic.Field(default=(), max_length=100)
    prohibition: tuple[Prohibition, ...] = pydantic.Field(default=(), max_length=100)

    @property
    def purposes(self) -> tuple[str, ...]:
        """Return the purposes that its permissions name and allow, each once."""
        limits = [one for permission in self.permission for one in permission.of_purpose]
        named = dict.fromkeys(word for one in limits for word in one.right_operand)
        return tuple(word for word in named if self.is_for(word))

    def is_for(self, purpose: str) -> bool:
        """Return whether a permission allows ``purpose``, regardless of its other constraints."""
        return any(all(one.lets(purpose) for one in permission.of_purpose) for permission in self.permission)


class Request(Part):
    """A request for access. What is left out is unknown: a constraint on it denies."""

    target: str = pydantic.Field(min_length=1, max_length=300)
    """The dataset's subject."""
    action: Action
    by: Name
    """The requesting organisation, or the one on whose behalf something is done."""
    purpose: Word | None = None
    recipient: Name | None = None
    """The organisation that receives the results."""
    spatial: Word | None = None
    channel: Channel | None = None
    cell_size: Number | None = None
    epsilon: Number | None = None
    """Millionths of ε to spend."""
    rows: Number | None = None
    consent: str | None = pydantic.Field(default=None, min_length=1, max_length=200)
    """Where the consent that a permission may require is recorded."""


@dataclass(frozen=True)
class Used:
    """Previous uses under the same terms."""

    count: int = 0
    epsilon: int = 0
    rows: int = 0


class Use(Part):
    """One use, as recorded in the ledger: its parties, operator and regulator see it."""

    ground: str
    """The agreement, the dataset (if open or the owner's own), or the digest of a plan or submission."""
    place: int
    """The running number of the use under this ground."""
    request: Digest
    """Identifies the use: a repeated request is not counted again."""
    target: str
    version: str
    """Digest of the dataset's description at that time; empty for a plan or submission."""
    action: str
    organisation: str
    person: str
    purpose: str
    recipient: str
    channel: str
    cell_size: int | None = None
    epsilon: int
    """Millionths of ε that it spent."""
    rows: int
    epsilon_so_far: int
    """Spent under this ground up to and including this use."""
    rows_so_far: int
    used_at: Moment


class LegalBasis(StrEnum):
    """The legal basis of an access grant."""

    OWNER = "owner"
    """The owner's own work on its own data."""
    AGREEMENT = "agreement"
    OFFER = "offer"
    """The published offer of an open dataset, which covers anyone."""
    PAPER = "paper"
    """A frozen plan, or a submission to a board, between the owner of a scenario and a supplier."""


@dataclass(frozen=True)
class AccessGrant:
    """A record of being let in: readers of closed data require it and compare it with the store.

    By itself it proves nothing. `LegalBasis.AGREEMENT` and `LegalBasis.OFFER` are checked against the ledger's row for
    this use, and against the terms in force when a value is read.
    """

    ground: LegalBasis
    by: str
    """The owner, the subject of an agreement or a dataset, or the digest of a plan or submission."""
    target: str
    """The data covered: an owner's name, a dataset's subject, or the digest of a plan or submission."""
    use: Digest | None = None
    """Identifies the row in the ledger of uses."""
    duties: tuple[Action, ...] = ()

    @classmethod
    def of_owner(cls, owner: str) -> AccessGrant:
        """Return the grant for an owner's own work: it opens nothing for anyone else's application."""
        return cls(LegalBasis.OWNER, owner, owner)


@dataclass(frozen=True)
class TermsDecision:
    """The terms' answer to a request: ``reasons`` are all the grounds for denying it."""

    reasons: tuple[Text, ...]
    duties: tuple[Action, ...] = ()

    @property
    def permitted(self) -> bool:
        return not self.reasons


@dataclass(frozen=True)
class AccessRequest:
    """One way of asking for access: action, channel, and the facts that the request states. No ``purposes``: any."""

    action: Action
    channel: Channel
    purposes: tuple[str, ...] = ()
    numbers: frozenset[LeftOperand] = frozenset({LeftOperand.COUNT, LeftOperand.ROW_COUNT})
    consent: bool = False


_COUNTED = frozenset({LeftOperand.COUNT})
_SIZED = frozenset({LeftOperand.COUNT, LeftOperand.ROW_COUNT, LeftOperand.MIN_CELL_SIZE})
_PRIVATE = frozenset({LeftOperand.COUNT, LeftOperand.MIN_CELL_SIZE, LeftOperand.EPSILON_BUDGET})
_TRIED, _COUNTS, _LEARNT = (Purpose.VERIFICATION,), (Purpose.STATISTICS,), (Purpose.TRAINING,)
WAYS = (
    AccessRequest(Action.USE, Channel.DOWNLOAD),
    AccessRequest(Action.USE, Channel.DOWNLOAD, _LEARNT, _COUNTED, consent=True),  # the public sample of a scenario
    AccessRequest(Action.DISPLAY, Channel.PREVIEW),
    AccessRequest(Action.COMPUTE_ON, Channel.REPORT, _TRIED, consent=True),
    AccessRequest(Action.COMPUTE_ON, Channel.BOARD, _TRIED, consent=True),
    AccessRequest(Action.COMPUTE_ON, Channel.SITE_PACK, _TRIED, _SIZED, consent=True),
    AccessRequest(Action.COMPUTE_ON, Channel.STATISTICS, _COUNTS, _PRIVATE),
)
"""Every way in which the base asks for access. It never uses other permissions, such as one to pass it on."""


def unmet(offer: Offer) -> Iterator[tuple[str, Text]]:
    """Yield what prevents a permission from ever being used: path in the offer, and the clause with the remedy.

    A purpose that is never requested is reported only if nothing else in the offer can be used: often every permission
    names the same purposes.
    """
    barred = {one.action for one in offer.prohibition if not one.constraint}
    found: list[tuple[str, Text]] = []
    usable = False
    for index, permission in enumerate(offer.permission):
        ways = [way for way in WAYS if way.action is permission.action]
        path = f"permission[{index}]"
        if not ways:
            continue
        if barred & {permission.action, Action.USE}:
            found.append((path, text("terms.never_prohibited", action=permission.action)))
            continue
        against = min((_against(permission, way) for way in ways), key=len)
        usable = usable or not against
        found += [(f"{path}.{place}", problem) for place, problem in against]
    yield from (one for one in found if not (usable and one[1].params.get("operand") == LeftOperand.PURPOSE))


def _against(permission: Permission, way: AccessRequest) -> list[tuple[str, Text]]:
    found = [
        (f"constraint[{index}]", _never(one, permission.action))
        for index, one in enumerate(permission.constraint)
        if not _met(one, permission.constraint, way)
    ]
    for index, duty in enumerate(permission.duty):
        if duty.action is Action.OBTAIN_CONSENT and not way.consent:
            found.append((f"duty[{index}]", text("terms.never_consent", action=permission.action)))
    return found


def _met(constraint: Constraint, all_of_them: Sequence[Constraint], way: AccessRequest) -> bool:
    """Return whether some request of this way can meet it, together with the other constraints on the same operand."""
    operand = constraint.left_operand
    same = [one for one in all_of_them if one.left_operand is operand]
    if operand is LeftOperand.DATE_TIME:
        after = [one.moment for one in same if one.operator in (Operator.GT, Operator.GTEQ)]
        before = [one.moment for one in same if one.operator in (Operator.LT, Operator.LTEQ)]
        return not (after and before) or max(after) < min(before)
    if operand in (LeftOperand.PURPOSE, LeftOperand.RECIPIENT, LeftOperand.OUTPUT_CHANNEL):
        anything = {word for one in same for word in one.right_operand} | {""}  # the last: a word no constraint names
        said = {LeftOperand.PURPOSE: way.purposes, LeftOperand.OUTPUT_CHANNEL: (way.channel,)}.get(operand)
        return any(all(one.lets(word) for one in same) for word in said or anything)
    if operand not in way.numbers:
        return False
    least = constraint.operator is Operator.LT
    return operand is LeftOperand.MIN_CELL_SIZE or constraint.number - least >= 1


def _never(constraint: Constraint, action: Action) -> Text:
    operand = constraint.left_operand
    if operand is LeftOperand.SPATIAL:
        return text("terms.never_place", operand=operand)
    limit = ", ".join(constraint.right_operand)[:200]
    return text(
        "terms.never_met",
        action=action,
        operand=operand,
        operator=constraint.operator,
        allowed=limit,
        purposes=", ".join(dict.fromkeys(one for way in WAYS if way.action is action for one in way.purposes)) or "–",
        channels=", ".join(way.channel for way in WAYS if way.action is action),
    )
