"""What the hidden data of a scenario still permit, version by version, for those who may know."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path

from pilotbase.catalogue.applications import read_application
from pilotbase.catalogue.records import load_record
from pilotbase.certificate.status import issued_certificates
from pilotbase.documents.api.shapes import filled
from pilotbase.documents.api.trials import Budget, SealedVersion
from pilotbase.documents.base import NAME, Step
from pilotbase.documents.errors import BarredError
from pilotbase.documents.hashes import Digest
from pilotbase.documents.permissions import ReadScope
from pilotbase.documents.scenario import ApplicationBaseline, Scenario
from pilotbase.documents.subjects import Subject, scenario_subject
from pilotbase.documents.texts import Text, text
from pilotbase.trial.criteria_check import next_level, refresh_advice, why_no_attempt
from pilotbase.trial.lab import TrialRuntime
from pilotbase.trial.scenario_folder import load_scenario
from pilotbase.trial.sealed import OpenedScenario, SealedScenario, left_of, read_public_sample
from pilotbase.trial.sealing import DataVersion, find_sealed, versions_of
from pilotbase.vault.attempts import Remaining, remaining
from pilotbase.vault.sealing import HiddenSet
from pilotbase.worker.base import Base
from pilotbase.worker.readings import record_for, scenario_for
from pilotbase.workspace.store import View

SCENARIO_FILES = "scenario-files"
"""Kind of the documents that record which files of a scenario version are kept."""
_SEALED_VERSIONS = 1000
_REMEMBERED = 64


@dataclass(frozen=True)
class _Standing:
    """What a hidden set permits at one time: pages shown again open no sample again."""

    record: Digest
    left: Remaining
    lab: TrialRuntime = field(compare=False)
    sealed: OpenedScenario = field(compare=False)


def budget_of_scenario(base: Base, view: View, subject: str) -> Budget | None:
    """Return what is left of the newest version of a scenario; None before its data are sealed.

    Raises:
        NotFoundError: the actor sees no such scenario, or may not know.
    """
    scenario = scenario_for(view, subject, ReadScope.BUDGET)
    sealed = _sealed_version(base.lab, scenario.digest())
    if sealed is None:
        return None
    return budget_of(base.lab, sealed).model_copy(update={"versions": sealed_versions(base, scenario)})


def budget_of_trial(base: Base, view: View, subject: str) -> Budget | None:
    """Return what is left of the scenario version of a commission; raises as `budget_of_scenario`."""
    sealed = _sealed_version(base.lab, record_for(view, subject, ReadScope.BUDGET).documents["scenario"])
    return None if sealed is None else budget_of(base.lab, sealed)


def why_none_left(base: Base, scenario: Digest) -> BarredError | None:
    """Return why no trial can be frozen on the hidden data of a scenario version, as freezing would report; or None.

    Fresh cases that were handed in since are sealed when the plan is frozen: none of them is used yet.
    """
    sealed = _sealed_version(base.lab, scenario)
    if sealed is None:
        return None
    hidden = _hidden_set(base.lab, sealed)
    if any(
        kept.stored_at > hidden.sealed_at
        for kept in base.lab.view.find(SCENARIO_FILES, {"scenario": scenario}, limit=1)
    ):
        return None
    return why_no_attempt(sealed.scenario, hidden, remaining(base.lab.vault, hidden))


def _sealed_version(lab: TrialRuntime, scenario: Digest) -> OpenedScenario | None:
    """Return a scenario version with its newest sealed data; None before they are sealed."""
    stated = lab.view.load(scenario, Scenario)
    found = lab.view.find("sealed-scenario", {"scenario": stated.name}, limit=_SEALED_VERSIONS)
    records = (stored.load(SealedScenario) for stored in found if stored.owner == stated.owner.organisation)
    record = next((one for one in records if one.scenario == scenario), None)
    return None if record is None else OpenedScenario(stated, record)


def budget_of(lab: TrialRuntime, sealed: OpenedScenario) -> Budget:
    """Return what the hidden set of a sealed scenario still permits."""
    scenario, hidden = sealed.scenario, _hidden_set(lab, sealed)
    left = left_of(lab, sealed)
    return filled(
        Budget,
        hidden,
        left,
        used=hidden.attempts - left.attempts,
        left=left.attempts,
        next_level=next_level(scenario, left),
        spent=left.spent_alpha,
        cases=hidden.rows,
        cases_per_attempt=scenario.trial.cases_per_attempt,
        unit=None if left.units is None else left.units.of.column,
        units=None if left.units is None else left.units.fresh,
        due=_due(_Standing(sealed.record.digest(), left, lab, sealed)),
    )


@lru_cache(maxsize=_REMEMBERED)
def _due(here: _Standing) -> tuple[Text, ...]:
    scenario, record = here.sealed.scenario, here.sealed.record
    return tuple(refresh_advice(scenario, record.classes, read_public_sample(here.lab, here.sealed), here.left))


def _hidden_set(lab: TrialRuntime, sealed: OpenedScenario) -> HiddenSet:
    return lab.view.load(sealed.record.hidden_set, HiddenSet)


def sealed_versions(base: Base, scenario: Scenario) -> tuple[SealedVersion, ...]:
    """Return the versions of a scenario's hidden data, newest first; none before they are sealed."""
    rests: dict[Digest, list[Digest]] = {}
    for certificate in issued_certificates(base.lab.view):
        rests.setdefault(certificate.scenario.hidden_set, []).append(certificate.serial)
    found = [_told(base, one, rests) for one in versions_of(base.lab.view, scenario)]
    return tuple(reversed(found))


