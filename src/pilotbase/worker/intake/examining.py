"""The data doctor on a scenario's folder: its examination, and the page of it."""

from __future__ import annotations

from pathlib import Path

from pilotbase.data.doctor import Examination, examine
from pilotbase.data.doctor.page import render_examination
from pilotbase.data.splits import split_cases
from pilotbase.documents.steps import Step
from pilotbase.documents.texts import Language
from pilotbase.trial.scenario_folder import load_scenario, naming_places, read_cases
from pilotbase.worker.whole_files import write_whole

PAGE = "doctor.html"


def examine_in(path: Path, file: Path | None = None, language: Language = "en") -> tuple[Examination, Path]:
    """Return what stands out in the cases of a scenario, and where the page of it was written: by default beside them.

    Raises:
        InputError: the scenario or its data cannot be read, with every problem at once.
    """
    scenario, folder = load_scenario(path, Step.DRAFT)
    with naming_places(path):
        found = examine(scenario, split_cases(read_cases(scenario, folder), scenario))
    file = file or folder / PAGE
    write_whole(file, render_examination(scenario, found, language))
    return found, file
