"""Salted commitments to closed files: their content can be proven later, and nobody can confirm a guess before.

The plain hash of a closed file would confirm a guess of its bytes to anyone who makes one. Published
instead is HMAC-SHA-256 (RFC 2104) of that hash under a salt of the file's own, derived from one secret of the dataset's
owner. With a file and its salt anyone can check that it is the published one; a file with a plain hash is checked
against that hash.
"""

from __future__ import annotations

import hashlib
import hmac
import os
import secrets
from pathlib import Path

from pilotbase.documents.dataset import Dataset, FileObject, FileSet
from pilotbase.documents.errors import InputError
from pilotbase.documents.files import read_bounded
from pilotbase.documents.hashes import Digest, digest_of, hex_of
from pilotbase.documents.vocabularies import Opening

SECRET_BYTES = 32


def committed(dataset: Dataset, secret: bytes) -> Dataset:
    """Return ``dataset`` as it may be published: closed files get the commitment, not the hash. Others stay."""
    if dataset.opening is not Opening.COMPUTE_TO_DATA:
        return dataset
    return dataset.model_copy(update={"distribution": tuple(_committed(one, secret) for one in dataset.distribution)})


def publishable(dataset: Dataset, description: Path) -> Dataset:
    """Return ``dataset``, read from the file ``description``, as it may be published; creates its secret if needed.

    Raises:
        InputError: as `owners_secret`.
    """
    hashed = any(isinstance(one, FileObject) and one.sha256 is not None for one in dataset.distribution)
    if dataset.opening is not Opening.COMPUTE_TO_DATA or not hashed:
        return dataset
    return committed(dataset, owners_secret(description))


def salt_of(file: str, secret: bytes) -> bytes:
    """Return the salt of the file with this id, 32 bytes: shown with the file, once it may be shown."""
    return hmac.new(secret, b"pilotbase commitment\0" + file.encode(), hashlib.sha256).digest()


def commitment(sha256: str, salt: bytes) -> Digest:
    """Return the commitment to bytes whose SHA-256 is ``sha256`` (hex)."""
    return digest_of(hmac.new(salt, bytes.fromhex(sha256), hashlib.sha256).hexdigest())


def owners_secret(description: Path) -> bytes:
    """Return the secret beside a description (``dataset.yaml`` → ``dataset.salt``), creating it if there is none.

    Raises:
        InputError: ``data.bad_salt``: the file holds something else.
    """
    place = salt_file(description)
    try:
        held = os.open(place, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        return read_secret(place)
    made = secrets.token_bytes(SECRET_BYTES)
    with os.fdopen(held, "w", encoding="ascii") as file:
        file.write(made.hex() + "\n")
    return made


def read_secret(place: Path) -> bytes:
    """Return the secret in a file; raises `InputError` as `owners_secret`."""
    try:
        found = bytes.fromhex(read_bounded(place, 1000).decode("ascii").strip())
    except ValueError:
        found = b""
    if len(found) != SECRET_BYTES:
        raise InputError("data.bad_salt", file=place)
    return found


def salt_file(description: Path) -> Path:
    """Return the path of a description's secret."""
    return description.with_suffix(".salt")


def _committed(resource: FileObject | FileSet, secret: bytes) -> FileObject | FileSet:
    if not isinstance(resource, FileObject) or resource.sha256 is None:
        return resource
    made = commitment(resource.sha256, salt_of(resource.id, secret))
    return resource.model_copy(update={"sha256": None, "commitment": made})


def require_same_bytes(dataset: Dataset, name: str, digest: Digest, secret: bytes | None) -> None:
    """Return unless ``dataset`` says that the file called ``name`` has other bytes than those of ``digest``.

    A file without a hash is not checked; nor is one with a commitment, without its owner's ``secret``.

    Raises:
        InputError: ``dataset.other_bytes``: the bytes differ.
    """
    found = described_file(dataset, name)
    if found is None:
        return
    if found.sha256 is not None:
        same = found.sha256 == hex_of(digest)
    elif found.commitment is not None and secret is not None:
        same = found.commitment == commitment(hex_of(digest), salt_of(found.id, secret))
    else:
        return
    if not same:
        raise InputError("dataset.other_bytes", dataset=dataset.subject, version=dataset.version, found=name)


def described_file(dataset: Dataset, name: str) -> FileObject | None:
    """Return the file of this name in a description, None if there is none."""
    files = (one for one in dataset.distribution if isinstance(one, FileObject))
    return next((one for one in files if name in (one.file_name, one.id)), None)
