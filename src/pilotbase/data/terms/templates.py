"""The three levels of opening as offers: an owner picks a level and gets an offer that keeps to it.

Open (take, copy, pass on; name the source), on terms (for stated purposes, until a day, never passed
on), compute to data (nobody holds a row: an application answers in a box, statistics above a smallest cell and within a
budget).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime

from pilotbase.documents.moments import format_for_machines
from pilotbase.documents.terms import (
    Action,
    Channel,
    Constraint,
    Duty,
    LeftOperand,
    Offer,
    Operator,
    Permission,
    Prohibition,
    Purpose,
)
from pilotbase.documents.vocabularies import Opening

LEAST_CELL = 10
"""The smallest group if no terms say otherwise."""
_SETTLED = frozenset({LeftOperand.EPSILON_BUDGET, LeftOperand.MIN_CELL_SIZE})
_OF_TRIALS = frozenset({LeftOperand.PURPOSE, LeftOperand.OUTPUT_CHANNEL})


@dataclass(frozen=True)
class OfferLimits:
    """The owner's settings apart from the level; what is not set does not bind."""

    purposes: Sequence[str] = (Purpose.VERIFICATION,)
    recipients: Sequence[str] = ()
    """The only organisations that may use it; none: any."""
    until: datetime | None = None
    uses: int | None = None
    rows: int | None = None
    cell_size: int = 10
    epsilon: int = 0
    """Millionths of ε that statistics may spend in total; 0: no statistics."""
    consent: bool = False
    """A consent must be shown. Only trials show one, so nothing else is permitted then."""
    marked: bool = False
    """Files taken on terms are marked for their recipient."""
    duties: Sequence[Action] = field(default=(Action.ATTRIBUTE,))


NO_LIMITS = OfferLimits()


def offer_for(level: Opening, assigner: str, target: str, limits: OfferLimits = NO_LIMITS) -> Offer:
    """Return the offer of ``assigner`` for the dataset ``target`` at a level."""
    permission, prohibited = _LEVELS[level](limits)
    return Offer(
        uid=f"urn:pilotbase:offer:{target.replace(':', '/')}",
        assigner=assigner,
        target=target,
        permission=permission,
        prohibition=tuple(Prohibition(action=action) for action in prohibited),
    )


def constraint(operand: LeftOperand, operator: Operator, *values: object) -> Constraint:
    """Return a constraint; its values are spelled as ODRL spells them."""
    spelled = [format_for_machines(one) if isinstance(one, datetime) else str(one) for one in values]
    return Constraint(left_operand=operand, operator=operator, right_operand=tuple(spelled))


def _counted(limits: OfferLimits) -> tuple[Constraint, ...]:
    """Return the limits on private statistics of closed data."""
    return (
        constraint(LeftOperand.PURPOSE, Operator.IS_ANY_OF, Purpose.STATISTICS),
        constraint(LeftOperand.OUTPUT_CHANNEL, Operator.IS_ANY_OF, Channel.STATISTICS),
        constraint(LeftOperand.MIN_CELL_SIZE, Operator.GTEQ, limits.cell_size),
        constraint(LeftOperand.EPSILON_BUDGET, Operator.LTEQ, limits.epsilon),
    )


def _open(limits: OfferLimits) -> tuple[tuple[Permission, ...], tuple[Action, ...]]:
    acts = (Action.USE, Action.REPRODUCE, Action.DISTRIBUTE, Action.DISPLAY, Action.COMPUTE_ON)
    duty = tuple(Duty(action=action) for action in limits.duties)
    return tuple(Permission(action=action, duty=duty) for action in acts), (Action.REIDENTIFY,)


def _on_terms(limits: OfferLimits) -> tuple[tuple[Permission, ...], tuple[Action, ...]]:
    duties = (*limits.duties, Action.DELETE, *([Action.OBTAIN_CONSENT] if limits.consent else []))
    duty, bounds = tuple(Duty(action=action) for action in duties), _bounds(limits)
    marking = (Duty(action=Action.WATERMARK),) if limits.marked else ()
    actions = (Action.COMPUTE_ON,) if limits.consent else (Action.USE, Action.DISPLAY, Action.COMPUTE_ON)
    permitted = tuple(
        Permission(action=action, constraint=bounds, duty=(*duty, *marking) if action is Action.USE else duty)
        for action in actions
    )
    return permitted, (Action.DISTRIBUTE, Action.REIDENTIFY)


