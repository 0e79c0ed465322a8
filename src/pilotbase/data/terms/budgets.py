"""What a dataset's terms allow statistics to spend in total, and what was spent, for each organisation."""

from __future__ import annotations

from collections.abc import Iterator

from sqlalchemy import Connection

from pilotbase.data.terms.evaluating import Terms, terms_of_agreement
from pilotbase.documents.agreement import Agreement
from pilotbase.documents.api.statistics import BudgetTold
from pilotbase.documents.terms import Action, LeftOperand, Operator, Purpose
from pilotbase.documents.vocabularies import Opening
from pilotbase.workspace import records
from pilotbase.workspace.actors import BASE_ITSELF
from pilotbase.workspace.store import View
from pilotbase.workspace.terms_rows import agreements_on, dataset_row
from pilotbase.workspace.uses import epsilon_by_organisation


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
