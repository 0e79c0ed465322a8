"""What the hidden data of a scenario still hold, for its owner, the operator and the regulator."""

from __future__ import annotations

from pilotbase.documents.hashes import Digest
from pilotbase.documents.permissions import Reading
from pilotbase.documents.scenario import Scenario
from pilotbase.documents.side_by_side import Budget
from pilotbase.trial.lab import Lab
from pilotbase.trial.refreshing import next_level, refresh_advice
from pilotbase.trial.sealed import Sealed, SealedScenario, read_public_sample
from pilotbase.vault.attempts import remaining
from pilotbase.vault.hidden import HiddenSet
from pilotbase.worker.base import Base
from pilotbase.worker.readings import record_for, scenario_for
from pilotbase.workspace.store import View

_SEALED_VERSIONS = 1000


def budget_of_scenario(base: Base, view: View, subject: str) -> Budget | None:
    """Return what is left of the newest version of a scenario; None before its data are sealed.

    Raises:
        NotFoundError: the actor sees no such scenario, or it is not for them to know.
    """
    scenario = scenario_for(view, subject, Reading.BUDGET)
    return _budget(base.lab, scenario.digest(), scenario)


def budget_of_trial(base: Base, view: View, subject: str) -> Budget | None:
    """Return what is left of the scenario version that a commission is about; raises as `budget_of_scenario`."""
    record = record_for(view, subject, Reading.BUDGET)
    digest = record.documents["scenario"]
    return _budget(base.lab, digest, base.lab.view.load(digest, Scenario))


def _budget(lab: Lab, digest: Digest, scenario: Scenario) -> Budget | None:
    found = lab.view.find("sealed-scenario", {"scenario": scenario.name}, limit=_SEALED_VERSIONS)
    records = (stored.load(SealedScenario) for stored in found if stored.owner == scenario.owner.organisation)
    record = next((one for one in records if one.scenario == digest), None)
    if record is None:
        return None
    sealed = Sealed(scenario, record)
    hidden = lab.view.load(record.hidden_set, HiddenSet)
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
        due=refresh_advice(scenario, record.classes, read_public_sample(lab, sealed), left),
    )
