"""The demonstration: one scenario for each sector, on real data; applications that pass, fail, cheat and break."""

from __future__ import annotations

import runpy
import shutil
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import polars as pl

import pilotbase
from pilotbase.catalogue.advancing import Move, advance
from pilotbase.catalogue.applications import read_application
from pilotbase.catalogue.saving import save
from pilotbase.catalogue.subjects import new_agreement
from pilotbase.data.bridges.reading import load_description
from pilotbase.data.commitments import publishable
from pilotbase.data.packages import PackageFile, fetch_package, open_member, read_packages
from pilotbase.data.splits import split_cases
from pilotbase.documents.agreement import Agreement
from pilotbase.documents.application import Application
from pilotbase.documents.dataset import Dataset
from pilotbase.documents.errors import InputError, PilotbaseError, RefusedError
from pilotbase.documents.loading import load_document
from pilotbase.documents.nearest import offer
from pilotbase.documents.permissions import Act
from pilotbase.documents.progress import OnProgress, Progress, ignore_progress
from pilotbase.documents.scenario import Scenario
from pilotbase.documents.subjects import Subject
from pilotbase.documents.texts import Text, text
from pilotbase.documents.vocabularies import Opening, Role, Sector
from pilotbase.trial.running import prepare_candidate
from pilotbase.trial.scenario_folder import read_cases
from pilotbase.worker.base import Base
from pilotbase.worker.trials.proving import prove
from pilotbase.workspace.actors import Actor
from pilotbase.workspace.listings import find_listing
from pilotbase.workspace.terms_rows import agreements_between

_DESCRIPTION = "dataset.yaml"


@dataclass(frozen=True)
class DemonstrationRow:
    """The result of one application: a verdict, or ``refused`` before an attempt was counted."""

    sector: str
    application: str
    verdict: str
    why: Text
    report: Path | None


class OpenMember(Protocol):
    """Returns the bytes of one file of a pinned package."""

    def __call__(self, package: str, member: str, /) -> bytes: ...


def demonstrate(
    base: Base, sectors: Sequence[str] | None = None, out: Path | None = None, on_progress: OnProgress = ignore_progress
) -> Iterator[DemonstrationRow]:
    """Yield one row for each application, sector by sector.

    Raises:
        InputError: an unknown sector, or no examples beside the software.
        PilotbaseError: a data package cannot be fetched.
    """
    examples = find_examples()
    known = sectors_of(examples)
    unknown = sorted(set(sectors or ()) - set(known))
    if unknown:
        raise InputError("worker.unknown_sector", found=", ".join(unknown), allowed=offer(unknown[0], known))
    chosen = sectors or known
    with _installing_ahead(base, [examples / sector for sector in chosen]):
        for sector in chosen:
            on_progress(Progress(text("worker.progress_data", sector=Text(code=f"sector.{sector}"))))
            folder = prepare_example(base, examples, sector)
            scenario = load_document(Scenario, folder / "scenario.yaml")
            dataset = publish_dataset(base, folder)
            for application in _applications(folder):
                if dataset is not None:
                    agree_on(base, dataset, _supplier(application))
                place = (out or base.lab.folder("demo-reports")) / sector / application.name
                yield _try_out(base, scenario, folder, application, place, on_progress)


@contextmanager
def _installing_ahead(base: Base, folders: Sequence[Path]) -> Iterator[None]:
    """Install the requirements of applications while others are on trial: half of a trial is waiting for a box."""
    with ThreadPoolExecutor(1) as ahead:
        for application in (application for folder in folders for application in _applications(folder)):
            ahead.submit(_install, base, application)
        try:
            yield
        finally:
            ahead.shutdown(cancel_futures=True)


def _install(base: Base, application: Path) -> None:
    with suppress(PilotbaseError):  # its trial says why
        prepare_candidate(base.lab, read_application(application))


def _applications(folder: Path) -> list[Path]:
    return sorted((folder / "applications").iterdir())


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


def prepare_example(base: Base, examples: Path, sector: str) -> Path:
    """Return a copy of a sector's folder in the home, its data derived from the packages that `packages.lock` pins."""
    folder = base.lab.folder("demo") / sector
    if folder.exists():
        shutil.rmtree(folder)
    shutil.copytree(examples / sector, folder, ignore=shutil.ignore_patterns("__pycache__"))
    scenario = load_document(Scenario, folder / "scenario.yaml")
    example_table(base, examples, sector).write_csv(folder / scenario.data.file)
    write_records(scenario, folder)
    return folder


def write_records(scenario: Scenario, folder: Path) -> None:
    """Write the records of an example's exchanges, made from its public sample by ``record`` of its ``prepare.py``."""
    for exchange in scenario.trial.exchanges or ():
        public = split_cases(read_cases(scenario, folder), scenario).public
        content = runpy.run_path(str(folder / "prepare.py"))["record"](public)
        (folder / exchange.file).write_text(str(content), "utf-8")


def example_table(base: Base, examples: Path, sector: str, which: str = "prepare") -> pl.DataFrame:
    """Return the result of the function ``which`` of an example's own ``prepare.py``; it is no supplier's code."""
    opener = _opener(read_packages(examples / "packages.lock"), base.lab.folder("packages"))
    table = runpy.run_path(str(examples / sector / "prepare.py"))[which](opener)
    assert isinstance(table, pl.DataFrame)
    return table


def _try_out(
    base: Base, scenario: Scenario, folder: Path, application: Path, out: Path, on_progress: OnProgress
) -> DemonstrationRow:
    try:
        proven = prove(base, folder, application, out, on_progress)
    except (InputError, RefusedError) as error:
        rehearsal = out / "rehearsal" / "report.html"
        shown = rehearsal if rehearsal.is_file() else None
        return DemonstrationRow(scenario.sector, application.name, "refused", _first_problem(error), shown)
    report = proven.report
    return DemonstrationRow(
        scenario.sector, application.name, report.verdict, report.reasons[0], proven.folder / "report.html"
    )


def publish_dataset(base: Base, folder: Path, person: str | None = None) -> Subject | None:
    """Publish the dataset described in the example's ``folder``, once; return its subject, None if there is none.

    ``person``: who publishes it for its owner.
    """
    place = folder / _DESCRIPTION
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


def _supplier(application: Path) -> str:
    return load_document(Application, application / "application.yaml").supplier.organisation


def _first_problem(error: PilotbaseError) -> Text:
    """Return the text for a cell of a table: the reason behind a refusal, without the whole log."""
    issues = error.issues if isinstance(error, InputError) else ()
    reason = error.text.params.get("reason")
    if issues:
        return issues[0].problem
    return reason if isinstance(reason, Text) else error.text


def _opener(packages: dict[str, PackageFile], cache: Path) -> OpenMember:
    def read(package: str, member: str, /) -> bytes:
        pinned = packages[package]
        return open_member(fetch_package(pinned.name, pinned.version, pinned.sha256, cache), member)

    return read
