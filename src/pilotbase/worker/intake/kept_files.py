"""What organisations hand in: an application as an immutable folder, the files of a scenario encrypted until erased."""

from __future__ import annotations

import io
import tarfile
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Literal

from pilotbase.catalogue.applications import read_application, store_application
from pilotbase.catalogue.records import record_of
from pilotbase.catalogue.saving import NO_REMARKS, SaveOptions, save
from pilotbase.data.commitments import commitment, salt_of
from pilotbase.documents.base import Document, Step
from pilotbase.documents.dataset import Dataset, FileObject
from pilotbase.documents.errors import InputError
from pilotbase.documents.hashes import Digest, digest_file, hex_of
from pilotbase.documents.record import ApplicationVersion, Record
from pilotbase.documents.scenario import ApplicationBaseline, Scenario
from pilotbase.documents.subjects import Subject, application_subject
from pilotbase.documents.vocabularies import Opening
from pilotbase.trial.arena.shelf import world_to_show
from pilotbase.trial.scenario_folder import data_file, files_of, load_scenario
from pilotbase.vault.envelopes import find_salt, open_envelope, seal_envelope
from pilotbase.vault.opening import ReaderGrant
from pilotbase.vault.place import Vault
from pilotbase.worker.base import Base
from pilotbase.worker.trials.hidden_budgets import SCENARIO_FILES
from pilotbase.workspace.actors import parties
from pilotbase.workspace.listings import Query, every_listing
from pilotbase.workspace.records import Stored
from pilotbase.workspace.store import View

_ALL = 1_000_000


class ScenarioFiles(Document):
    """Records that the base keeps the files of a scenario version: an encrypted blob, until it is erased."""

    document: Literal["scenario-files/1"] = "scenario-files/1"
    scenario: Digest
    blob: Digest
    size: int


def take_application(
    base: Base, view: View, folder: Path, scenario: str | None = None, remarks: SaveOptions = NO_REMARKS
) -> Record:
    """Keep an immutable copy of the application in ``folder`` and return its record with this version.

    ``scenario``: the subject of the scenario that it is made for and rehearsed on; None: that of the previous version.

    Raises:
        InputError: the folder is no application, with every problem at once.
        RefusedError: the actor is not its supplier, or the record is not in a state to take a version.
    """
    submission = read_application(folder)
    if scenario is None:
        named = application_subject(submission.application.supplier.organisation, submission.application.name)
        before = record_of(view, named)
        scenario = before.subjects.get("scenario") if before is not None else None
    version = ApplicationVersion(application=submission.application, folder=submission.digest, scenario=scenario)
    record = save(view, version, remarks)
    store_application(submission, base.lab.applications)
    return record


def take_scenario(
    base: Base, view: View, folder: Path, remarks: SaveOptions = NO_REMARKS, subject: Subject | None = None
) -> Record:
    """Keep the files of the scenario in ``folder``, encrypted under its owner's key; return its record.

    ``subject``: the intended scenario, if a person has named one; None: the one that the folder names.

    Raises:
        InputError: the scenario is wrong, with every problem at once, or its data file is missing; or that file belongs
            to a dataset that is not open, which the scenario does not name.
        RefusedError: the actor is not its owner, or the record is not in a state to take a version.
    """
    scenario, place = load_scenario(folder, Step.DRAFT)
    packed, world = _pack(scenario, place), world_to_show(scenario, place)
    require_dataset_named(base.lab.vault, scenario, place)
    record = save(view, scenario, remarks, subject)
    owner, digest = scenario.owner.organisation, scenario.digest()
    blob = seal_envelope(base.lab.vault, owner, digest, packed)
    files = ScenarioFiles(scenario=digest, blob=blob, size=len(packed))
    with base.lab.view.transaction("scenario.files_kept") as change:
        change.put(files, parties(), owner=owner, fields={"scenario": digest})
        if world is not None:
            change.put(world, parties(), owner=owner, fields={"scenario": digest})
    return record


