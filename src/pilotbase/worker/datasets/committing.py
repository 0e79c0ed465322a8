"""Closed files described on a hub: committed to when the description is saved, and checked against it later."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from pilotbase.data.commitments import commitment, committed, described_file, require_same_bytes, salt_of
from pilotbase.documents.dataset import Dataset, FileObject, FileSet
from pilotbase.documents.hashes import Digest, hex_of
from pilotbase.documents.publication import given_away
from pilotbase.vault.dataset_files import find_all_kept
from pilotbase.vault.envelopes import CommittedFiles, KnownBytes, create_salt, find_salt, keep_commitments
from pilotbase.vault.place import Vault
from pilotbase.vault.uploads import Upload


def commit_files(vault: Vault, dataset: Dataset) -> Dataset:
    """Return ``dataset`` as others may see it: if nobody may take its files, with commitments instead of hashes.

    The owner's secret is made on first use and stays sealed here. Files already kept with the same bytes stay kept.

    Raises:
        RefusedError: the actor may not write for the owner.
    """
    if not any(given_away(dataset)):
        return dataset
    secret, salt = create_salt(vault, dataset.subject)
    made = committed(dataset, secret)
    commitments = tuple(
        commitment(one.sha256, salt_of(one.id, secret))
        for one in dataset.distribution
        if isinstance(one, FileObject) and one.sha256 is not None
    )
    known = tuple(_known(vault, made, secret))
    keep_commitments(vault, CommittedFiles(dataset=made.subject, salt=salt, commitments=commitments, known=known))
    return made


def require_described(vault: Vault, dataset: Dataset, name: str, digest: Digest) -> None:
    """Return unless ``dataset`` says that its file ``name`` holds other bytes: by hash, or by a commitment made here.

    Raises:
        InputError: ``dataset.other_bytes``: they are others.
        RefusedError: the actor is neither the operator nor the owner.
    """
    file = described_file(dataset, name)
    made = None if file is None else file.commitment
    secret = None if made is None else find_salt(vault, dataset.subject, made)
    require_same_bytes(dataset, name, digest, secret)


def with_hashes(vault: Vault, dataset: Dataset, sent: Iterable[Upload]) -> Dataset:
    """Return ``dataset`` as its owner describes it: with the hash of each sent file that matches its commitment.

    Raises:
        RefusedError: the actor is neither the operator nor the owner.
    """
    hashes = {upload.name: hex_of(upload.digest) for upload in sent}
    files = tuple(_with_hash(vault, dataset, one, hashes) for one in dataset.distribution)
    return dataset.model_copy(update={"distribution": files})


def _with_hash(
    vault: Vault, dataset: Dataset, file: FileObject | FileSet, hashes: dict[str, str]
) -> FileObject | FileSet:
    if not isinstance(file, FileObject) or file.commitment is None or file.file_name not in hashes:
        return file
    found, secret = hashes[file.file_name], find_salt(vault, dataset.subject, file.commitment)
    if secret is None or commitment(found, salt_of(file.id, secret)) != file.commitment:
        return file
    return file.model_copy(update={"sha256": found, "commitment": None})


def _known(vault: Vault, made: Dataset, secret: bytes) -> Iterator[KnownBytes]:
    """Yield the kept files that ``made`` commits to, by the hash in the description that they are kept under."""
    for kept in find_all_kept(vault, made.subject):
        before = described_file(vault.view.load(kept.version, Dataset), kept.name)
        file = described_file(made, kept.name)
        if before is None or before.sha256 is None or file is None or file.commitment is None:
            continue
        if commitment(before.sha256, salt_of(file.id, secret)) == file.commitment:
            yield KnownBytes(tag=kept.tag, commitment=file.commitment)
