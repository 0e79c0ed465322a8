"""A scenario as its owner hands it in: a folder with the manifest, and the file that holds the cases."""

from __future__ import annotations

from pathlib import Path

import polars as pl

from pilotbase.data.conform import conform
from pilotbase.data.tables import read_table
from pilotbase.documents.errors import InputError
from pilotbase.documents.loading import load_document
from pilotbase.documents.scenario import Scenario
from pilotbase.documents.steps import Step

MANIFEST = "scenario.yaml"


def load_scenario(path: Path, step: Step) -> tuple[Scenario, Path]:
    """Return the scenario of a folder (or of its ``scenario.yaml``) and the folder; raises `InputError`."""
    folder = path if path.is_dir() else path.parent
    return load_document(Scenario, folder / MANIFEST if path.is_dir() else path, step), folder


def data_file(scenario: Scenario, folder: Path) -> Path:
    """Return the file that holds the cases; raises `InputError` where there is none inside the folder."""
    path = folder / scenario.data.file
    if path.resolve().is_relative_to(folder.resolve()) and path.is_file():
        return path
    raise InputError("trial.no_source", file=scenario.data.file, folder=folder)


def read_cases(scenario: Scenario, folder: Path) -> pl.DataFrame:
    """Return the owner's cases, typed by the contract; raises `InputError` with every problem at once."""
    return conform(read_table(data_file(scenario, folder), scenario.data.missing), scenario)
