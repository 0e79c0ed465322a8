"""Demands in words: registered without data, beside what is on the base already."""

from __future__ import annotations

import re

from pilotbase.catalogue.saving import save
from pilotbase.documents.demand import DemandDraft, Resembling, WordedDemand
from pilotbase.documents.errors import BarredError, InputError
from pilotbase.documents.record import Record
from pilotbase.documents.scenario import Contact
from pilotbase.documents.subjects import Subject, demand_subject
from pilotbase.operations.matches import NewDemand
from pilotbase.worker.matching import draft_of_demand
from pilotbase.workspace.failures import NotFoundError
from pilotbase.workspace.listings import find_listing
from pilotbase.workspace.store import View

_LONGEST_TITLE = 60
"""Characters of a title that is taken from the text."""
_SENTENCE_ENDS = re.compile(r"(?<=[。！？；!?;])|(?<=\.)\s|\n")
_LOOSE_ENDS = " .,;。，；"


def register_demand(view: View, owner: str, name: str, given: NewDemand) -> Record:
    """Register a demand of the actor's organisation, or change it; the same words again change nothing.

    Raises:
        InputError: the words hold personal data, which everybody would read.
        BarredError: a scenario or another demand is so alike that it may be the same, and nothing says why it is not.
        NotFoundError: it would be another organisation's.
        RefusedError: the actor owns no demands.
    """
    subject = demand_subject(owner, name)
    if owner != view.actor.organisation:
        raise NotFoundError("record.not_found", subject=subject)
    draft = draft_of_demand(view, given.text)
    if any(one.what.code == "demand.personal" for one in draft.findings):
        raise InputError("demand.personal_in_public")
    alike = [one for one in draft.scenarios if one.duplicate and not _is_same_thing(view, one, subject)]
    if alike and not given.apart.strip():
        raise BarredError("demand.same_there", subject=alike[0].subject, organisation=alike[0].owner)
    made = WordedDemand(
        name=name,
        title=given.title or title_of(draft, given.text),
        owner=Contact(organisation=owner),
        text=given.text,
        fields=draft.fields,
        resembles=tuple(one.subject for one in alike),
        apart=given.apart.strip() if alike else "",
    )
    return save(view, made, subject=subject)


def title_of(draft: DemandDraft, words: str) -> str:
    """Return the first sentence of the problem, cut short."""
    problem = draft.field("problem")
    first = next((one.strip() for one in _SENTENCE_ENDS.split(problem.value if problem else words) if one.strip()), "–")
    first = first.rstrip(_LOOSE_ENDS)
    return first if len(first) <= _LONGEST_TITLE else f"{first[:_LONGEST_TITLE].rstrip()}…"


def _is_same_thing(view: View, one: Resembling, subject: Subject) -> bool:
    """Return whether what resembles a demand is the demand itself, or the scenario that was made of it."""
    known = find_listing(view, subject)
    return one.subject == subject or (known is not None and one.subject == known.scenario)
