"""A scenario as its owner hands it in: a folder with the manifest, and the file that holds the cases."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from types import MappingProxyType

import polars as pl

from pilotbase.data.array_files import with_arrays
from pilotbase.data.conform import conform
from pilotbase.data.sources.opening import read_table
from pilotbase.documents.base import Step
from pilotbase.documents.errors import InputError, Issue
from pilotbase.documents.loading import LoadedDocument, read_document, sorted_issues
from pilotbase.documents.scenario import Scenario
from pilotbase.documents.yaml_reader import read_yaml

MANIFEST = "scenario.yaml"


_DATA = ("data.fields", "data.file", "data.key", "data.missing", "data.split", "data.target", "data.withheld")
_TABLE = ("name", "task", *_DATA)
"""What decides which cases are public and which classes they have."""
_FEATURES = ("data.fields", "data.key", "data.target", "data.withheld", "baseline", "people")
_ALL = (*_TABLE, "positive", "prediction", "decision_threshold", "baseline", "criteria", "trial")
_RESTS_ON: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {
        "data.fields": ("data.file", "data.missing"),
        "data.key": _TABLE,
        "data.target": _TABLE,
        "data.split": _TABLE,
        "positive": _TABLE,
        "baseline": ("positive", *_TABLE),
        "trial.exchanges": ("positive", "prediction", "baseline", "people", *_TABLE),
        "people": _TABLE,
        "trial.board": ("positive", "prediction", *_TABLE),
        "trial.cases_per_attempt": ("trial", *_TABLE),
        "measure.wrong_kind": ("task", "prediction"),
        "measure.unknown_class": _TABLE,
        "measure.class_missing": ("task", "positive"),
        "measure.baseline_missing": ("baseline",),
        "measure.unknown_column": ("data.fields",),
        "measure.perturbation_column": _FEATURES,
        "measure.perturbation_idle": _FEATURES,
        "measure.stands_alone": ("criteria",),
        "trial.units_differ": ("criteria",),
        "trial.unit_left_out": ("criteria",),
        "trial.too_many_groups": _TABLE,
        "trial.absurd_cap": _ALL,
        "trial.drop_without_floor": ("positive", "criteria"),
        "trial.blind_passes": _ALL,
        "trial.too_few_cases": _ALL,
        "trial.too_few_entries": _ALL,
        "trial.too_few_of_class": _ALL,
        "trial.too_few_others": _ALL,
    }
)
"""Field, or code of a problem → further fields that its problems depend on, besides the one they are reported at."""


def load_scenario(path: Path, step: Step) -> tuple[Scenario, Path]:
    """Return the scenario of a folder (or of its ``scenario.yaml``) and the folder; raises `InputError`."""
    reading, folder = read_scenario(path, step)
    return reading.require(), folder


def read_scenario(path: Path, step: Step) -> tuple[LoadedDocument[Scenario], Path]:
    """Return as much of a folder's scenario as can be read, and the folder.

    Raises:
        InputError: the file doesn't exist, or isn't YAML.
    """
    folder = path if path.is_dir() else path.parent
    return read_document(Scenario, read_yaml(folder / MANIFEST if path.is_dir() else path), step), folder


def place_problems(reading: LoadedDocument[Scenario], issues: Iterable[Issue]) -> tuple[Issue, ...]:
    """Return the problems of criteria and data by line, together with problems in the form of the document.

    Problems that merely follow from a problem in the form are left out.
    """
    return sorted_issues([*reading.issues, *reading.placed(issues, _rests_on)])


@contextmanager
def naming_places(path: Path) -> Iterator[None]:
    """Add the file name and its lines to scenario problems found within the block."""
    try:
        yield
    except InputError as error:
        reading = read_scenario(path, Step.DRAFT)[0]
        data = "" if reading.document is None else reading.document.data.file
        if not error.issues or any(issue.line or issue.file not in (MANIFEST, data) for issue in error.issues):
            raise
        raise InputError.from_issues(reading.source.file, place_problems(reading, error.issues)) from None


def _rests_on(issue: Issue) -> tuple[str, ...]:
    by_field = (fields for place, fields in _RESTS_ON.items() if issue.path.startswith(place))
    return (*_RESTS_ON.get(issue.problem.code, ()), *next(by_field, ()))


def files_of(scenario: Scenario) -> list[str]:
    """Return the files that a scenario names, the manifest first, without a baseline that is an application.

    Of a scenario with a world of its own the folder of that stands last.
    """
    if scenario.world is not None:
        return [MANIFEST, *filter(None, [scenario.world.folder])]
    recorded = (exchange.file for exchange in scenario.trial.exchanges or ())
    return list(dict.fromkeys([MANIFEST, scenario.data.file, *recorded]))


def data_file(scenario: Scenario, folder: Path) -> Path:
    """Return the file that contains the cases; raises `InputError` if there is none inside the folder."""
    if scenario.world is not None:
        raise InputError("trial.no_table", scenario=scenario.name)
    path = folder / scenario.data.file
    if path.resolve().is_relative_to(folder.resolve()) and path.is_file():
        return path
    raise InputError("trial.no_source", file=scenario.data.file, folder=folder)


def read_cases(scenario: Scenario, folder: Path) -> pl.DataFrame:
    """Return the owner's cases, typed by the contract; raises `InputError` with every problem at once."""
    file = data_file(scenario, folder)
    table = with_arrays(read_table(file, scenario.data.missing), scenario.data.fields, file.parent)
    return conform(table, scenario)
