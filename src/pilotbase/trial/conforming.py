"""Before a trial: the public sample opened for an application, and its matrix and recorded exchanges tried alone."""

from __future__ import annotations

from functools import cache

from pilotbase.documents.base import Name, Part
from pilotbase.documents.errors import InputError, RefusedError
from pilotbase.documents.exchanges import ExchangeFigures
from pilotbase.documents.hashes import digest_json
from pilotbase.documents.plan import ApplicationReference
from pilotbase.documents.probes import CellRun
from pilotbase.documents.progress import OnProgress, ignore_progress
from pilotbase.documents.report import Finding
from pilotbase.documents.site import Release
from pilotbase.documents.vocabularies import Outcome
from pilotbase.sandbox.box.probe import probe_host, require_level
from pilotbase.sandbox.box.settings import LogPolicy
from pilotbase.trial.entering import AccessMode, enter_rehearsal, may_show_sample, require_leaving, while_it_stands
from pilotbase.trial.lab import TrialRuntime
from pilotbase.trial.probes import PROBES
from pilotbase.trial.probing import ProbeSubject, look
from pilotbase.trial.running import BoxTerms, PreparedApplication
from pilotbase.trial.sealed import OpenedScenario, read_public_sample

MAXIMUM_CASES = 20_000
"""At most so many cases of the public sample are answered (the first ones)."""


def open_sample_for(
    lab: TrialRuntime,
    sealed: OpenedScenario,
    candidate: PreparedApplication,
    on_progress: OnProgress,
    release: Release | None = None,
) -> ProbeSubject:
    """Return an application that may answer the public sample, before a trial: nothing is kept, nothing is secret.

    On cases of a dataset that isn't open this is a use, counted before anything is read. ``release``: what may leave,
    at a site. Output is shown only to those who may hold the rows that it may reveal.

    Raises:
        RefusedError: the host can't provide the isolation level, or the dataset's terms don't permit it.
    """
    scenario, supplier, trial = sealed.scenario, candidate.reference.supplier.organisation, sealed.scenario.trial
    require_level(trial.isolation, probe_host())
    mode = AccessMode.of_trial(min(sealed.record.public_cases, MAXIMUM_CASES), release)
    leaves = require_leaving(lab.view, scenario, candidate.submission.application, mode.rows)
    name = digest_json([sealed.record.digest(), candidate.reference.digest, candidate.reference.environment])
    leave = enter_rehearsal(lab.view, scenario, supplier, name, mode)
    shown = LogPolicy.FULL if may_show_sample(lab.view, scenario, supplier) else LogPolicy.FIGURES
    return ProbeSubject(
        lab=lab,
        sealed=sealed,
        candidate=candidate,
        terms=BoxTerms(sealed.contract, trial.limits, trial.isolation, trial.batch_rows, shown, leaves, scenario.door),
        asked=trial,
        sample=cache(lambda: read_public_sample(lab, sealed).head(MAXIMUM_CASES)),
        on_progress=while_it_stands(lab.vault, leave, on_progress),
    )


class Conformance(Part):
    """What an application keeps to of a scenario's matrix and exchanges; no evidence, as a rehearsal is none."""

    scenario: Name
    application: ApplicationReference
    findings: tuple[Finding, ...]
    cells: tuple[CellRun, ...] | None = None
    exchanges: tuple[ExchangeFigures, ...] | None = None

    @property
    def holds(self) -> bool:
        """Return whether nothing failed; an unmeasured part doesn't count as failed."""
        return all(finding.outcome is not Outcome.FAIL for finding in self.findings)


def conform(
    lab: TrialRuntime, sealed: OpenedScenario, candidate: PreparedApplication, on_progress: OnProgress = ignore_progress
) -> Conformance:
    """Return the result of every cell, exchange and fault, with the same messages as in a trial.

    Like a rehearsal, it is a use of the public sample.

    Raises:
        InputError: the scenario has neither a matrix nor exchanges.
        RefusedError: an endpoint answers, which we can't stop or move to another environment; or as `open_sample_for`.
    """
    trial, name = sealed.scenario.trial, sealed.scenario.name
    if trial.matrix is None and trial.exchanges is None:
        raise InputError("trial.nothing_to_conform", scenario=name)
    if candidate.endpoint is not None:
        raise RefusedError("trial.conform_endpoint", application=candidate.reference.name)
    subject = open_sample_for(lab, sealed, candidate, on_progress)
    with lab.open_log_run():
        found = [(probe, look(probe, subject, None)) for probe in PROBES if probe.conforms]
    tried = [(probe, part) for probe, part in found if part is not None]
    findings = [one for probe, part in tried for said in probe.findings(part).values() for one in said]
    figures = {name: figure for probe, part in tried for name, figure in probe.told(part).items()}
    return Conformance(scenario=name, application=candidate.reference, findings=tuple(findings), **figures)
