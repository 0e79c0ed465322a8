"""Terms of use 使用条款: a closed subset of ODRL 2.2, in which what is not understood denies.

An `Offer` says what a dataset's owner permits; an `Agreement` is an offer that an organisation has taken up. Property
names are ODRL's own (ODRL Information Model 2.2, §2). Evaluated by `pilotbase.data.terms`, before any value is read.
"""

from __future__ import annotations

from enum import StrEnum
from typing import Literal

import pydantic

from pilotbase.documents.base import Name, Part

PROFILE = "urn:pilotbase:odrl:1"
"""Names this subset and the terms of ours in it (``odrl:profile``)."""


class Action(StrEnum):
    """What may be done with a dataset."""

    USE = "odrl:use"
    REPRODUCE = "odrl:reproduce"
    DISTRIBUTE = "odrl:distribute"
    DISPLAY = "odrl:display"
    COMPUTE_ON = "pb:computeOn"
    """Let an application of somebody answer its cases in a box, or an aggregate be taken of it."""
    REIDENTIFY = "pb:reidentify"
    ATTRIBUTE = "odrl:attribute"
    INFORM = "odrl:inform"
    DELETE = "odrl:delete"
    OBTAIN_CONSENT = "odrl:obtainConsent"


class LeftOperand(StrEnum):
    """What a constraint looks at."""

    PURPOSE = "odrl:purpose"
    RECIPIENT = "odrl:recipient"
    DATE_TIME = "odrl:dateTime"
    SPATIAL = "odrl:spatial"
    COUNT = "odrl:count"
    OUTPUT_CHANNEL = "pb:outputChannel"
    MIN_CELL_SIZE = "pb:minCellSize"
    EPSILON_BUDGET = "pb:epsilonBudget"
    """In millionths of ε: integers, so that a budget can be used up exactly."""


class Operator(StrEnum):
    """How what is found is compared with what is asked."""

    EQ = "odrl:eq"
    LT = "odrl:lt"
    LTEQ = "odrl:lteq"
    GT = "odrl:gt"
    GTEQ = "odrl:gteq"
    IS_ANY_OF = "odrl:isAnyOf"
    IS_NONE_OF = "odrl:isNoneOf"


class Constraint(Part):
    """``leftOperand operator rightOperand``; ``rightOperand`` is spelled as text, moments as RFC 3339."""

    left_operand: LeftOperand = pydantic.Field(alias="leftOperand")
    operator: Operator
    right_operand: tuple[str, ...] = pydantic.Field(alias="rightOperand", min_length=1, max_length=1000)


class Duty(Part):
    """What whoever uses a permission has to do."""

    action: Action


class Permission(Part):
    """What may be done, under which constraints (all of them), with which duties."""

    action: Action
    constraint: tuple[Constraint, ...] = pydantic.Field(default=(), max_length=100)
    duty: tuple[Duty, ...] = pydantic.Field(default=(), max_length=20)


class Prohibition(Part):
    """What must not be done; it wins over every permission (``odrl:conflict odrl:prohibit``)."""

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
