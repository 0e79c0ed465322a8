"""Tenders: called by the owner of a scenario, entered by suppliers, closed once, decided by a job."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Literal, NamedTuple

from pilotbase.documents.api.shapes import filled
from pilotbase.documents.base import Step
from pilotbase.documents.board import (
    MOST_ENTRANTS,
    ClosedTender,
    SeenTender,
    Tender,
    TenderEntry,
    TenderPlace,
    TenderPlan,
    TenderResult,
    TenderTerms,
)
from pilotbase.documents.errors import InputError, RefusedError
from pilotbase.documents.hashes import Digest
from pilotbase.documents.moments import format_day, has_passed
from pilotbase.documents.permissions import ReadScope
from pilotbase.documents.progress import OnProgress
from pilotbase.documents.record import ApplicationVersion
from pilotbase.documents.scenario import Scenario
from pilotbase.documents.states import ApplicationState, ScenarioState
from pilotbase.documents.texts import Language, Text
from pilotbase.documents.vocabularies import WorkKind
from pilotbase.trial.board_measure import measure_problems
from pilotbase.trial.lab import name_once
from pilotbase.trial.scorer_process import run_tender
from pilotbase.trial.tender import freeze_tender, place_head, result_of
from pilotbase.worker.base import Base
from pilotbase.worker.readings import scenario_for
from pilotbase.worker.trials.proving import require_rehearsed, take_in, trial_folder
from pilotbase.workspace.actors import PUBLIC, parties
from pilotbase.workspace.failures import NotFoundError
from pilotbase.workspace.jobs import JobState, enqueue, jobs_under
from pilotbase.workspace.listings import require_listing
from pilotbase.workspace.store import View


class Entrant(NamedTuple):
    """An application version that takes part."""

    application: str
    version: Digest
    supplier: str


def open_tender(base: Base, view: View, subject: str, terms: TenderTerms) -> Tender:
    """Return a tender on the actor's own open scenario: a new one, unless one on the same terms is open.

    Raises:
        NotFoundError: the actor owns no such scenario.
        InputError: the measure cannot be scored case by case.
        RefusedError: the scenario is not open.
    """
    listing = require_listing(view, subject)
    if view.actor.organisation != listing.owner:
        raise NotFoundError("record.not_found", subject=subject)
    if listing.state != ScenarioState.OPEN:
        raise RefusedError("tender.scenario_not_open", scenario=subject)
    problem = next(measure_problems(view.load(listing.digest, Scenario), terms.measure, None), None)
    if problem is not None:
        raise InputError("tender.measure", problem=problem)
    made = Tender(
        scenario=subject, version=listing.digest, owner=listing.owner, terms=terms, opened_at=view.store.clock()
    )
    for one in view.every(Tender, {"scenario": subject}):
        if one.model_copy(update={"opened_at": made.opened_at}) == made and stage_of(base, one)[0] == "open":
            return one
    with view.transaction("tender.opened") as change:
        digest = change.put(made, PUBLIC, owner=listing.owner, fields={"scenario": subject})
        change.set_head(_tender_head(made.identity), digest, expected=None)
    return made


def enter_tender(base: Base, view: View, identity: str, application: str) -> Tender:
    """Enter the submitted version of the actor's own application; an organisation has one entry, which it may repeat.

    Raises:
        NotFoundError: no such tender or application.
        RefusedError: it takes no more entries, the application is not submitted for its scenario or is not the
            actor's, or the organisation has entered already.
    """
    tender, now = find_tender(view, identity), view.store.clock()
    if stage_of(base, tender)[0] != "open" or has_passed(tender.terms.until or format_day(now), now):
        raise RefusedError("tender.closed")
    listing, organisation = require_listing(view, application), view.actor.organisation
    view.actor.require_is(listing.owner)
    fits = listing.kind == "application" and listing.state == ApplicationState.SUBMITTED
    if not fits or view.load(listing.digest, ApplicationVersion).scenario != tender.scenario:
        raise RefusedError("tender.other_application", application=application, scenario=tender.scenario)
    head = f"tender-entry:{identity}/{organisation}"
    known = view.load_head(head, TenderEntry)
    if known is not None and known.version == listing.digest:
        return tender
    if known is not None:
        raise RefusedError("tender.entered_twice", organisation=organisation)
    if len(_entries(base.lab.view, tender)) >= MOST_ENTRANTS:
        raise RefusedError("tender.closed")
    entry = TenderEntry(
        tender=tender.digest(),
        application=application,
        version=listing.digest,
        supplier=organisation,
        entered_at=now,
    )
    with view.transaction("tender.entered") as change:
        digest = change.put(entry, parties(tender.owner), owner=organisation, fields={"tender": tender.digest()})
        change.set_head(head, digest, expected=None)
    return tender


def close_tender(base: Base, view: View, identity: str) -> Tender:
    """Freeze the entries and order the decision; again after it failed, order it again.

    Raises:
        NotFoundError: the actor owns no such tender.
        InputError: fewer than two entries.
    """
    tender = find_tender(view, identity)
    if view.actor.organisation != tender.owner:
        raise NotFoundError("hub.not_found")
    stage, _ = stage_of(base, tender)
    entries = _entries(base.lab.view, tender)
    if len(entries) < 2:
        raise InputError("tender.one_entrant")
    if stage in ("open", "failed"):
        with view.transaction("tender.closed") as change:
            if stage == "open":
                closed = ClosedTender(tender=tender.digest(), entries=tuple(one.digest() for one in entries))
                digest = change.put(closed, parties(), owner=tender.owner)
                change.set_head(_closed_head(identity), digest, expected=None)
            enqueue(change, WorkKind.TENDER, _tender_head(identity), {"tender": tender.digest()})
    return tender


def hold_tender(
    base: Base, scenario: tuple[str, Digest, str], terms: TenderTerms, head: str, wanted: Sequence[Entrant]
) -> Tender:
    """Open a tender with fixed entrants, close it and order its decision, all at once; under ``head`` there is one.

    ``scenario``: subject, version and owner. Raises `InputError` for fewer than two entrants.
    """
    known = base.lab.view.load_head(head, Tender)
    if known is not None:
        return known
    if len(wanted) < 2:
        raise InputError("tender.one_entrant")
    subject, version, owner = scenario
    with base.lab.view.transaction("tender.held") as change:
        made = Tender(scenario=subject, version=version, owner=owner, terms=terms, opened_at=change.now)
        digest = change.put(made, PUBLIC, owner=owner, fields={"scenario": subject})
        change.set_head(_tender_head(made.identity), digest, expected=None)
        change.set_head(head, digest, expected=None)
        entries = []
        for one in wanted:
            entry = TenderEntry(
                tender=digest,
                application=one.application,
                version=one.version,
                supplier=one.supplier,
                entered_at=change.now,
            )
            entries.append(change.put(entry, parties(owner), owner=one.supplier, fields={"tender": digest}))
            change.set_head(f"tender-entry:{made.identity}/{one.supplier}", entries[-1], expected=None)
        closed = change.put(ClosedTender(tender=digest, entries=tuple(entries)), parties(), owner=owner)
        change.set_head(_closed_head(made.identity), closed, expected=None)
        enqueue(change, WorkKind.TENDER, _tender_head(made.identity), {"tender": digest})
    return made


def result_for(base: Base, tender: Tender) -> TenderResult | None:
    """Return the result of a tender; None until it is decided."""
    plan = base.lab.view.load_head(_plan_head(tender.identity), TenderPlan)
    return result_of(base.lab, plan) if plan is not None else None


def find_tender(view: View, identity: str) -> Tender:
    """Return a tender; raises `NotFoundError`."""
    found = view.load_head(_tender_head(identity), Tender)
    if found is None:
        raise NotFoundError("hub.not_found")
    return found


def stage_of(base: Base, tender: Tender) -> tuple[Literal["open", "running", "failed", "decided"], Text | None]:
    """Return the stage of a tender, and why it failed."""
    view = base.lab.view
    if view.head(_closed_head(tender.identity)) is None:
        return "open", None
    plan = view.load_head(_plan_head(tender.identity), TenderPlan)
    if plan is not None and result_of(base.lab, plan) is not None:
        return "decided", None
    job = next(iter(jobs_under(view, _tender_head(tender.identity))), None)
    failed = job is not None and job.ended and job.state is not JobState.DONE
    return ("failed", job.reason) if job is not None and failed else ("running", None)


def seen_tender(base: Base, view: View, tender: Tender, language: Language) -> SeenTender:
    """Return a tender as the actor may see it: its owner and the base everything, a supplier its own part."""
    stage, reason = stage_of(base, tender)
    plan = base.lab.view.load_head(_plan_head(tender.identity), TenderPlan) if stage == "decided" else None
    knows = view.actor.sees_all or view.actor.organisation == tender.owner
    own = None if plan is None else view.load_head(place_head(plan.digest(), view.actor.organisation), TenderPlace)
    return filled(
        SeenTender,
        tender,
        stage=stage,
        reason=reason.render(language) if reason is not None and knows else None,
        entries=tuple(_entries(view, tender)),
        result=result_of(base.lab, plan) if plan is not None and knows else None,
        place=own,
    )


def tenders_of(base: Base, view: View, subject: str, language: Language) -> list[SeenTender]:
    """Return the tenders on a scenario, newest first; raises `NotFoundError` as `board_for`."""
    scenario_for(view, subject, ReadScope.BOARD)
    return [seen_tender(base, view, one, language) for one in view.every(Tender, {"scenario": subject})]


def newest_decided(base: Base, view: View, subject: str) -> tuple[TenderResult | None, dict[Digest, int]]:
    """Return the result of the newest decided tender on a scenario, and the places of the versions that took part."""
    for one in view.every(Tender, {"scenario": subject}):
        plan = base.lab.view.load_head(_plan_head(one.identity), TenderPlan)
        result = result_of(base.lab, plan) if plan is not None else None
        if plan is not None and result is not None:
            places = result.places()
            return result, {entrant.digest: places[entrant.subject] for entrant in plan.entrants}
    return None, {}


def entries_of_closed(view: View, tender: Tender) -> list[TenderEntry]:
    """Return the frozen entries of a closed tender."""
    closed = view.load_head(_closed_head(tender.identity), ClosedTender)
    return [view.load(digest, TenderEntry) for digest in closed.entries] if closed is not None else []


def tender_of(view: View, plan: TenderPlan) -> Tender | None:
    """Return the tender that ``plan`` decides; a tender of folders has none."""
    called = view.every(Tender, {"scenario": plan.scenario.subject})
    return next((one for one in called if view.head(_plan_head(one.identity)) == plan.digest()), None)


def decide_tender(base: Base, tender: Tender, plan: TenderPlan, on_progress: OnProgress) -> TenderResult:
    """Return the result of a closed tender; raises as `run_tender`."""
    kept = name_once(base.lab.view, _plan_head(tender.identity), plan.digest())
    return run_tender(base.lab, base.lab.view.load(kept, TenderPlan), on_progress)


def compare_in(
    base: Base, scenario: Path, applications: Sequence[Path], terms: TenderTerms, on_progress: OnProgress
) -> TenderResult:
    """Return the result of a tender between applications in folders; run again, it is the same.

    Raises as `freeze_tender` and `run_tender`, and `RefusedError` for a failed rehearsal.
    """
    entrants = []
    for application in applications:
        sealed, candidate = take_in(base, scenario, application, Step.FREEZE, on_progress)
        require_rehearsed(base, sealed, candidate, trial_folder(base, None, sealed, candidate), on_progress)
        entrants.append(candidate)
    return run_tender(base.lab, freeze_tender(base.lab, sealed, entrants, terms), on_progress)


def _entries(view: View, tender: Tender) -> list[TenderEntry]:
    return view.every(TenderEntry, {"tender": tender.digest()})


def _tender_head(identity: str) -> str:
    """Return the head of a tender; it also names its work."""
    return f"tender:{identity}"


def _closed_head(identity: str) -> str:
    return f"tender-closed:{identity}"


def _plan_head(identity: str) -> str:
    return f"tender-decides:{identity}"
