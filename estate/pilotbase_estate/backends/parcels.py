"""Folders as parcels: sent to another machine once, named by their content.

A node gets only what this machine has taken in and checked, so the archive is our own. It is opened beneath a folder
that only we can write to, checked against its name, and moved into place once it is complete.
"""

from __future__ import annotations

import io
import os
import shutil
import stat
import tarfile
import tempfile
import uuid
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from pilotbase.documents.errors import InvalidProofError, PilotbaseError
from pilotbase.documents.hashes import hex_of
from pilotbase.sandbox.box.trees import digest_tree, walk_tree


class ParcelHost:
    """A node's folder of parcels; ``folder``: its path; empty: in the node's temporary folder."""

    def __init__(self, folder: str = "") -> None:
        self.place = Path(folder or tempfile.gettempdir()) / f"pilotbase-node-{os.getuid()}"
        self.place.mkdir(mode=0o711, exist_ok=True)
        _require_own(self.place)
        self._parcels = self.place / "parcels"
        self._parcels.mkdir(mode=0o755, exist_ok=True)

    def lacks(self, names: list[str]) -> list[str]:
        """Return which parcels are not here yet."""
        return [name for name in names if not self.parcel(name).is_dir()]

    def take(self, name: str, archive: bytes) -> None:
        """Open a parcel here.

        Raises:
            InvalidProofError: ``compute.parcel_changed``: it is not what its name says.
        """
        fresh = self._parcels / f".{name}.{uuid.uuid4().hex}"
        unpack(archive, fresh)
        try:
            if hex_of(digest_tree(fresh)) != name:
                raise InvalidProofError("compute.parcel_changed", digest=name)
            fresh.rename(self.parcel(name))
        except OSError:
            if not self.parcel(name).is_dir():  # else another process was quicker
                raise
        finally:
            shutil.rmtree(fresh, ignore_errors=True)

    def parcel(self, name: str) -> Path:
        """Return the path of a parcel once it is here."""
        return self._parcels / name


def parcel_name(folder: Path) -> str:
    """Return a folder's name as a parcel: the digest of its files, in hex; raises as `walk_tree`."""
    return hex_of(digest_tree(folder))


def send_parcels(ask: Callable[..., Any], folders: Mapping[str, Path]) -> None:
    """Send a `ParcelHost` the parcels that it lacks; ``ask`` calls it, by method and arguments, and waits."""
    for name in ask("lacks", list(folders)):
        ask("take", name, pack(folders[name]))


def pack(folder: Path) -> bytes:
    """Return a folder's files as one archive without owners; raises as `walk_tree`."""
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w", format=tarfile.PAX_FORMAT) as bundle:
        for found in walk_tree(folder):
            entry = bundle.gettarinfo(found.path, arcname=found.name)
            entry.uid = entry.gid = 0
            entry.uname = entry.gname = ""
            if found.is_folder:
                bundle.addfile(entry)
            else:
                with found.path.open("rb") as content:
                    bundle.addfile(entry, content)
    return buffer.getvalue()


def unpack(archive: bytes, folder: Path) -> None:
    """Open an archive into a new folder."""
    folder.mkdir(mode=0o755)
    with tarfile.open(fileobj=io.BytesIO(archive)) as bundle:
        bundle.extractall(folder, filter="data")


def _require_own(place: Path) -> None:
    """Refuse a folder that another user of the machine made before us."""
    found = place.lstat()
    if not stat.S_ISDIR(found.st_mode) or found.st_uid != os.getuid() or found.st_mode & 0o022:
        raise PilotbaseError("compute.foreign_folder", folder=place)
