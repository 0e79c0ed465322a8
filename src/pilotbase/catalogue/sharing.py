"""Who sees what a record is about: its documents are shown to its parties, an open scenario to everybody.

So is the description of a published dataset, which holds no value of it unless it is open.

So is a submitted application whose supplier has published it.
"""

from __future__ import annotations

from pilotbase.documents.base import Document
from pilotbase.documents.hashes import Digest
from pilotbase.documents.record import ApplicationVersion, Record
from pilotbase.documents.states import ApplicationState, DatasetState, ScenarioState
from pilotbase.workspace import records
from pilotbase.workspace.actors import PUBLIC, Visibility, parties
from pilotbase.workspace.transaction import Transaction

_SHOWN_TO_PARTIES = ("application", "commission", "proposal", "acceptance", "consent")
_SHOWN_TO_REVIEWERS = ("plan", "report")


def keep(change: Transaction, document: Document, record: Record) -> None:
    """Store what was handed in, for the owner of the record; what is there already stays as visible as it is."""
    digest, owner = document.digest(), record.owner
    if records.copy_of(change.connection, digest, owner) is None:
        seen = parties(*record.parties - {owner})
        change.put(document, seen, owner=owner, fields={"subject": record.subject})


def share(change: Transaction, record: Record) -> None:
    """Let the parties of ``record`` see what it is about; what was shown before stays shown."""
    if record.kind == "scenario" and record.state == ScenarioState.OPEN:
        _show(change, record.documents["scenario"], record.owner, PUBLIC)
    if record.kind == "application" and record.state == ApplicationState.SUBMITTED and _published(change, record):
        _show(change, record.documents["application"], record.owner, PUBLIC)
    if record.kind == "dataset" and record.state == DatasetState.PUBLISHED:
        _show(change, record.documents["dataset"], record.owner, PUBLIC)
    if record.kind == "commission":
        for name in _SHOWN_TO_PARTIES:
            _widen(change, record, record.documents.get(name), record.parties)
        reviewers = frozenset(reviewer.organisation for reviewer in record.reviewers)
        for name in _SHOWN_TO_REVIEWERS:
            _widen(change, record, record.documents.get(name), reviewers)


def _published(change: Transaction, record: Record) -> bool:
    stored = records.copy_of(change.connection, record.documents["application"], record.owner)
    offer = stored.load(ApplicationVersion).application.offer if stored is not None else None
    return offer is not None and offer.published


def _widen(change: Transaction, record: Record, digest: Digest | None, organisations: frozenset[str]) -> None:
    for owner in sorted(record.parties) if digest is not None and organisations else ():
        assert digest is not None
        there = records.copy_of(change.connection, digest, owner)
        if there is not None and there.visibility.scope == "parties":
            _show(change, digest, owner, parties(*there.visibility.organisations | organisations - {owner}))


def _show(change: Transaction, digest: Digest, owner: str, visibility: Visibility) -> None:
    there = records.copy_of(change.connection, digest, owner)
    if there is not None and there.visibility != visibility:
        change.change_visibility(digest, visibility)
