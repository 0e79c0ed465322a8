"""Whether a file is the one that its description names: by its hash, or by its commitment to whom the salt is known."""

from __future__ import annotations

from pilotbase.data.commitments import commitment, salt_of
from pilotbase.documents.dataset import Dataset, FileObject
from pilotbase.documents.errors import InputError
from pilotbase.documents.hashes import Digest, hex_of


def require_same_bytes(dataset: Dataset, name: str, digest: Digest, secret: bytes | None = None) -> None:
    """Return unless ``dataset`` says that the file called ``name`` holds other bytes than those of ``digest``.

    A file without hash is not held against anything; nor one that is committed to, without its owner's ``secret``.

    Raises:
        InputError: ``dataset.other_bytes``: they are others.
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
    """Return the file that a description names so, None where it names none."""
    files = (one for one in dataset.distribution if isinstance(one, FileObject))
    return next((one for one in files if name in (one.file_name, one.id)), None)
