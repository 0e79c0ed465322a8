"""A scenario with a world, checked before it is sealed: the world, the criteria, and what the references score."""

from __future__ import annotations

import tempfile
from pathlib import Path

from pilotbase.documents.errors import Findings, InputError
from pilotbase.documents.scenario import Scenario
from pilotbase.trial.arena.shelf import WorldShelf
from pilotbase.trial.blind_baselines.judging import blind_issues
from pilotbase.trial.cases_to_seal import draw_cases
from pilotbase.trial.criteria_check import check_criteria, check_rules
from pilotbase.trial.scenario_folder import MANIFEST
from pilotbase.trial.scoring import error_level
from pilotbase.worker.intake.scenario_tables import CaseCounts


def check_world_cases(scenario: Scenario, folder: Path, played: bool = True) -> CaseCounts:
    """Return how many episodes of its world a scenario shows and hides; episodes drawn for this check can be won.

    ``played``: whether references play them, which takes a box.

    Raises:
        InputError: the world cannot be read or won, the criteria name what it lacks, can't be decided, or are met by
            doing nothing.
        RefusedError: this host gives no box.
    """
    assert scenario.world is not None
    findings = Findings()
    with findings.about("criteria"):
        check_rules(scenario)
    with tempfile.TemporaryDirectory() as scratch:
        shelf = WorldShelf(Path(scratch, "worlds"), Path(scratch, "environments"))
        with findings.about("world"):
            kept = shelf.take(scenario.world, folder)
        if findings.issues:
            raise InputError.from_issues(MANIFEST, findings.issues)
        drawn = draw_cases(shelf, scenario, kept.digest)
        attempt = scenario.trial.cases_per_attempt or scenario.world.hidden
        check_criteria(scenario, drawn.classes, drawn.split.public, attempt, error_level(scenario.criteria) / 2)
        blind = drawn.judge() if played else None
        counts = CaseCounts(scenario.world.practice, scenario.world.hidden, 0, attempt, None, blind)
    findings.issues += blind_issues(counts.blind)
    findings.require_none(MANIFEST)
    return counts
