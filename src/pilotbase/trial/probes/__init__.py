"""The probes, one file each. Every ``PROBE`` in this folder is found, without a list.

The functions here apply to all probes together: to a run, to its measurements, and to its report.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from pilotbase.documents.base import Part
from pilotbase.documents.plugins import loaded
from pilotbase.documents.report import Finding
from pilotbase.documents.vocabularies import Verification
from pilotbase.measures import RunMeasurements as Measured
from pilotbase.trial.performance import Load, measured_run
from pilotbase.trial.probing import Probe, ProbeSubject, look
from pilotbase.trial.running import BoxRun

PROBES: tuple[Probe[Any], ...] = tuple(module.PROBE for module in loaded("trial.probes"))


def look_before(subject: ProbeSubject) -> None:
    """Run the probes that must run before any hidden case leaves, and keep their results; raises their errors."""
    for probe in PROBES:
        if probe.when == "before":
            look(probe, subject, None)


def with_probes(run: BoxRun, subject: ProbeSubject) -> BoxRun:
    """Return ``run`` with the result of each probe, found now or kept from before.

    Raises:
        ValueError: a probe writes where another does.
    """
    shown = run
    for probe in PROBES:
        if probe.rehearsed or subject.folder is not None:
            found = look(probe, subject, run)
            shown = shown if found is None else _added(shown, probe, found)
    return shown


def _added(run: BoxRun, probe: Probe[Any], found: Part) -> BoxRun:
    after = probe.add(run, found)
    for other in PROBES:
        if other is not probe and other.of(after.load) != other.of(run.load):
            raise ValueError(f"the probe {probe.name} writes what is not its own: {other.name}")
    return after


def found_of(load: Load) -> Iterator[tuple[Probe[Any], Part | None]]:
    """Yield each probe with its result."""
    for probe in PROBES:
        yield probe, probe.of(load)


def measured(load: Load) -> Measured:
    """Return what measures read of a run, with the results of all probes."""
    seen = measured_run(load)
    for probe, found in found_of(load):
        seen = seen if found is None else probe.measured(found, seen)
    return seen


def rejects(load: Load) -> bool:
    """Return whether the result of a probe rejects the application, whatever its score."""
    return any(found is not None and probe.rejects(found) for probe, found in found_of(load))


def told_fields(load: Load) -> dict[str, Any]:
    """Return the fields of a report that hold the figures of all probes."""
    fields: dict[str, Any] = {"probes": load.probes}
    for probe, found in found_of(load):
        fields |= {} if found is None else probe.told(found)
    return fields


def probe_findings(load: Load, unasked: bool = True) -> dict[Verification, list[Finding]]:
    """Return the findings of all probes by section; ``unasked``: include probes without a result.

    Raises:
        ValueError: a probe writes into a section that isn't its own.
    """
    said: dict[Verification, list[Finding]] = {name: [] for name in Verification}
    for probe, found in found_of(load):
        if found is None and not unasked:
            continue
        for section, findings in (probe.unasked() if found is None else probe.findings(found)).items():
            if section not in probe.sections:
                raise ValueError(f"the probe {probe.name} writes into a section that is not its own: {section.value}")
            said[section] += findings
    return said
