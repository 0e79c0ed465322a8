"""At the site: a pack taken in and run through the same stages, in the same box, as any trial; then released."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import pydantic

from pilotbase.catalogue.applications import read_application, store_application
from pilotbase.catalogue.writing import take_over
from pilotbase.certificate.bounded_json import read_evidence
from pilotbase.certificate.roots import read_trust_roots
from pilotbase.documents.base import Step
from pilotbase.documents.errors import InputError, RefusedError
from pilotbase.documents.files import write_whole
from pilotbase.documents.progress import OnProgress, Progress, ignore_progress
from pilotbase.documents.report import Report
from pilotbase.documents.site import SiteTerms, Witness
from pilotbase.documents.texts import text
from pilotbase.sandbox.box.settings import running_interpreter
from pilotbase.sandbox.box.wheels import keep_wheel
from pilotbase.trial.freezing import FreezeOrder, freeze_plan
from pilotbase.trial.running import PreparedApplication, prepare_candidate
from pilotbase.trial.scenario_folder import load_scenario
from pilotbase.trial.scorer_process import run_trial
from pilotbase.worker.base import Base
from pilotbase.worker.sites.papers import SitePack, pack_head
from pilotbase.worker.sites.releases import Released, release_trial
from pilotbase.worker.sites.unpacking import OpenedPack, opened_pack, require_runnable
from pilotbase.worker.trials.folder import TrialFiles, open_records, write_trial
from pilotbase.worker.trials.hidden_budgets import sealed_here
from pilotbase.worker.trials.proving import require_rehearsed, trial_folder
from pilotbase.workspace.actors import parties


@dataclass(frozen=True)
class SiteOrder:
    """The input of a person at the site: the pack, the scenario's folder, the base's roots, the witness."""

    pack: Path
    scenario: Path
    trust: Path
    witness: Witness
    out: Path | None = None


@dataclass(frozen=True)
class SiteRun:
    """The result of a run on site: the full report, which stays, and the file that may leave."""

    report: Report
    released: Released
    folder: Path
    file: Path


def run_pack(base: Base, order: SiteOrder, on_progress: OnProgress = ignore_progress) -> SiteRun:
    """Rehearse, freeze, run and release whatever is not yet done of a pack; needs no network.

    Run again, it gives the same file; killed in between, it continues.

    Raises:
        InputError: pack, scenario or trust roots cannot be read, or are of another kind.
        InvalidProofError: the pack is not the base's, or was altered.
        RefusedError: it may not run here, with every reason; or as `prove` raises for any trial.
    """
    scenario, scenario_folder = load_scenario(order.scenario, Step.FREEZE)
    roots = read_trust_roots(read_evidence(order.trust), str(order.trust))
    with opened_pack(order.pack, roots, base.lab.folder("tmp")) as opened:
        sealed = sealed_here(base.lab, scenario, scenario_folder)
        if sealed is None:
            raise RefusedError("site.not_sealed", scenario=scenario.name)
        require_runnable(base, opened.pack, sealed, order.witness, order.pack)
        if opened.pack.terms is not None:
            on_progress(Progress(opened.pack.terms.line))
        candidate = _take_in(base, opened, on_progress)
        pack = opened.pack
    folder = trial_folder(base, None, sealed, candidate)
    require_rehearsed(base, sealed, candidate, folder, on_progress, pack.release)
    plan = freeze_plan(base.lab, sealed, candidate, FreezeOrder(site=SiteTerms(pack.nonce, pack.release)))
    report = run_trial(base.lab, plan, on_progress)
    on_progress(Progress(text("site.progress.release")))
    released = release_trial(base, pack, plan, report, order.witness)
    records = open_records(base.lab, report, plan.scenario.owner.organisation)
    # The owner's own files of the trial, from which they can replay it; the files stay here.
    write_trial(folder, TrialFiles(plan, report, None, None, records, base.lab.view.checkpoint().note))
    file = order.out or Path(f"{scenario.name}-{candidate.reference.name}-{pack.nonce[:8]}.site-report.json")
    write_whole(file, released.envelope.to_bytes())
    return SiteRun(report, released, folder, file)


def witness_of(name: str, organisation: str) -> Witness:
    """Return the witness of that name; raises `InputError` for no name, or no short name of an organisation."""
    try:
        return Witness(name=name, organisation=organisation)
    except pydantic.ValidationError:
        raise InputError("site.bad_witness", name=name, organisation=organisation) from None


def _take_in(base: Base, opened: OpenedPack, on_progress: OnProgress) -> PreparedApplication:
    """Return the application of a pack, kept here, its environment built from the pack's wheels.

    Raises:
        RefusedError: the installed packages differ from those at the base: another Python, or another machine.
    """
    pack = opened.pack
    supplier = pack.application.supplier.organisation
    on_progress(Progress(text("trial.progress.environment", application=pack.application.name)))
    cache, tag = base.lab.folder("environments", supplier), running_interpreter().tag
    for wheel, place in zip(pack.wheels, opened.wheels, strict=True):
        keep_wheel(place, wheel.sha256, cache.resolve(), tag)
    kept = store_application(read_application(opened.application), base.lab.applications)
    candidate = prepare_candidate(base.lab, kept)
    if candidate.reference != pack.application:
        raise RefusedError("site.environment_differs", application=pack.application.name, tag=tag)
    _note_taken(base, pack)
    return candidate


def _note_taken(base: Base, pack: SitePack) -> None:
    """Record, once, that this pack was begun: its nonce serves no other."""
    head = pack_head(pack.nonce)
    if base.lab.view.head(head) is None:
        with base.lab.view.transaction("site.pack_taken") as change:
            if (terms := pack.terms) is not None:  # they are in force at this site too
                take_over(change, base.lab.view, terms.dataset_record, terms.dataset)
                if terms.agreement_record is not None and terms.agreement is not None:
                    take_over(change, base.lab.view, terms.agreement_record, terms.agreement)
            change.set_head(head, change.put(pack, parties(), owner=pack.scenario.owner.organisation), expected=None)
