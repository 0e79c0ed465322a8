"""Drafts written into folders: a scenario from a file and six answers, an application from a scenario."""

from __future__ import annotations

import io
import shutil
import tempfile
import zipfile
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

import polars as pl

from pilotbase.catalogue.application_draft import (
    SAMPLE_SUFFIX,
    WORLD_SUFFIX,
    ApplicationRequest,
    draft_application,
    form_for,
    kit_name,
)
from pilotbase.data.drafting import DraftAnswers, ScenarioDraft
from pilotbase.data.scenario_yaml import write_scenario_yaml
from pilotbase.data.source_cases import place_of_arrays
from pilotbase.data.sources.opening import read_table
from pilotbase.documents.application import Runtime
from pilotbase.documents.base import Step
from pilotbase.documents.contract import ARRAYS
from pilotbase.documents.errors import InputError
from pilotbase.documents.files import whole_folder, write_whole
from pilotbase.documents.scenario import Scenario
from pilotbase.documents.texts import Text, text
from pilotbase.trial.arena.kept_worlds import KeptWorld, practice_copy
from pilotbase.trial.arena.shelf import world_of
from pilotbase.trial.entering import take_sample
from pilotbase.trial.scenario_folder import MANIFEST, load_scenario
from pilotbase.worker.base import Base
from pilotbase.worker.intake.boxed_tables import sample_in_box
from pilotbase.worker.intake.kept_files import opened_scenario, require_dataset_named
from pilotbase.worker.intake.scenario_tables import PublicSample, public_sample, read_sample
from pilotbase.worker.intake.table_drafts import draft_here
from pilotbase.worker.trials.kits import cases_of_kit, is_kit, read_kit, unpack_world


@dataclass(frozen=True)
class WrittenScenario:
    """A draft on disk."""

    scenario: Scenario
    folder: Path
    lines: tuple[Text, ...]
    """Guesses to confirm, what is still missing, and what to do next."""


@dataclass(frozen=True)
class WrittenApplication:
    """A new application on disk."""

    files: tuple[Path, ...]
    """Those beside the folder, the public sample or a world, stand last."""
    first: Path
    """The file to begin with."""
    makes: str | None
    """The model that the first file writes; None: the folder runs as it is."""


Drafting = Callable[[Path, DraftAnswers], ScenarioDraft]
Sampling = Callable[[Scenario, Path], PublicSample]


def new_scenario(
    source: Path, answers: DraftAnswers, folder: Path, draft_from: Drafting = draft_here
) -> WrittenScenario:
    """Write a draft scenario with a copy of its cases beside it; ``draft_from`` reads the table (on a hub: in a box).

    Raises:
        InputError: the folder exists, or file and answers do not fit, with every problem at once.
    """
    require_new(folder)
    draft = draft_from(source, answers)
    with whole_folder(folder) as written:
        if draft.cases is None:
            shutil.copyfile(source, written / draft.scenario.data.file)
        else:
            (written / draft.scenario.data.file).write_bytes(draft.cases)
        _copy_arrays(draft.scenario, place_of_arrays(source), written)
        (written / "scenario.yaml").write_text(write_scenario_yaml(draft.scenario), "utf-8")
    path = folder / "scenario.yaml"
    lacking = [text("worker.still_missing", field=name) for name in draft.missing]
    end = text("worker.scenario_written", path=path, folder=folder, criteria=len(draft.scenario.criteria))
    return WrittenScenario(draft.scenario, folder, (*draft.decided, *lacking, end))


def _copy_arrays(scenario: Scenario, place: Path, folder: Path) -> None:
    """Copy the images and sounds that the table names beside it; reading reports paths that lead elsewhere."""
    named = [field.name for field in scenario.data.fields if field.data_type in ARRAYS]
    table = read_table(folder / scenario.data.file, scenario.data.missing) if named else None
    for column in named:
        assert table is not None
        for name in table[column].drop_nulls().unique().to_list() if table[column].dtype == pl.String else ():
            file = place / name
            if file.is_file() and file.resolve().is_relative_to(place.resolve()):
                (folder / name).parent.mkdir(parents=True, exist_ok=True)
                shutil.copyfile(file, folder / name)


