"""Jobs of applications: rehearsed, scored on a board, compared in a tender."""

from __future__ import annotations

from collections.abc import Mapping

from pilotbase.catalogue.records import load_record
from pilotbase.documents.board import Tender
from pilotbase.documents.errors import InputError, RefusedError
from pilotbase.documents.permissions import Act
from pilotbase.documents.progress import OnProgress
from pilotbase.documents.record import ApplicationVersion
from pilotbase.documents.scenario import Approval
from pilotbase.documents.vocabularies import WorkKind
from pilotbase.trial.rehearsing import rehearse
from pilotbase.trial.running import PreparedApplication
from pilotbase.trial.sealed import OpenedScenario
from pilotbase.trial.tender import freeze_tender, require_entrant
from pilotbase.worker.base import Base
from pilotbase.worker.jobs.handling import Handler, granted, record_of, take_in, take_step
from pilotbase.worker.reactions.drafts import of_tender, tell_of
from pilotbase.worker.trials.boards import score_on_board
from pilotbase.worker.trials.folder import rehearsal_folder, write_rehearsal
from pilotbase.worker.trials.proving import require_rehearsed
from pilotbase.worker.trials.tenders import decide_tender, entries_of_closed
from pilotbase.workspace.jobs import Job
from pilotbase.workspace.listings import MAXIMUM_PAGE, Query, list_page


def rehearse_application(base: Base, job: Job, on_progress: OnProgress) -> None:
    """Rehearse an application version on the public sample of the open scenario that it was made for."""
    version, sealed, candidate = _ordered(base, job, on_progress)
    rehearsal = rehearse(base.lab, sealed, candidate, on_progress)
    write_rehearsal(rehearsal_folder(base.lab, version.folder, sealed.scenario.name), rehearsal)
    if record_of(base, job).documents["application"] == job.payload["application"]:
        take_step(base, job, Act.APPLICATION_REHEARSED, rehearsal.report.digest())


def submit_to_board(base: Base, job: Job, on_progress: OnProgress) -> None:
    """Score an application version on the board of the open scenario that it was made for; no evidence, no attempt."""
    version, sealed, candidate = _ordered(base, job, on_progress)
    require_rehearsed(base, sealed, candidate, None, on_progress)
    score_on_board(base.lab, sealed, candidate, on_progress, _approved(base, version.scenario or "", job.subject))


def decide_ordered(base: Base, job: Job, on_progress: OnProgress) -> None:
    """Decide a closed tender. An entrant that cannot run is left out, so that it cannot hold up the others."""
    tender = base.lab.view.load(job.payload["tender"], Tender)
    entrants, granted, refused = [], [], []
    for entry in entries_of_closed(base.lab.view, tender):
        version = base.lab.view.load(entry.version, ApplicationVersion)
        try:
            sealed, candidate = take_in(base, tender.version, version.folder, on_progress)
            require_rehearsed(base, sealed, candidate, None, on_progress)
            approved = _approved(base, tender.scenario, entry.application)
            require_entrant(base.lab, sealed, candidate, tender.terms, approved)
        except (InputError, RefusedError) as error:
            refused.append(error)
            continue
        entrants.append(candidate)
        granted.append(approved)
    if len(entrants) < 2:
        raise refused[0] if refused else InputError("tender.one_entrant")
    decide_tender(base, tender, freeze_tender(base.lab, sealed, entrants, tender.terms, granted), on_progress)


def tell_failure(base: Base, job: Job) -> None:
    """Notify the parties of a tender that its job failed; only the owner may read why, on the page."""
    view = base.lab.view
    tender = view.load_head(job.subject, Tender)
    if tender is not None:
        tell_of(view, of_tender(view, tender, "tender.told_failed", f"{job.subject} {job.attempt}"))


HANDLERS: Mapping[WorkKind, Handler] = {
    WorkKind.REHEARSE: rehearse_application,
    WorkKind.BOARD: submit_to_board,
    WorkKind.TENDER: decide_ordered,
}
FAILURES = {WorkKind.TENDER: tell_failure}


def _ordered(
    base: Base, job: Job, on_progress: OnProgress
) -> tuple[ApplicationVersion, OpenedScenario, PreparedApplication]:
    version = base.lab.view.load(job.payload["application"], ApplicationVersion)
    assert version.scenario is not None
    scenario = load_record(base.lab.view, version.scenario)[0].documents["scenario"]
    return version, *take_in(base, scenario, version.folder, on_progress)


def _approved(base: Base, scenario: str, application: str) -> list[Approval]:
    """Return the filed approvals for trials of an application on a scenario: its board reads the same data."""
    query = Query("commission", scenario=scenario, application=application)
    trials = list_page(base.lab.view, query, limit=MAXIMUM_PAGE)
    records = (load_record(base.lab.view, listing.subject)[0] for listing in trials.items)
    return [approval for record in records for approval in granted(record)]