def _compute_to_data(limits: OfferLimits) -> tuple[tuple[Permission, ...], tuple[Action, ...]]:
    duty: tuple[Duty, ...] = (Duty(action=Action.INFORM),)
    duty += (Duty(action=Action.OBTAIN_CONSENT),) if limits.consent else ()
    bounds = tuple(one for one in _bounds(limits) if one.left_operand is not LeftOperand.PURPOSE)
    purposes = [purpose for purpose in limits.purposes if purpose != Purpose.STATISTICS] or [Purpose.VERIFICATION]
    tried = (
        constraint(LeftOperand.PURPOSE, Operator.IS_ANY_OF, *purposes),
        constraint(LeftOperand.OUTPUT_CHANNEL, Operator.IS_ANY_OF, Channel.REPORT, Channel.BOARD, Channel.SITE_PACK),
    )
    permitted = [Permission(action=Action.COMPUTE_ON, constraint=(*tried, *bounds), duty=duty)]
    if limits.epsilon and not limits.consent:
        permitted.append(Permission(action=Action.COMPUTE_ON, constraint=(*_counted(limits), *bounds), duty=duty))
    return tuple(permitted), (Action.REPRODUCE, Action.DISTRIBUTE, Action.DISPLAY, Action.REIDENTIFY)


def _bounds(limits: OfferLimits) -> tuple[Constraint, ...]:
    found = [constraint(LeftOperand.PURPOSE, Operator.IS_ANY_OF, *limits.purposes)]
    if limits.recipients:
        found.append(constraint(LeftOperand.RECIPIENT, Operator.IS_ANY_OF, *limits.recipients))
    if limits.until is not None:
        found.append(constraint(LeftOperand.DATE_TIME, Operator.LT, limits.until))
    if limits.uses is not None:
        found.append(constraint(LeftOperand.COUNT, Operator.LTEQ, limits.uses))
    if limits.rows is not None:
        found.append(constraint(LeftOperand.ROW_COUNT, Operator.LTEQ, limits.rows))
    return tuple(found)


_LEVELS = {Opening.OPEN: _open, Opening.ON_TERMS: _on_terms, Opening.COMPUTE_TO_DATA: _compute_to_data}


@dataclass(frozen=True)
class StatisticsTerms:
    """What statistics may spend under an agreement, in millionths of ε, and the least number of records in a figure."""

    epsilon: int = 0
    cell_size: int = LEAST_CELL


def statistics_of(offer: Offer) -> StatisticsTerms:
    """Return what an offer allows statistics to spend; of several permissions, the first. Nothing if none allows it.

    Statistics of closed data are counted under permissions to compute that name a privacy budget.
    """
    for permission in filter(_counts, offer.permission):
        said = {one.left_operand: one for one in permission.constraint}
        budget, cell = said[LeftOperand.EPSILON_BUDGET], said.get(LeftOperand.MIN_CELL_SIZE)
        below, above = budget.operator is Operator.LT, cell is not None and cell.operator is Operator.GT
        return StatisticsTerms(budget.number - below, LEAST_CELL if cell is None else cell.number + above)
    return StatisticsTerms()


def with_statistics(offer: Offer, said: StatisticsTerms) -> Offer:
    """Return the offer with this budget in place of the one for statistics; 0: no statistics.

    Its other bounds (recipients, days, how many uses and rows) apply to statistics too.
    """
    kept = tuple(one for one in offer.permission if not _counts(one))
    if said == statistics_of(offer):
        return offer
    if not said.epsilon:
        return offer.model_copy(update={"permission": kept})
    known = next(filter(_counts, offer.permission), None)
    model = known or next(
        (one for one in kept if one.action is Action.COMPUTE_ON), Permission(action=Action.COMPUTE_ON)
    )
    settled = _SETTLED if known else _SETTLED | _OF_TRIALS
    bounds = [one for one in model.constraint if one.left_operand not in settled]
    named = {one.left_operand for one in bounds}
    added = _counted(OfferLimits(epsilon=said.epsilon, cell_size=said.cell_size))
    bounds += [one for one in added if one.left_operand not in named]
    permission = model.model_copy(update={"constraint": tuple(bounds)})
    return offer.model_copy(update={"permission": (*kept, permission)})


def _counts(permission: Permission) -> bool:
    limited = any(one.left_operand is LeftOperand.EPSILON_BUDGET for one in permission.constraint)
    return permission.action is Action.COMPUTE_ON and limited
