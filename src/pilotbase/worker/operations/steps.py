"""The steps that move records, according to their rows of the lifecycles."""

from __future__ import annotations

from contextlib import nullcontext
from typing import Any

from pilotbase.catalogue.advancing import Move, advance
from pilotbase.catalogue.subjects import act_of_new, new_agreement, new_commission
from pilotbase.documents.agreement import Agreement
from pilotbase.documents.api.records import Noted, NotedOpening
from pilotbase.documents.lifecycles import kind_moved
from pilotbase.documents.permissions import Act
from pilotbase.documents.record import Commission, Record
from pilotbase.documents.subjects import Organisation
from pilotbase.operations import steps as declared
from pilotbase.operations.operation import With
from pilotbase.worker.intake.prospects import take
from pilotbase.worker.operations.binding import Caller, does
from pilotbase.worker.operations.records import subject_of


@does(declared.PROPOSE)
def propose(caller: Caller, asked: With[Commission]) -> Record:
    """Propose a trial."""
    view = caller.view
    return advance(view, new_commission(view.request), Act.COMMISSION_PROPOSE, Move(asked.sent, key=view.request))


@does(declared.MAKE_AGREEMENT)
def make_agreement(caller: Caller, asked: With[Agreement]) -> Record:
    """Offer an agreement on the caller's own dataset, or accept a published offer."""
    view = caller.view
    subject, act = new_agreement(view.request), act_of_new(view, asked.sent.dataset)
    return advance(view, subject, act, Move(asked.sent, key=view.request))


def _bind(act: Act) -> None:
    @does(declared.STEPS[act])
    def take_step(caller: Caller, asked: Any) -> Record:
        brought = asked.brought
        content, note = (None, brought.note) if isinstance(brought, Noted) else (brought, "")
        although = isinstance(brought, NotedOpening) and brought.although
        move = Move(content, note, caller.seen, although=although, key=caller.view.request)
        with caller.changing_roles(content) if isinstance(content, Organisation) else nullcontext():
            return take(caller.base, caller.view, subject_of(kind_moved(act), asked), act, move)


for _act in declared.STEPS:
    _bind(_act)
