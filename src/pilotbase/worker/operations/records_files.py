"""Folders of scenarios and applications that are handed in, and the files that the base keeps of them."""

from __future__ import annotations

from datetime import timedelta

from pilotbase.catalogue.saving import SaveOptions
from pilotbase.documents.api.records import Erased
from pilotbase.documents.api.shapes import filled
from pilotbase.documents.api.uploads import HandedInApplication, HandedInScenario, KeptVersion
from pilotbase.documents.record import Record
from pilotbase.documents.subjects import scenario_subject
from pilotbase.operations import records as declared
from pilotbase.operations.matches import OfRecord
from pilotbase.worker.intake.prospects import prospect_of
from pilotbase.worker.intake.public_kits import take_kit
from pilotbase.worker.intake.versions import take_uploaded_application, take_uploaded_scenario
from pilotbase.worker.jobs.retention import erase_kept_files, kept_files
from pilotbase.worker.operations.binding import Caller, Versioned, does, there

does(declared.ERASE_KEPT)(
    lambda caller, asked: Erased(
        erased=erase_kept_files(caller.base, caller.view, scenario_subject(asked.owner, asked.name))
    )
)
does(declared.KIT)(lambda caller, asked: take_kit(caller.base, caller.view, scenario_subject(asked.owner, asked.name)))


@does(declared.HAND_IN["scenario"])
def submit_scenario(caller: Caller, asked: HandedInScenario) -> Versioned[Record]:
    """Create a scenario, or a new version of it, from an uploaded folder."""
    remarks, most = SaveOptions(asked.note, caller.seen, asked.new, asked.why_holds), caller.limits.unpacked
    return _handed_in(take_uploaded_scenario(caller.base, caller.view, asked.upload, most, remarks))


@does(declared.HAND_IN["application"])
def submit_application(caller: Caller, asked: HandedInApplication) -> Versioned[Record]:
    """Create an application, or a new version of it, from an uploaded folder."""
    made_for, most = (asked.scenario, SaveOptions(asked.note, caller.seen)), caller.limits.unpacked
    return _handed_in(take_uploaded_application(caller.base, caller.view, asked.upload, most, made_for))


does(declared.PROSPECT)(
    lambda caller, asked: there(prospect_of(caller.base, caller.view, scenario_subject(asked.owner, asked.name)))
)


@does(declared.KEPT)
def kept(caller: Caller, asked: OfRecord) -> list[KeptVersion]:
    """Return which files of each version of a scenario the base keeps, and until when."""
    days = timedelta(days=caller.limits.files_days)
    found = kept_files(caller.base, caller.view, scenario_subject(asked.owner, asked.name))
    return [filled(KeptVersion, files, kept_until=stored.stored_at + days) for stored, files in found]


def _handed_in(record: Record) -> Versioned[Record]:
    return Versioned(record, record.documents[record.kind])
