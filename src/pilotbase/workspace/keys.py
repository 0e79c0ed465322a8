"""Private keys as files of mode 0600 in one folder that backups leave out.

The log's checkpoint key and the key-encryption keys of the owners of hidden data are made here on first use. Other
rooms keep their private keys in the same folder through `KeyFolder.create` and `KeyFolder.read`.
"""

from __future__ import annotations

import os
import re
import secrets
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    load_pem_private_key,
)

from pilotbase.documents.base import NAME
from pilotbase.documents.errors import InvalidProofError, RefusedError
from pilotbase.workspace.engine import machine_failure
from pilotbase.workspace.failures import NotFoundError

OWNER_KEY_BYTES = 32
PUBLIC_HALF = "trust.json"
"""The one file among the keys that is no secret: roots and delegations (`certificate.trust`)."""
_AWAITED, _LOG_KEY = "awaited", "log.pem"
_NAME = re.compile(rf"{NAME}(/{NAME})?\.(key|pem)")


@dataclass(frozen=True)
class KeyFolder:
    """The folder ``keys/`` of a home."""

    path: Path

    def create_log_key(self) -> Ed25519PrivateKey:
        """Return the key that signs the log's checkpoints; made on first use."""
        return self._log_key(self.create(_LOG_KEY, _new_ed25519))

    def log_key(self) -> Ed25519PrivateKey:
        """Return the key that signs the log's checkpoints; raises `NotFoundError` when there is none."""
        return self._log_key(self.read(_LOG_KEY))

    def create_owner_key(self, organisation: str) -> bytes:
        """Return the 32-byte key-encryption key of ``organisation``; made on first use."""
        return self._checked_owner_key(organisation, self.create(_owner_file(organisation), _new_owner_key))

    def owner_key(self, organisation: str) -> bytes:
        """Return the 32-byte key-encryption key of ``organisation``; raises `NotFoundError` when there is none."""
        return self._checked_owner_key(organisation, self.read(_owner_file(organisation)))

    def names(self) -> tuple[str, ...]:
        """Return the names of the private keys that are here, sorted."""
        found = (str(path.relative_to(self.path)) for path in self.path.rglob("*") if path.is_file())
        return tuple(sorted(name for name in found if _NAME.fullmatch(name)))

    def await_back(self, names: Iterable[str]) -> None:
        """Note that keys of these names exist elsewhere: a missing one is not replaced by a new one."""
        write_private(self.path / _AWAITED, "".join(f"{name}\n" for name in sorted(names)).encode())

    def missing(self) -> tuple[str, ...]:
        """Return the names that `await_back` noted and whose keys are missing."""
        path = self.path / _AWAITED
        noted = path.read_text("utf-8").split() if path.exists() else []
        return tuple(name for name in noted if not (self.path / name).exists())

    def read(self, name: str) -> bytes:
        """Return the bytes of key file ``name`` (``log.pem``, ``owners/plant.key``).

        Raises:
            NotFoundError: there is no such key here.
            RefusedError: others than the user can read the file.
        """
        path = self._locate(name)
        try:
            with path.open("rb") as stream:
                if os.fstat(stream.fileno()).st_mode & 0o077:
                    raise RefusedError("workspace.key_exposed", path=path)
                return stream.read()
        except FileNotFoundError as error:
            raise NotFoundError("workspace.key_missing", path=path) from error
        except OSError as error:
            raise machine_failure(error, path) from error

    def create(self, name: str, make: Callable[[], bytes]) -> bytes:
        """Return key file ``name``, writing ``make()`` first if there is none; if two race, one wins.

        Raises:
            RefusedError: a key of this name is to be brought back: a new one would open nothing that the old one
            closed.
        """
        path = self._locate(name)
        if not path.exists():
            if name in self.missing():
                raise RefusedError("workspace.key_awaited", path=path, list=self.path / _AWAITED)
            try:
                path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
                write_private(path, make(), replace=False)
            except FileExistsError:
                pass
            except OSError as error:
                raise machine_failure(error, path) from error
        return self.read(name)

    def _locate(self, name: str) -> Path:
        if not _NAME.fullmatch(name):
            raise ValueError(f"not the name of a key file: {name!r}")
        return self.path / name

    def _log_key(self, pem: bytes) -> Ed25519PrivateKey:
        try:
            key = load_pem_private_key(pem, password=None)
        except ValueError:
            key = None
        if not isinstance(key, Ed25519PrivateKey):
            raise InvalidProofError("workspace.key_damaged", path=self.path / _LOG_KEY)
        return key

    def _checked_owner_key(self, organisation: str, key: bytes) -> bytes:
        if len(key) != OWNER_KEY_BYTES:
            raise InvalidProofError("workspace.key_damaged", path=self.path / _owner_file(organisation))
        return key


def write_private(path: Path, data: bytes, *, replace: bool = True) -> None:
    """Write ``data`` to ``path`` with mode 0600, whole or not at all, on the disk when this returns.

    Raises:
        FileExistsError: ``replace`` is false and the file is there.
        OSError: as the operating system says; no temporary file stays behind.
    """
    draft = path.with_name(f".{path.name}.{secrets.token_hex(8)}")
    try:
        with open(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as stream:
            stream.write(data)
            stream.flush()
            os.fsync(stream.fileno())
        if replace:
            draft.replace(path)
        else:
            path.hardlink_to(draft)
        sync_folder(path.parent)
    finally:
        draft.unlink(missing_ok=True)


def sync_folder(path: Path) -> None:
    """Make the names in folder ``path`` durable."""
    descriptor = os.open(path, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _owner_file(organisation: str) -> str:
    return f"owners/{organisation}.key"


def _new_owner_key() -> bytes:
    return secrets.token_bytes(OWNER_KEY_BYTES)


def _new_ed25519() -> bytes:
    return Ed25519PrivateKey.generate().private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
