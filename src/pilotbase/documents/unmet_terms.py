"""Permissions of an offer that no request can ever use: found at publication, not when a request is refused later.

The base asks leave in few ways, and each says only so much of itself; a constraint that looks at anything else denies.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from pilotbase.documents.terms import (
    Action,
    Channel,
    Constraint,
    LeftOperand,
    Offer,
    Operator,
    Permission,
    Purpose,
)
from pilotbase.documents.texts import Text, text


@dataclass(frozen=True)
class AccessRequest:
    """In which way leave is asked: for what, and what the request says besides. ``purposes``: none named: any."""

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
"""Every way in which the base asks for leave. What else is permitted (to pass it on, say) it does not ask for."""


def unmet(offer: Offer) -> Iterator[tuple[str, Text]]:
    """Yield what keeps a permission from ever being used: path in the offer, and the clause with the remedy.

    A purpose for which something is never asked is told only where nothing else of the offer can be used: the same
    purposes often stand in every permission.
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
    """Tell whether some request of that way can meet it, together with the others that look at the same."""
    operand = constraint.left_operand
    same = [one for one in all_of_them if one.left_operand is operand]
    if operand is LeftOperand.DATE_TIME:
        after = [one.moment for one in same if one.operator in (Operator.GT, Operator.GTEQ)]
        before = [one.moment for one in same if one.operator in (Operator.LT, Operator.LTEQ)]
        return not (after and before) or max(after) < min(before)
    if operand in (LeftOperand.PURPOSE, LeftOperand.RECIPIENT, LeftOperand.OUTPUT_CHANNEL):
        anything = {word for one in same for word in one.right_operand} | {""}  # the last: one that is not named
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
