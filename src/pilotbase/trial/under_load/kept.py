"""The load test of an attempt, made once and before a hidden case leaves: a host that is not quiet costs nobody one."""

from __future__ import annotations

from dataclasses import replace

from pilotbase.documents.errors import RefusedError
from pilotbase.documents.limits import EndReason
from pilotbase.documents.load_test import LoadTest, LoadTested, Void
from pilotbase.documents.plan import TrialPlan
from pilotbase.documents.progress import OnProgress, Progress
from pilotbase.documents.texts import text
from pilotbase.measures import is_resource, resource_measures
from pilotbase.trial.delivering import PUBLIC_SEED
from pilotbase.trial.lab import Lab
from pilotbase.trial.perturbed_arms import Sitting
from pilotbase.trial.run_files import read_marked, write_marked
from pilotbase.trial.running import Candidate, Run, Terms
from pilotbase.trial.sealed import Sealed, read_public_sample
from pilotbase.trial.under_load.steadiness import load_figures
from pilotbase.trial.under_load.testing import Features, load_candidate

MOST_TRIES = 3
"""How often a test on which criteria rest is made because the host was not quiet, before the trial is refused."""
_OURS = frozenset({Void.NOISY_HOST, Void.LATE_CLOCK})


def kept_load_test(
    lab: Lab, sealed: Sealed, sitting: Sitting, plan: TrialPlan, on_progress: OnProgress
) -> LoadTested | None:
    """Return what a load test with cases of the public sample measures, where the plan asks for one.

    A scorer that is started again reads what there is. An endpoint is not loaded: its load is its supplier's. Where no
    criterion rests on it, a void one is kept as it is, and said to be void.

    Raises:
        RefusedError: the host was not quiet, however often it was tried; nothing has been delivered.
    """
    test = plan.load_test
    if test is None or sitting.candidate.endpoint is not None:
        return None
    file, key = sitting.folder / "load-test", sitting.secret("run", "load-test")
    known = read_marked(LoadTested, file, key)
    if known is not None or sitting.committed:
        return known
    sample = sealed.features(read_public_sample(lab, sealed))
    for number in range(MOST_TRIES):
        on_progress(Progress(text("trial.progress.load_test", application=sitting.candidate.reference.name)))
        seed = sitting.secret("load-test", str(number))
        tested = load_candidate(sitting.candidate, sitting.terms, test, sample, seed)
        void = load_figures(tested).void
        if void not in _OURS or not _rests_on_load(plan):
            file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            write_marked(tested, file, key)
            return tested
    raise RefusedError("trial.host_not_quiet", tries=MOST_TRIES, why=text(f"trial.void.{void}"))


def _rests_on_load(plan: TrialPlan) -> bool:
    rules = [criterion.parsed() for criterion in plan.criteria]
    return any(is_resource(rule) and resource_measures()[rule.measure].of_load_test for rule in rules)


def with_load_test(run: Run, tested: LoadTested | None) -> Run:
    """Return ``run`` with what the load test has measured."""
    return run if tested is None else replace(run, load=replace(run.load, tested=tested))


def rehearsed_load_test(candidate: Candidate, terms: Terms, run: Run, test: LoadTest | None, sample: Features) -> Run:
    """Return ``run`` with what a load test measures in a rehearsal; an application that broke off is not loaded."""
    if test is None or run.end.reason is not EndReason.FINISHED or candidate.endpoint is not None:
        return run
    return with_load_test(run, load_candidate(candidate, terms, test, sample, PUBLIC_SEED))
