"""A scenario's or an application's folder as a zip for handing in: only what belongs to it, the same bytes each time.

The same folder gives the same archive, so that an interrupted upload is found again by its digest.
"""

from __future__ import annotations

import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import IO

from pilotbase.catalogue.applications import read_application
from pilotbase.catalogue.folders import read_tree
from pilotbase.documents.errors import InputError
from pilotbase.documents.scenario import ApplicationBaseline
from pilotbase.documents.steps import Step
from pilotbase.trial.scenario_folder import files_of, load_scenario

_EPOCH = (1980, 1, 1, 0, 0, 0)
_CHUNK = 1 << 20


def zip_application(folder: Path, target: IO[bytes]) -> str:
    """Write the zip of an application's folder and return its name; raises `InputError` if it is none."""
    submission = read_application(folder)
    _write(folder, [file.path for file in submission.tree.files], target)
    return submission.application.name


def zip_scenario(path: Path, target: IO[bytes]) -> str:
    """Write the zip of a scenario: manifest, data, and the application that is its baseline; return its name.

    Raises:
        InputError: it is no scenario, or a file that it names is missing.
    """
    scenario, folder = load_scenario(path, Step.DRAFT)
    names = files_of(scenario)
    if scenario.world is not None and scenario.world.folder is not None:
        inner = scenario.world.folder
        names = [*names[:-1], *(f"{inner}/{file.path}" for file in read_tree(folder / inner).files)]
    if isinstance(scenario.baseline, ApplicationBaseline):
        inner = scenario.baseline.path
        names += [f"{inner}/{file.path}" for file in read_application(folder / inner).tree.files]
    _write(folder, names, target)
    return scenario.name


def _write(folder: Path, names: list[str], target: IO[bytes]) -> None:
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED, compresslevel=6) as archive:
        for name in sorted(names):
            entry = zipfile.ZipInfo(name, _EPOCH)
            entry.compress_type, entry.external_attr = zipfile.ZIP_DEFLATED, 0o644 << 16
            with archive.open(entry, "w", force_zip64=True) as copy:
                for piece in _pieces(folder, name):
                    copy.write(piece)


def _pieces(folder: Path, name: str) -> Iterator[bytes]:
    path = folder / name
    if not path.resolve().is_relative_to(folder.resolve()) or not path.is_file():
        raise InputError("trial.no_source", file=name, folder=folder)
    with path.open("rb") as source:
        while piece := source.read(_CHUNK):
            yield piece