def _pack(scenario: Scenario, folder: Path) -> bytes:
    """Return manifest, data file and reference application as one archive."""
    names = files_of(scenario)
    if isinstance(scenario.baseline, ApplicationBaseline):
        names.append(scenario.baseline.path)
        read_application(folder / scenario.baseline.path)
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w") as archive:
        for name in names:
            path = folder / name
            if not path.resolve().is_relative_to(folder.resolve()) or not path.exists():
                raise InputError("trial.no_source", file=name, folder=folder)
            archive.add(path.resolve(), name)
    return packed.getvalue()


@contextmanager
def opened_scenario(base: Base, scenario: Scenario) -> Iterator[Path]:
    """Yield a private folder with the files of a scenario version, gone at the end of the block.

    Raises:
        InputError: the base keeps none, or they were erased.
    """
    digest, owner = scenario.digest(), scenario.owner.organisation
    kept = kept_of(base, digest)
    if not kept:
        raise InputError("worker.no_scenario_files", scenario=scenario.name)
    packed = open_envelope(base.lab.vault, owner, digest, kept[0][1].blob, ReaderGrant.of_owner(owner))
    with tempfile.TemporaryDirectory(dir=base.lab.folder("tmp")) as scratch:
        with tarfile.open(fileobj=io.BytesIO(packed)) as archive:
            archive.extractall(scratch, filter="data")
        yield Path(scratch)


def erase_scenario_files(base: Base, scenario: Digest) -> int:
    """Erase the files that the base keeps of a scenario version and return how many; what is sealed stays sealed."""
    kept = kept_of(base, scenario)
    with base.lab.view.transaction("scenario.files_erased") as change:
        for _, files in kept:
            base.lab.vault.blobs.remove(files.blob)
            change.record("scenario.files_erased", [scenario, files.blob], {"bytes": files.size})
    return len(kept)


def kept_of(base: Base, scenario: Digest | None) -> list[tuple[Stored, ScenarioFiles]]:
    """Return what is kept of a scenario version (None: of all) and not yet erased, newest first."""
    fields = {"scenario": scenario} if scenario is not None else {}
    found = ((one, one.load(ScenarioFiles)) for one in base.lab.view.find(SCENARIO_FILES, fields, _ALL))
    return [(stored, files) for stored, files in found if base.lab.vault.blobs.exists(files.blob)]


def require_dataset_named(vault: Vault, scenario: Scenario, folder: Path) -> None:
    """Return unless the data file is from a dataset of its owner that is not open, and the scenario names none such.

    The file from which it was copied is checked too. Otherwise the public sample would be given out as if its data had
    no terms: no terms would be checked, and nothing would be counted.

    A file that is committed to is compared only where the secret is kept.

    Raises:
        InputError: ``worker.dataset_not_named``: it does, with the dataset to name; ``trial.no_source``.
    """
    if scenario.world is None:
        require_source_named(vault, scenario, digest_file(data_file(scenario, folder)))


def require_source_named(vault: Vault, scenario: Scenario, source: Digest) -> None:
    """Return unless a closed dataset, not named, has the file of digest ``source``; raises `InputError`."""
    files = [source, scenario.data.copied_from]
    owner = scenario.owner.organisation
    closed = sorted({one for found in files if found is not None for one in _closed_with(vault, owner, found)})
    if closed and scenario.data.dataset not in closed:
        raise InputError("worker.dataset_not_named", file=scenario.data.file, dataset=", ".join(closed))


def _closed_with(vault: Vault, owner: str, found: Digest) -> Iterator[Subject]:
    """Yield the datasets of ``owner`` that are not open and have the file ``found`` in some version."""
    for listing in every_listing(vault.view, Query("dataset", owner=owner)):
        newest_first = vault.view.every(Dataset, {"subject": listing.subject})
        if newest_first and newest_first[0].opening is not Opening.OPEN and _holds(vault, newest_first, found):
            yield listing.subject


def _holds(vault: Vault, versions: Sequence[Dataset], found: Digest) -> bool:
    files = [(one, file) for one in versions for file in one.distribution if isinstance(file, FileObject)]
    return any(file.sha256 == hex_of(found) or _commits_to(vault, one, file, found) for one, file in files)


def _commits_to(vault: Vault, dataset: Dataset, file: FileObject, found: Digest) -> bool:
    secret = None if file.commitment is None else find_salt(vault, dataset.subject, file.commitment)
    return secret is not None and file.commitment == commitment(hex_of(found), salt_of(file.id, secret))
