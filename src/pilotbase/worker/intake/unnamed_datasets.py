"""Whether a scenario's table is a file of a dataset that is not open, and the scenario names no such dataset.

Its public sample would go out as that of anybody's data: no terms would be asked, nothing would be counted.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

from pilotbase.data.commitments import commitment, salt_of
from pilotbase.documents.dataset import Dataset, FileObject
from pilotbase.documents.errors import InputError
from pilotbase.documents.hashes import Digest, digest_file, hex_of
from pilotbase.documents.scenario import Scenario
from pilotbase.documents.subjects import Subject
from pilotbase.documents.vocabularies import Opening
from pilotbase.trial.scenario_folder import data_file
from pilotbase.vault.place import Vault
from pilotbase.vault.salts import find_salt
from pilotbase.workspace.listings import MAXIMUM_PAGE, Query, list_page
from pilotbase.workspace.store import View

_MOST_VERSIONS = 1000


def require_dataset_named(vault: Vault, scenario: Scenario, folder: Path) -> None:
    """Return unless the data file is one of a dataset of its owner that is not open, and no such dataset is named.

    So is the file from which it was copied.

    A file that is committed to is compared where the secret is kept here.

    Raises:
        InputError: ``worker.dataset_not_named``: it is, with the dataset to be named; ``trial.no_source``.
    """
    files = [digest_file(data_file(scenario, folder)), scenario.data.copied_from]
    owner = scenario.owner.organisation
    closed = sorted({one for found in files if found is not None for one in _closed_with(vault, owner, found)})
    if closed and scenario.data.dataset not in closed:
        raise InputError("worker.dataset_not_named", file=scenario.data.file, dataset=", ".join(closed))


def _closed_with(vault: Vault, owner: str, found: Digest) -> Iterator[Subject]:
    """Yield the datasets of ``owner`` that are not open and of which some version has the file ``found``."""
    for subject in _datasets_of(vault.view, owner):
        newest_first = [one.load(Dataset) for one in vault.view.find("dataset", {"subject": subject}, _MOST_VERSIONS)]
        if newest_first and newest_first[0].opening is not Opening.OPEN and _holds(vault, newest_first, found):
            yield subject


def _datasets_of(view: View, owner: str) -> Iterator[Subject]:
    after = None
    while True:
        page = list_page(view, Query("dataset", owner=owner), after, MAXIMUM_PAGE)
        yield from (one.subject for one in page.items)
        after = page.after
        if after is None:
            return


def _holds(vault: Vault, versions: Sequence[Dataset], found: Digest) -> bool:
    files = [(one, file) for one in versions for file in one.distribution if isinstance(file, FileObject)]
    return any(file.sha256 == hex_of(found) or _commits_to(vault, one, file, found) for one, file in files)


def _commits_to(vault: Vault, dataset: Dataset, file: FileObject, found: Digest) -> bool:
    secret = None if file.commitment is None else find_salt(vault, dataset.subject, file.commitment)
    return secret is not None and file.commitment == commitment(hex_of(found), salt_of(file.id, secret))
