"""Saving content: the first version registers its subject, every later one makes a new version of it."""

from __future__ import annotations

from pilotbase.catalogue.advancing import Move, advance
from pilotbase.catalogue.records import head_of
from pilotbase.catalogue.subjects import subject_of
from pilotbase.documents.hashes import Digest
from pilotbase.documents.organisation import Organisation
from pilotbase.documents.permissions import Act
from pilotbase.documents.record import ApplicationVersion, Record
from pilotbase.documents.scenario import Scenario
from pilotbase.workspace.store import View

Content = Scenario | ApplicationVersion | Organisation

_ACTS: dict[type[Content], tuple[Act, Act]] = {
    Scenario: (Act.SCENARIO_REGISTER, Act.SCENARIO_EDIT),
    ApplicationVersion: (Act.APPLICATION_REGISTER, Act.APPLICATION_EDIT),
    Organisation: (Act.ORGANISATION_REGISTER, Act.ORGANISATION_EDIT),
}


def save(view: View, content: Content, note: str = "", seen: Digest | None = None) -> Record:
    """Register ``content``, or make it the newest version of its record; saving what stands there changes nothing.

    Raises as `advance`.
    """
    subject = subject_of(content)
    assert subject is not None
    register, edit = _ACTS[type(content)]
    head = view.head(head_of(subject))
    if head is None:
        return advance(view, subject, register, Move(content, note))
    record = view.load(head, Record)
    if record.documents[record.kind] == content.digest() and seen in (None, head):
        return record
    return advance(view, subject, edit, Move(content, note, seen))
