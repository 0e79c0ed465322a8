"""What only some of those who see a record may read: for all others it does not exist."""

from __future__ import annotations

from pilotbase.catalogue.records import load_record
from pilotbase.documents.permissions import ReadScope, SubjectRelation, may_read
from pilotbase.documents.record import Record
from pilotbase.documents.scenario import Scenario
from pilotbase.workspace.failures import NotFoundError
from pilotbase.workspace.listings import find_listing
from pilotbase.workspace.store import View


def record_for(view: View, subject: str, reading: ReadScope) -> Record:
    """Return a record whose ``reading`` the actor may have; raises `NotFoundError` as for a record that is not seen."""
    record = load_record(view, subject)[0]
    if not may_read(reading, view.actor, record.stands):
        raise NotFoundError("record.not_found", subject=subject)
    return record


def scenario_for(view: View, subject: str, reading: ReadScope) -> Scenario:
    """Return the newest version of a scenario that the actor sees and may read ``reading`` of; raises as `record_for`.

    Of an open scenario many see the document, and few the record.
    """
    listing = find_listing(view, subject)
    stored = view.get(listing.digest) if listing is not None and listing.kind == "scenario" else None
    if stored is None:
        raise NotFoundError("record.not_found", subject=subject)
    scenario = stored.load(Scenario)
    if not may_read(reading, view.actor, SubjectRelation(demand_owner=scenario.owner.organisation)):
        raise NotFoundError("record.not_found", subject=subject)
    return scenario