def starter_kit(base: Base, scenario: Scenario, supplier: str, runtime: Runtime = "python") -> bytes:
    """Return a zip with a first application of ``supplier`` in that form, and the public sample of ``scenario``.

    Its table is read in a box.

    Raises:
        InputError: the base keeps no files of this scenario, it lacks what a rehearsal needs, it does not name the
            dataset that its data are of, or no application of this form can answer it.
        RefusedError: this host gives no box, or the supplier may hold no row of the dataset that the cases are from.
    """
    take_sample(base.lab.view, scenario, supplier)
    packed = io.BytesIO()
    name = kit_name(scenario)
    with (
        opened_scenario(base, scenario) as place,
        tempfile.TemporaryDirectory(dir=base.lab.folder("tmp")) as scratch,
        zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive,
    ):
        require_dataset_named(base.lab.vault, scenario, place)
        for path in new_application(place / MANIFEST, Path(scratch, name), supplier, sample_in_box, runtime).files:
            archive.write(path, path.relative_to(scratch))
    return packed.getvalue()


def new_application(
    scenario_path: Path, folder: Path, supplier: str, sample_from: Sampling = read_sample, runtime: Runtime = "python"
) -> WrittenApplication:
    """Write an application of that form, and beside it the public sample, or the practice copy of the world.

    ``scenario_path``: its folder, its manifest, or its kit. ``sample_from`` reads the scenario's table (on a hub: in a
    box).

    Raises:
        InputError: the scenario does not hold, no application of this form can answer it, or the folder exists.
    """
    if (named := named_scenario(scenario_path)).world is not None:
        return _new_in_world(named, scenario_path, folder, ApplicationRequest(supplier, folder.name, runtime=runtime))
    scenario, public = read_contract(scenario_path, sample_from)
    require_new(folder)
    form = form_for(public.contract, runtime)
    sample = folder.parent / f"{folder.name}{SAMPLE_SUFFIX}"
    with whole_folder(folder) as draft:
        wanted = ApplicationRequest(supplier, folder.name, runtime=runtime)
        written = draft_application(scenario, public.contract, draft, wanted)
        write_whole(sample, public.csv)
    files = (*(folder / path.name for path in written), sample)
    return WrittenApplication(files, folder / (form.program or MANIFEST), form.makes)


def _new_in_world(
    scenario: Scenario, scenario_path: Path, folder: Path, wanted: ApplicationRequest
) -> WrittenApplication:
    """Write an application that acts, and the practice copy of its world beside it (``<folder>-world``)."""
    beside, contract = folder.parent / f"{folder.name}{WORLD_SUFFIX}", scenario.contract(())
    require_new(folder)
    require_new(beside)
    form = form_for(contract, wanted.runtime)
    with whole_folder(beside) as copied, whole_folder(folder) as draft:
        world = _practice_world(scenario, scenario_path, copied)
        written = draft_application(scenario, contract, draft, replace(wanted, world=world.world))
    files = (*(folder / path.name for path in written), *(beside / file.path for file in world.tree.files))
    return WrittenApplication(files, folder / (form.program or MANIFEST), form.makes)


def _practice_world(scenario: Scenario, scenario_path: Path, folder: Path) -> KeptWorld:
    if is_kit(scenario_path):
        return unpack_world(scenario_path, folder)
    assert scenario.world is not None
    with world_of(scenario.world, scenario_path if scenario_path.is_dir() else scenario_path.parent) as found:
        return practice_copy(found, folder)


def named_scenario(scenario_path: Path) -> Scenario:
    """Return the scenario of a folder, a manifest or a kit; raises `InputError` where it does not hold."""
    if is_kit(scenario_path):
        return read_kit(scenario_path).scenario
    return load_scenario(scenario_path, Step.REHEARSE)[0]


def read_contract(scenario_path: Path, sample_from: Sampling = read_sample) -> tuple[Scenario, PublicSample]:
    """Return the scenario of a folder, a manifest or a kit, with its contract and public sample.

    Raises:
        InputError: the scenario does not hold, or has a world in place of a table.
    """
    if is_kit(scenario_path):
        kit = read_kit(scenario_path)
        return kit.scenario, public_sample(kit.scenario, kit.contract, cases_of_kit(scenario_path))
    scenario, source = load_scenario(scenario_path, Step.REHEARSE)
    return scenario, sample_from(scenario, source)


def require_new(folder: Path) -> None:
    """Raise `InputError` if the folder exists and is not empty."""
    if folder.exists() and any(folder.iterdir()):
        raise InputError("catalogue.folder_not_empty", folder=folder)
