"""Descriptions of files under way."""

from __future__ import annotations

from pilotbase.documents.api.uploads import DescriptionTold, NewDescription
from pilotbase.documents.permissions import Act
from pilotbase.documents.record import Record
from pilotbase.operations import descriptions as declared
from pilotbase.worker.datasets import describing
from pilotbase.worker.operations.binding import Caller, Versioned, does
from pilotbase.workspace.actors import require_may_begin

does(declared.LIST)(lambda caller, asked: [describing.order_told(one) for one in describing.describings(caller.view)])
does(declared.FORGET)(lambda caller, asked: describing.forget_describing(caller.base, caller.view, asked.identity))


@does(declared.START)
def start(caller: Caller, asked: NewDescription) -> DescriptionTold:
    """Have a worker read finished uploads."""
    require_may_begin(Act.DATASET_REGISTER, caller.view.actor)
    found = describing.start_describing(caller.base, caller.view, asked.uploads, asked.answers, asked.dataset)
    return describing.description_told(found, caller.language)


@does(declared.SHOW)
def show(caller: Caller, asked: declared.OfDescription) -> DescriptionTold:
    """Return the progress of a description and its findings."""
    found = describing.find_describing(caller.base, caller.view, asked.identity)
    return describing.description_told(found, caller.language)


@does(declared.ANSWER)
def answer(caller: Caller, asked: declared.AnswersGiven) -> DescriptionTold:
    """Have the files described again with these answers."""
    found = describing.answer_describing(caller.base, caller.view, asked.identity, asked.answers)
    return describing.description_told(found, caller.language)


@does(declared.SAVE)
def save(caller: Caller, asked: declared.SavedDescription) -> Versioned[Record]:
    """Save a description as a dataset."""
    record = describing.save_described(caller.base, caller.view, asked.identity, asked.usual_terms, asked.keep)
    return Versioned(record, record.documents[record.kind])
