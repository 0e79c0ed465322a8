"""The budget of private statistics in an offer: read off it, and settled in it with the rest as it stands.

Statistics of closed data are counted under permissions to compute that name a privacy budget.
"""

from __future__ import annotations

from dataclasses import dataclass

from pilotbase.data.terms.templates import OfferLimits, counted
from pilotbase.documents.terms import Action, LeftOperand, Offer, Operator, Permission

LEAST_CELL = 10
"""What the smallest group is where no terms say otherwise."""
_SETTLED = frozenset({LeftOperand.EPSILON_BUDGET, LeftOperand.MIN_CELL_SIZE})
_OF_TRIALS = frozenset({LeftOperand.PURPOSE, LeftOperand.OUTPUT_CHANNEL})


@dataclass(frozen=True)
class StatisticsTerms:
    """What statistics may spend under an agreement, in millionths of ε, and of how many records a figure is made."""

    epsilon: int = 0
    cell_size: int = LEAST_CELL


def statistics_of(offer: Offer) -> StatisticsTerms:
    """Return what an offer lets statistics spend; of several permissions, the first. None lets: nothing."""
    for permission in filter(_counts, offer.permission):
        said = {one.left_operand: one for one in permission.constraint}
        budget, cell = said[LeftOperand.EPSILON_BUDGET], said.get(LeftOperand.MIN_CELL_SIZE)
        below, above = budget.operator is Operator.LT, cell is not None and cell.operator is Operator.GT
        return StatisticsTerms(budget.number - below, LEAST_CELL if cell is None else cell.number + above)
    return StatisticsTerms()


def with_statistics(offer: Offer, said: StatisticsTerms) -> Offer:
    """Return the offer with this budget in place of what statistics could spend; 0: no statistics.

    Its other bounds (recipients, days, how many uses and rows) hold for statistics as for the rest.
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
    added = counted(OfferLimits(epsilon=said.epsilon, cell_size=said.cell_size))
    bounds += [one for one in added if one.left_operand not in named]
    permission = model.model_copy(update={"constraint": tuple(bounds)})
    return offer.model_copy(update={"permission": (*kept, permission)})


def _counts(permission: Permission) -> bool:
    limited = any(one.left_operand is LeftOperand.EPSILON_BUDGET for one in permission.constraint)
    return permission.action is Action.COMPUTE_ON and limited
