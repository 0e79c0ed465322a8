"""The load test of an attempt, made once: a scorer that is started again reads what there is."""

from __future__ import annotations

from dataclasses import replace

from pilotbase.documents.limits import EndReason
from pilotbase.documents.load_test import LoadTest, LoadTested
from pilotbase.documents.progress import OnProgress, Progress
from pilotbase.documents.texts import text
from pilotbase.trial.lab import Lab
from pilotbase.trial.perturbed_arms import Sitting
from pilotbase.trial.run_files import read_marked, write_marked
from pilotbase.trial.running import Candidate, Run, Terms
from pilotbase.trial.sealed import Sealed, read_public_sample
from pilotbase.trial.under_load.testing import Features, load_candidate

_PUBLIC_SEED = b"pilotbase rehearsal"


def with_load_test(
    lab: Lab, sealed: Sealed, sitting: Sitting, run: Run, test: LoadTest | None, on_progress: OnProgress
) -> Run:
    """Return ``run`` with what a load test with cases of the public sample measures, where the plan asks for one.

    An application that did not answer every case is not loaded, nor is an endpoint, whose load is its supplier's.
    """
    candidate = sitting.candidate
    if test is None or not _can_be_loaded(candidate, run):
        return run
    file, key = sitting.folder / "load-test", sitting.secret("run", "load-test")
    tested = read_marked(LoadTested, file, key)
    if tested is None:
        on_progress(Progress(text("trial.progress.load_test", application=candidate.reference.name)))
        sample = sealed.features(read_public_sample(lab, sealed))
        tested = load_candidate(candidate, sitting.terms, test, sample, sitting.secret("load-test", ""))
        write_marked(tested, file, key)
    return replace(run, load=replace(run.load, tested=tested))


def rehearsed_load_test(candidate: Candidate, terms: Terms, run: Run, test: LoadTest | None, sample: Features) -> Run:
    """Return ``run`` with what a load test measures in a rehearsal, as `with_load_test` does in a trial."""
    if test is None or not _can_be_loaded(candidate, run):
        return run
    return replace(run, load=replace(run.load, tested=load_candidate(candidate, terms, test, sample, _PUBLIC_SEED)))


def _can_be_loaded(candidate: Candidate, run: Run) -> bool:
    return run.end.reason is EndReason.FINISHED and candidate.endpoint is None
