"""What a base has of a scenario that is sealed there: fresh cases and attempts left, and whether fresh ones are due."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from pilotbase.catalogue.applications import read_application
from pilotbase.documents.scenario import ApplicationBaseline, Scenario
from pilotbase.documents.texts import Text, text
from pilotbase.trial.lab import TrialRuntime
from pilotbase.trial.sealed import OpenedScenario
from pilotbase.trial.sealing import find_sealed
from pilotbase.worker.base import Base, open_base
from pilotbase.worker.trials.hidden_budgets import budget_of
from pilotbase.workspace.home import home_path


def base_if_any() -> Base | None:
    """Return the base in ``PILOTBASE_HOME``, or None where there is none; raises as `open_base` does."""
    return open_base() if (home_path() / "home.json").is_file() else None


def sealed_here(lab: TrialRuntime, scenario: Scenario, folder: Path) -> OpenedScenario | None:
    """Return the scenario with its data where this version was sealed, else None; nothing is sealed for it."""
    baseline = scenario.baseline
    reference = read_application(folder / baseline.path).digest if isinstance(baseline, ApplicationBaseline) else None
    return find_sealed(lab, scenario, folder, reference)


def standing_lines(base: Base, scenario: Scenario, folder: Path) -> Iterator[Text]:
    """Yield what is left of the scenario's hidden set and why fresh cases are due; nothing before it is sealed."""
    sealed = sealed_here(base.lab, scenario, folder)
    if sealed is None:
        return
    budget = budget_of(base.lab, sealed)
    yield text(
        "worker.scenario_left",
        fresh=budget.fresh,
        attempts=budget.left,
        number=budget.next_number,
        alpha=f"{budget.next_level:.2g}",
        spent=f"{budget.spent:.2g}",
        total=f"{budget.alpha:.2g}",
    )
    for advice in budget.due:
        yield text("worker.line_refresh", advice=advice)
