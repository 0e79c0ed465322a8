"""How terms judge a request: a pure function over documents, in which anything unknown denies.

A constraint holds, fails, or cannot be decided: the request lacks what it looks at, or the pair is meaningless. A
permission needs every constraint to hold; a prohibition falls away only if one of its constraints fails. A
permission is for the very action that it names, a prohibition of ``odrl:use`` is for everything: ODRL's ``includedIn``
(ODRL Vocabulary 2.2, §4.4) applies where it denies, and not where it would permit.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection

from pilotbase.data.terms.templates import constraint
from pilotbase.documents.agreement import Agreement
from pilotbase.documents.api.datasets import BudgetTold
from pilotbase.documents.terms import (
    DUTIES,
    FITTING,
    Action,
    Channel,
    Constraint,
    LeftOperand,
    Offer,
    Operator,
    Permission,
    Prohibition,
    Purpose,
    Request,
    TermsDecision,
    Used,
)
from pilotbase.documents.texts import Text, text
from pilotbase.documents.vocabularies import Opening
from pilotbase.workspace import records
from pilotbase.workspace.actors import BASE_ITSELF
from pilotbase.workspace.store import View
from pilotbase.workspace.terms_rows import agreements_on, dataset_row
from pilotbase.workspace.uses import epsilon_by_organisation

CEILING: Mapping[Opening, frozenset[Action]] = {
    Opening.OPEN: frozenset({Action.USE, Action.REPRODUCE, Action.DISTRIBUTE, Action.DISPLAY, Action.COMPUTE_ON}),
    Opening.ON_TERMS: frozenset({Action.USE, Action.REPRODUCE, Action.DISPLAY, Action.COMPUTE_ON}),
    Opening.COMPUTE_TO_DATA: frozenset({Action.COMPUTE_ON}),
}
"""What may be permitted at all for each level of opening, whatever the offer says. Nobody re-identifies."""
_COUNTED = {LeftOperand.COUNT, LeftOperand.EPSILON_BUDGET, LeftOperand.ROW_COUNT}


@dataclass(frozen=True)
class Terms:
    """An offer, how far its dataset is opened, and what an agreement adds to every permission."""

    opening: Opening
    offer: Offer
    narrowed: tuple[Constraint, ...] = ()


def decide(terms: Terms, request: Request, used: Used, now: datetime) -> TermsDecision:
    """Return whether ``terms`` permit ``request``, after what was ``used`` under them before.

    Reasons are everything against the nearest permission. ``now``: the store's time.
    """
    barred = tuple(_bars(terms, request, used, now))
    if barred:
        return TermsDecision(barred)
    nearest: tuple[Text, ...] = ()
    for permission in terms.offer.permission:
        if permission.action is request.action:
            against = tuple(_against(permission, terms.narrowed, request, used, now))
            if not against:
                return TermsDecision((), tuple(dict.fromkeys(duty.action for duty in permission.duty)))
            nearest = min(nearest or against, against, key=len)
    return TermsDecision(nearest or (text("terms.not_permitted", action=named(request.action)),))


def _bars(terms: Terms, request: Request, used: Used, now: datetime) -> Iterator[Text]:
    """Yield the obstacles that no permission removes."""
    if request.target != terms.offer.target:
        yield text("terms.other_target", found=request.target, target=terms.offer.target)
    if request.action not in CEILING.get(terms.opening, frozenset()):
        yield text("terms.beyond_opening", action=named(request.action), opening=Text(code=f"opening.{terms.opening}"))
    for prohibition in terms.offer.prohibition:
        if _applies(prohibition, request, used, now):
            yield text("terms.prohibited", action=named(prohibition.action))


def _applies(prohibition: Prohibition, request: Request, used: Used, now: datetime) -> bool:
    meant = prohibition.action in (request.action, Action.USE)
    return meant and all(_holds(one, request, used, now) is not False for one in prohibition.constraint)


def _against(
    permission: Permission, narrowed: tuple[Constraint, ...], request: Request, used: Used, now: datetime
) -> Iterator[Text]:
    for bound in (*permission.constraint, *narrowed):
        held = _holds(bound, request, used, now)
        if held is None:
            yield text("terms.unknown", operand=named(bound.left_operand))
        elif not held:
            yield _failed(bound, used)
    for duty in permission.duty:
        if duty.action not in DUTIES:
            yield text("terms.unknown", operand=named(duty.action))
        elif duty.action is Action.OBTAIN_CONSENT and request.consent is None:
            yield text("terms.no_consent")


def _holds(constraint: Constraint, request: Request, used: Used, now: datetime) -> bool | None:
    """Return whether a constraint holds for ``request``; None if that cannot be decided."""
    operand, operator = constraint.left_operand, constraint.operator
    if operator not in FITTING.get(operand, frozenset()):
        return None
    found = _found(operand, request, used, now)
    if found is None:
        return None
    if isinstance(found, str):
        return _among(found, constraint)
    try:
        wanted = constraint.moment if isinstance(found, datetime) else constraint.number
    except ValueError:
        return None
    return _compared((found > wanted) - (found < wanted), operator)  # type: ignore[operator]


def _found(operand: LeftOperand, request: Request, used: Used, now: datetime) -> str | int | datetime | None:
    """Return the value of ``operand`` in a request; for counted ones, including what was used before."""
    return {
        LeftOperand.PURPOSE: request.purpose,
        LeftOperand.RECIPIENT: request.recipient,
        LeftOperand.SPATIAL: request.spatial,
        LeftOperand.OUTPUT_CHANNEL: None if request.channel is None else str(request.channel),
        LeftOperand.DATE_TIME: now,
        LeftOperand.COUNT: used.count + 1,
        LeftOperand.EPSILON_BUDGET: None if request.epsilon is None else used.epsilon + request.epsilon,
        LeftOperand.ROW_COUNT: None if request.rows is None else used.rows + request.rows,
        LeftOperand.MIN_CELL_SIZE: request.cell_size,
    }.get(operand)


def _among(found: str, constraint: Constraint) -> bool | None:
    if constraint.operator is Operator.EQ and len(constraint.right_operand) != 1:
        return None
    inside = found in constraint.right_operand
    return not inside if constraint.operator is Operator.IS_NONE_OF else inside


def _compared(order: int, operator: Operator) -> bool | None:
    """Return whether ``operator`` accepts an order: −1 smaller, 0 the same, 1 greater."""
    return {
        Operator.LT: order < 0,
        Operator.LTEQ: order <= 0,
        Operator.GT: order > 0,
        Operator.GTEQ: order >= 0,
    }.get(operator)


def _failed(constraint: Constraint, used: Used) -> Text:
    operand, limit = constraint.left_operand, ", ".join(constraint.right_operand)
    if operand in _COUNTED:
        before = {
            LeftOperand.COUNT: used.count,
            LeftOperand.EPSILON_BUDGET: used.epsilon,
            LeftOperand.ROW_COUNT: used.rows,
        }[operand]
        left = max(constraint.number - (constraint.operator is Operator.LT) - before, 0)
        return text("terms.used_up", operand=named(operand), limit=limit, left=left)
    return text("terms.constraint_fails", operand=named(operand), operator=named(constraint.operator), allowed=limit)


def named(word: Action | LeftOperand | Operator) -> Text:
    """Return the name of a word of ODRL."""
    kind = {Action: "action", LeftOperand: "operand", Operator: "operator"}[type(word)]
    return Text(code=f"terms.{kind}.{word.name.lower()}")


def terms_of_agreement(agreement: Agreement, opening: Opening) -> Terms:
    """Return the terms of an agreement on a dataset with this level of opening: for its purposes and assignee only."""
    narrowed = (
        constraint(LeftOperand.PURPOSE, Operator.IS_ANY_OF, *agreement.purposes),
        constraint(LeftOperand.RECIPIENT, Operator.EQ, agreement.assignee),
    )
    return Terms(opening, agreement.offer, narrowed)


def terms_of_paper(paper: str, owner: str, supplier: str, channel: Channel) -> Terms:
    """Return what a plan or a submission (its digest) between ``owner`` and ``supplier`` permits.

    Hidden cases whose scenario names no dataset have no offer. The frozen plan, or the submission to the scenario's
    board, says that this application answers these cases and that only a report, or what a board releases, comes
    out. Written as an offer, it is judged like any other.
    """
    bounds = (
        constraint(LeftOperand.PURPOSE, Operator.EQ, Purpose.VERIFICATION),
        constraint(LeftOperand.RECIPIENT, Operator.EQ, supplier),
        constraint(LeftOperand.OUTPUT_CHANNEL, Operator.EQ, channel),
    )
    closed = (Action.REPRODUCE, Action.DISTRIBUTE, Action.DISPLAY, Action.REIDENTIFY)
    offer = Offer(
        uid=f"urn:pilotbase:paper:{paper}",
        assigner=owner,
        target=paper,
        permission=(Permission(action=Action.COMPUTE_ON, constraint=bounds),),
        prohibition=tuple(Prohibition(action=action) for action in closed),
    )
    return Terms(Opening.COMPUTE_TO_DATA, offer)


def budgets(view: View, dataset: str) -> list[BudgetTold]:
    """Return the budgets of a dataset that the actor may see: their own; for owner, operator and regulator all.

    The actor's own comes first; the others by name.
    """
    with view.reading() as connection:
        row, own = dataset_row(connection, dataset), view.actor.organisation
        if row is None:
            return []
        spent = epsilon_by_organisation(connection, dataset)
        limits = _limits(connection, view, dataset, Opening(row.opening))
    known = {*spent, *limits} if view.actor.sees_all or own == row.owner else {own}
    if own == row.owner:
        known.add(own)
    found = [
        budget_of(name, spent.get(name, 0), None if name == row.owner else limits.get(name, 0)) for name in known - {""}
    ]
    shown = [one for one in found if one.spent or one.limit or one.limit is None]
    return sorted(shown, key=lambda one: (one.organisation != own, one.organisation))


def budget_of(organisation: str, spent: int = 0, limit: int | None = 0) -> BudgetTold:
    """Return a budget, in whole millionths of ε."""
    left = None if limit is None else max(limit - spent, 0)
    return BudgetTold(organisation=organisation, spent=spent, limit=limit, left=left)


def _limits(connection: Connection, view: View, dataset: str, opening: Opening) -> dict[str, int]:
    """Return, for each organisation with a valid agreement, the largest budget in any of its agreements."""
    found: dict[str, int] = {}
    for row in agreements_on(connection, dataset):
        stored = records.get(connection, BASE_ITSELF, row.digest) if row.holds_at(view.store.clock()) else None
        if stored is not None:
            most = max(_given(terms_of_agreement(stored.load(Agreement), opening)), default=0)
            found[row.assignee] = max(found.get(row.assignee, 0), most)
    return found


def _given(terms: Terms) -> Iterator[int]:
    """Yield the budgets of the permissions under which statistics may be counted."""
    for permission in terms.offer.permission:
        bounds = (*permission.constraint, *terms.narrowed)
        of_purpose = (one for one in bounds if one.left_operand is LeftOperand.PURPOSE)
        for_statistics = all(one.lets(Purpose.STATISTICS) for one in of_purpose)
        of_epsilon = (one for one in bounds if one.left_operand is LeftOperand.EPSILON_BUDGET)
        limits = [one.number - (one.operator is Operator.LT) for one in of_epsilon]
        if permission.action is Action.COMPUTE_ON and for_statistics and limits:
            yield min(limits)
