"""What the hidden data of a scenario still hold, for its owner, the operator and the regulator."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import lru_cache

from pilotbase.documents.api.comparison import Budget
from pilotbase.documents.errors import BarredError
from pilotbase.documents.hashes import Digest
from pilotbase.documents.permissions import ReadScope
from pilotbase.documents.scenario import Scenario
from pilotbase.documents.texts import Text
from pilotbase.trial.criteria_check import next_level, refresh_advice, why_no_attempt
from pilotbase.trial.lab import TrialRuntime
from pilotbase.trial.sealed import OpenedScenario, SealedScenario, read_public_sample
from pilotbase.vault.attempts import Remaining, remaining
from pilotbase.vault.hidden import HiddenSet
from pilotbase.worker.base import Base
from pilotbase.worker.readings import record_for, scenario_for
from pilotbase.worker.trials.data_versions import sealed_versions
from pilotbase.workspace.store import View

SCENARIO_FILES = "scenario-files"
"""Kind of the documents that say which files of a scenario version are kept."""
_SEALED_VERSIONS = 1000
_REMEMBERED = 64


def budget_of_scenario(base: Base, view: View, subject: str) -> Budget | None:
    """Return what is left of the newest version of a scenario; None before its data are sealed.

    Raises:
        NotFoundError: the actor sees no such scenario, or it is not for them to know.
    """
    scenario = scenario_for(view, subject, ReadScope.BUDGET)
    sealed = sealed_version(base.lab, scenario.digest())
    if sealed is None:
        return None
    return budget_of(base.lab, sealed).model_copy(update={"versions": sealed_versions(base, scenario)})


def budget_of_trial(base: Base, view: View, subject: str) -> Budget | None:
    """Return what is left of the scenario version that a commission is about; raises as `budget_of_scenario`."""
    sealed = sealed_version(base.lab, record_for(view, subject, ReadScope.BUDGET).documents["scenario"])
    return None if sealed is None else budget_of(base.lab, sealed)


def why_none_left(base: Base, scenario: Digest) -> BarredError | None:
    """Return why no trial can be frozen on the hidden data of a scenario version, as freezing would say; or None.

    Fresh cases that were handed in since are sealed when the plan is frozen: of these nothing is used.
    """
    sealed = sealed_version(base.lab, scenario)
    if sealed is None:
        return None
    hidden = _hidden_set(base.lab, sealed)
    if any(
        kept.stored_at > hidden.sealed_at
        for kept in base.lab.view.find(SCENARIO_FILES, {"scenario": scenario}, limit=1)
    ):
        return None
    return why_no_attempt(sealed.scenario, hidden, remaining(base.lab.vault, hidden))


def sealed_version(lab: TrialRuntime, scenario: Digest) -> OpenedScenario | None:
    """Return a scenario version with its newest sealed data; None before they are sealed."""
    stated = lab.view.load(scenario, Scenario)
    found = lab.view.find("sealed-scenario", {"scenario": stated.name}, limit=_SEALED_VERSIONS)
    records = (stored.load(SealedScenario) for stored in found if stored.owner == stated.owner.organisation)
    record = next((one for one in records if one.scenario == scenario), None)
    return None if record is None else OpenedScenario(stated, record)


def budget_of(lab: TrialRuntime, sealed: OpenedScenario) -> Budget:
    """Return what the hidden set of a sealed scenario still holds."""
    scenario, hidden = sealed.scenario, _hidden_set(lab, sealed)
    left = remaining(lab.vault, hidden)
    return Budget(
        attempts=hidden.attempts,
        used=hidden.attempts - left.attempts,
        left=left.attempts,
        next_number=left.next_number,
        next_level=next_level(scenario, left),
        spent=left.spent_alpha,
        alpha=hidden.alpha,
        cases=hidden.rows,
        fresh=left.fresh,
        reserved=left.reserved,
        scored=left.scored,
        cases_per_attempt=scenario.trial.cases_per_attempt,
        due=_due(_Standing(sealed.record.digest(), left, lab, sealed)),
    )


@dataclass(frozen=True)
class _Standing:
    """What a hidden set holds at one time: pages that are looked at again open no sample anew."""

    record: Digest
    left: Remaining
    lab: TrialRuntime = field(compare=False)
    sealed: OpenedScenario = field(compare=False)


@lru_cache(maxsize=_REMEMBERED)
def _due(here: _Standing) -> tuple[Text, ...]:
    scenario, record = here.sealed.scenario, here.sealed.record
    return refresh_advice(scenario, record.classes, read_public_sample(here.lab, here.sealed), here.left)


def _hidden_set(lab: TrialRuntime, sealed: OpenedScenario) -> HiddenSet:
    return lab.view.load(sealed.record.hidden_set, HiddenSet)
