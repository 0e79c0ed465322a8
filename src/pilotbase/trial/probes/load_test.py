"""The load test: it runs before any hidden case leaves, so that a busy host costs no case."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from pilotbase.documents.errors import RefusedError
from pilotbase.documents.probes import LoadFigures, LoadTested, Void
from pilotbase.documents.progress import Progress
from pilotbase.documents.report import Finding
from pilotbase.documents.texts import text
from pilotbase.documents.vocabularies import Outcome, Verification
from pilotbase.measures import RunMeasurements as Measured
from pilotbase.measures import is_resource, resource_measures
from pilotbase.measures.resources import LoadMeasurements
from pilotbase.trial.design_findings import judged, unmeasured
from pilotbase.trial.performance import Load
from pilotbase.trial.probing import Findings, Probe, ProbeSubject
from pilotbase.trial.running import BoxRun
from pilotbase.trial.under_load import latencies_of, load_candidate, load_figures

MOST_TRIES = 3
"""How often a test that criteria depend on is repeated on a busy host before the trial is refused."""
_OURS = frozenset({Void.NOISY_HOST, Void.LATE_CLOCK})


class Loading(Probe[LoadTested]):
    """The requested load test; an endpoint is not tested, since its supplier carries the load.

    If no criterion depends on it, a void test is kept and reported as void.
    """

    name = "load-test"
    found = LoadTested
    sections = frozenset({Verification.PRODUCTION})
    when = "before"

    def look(self, subject: ProbeSubject, run: BoxRun | None) -> LoadTested | None:
        """Return the measurements of a load test with cases of the public sample.

        Raises:
            RefusedError: the host was busy at each try of a trial.
        """
        test, application = subject.asked.load_test, subject.candidate.reference.name
        if test is None or not subject.boxed(run):
            return None
        for number in range(MOST_TRIES):
            subject.on_progress(Progress(text("trial.progress.load_test", application=application)))
            seed = subject.secret("load-test", str(number))
            tested = load_candidate(subject.candidate, subject.terms, test, subject.features, seed)
            void = load_figures(tested).void
            if subject.folder is None or void not in _OURS or not _rests_on_load(subject):
                return tested
        raise RefusedError("trial.host_not_quiet", tries=MOST_TRIES, why=text(f"trial.void.{void}"))

    def add(self, run: BoxRun, found: LoadTested) -> BoxRun:
        return run.measured(tested=found)

    def of(self, load: Load) -> LoadTested | None:
        return load.tested

    def measured(self, found: LoadTested, seen: Measured) -> Measured:
        """Return what measures read, with the load test unless the host was busy."""
        return replace(seen, loaded=_loaded(found))

    def told(self, found: LoadTested) -> Mapping[str, Any]:
        return {"load_test": load_figures(found)}

    def findings(self, found: LoadTested) -> Findings:
        return {Verification.PRODUCTION: _findings(load_figures(found))}

    def unasked(self) -> Findings:
        return {Verification.PRODUCTION: [unmeasured("soak", text("trial.finding.no_soak"))]}


PROBE = Loading()


def _rests_on_load(subject: ProbeSubject) -> bool:
    rules = [criterion.parsed() for criterion in subject.sealed.scenario.criteria]
    return any(is_resource(rule) and resource_measures()[rule.measure].of_load_test for rule in rules)


def _loaded(tested: LoadTested) -> LoadMeasurements | None:
    figures = load_figures(tested)
    if figures.void is Void.NOISY_HOST:
        return None
    if figures.void is not None:
        return LoadMeasurements(None, figures.cold_start, figures.recovery, figures.memory_growth)
    return LoadMeasurements(
        latencies_of(tested), figures.cold_start, figures.recovery, figures.memory_growth, figures.held
    )


def _findings(figures: LoadFigures) -> list[Finding]:
    """Return the findings of a load test; a void test shows nothing and leaves the section open."""
    if figures.void is not None:
        sentence = text("trial.finding.load_void", why=text(f"trial.void.{figures.void}"))
        return [Finding(check="load_test", outcome=Outcome.INCONCLUSIVE, sentence=sentence)]
    kept = not figures.unanswered
    values = {"requests": figures.requests, "unanswered": figures.unanswered, "rate": f"{figures.throughput:.3g}"}
    sentence = text("trial.finding.load_kept_up" if kept else "trial.finding.load_lost", **values)
    findings = [judged("load_test", kept, sentence), *_beside_load(figures)]
    sentence = text("trial.finding.not_recovered")
    if figures.recovery is not None:
        sentence = text("trial.finding.recovered", seconds=f"{figures.recovery:.3g}")
    findings.append(judged("recovery", figures.recovery is not None, sentence))
    if figures.joules is None:
        findings.append(unmeasured("energy", text("trial.finding.no_energy")))
    return findings


def _beside_load(figures: LoadFigures) -> list[Finding]:
    """Return the load served within the target, and whether the box shared processors with the load generator."""
    found = []
    if figures.pinned is not None:
        pinned = text("trial.finding.load_pinned" if figures.pinned else "trial.finding.load_shared")
        found.append(judged("processors", figures.pinned, pinned, Outcome.NOT_MEASURED))
    if figures.held is not None and figures.steps is not None:
        values = {"rate": f"{figures.held:.3g}", "steps": len(figures.steps), "target": f"{figures.target:.3g} s"}
        found.append(judged("throughput", bool(figures.held), text("trial.finding.load_held", **values)))
    return found
