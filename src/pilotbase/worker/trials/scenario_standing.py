"""What a base has of a scenario that is sealed there: fresh cases and attempts left, and whether fresh ones are due."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from pilotbase.catalogue.applications import read_application
from pilotbase.documents.scenario import ApplicationBaseline, Scenario
from pilotbase.documents.texts import Text, text
from pilotbase.trial.lab import Lab
from pilotbase.trial.refreshing import next_level, refresh_advice
from pilotbase.trial.sealed import Sealed, read_public_sample
from pilotbase.trial.sealing import find_sealed
from pilotbase.vault.attempts import remaining
from pilotbase.vault.hidden import HiddenSet
from pilotbase.worker.base import Base, open_base
from pilotbase.workspace.home import home_path


def base_if_any() -> Base | None:
    """Return the base in ``PILOTBASE_HOME``, or None where there is none; raises as `open_base` does."""
    return open_base() if (home_path() / "home.json").is_file() else None


def sealed_here(lab: Lab, scenario: Scenario, folder: Path) -> Sealed | None:
    """Return the scenario with its data where this version was sealed, else None; nothing is sealed for it."""
    baseline = scenario.baseline
    reference = read_application(folder / baseline.path).digest if isinstance(baseline, ApplicationBaseline) else None
    return find_sealed(lab, scenario, folder, reference)


def standing_lines(base: Base, scenario: Scenario, folder: Path) -> Iterator[Text]:
    """Yield what is left of the scenario's hidden set and why fresh cases are due; nothing before it is sealed."""
    sealed = sealed_here(base.lab, scenario, folder)
    if sealed is None:
        return
    hidden = base.lab.view.load(sealed.record.hidden_set, HiddenSet)
    left = remaining(base.lab.vault, hidden)
    yield text(
        "worker.scenario_left",
        fresh=left.fresh,
        attempts=left.attempts,
        number=left.next_number,
        alpha=f"{next_level(scenario, left):.2g}",
        spent=f"{left.spent_alpha:.2g}",
        total=f"{hidden.alpha:.2g}",
    )
    public = read_public_sample(base.lab, sealed)
    for advice in refresh_advice(scenario, sealed.record.classes, public, left):
        yield text("worker.line_refresh", advice=advice)