def _told(base: Base, version: DataVersion, rests: dict[Digest, list[Digest]]) -> SealedVersion:
    hidden = version.hidden
    left, digest = remaining(base.lab.vault, hidden), hidden.digest()
    return filled(
        SealedVersion,
        version,
        hidden,
        left,
        hidden_set=digest,
        shown=version.record.public_cases,
        cases=hidden.rows,
        used=hidden.attempts - left.attempts,
        spent=left.spent_alpha,
        certificates=tuple(rests.get(digest, ())),
    )


def sealed_here(lab: TrialRuntime, scenario: Scenario, folder: Path) -> OpenedScenario | None:
    """Return the scenario with its data if this version was sealed, else None; seals nothing."""
    baseline = scenario.baseline
    reference = read_application(folder / baseline.path).digest if isinstance(baseline, ApplicationBaseline) else None
    return find_sealed(lab, scenario, folder, reference)


def budget_here(lab: TrialRuntime, scenario: Scenario, folder: Path) -> Budget | None:
    """Return what is left of the hidden set of a scenario in a folder; None before it is sealed."""
    sealed = sealed_here(lab, scenario, folder)
    return None if sealed is None else budget_of(lab, sealed)


def budget_lines(budget: Budget) -> Iterator[Text]:
    """Yield what is left of a hidden set, and why fresh cases are due."""
    yield text(
        "worker.scenario_left",
        fresh=budget.fresh,
        attempts=budget.left,
        number=budget.next_number,
        alpha=f"{budget.next_level:.2g}",
        spent=f"{budget.spent:.2g}",
        total=f"{budget.alpha:.2g}",
    )
    if budget.units is not None:
        yield text("worker.scenario_units_left", units=budget.units, unit=budget.unit or "")
    for advice in budget.due:
        yield text("worker.line_refresh", advice=advice)


def scenario_at(view: View, place: str) -> tuple[Scenario, Subject | None]:
    """Return the scenario of a folder, or of the record of a name such as ``plant/milling``, then with its subject.

    Raises:
        InputError: there is no such folder, or no scenario in it.
        NotFoundError: there is no such record.
    """
    if Path(place).exists() or not re.fullmatch(rf"{NAME}/{NAME}", place):
        return load_scenario(Path(place), Step.DRAFT)[0], None
    subject = scenario_subject(*place.split("/"))
    return view.load(load_record(view, subject)[0].documents["scenario"], Scenario), subject
