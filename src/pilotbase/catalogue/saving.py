"""Saves content: the first version registers its subject, every later one is a new version of it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Literal

from pilotbase.catalogue.advancing import Move, advance_within
from pilotbase.catalogue.records import PreconditionError, StaleEditError, everything, load_record
from pilotbase.catalogue.subjects import subject_of
from pilotbase.documents.dataset import Dataset
from pilotbase.documents.demand import WordedDemand
from pilotbase.documents.hashes import Digest
from pilotbase.documents.permissions import Act
from pilotbase.documents.record import ApplicationVersion, JoinedDemand, Record
from pilotbase.documents.scenario import Scenario
from pilotbase.documents.states import DatasetState
from pilotbase.documents.subjects import Organisation, Subject, record_head
from pilotbase.workspace.listings import find_listing
from pilotbase.workspace.store import View

Content = WordedDemand | Scenario | ApplicationVersion | Organisation | Dataset

_ACTS: dict[type[Content], tuple[Act, Act]] = {
    WordedDemand: (Act.DEMAND_REGISTER, Act.DEMAND_EDIT),
    Scenario: (Act.SCENARIO_REGISTER, Act.SCENARIO_EDIT),
    ApplicationVersion: (Act.APPLICATION_REGISTER, Act.APPLICATION_EDIT),
    Organisation: (Act.ORGANISATION_REGISTER, Act.ORGANISATION_EDIT),
    Dataset: (Act.DATASET_REGISTER, Act.DATASET_EDIT),
}


@dataclass(frozen=True)
class SaveOptions:
    """What a person states about the content they hand in."""

    note: str = ""
    seen: Digest | None = None
    """The version of the record that they have seen."""
    new: bool = False
    """They mean a new record: if the name is taken, saving is refused and makes no version of the existing one."""
    why_holds: bool = False
    """The reasons beside changed criteria hold for the new ones too."""
    joins: Subject | Literal[""] = ""
    """What a demand asks to join, in the same transaction."""


NO_REMARKS = SaveOptions()


def save(view: View, content: Content, remarks: SaveOptions = NO_REMARKS, subject: Subject | None = None) -> Record:
    """Register ``content``, or make it the newest version of its record; saving the current version changes nothing.

    ``subject``: the record that it is meant for, if a person or an address names one. If it was already saved under the
    same request, return the record of that time, whatever others have done to it since. Raises as `advance`.
    """
    known = view.done(Record)
    if known is not None:
        return known
    subject = subject or _subject(content)
    act, record = _next(view, content, subject, remarks)
    joins = bool(remarks.joins) and (record is None or record.subjects.get("joins") != remarks.joins)
    action = act or (Act.DEMAND_JOIN if joins else "record.unchanged")
    with view.transaction(str(action)) as change:
        if act is not None:
            seen = remarks.seen if record is not None else None
            move = Move(content, remarks.note, seen, why_holds=remarks.why_holds)
            record = advance_within(change, view, subject, act, move)
        if joins:
            move = Move(JoinedDemand(demand=remarks.joins))
            record = advance_within(change, view, subject, Act.DEMAND_JOIN, move)
        head = everything(view.within(change)).head(record_head(subject))
        assert record is not None and head is not None
        change.settle(head)
    return record


def save_over(
    view: View, content: Content, subject: Subject, seen: Digest | None, remarks: SaveOptions = NO_REMARKS
) -> Record:
    """Save ``content`` as `save`, in place of the content ``seen`` (None: of any content).

    Raises:
        StaleEditError: others were first; it says who did what.
        PreconditionError: there is no record of that name yet.
    """
    if seen is not None and view.outcome() is None:
        found = find_listing(view, subject)
        if found is None:
            raise PreconditionError("hub.changed_meanwhile", subject=subject)
        if found.digest != seen:
            raise StaleEditError(subject, load_record(view, subject)[0].history[-1:])
    return save(view, content, replace(remarks, seen=view.head(record_head(subject))), subject)


def save_all(view: View, contents: Iterable[Content], action: str) -> list[Record]:
    """Save several contents in one transaction, logged as ``action``: all of them or, if one is refused, none.

    Raises as `advance`.
    """
    saved = []
    with view.transaction(action) as change:
        here = view.within(change)
        for content in contents:
            act, _ = _next(here, content, _subject(content), NO_REMARKS)
            if act is not None:
                saved.append(advance_within(change, view, _subject(content), act, Move(content)))
    return saved


def _next(view: View, content: Content, subject: Subject, remarks: SaveOptions) -> tuple[Act | None, Record | None]:
    """Return the act that saves ``content`` (None: it is already saved) and the existing record."""
    register, edit = _ACTS[type(content)]
    head = view.head(record_head(subject))
    if head is None or remarks.new:
        return register, None
    record = view.load(head, Record)
    same = record.documents[record.kind] == content.digest() and remarks.seen in (None, head)
    if record.state == DatasetState.PUBLISHED:
        edit = Act.DATASET_REVISE
    return (None if same else edit), record


def _subject(content: Content) -> str:
    subject = subject_of(content)
    assert subject is not None
    return subject
