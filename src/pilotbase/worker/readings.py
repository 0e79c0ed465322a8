"""The parts of a record that an actor may read; for them, other parts do not exist."""

from __future__ import annotations

from pilotbase.catalogue.records import load_record
from pilotbase.certificate.status import IssuedCertificate
from pilotbase.documents.permissions import ReadScope, SubjectRelation, permitted
from pilotbase.documents.record import Record
from pilotbase.documents.report import Report
from pilotbase.documents.scenario import Scenario
from pilotbase.documents.subjects import certificate_head
from pilotbase.workspace.failures import NotFoundError
from pilotbase.workspace.listings import find_listing
from pilotbase.workspace.store import View


def record_for(view: View, subject: str, reading: ReadScope) -> Record:
    """Return a record of which the actor may read ``reading``; raises `NotFoundError` as for an unseen record."""
    record = load_record(view, subject)[0]
    if not permitted(reading, view.actor, record.stands):
        raise NotFoundError("record.not_found", subject=subject)
    return record


def scenario_for(view: View, subject: str, reading: ReadScope) -> Scenario:
    """Return the newest version of a scenario that the actor sees and may read ``reading`` of; raises as `record_for`.

    Many may see the document of an open scenario, and few its record.
    """
    listing = find_listing(view, subject)
    stored = view.get(listing.digest) if listing is not None and listing.kind == "scenario" else None
    if stored is None:
        raise NotFoundError("record.not_found", subject=subject)
    scenario = stored.load(Scenario)
    if not permitted(reading, view.actor, SubjectRelation(demand_owner=scenario.owner.organisation)):
        raise NotFoundError("record.not_found", subject=subject)
    return scenario


def report_of(view: View, record: Record) -> Report | None:
    """Return the newest report of a trial: the full one if the actor sees it, else the supplier's view of it."""
    full = record.documents.get("report")
    if full is None:
        return None
    stored = view.get(full) or next(iter(view.find("report", {"full": full}, limit=1)), None)
    return stored.load(Report) if stored else None


def certificate_of(view: View, record: Record) -> IssuedCertificate | None:
    """Return the certificate that was issued over the newest report."""
    report = record.documents.get("report")
    return view.load_head(certificate_head(report), IssuedCertificate) if report else None
