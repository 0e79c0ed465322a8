"""Conformity: matrix and recorded exchanges alone, on the public sample, as a supplier tries them before a trial."""

from __future__ import annotations

from functools import cache

from pilotbase.documents.base import Name, Part
from pilotbase.documents.errors import InputError, RefusedError
from pilotbase.documents.exchanges import ExchangeFigures
from pilotbase.documents.plan import ApplicationReference
from pilotbase.documents.probes import CellRun
from pilotbase.documents.progress import OnProgress, ignore_progress
from pilotbase.documents.report import Finding
from pilotbase.documents.vocabularies import Outcome
from pilotbase.trial.entering import while_it_stands
from pilotbase.trial.lab import TrialRuntime
from pilotbase.trial.probes import PROBES
from pilotbase.trial.probing import ProbeSubject, look
from pilotbase.trial.rehearsing import MAXIMUM_CASES, enter_sample, sample_terms
from pilotbase.trial.running import PreparedApplication
from pilotbase.trial.sealed import OpenedScenario, read_public_sample


class Conformance(Part):
    """What an application keeps to of a scenario's matrix and exchanges; no evidence, as a rehearsal is none."""

    scenario: Name
    application: ApplicationReference
    findings: tuple[Finding, ...]
    cells: tuple[CellRun, ...] | None = None
    exchanges: tuple[ExchangeFigures, ...] | None = None

    @property
    def holds(self) -> bool:
        """Tell whether nothing failed; what was not measured did not."""
        return all(finding.outcome is not Outcome.FAIL for finding in self.findings)


def conform(
    lab: TrialRuntime, sealed: OpenedScenario, candidate: PreparedApplication, on_progress: OnProgress = ignore_progress
) -> Conformance:
    """Return what becomes of every cell, every exchange and every fault, with the same messages as in a trial.

    It is a use of the public sample as a rehearsal is one.

    Raises:
        InputError: the scenario has neither a matrix nor exchanges.
        RefusedError: an endpoint, which is not ours to stop or to put elsewhere; or as `rehearse`.
    """
    trial, name = sealed.scenario.trial, sealed.scenario.name
    if trial.matrix is None and trial.exchanges is None:
        raise InputError("trial.nothing_to_conform", scenario=name)
    if candidate.endpoint is not None:
        raise RefusedError("trial.conform_endpoint", application=candidate.reference.name)
    on_progress = while_it_stands(lab.vault, enter_sample(lab, sealed, candidate), on_progress)
    sample = cache(lambda: sealed.features(read_public_sample(lab, sealed).head(MAXIMUM_CASES)))
    subject = ProbeSubject(lab, sealed, candidate, sample_terms(lab, sealed, candidate), trial, sample, on_progress)
    with lab.open_log_run():
        found = [(probe, look(probe, subject, None)) for probe in PROBES if probe.conforms]
    tried = [(probe, part) for probe, part in found if part is not None]
    findings = [one for probe, part in tried for said in probe.findings(part).values() for one in said]
    figures = {name: figure for probe, part in tried for name, figure in probe.told(part).items()}
    return Conformance(scenario=name, application=candidate.reference, findings=tuple(findings), **figures)
