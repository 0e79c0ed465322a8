"""What was agreed, as terms that the evaluator reads: an agreement on a dataset, or a paper between two parties.

Hidden cases whose scenario names no dataset have no offer. What their owner has agreed to with a supplier is the frozen
plan, or the submission to the scenario's board: it says that this application answers these cases and that nothing but
a report, or what a board releases, comes out. Said as an offer, it is judged like any other.
"""

from __future__ import annotations

from pilotbase.data.terms.evaluating import Terms
from pilotbase.data.terms.templates import constraint
from pilotbase.documents.agreement import Agreement
from pilotbase.documents.terms import Action, Channel, LeftOperand, Offer, Operator, Permission, Prohibition, Purpose
from pilotbase.documents.vocabularies import Opening


def terms_of_agreement(agreement: Agreement, opening: Opening) -> Terms:
    """Return the terms of an agreement on a dataset that is opened so far: for its purposes, for its assignee only."""
    narrowed = (
        constraint(LeftOperand.PURPOSE, Operator.IS_ANY_OF, *agreement.purposes),
        constraint(LeftOperand.RECIPIENT, Operator.EQ, agreement.assignee),
    )
    return Terms(opening, agreement.offer, narrowed)


def terms_of_paper(paper: str, owner: str, supplier: str, channel: Channel) -> Terms:
    """Return what a plan or a submission (its digest) between ``owner`` and ``supplier`` permits."""
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
