"""Folders as parcels: our own archive of a checked folder, named by content, and opened once on each machine.

What goes to another node is what this machine has taken in and checked, so it is no archive of a stranger. A parcel is
opened beneath a folder that only we can write to, and stands there under its name when it is whole.
"""

from __future__ import annotations

import hashlib
import io
import shutil
import tarfile
import uuid
from dataclasses import dataclass
from pathlib import Path

from pilotbase.documents.errors import InvalidProofError


@dataclass(frozen=True)
class Parcel:
    """A folder's files as one archive, and the SHA-256 that names them."""

    digest: str
    archive: bytes


def packed(folder: Path) -> Parcel:
    """Return the parcel of a folder: the same bytes for the same files, whoever packs them, wherever they stand."""
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w", format=tarfile.PAX_FORMAT) as bundle:
        for path in sorted(folder.rglob("*")):
            entry = bundle.gettarinfo(path, arcname=path.relative_to(folder).as_posix())
            entry.uid = entry.gid = 0
            entry.uname = entry.gname = ""
            if entry.isreg():
                with path.open("rb") as content:
                    bundle.addfile(entry, content)
            elif entry.isdir():
                bundle.addfile(entry)
    archive = buffer.getvalue()
    return Parcel(hashlib.sha256(archive).hexdigest(), archive)


def opened(parcels: Path, digest: str) -> Path | None:
    """Return the folder of a parcel that was opened here before; None: it is not here."""
    folder = parcels / digest
    return folder if folder.is_dir() else None


def unpacked(parcels: Path, parcel: Parcel) -> Path:
    """Return the folder of a parcel, opened here now if it was not before.

    Raises:
        InvalidProofError: ``compute.parcel_changed``: the archive is not what its name says.
    """
    if hashlib.sha256(parcel.archive).hexdigest() != parcel.digest:
        raise InvalidProofError("compute.parcel_changed", digest=parcel.digest)
    known = opened(parcels, parcel.digest)
    if known is not None:
        return known
    parcels.mkdir(mode=0o755, parents=True, exist_ok=True)
    fresh = parcels / f".{parcel.digest}.{uuid.uuid4().hex}"
    fresh.mkdir(mode=0o755)
    with tarfile.open(fileobj=io.BytesIO(parcel.archive)) as bundle:
        bundle.extractall(fresh, filter="tar")
    try:
        fresh.rename(parcels / parcel.digest)
    except OSError:  # another was quicker
        shutil.rmtree(fresh)
    return parcels / parcel.digest
