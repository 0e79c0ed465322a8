"""Reading a backup that may come from anywhere: nothing in it is believed before its digest was seen.

Names, sizes and kinds of the members are checked before a byte is unpacked, the bytes as they are read: a member is as
long as the manifest says and not one byte longer.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import json
import re
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pydantic
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from pilotbase.documents.errors import InputError, InvalidProofError, PilotbaseError
from pilotbase.documents.hashes import HEX, digest_of
from pilotbase.workspace import schema, tables
from pilotbase.workspace.backup.writing import BLOB_ROOMS, MANIFEST, SIGNATURE, SIGNED_AS, TRUST, Manifest, is_kept
from pilotbase.workspace.engine import machine_failure
from pilotbase.workspace.log.notes import LogVerifier
from pilotbase.workspace.plain_files import is_plain

ACCOUNTS = "accounts.jsonl"
MAXIMUM_MANIFEST = 256 << 20
_CHUNK = 1 << 20
_BLOB = re.compile(f"({'|'.join(BLOB_ROOMS)})/{HEX}")
_KINDS = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)


@dataclass(frozen=True)
class Backup:
    """An open backup whose manifest fits its members; their bytes are checked as they are read."""

    path: Path
    manifest: Manifest
    _archive: zipfile.ZipFile

    @property
    def verifier(self) -> LogVerifier:
        """Return the public key of the log of the base that was backed up."""
        return LogVerifier.from_text(self.manifest.log)

    def has(self, name: str) -> bool:
        """Tell whether there is a member of this name."""
        return name in self.manifest.members

    def names(self, prefix: str) -> list[str]:
        """Return the names of the members under ``prefix``, sorted."""
        return sorted(name for name in self.manifest.members if name.startswith(prefix))

    @property
    def size(self) -> int:
        """Return how many bytes the members have, unpacked."""
        return sum(member.size for member in self.manifest.members.values())

    def chunks(self, name: str) -> Iterator[bytes]:
        """Iterate the bytes of a member.

        Raises:
            InvalidProofError: they are not those that the manifest names, said after the last piece.
        """
        member, hashed, left = self.manifest.members[name], hashlib.sha256(), self.manifest.members[name].size
        try:
            with self._archive.open(name) as stream:
                while piece := stream.read(min(_CHUNK, left + 1)):
                    left -= len(piece)
                    hashed.update(piece)
                    if left < 0:
                        break
                    yield piece
        except (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError) as error:
            raise InvalidProofError("backup.altered", path=self.path, name=name) from error
        except OSError as error:
            raise machine_failure(error, self.path) from error
        if left or digest_of(hashed.hexdigest()) != member.digest:
            raise InvalidProofError("backup.altered", path=self.path, name=name)

    def lines(self, name: str) -> Iterator[bytes]:
        """Iterate the lines of a member, without their ends; raises as `chunks` does."""
        rest = b""
        for piece in self.chunks(name):
            *whole, rest = (rest + piece).split(b"\n")
            yield from whole
        if rest:
            yield rest

    def verify(self) -> None:
        """Read every member once; raises `InvalidProofError` naming the first that was altered."""
        for name in self.manifest.members:
            for _ in self.chunks(name):
                pass


@contextmanager
def opened_backup(path: Path) -> Iterator[Backup]:
    """Open the backup at ``path``.

    Raises:
        InputError: there is no such file, it is no backup, or one that was cut off.
        InvalidProofError: it was altered: members and manifest do not fit, or names that no backup has.
        PilotbaseError: a newer version of Pilotbase has written it, or one from before 0.1.
    """
    try:
        archive = zipfile.ZipFile(path)
    except FileNotFoundError:
        raise InputError("input.no_file", file=path) from None
    except OSError as error:
        raise machine_failure(error, path) from error
    except (zipfile.BadZipFile, NotImplementedError, ValueError) as error:
        raise InputError("backup.unreadable", path=path) from error
    with archive:
        content = _read(archive, path, MANIFEST, MAXIMUM_MANIFEST)
        manifest = _parsed(content, path)
        _require_signed(content, _read(archive, path, SIGNATURE, 1 << 10), manifest, path)
        _require_members(archive, manifest, path)
        yield Backup(path, manifest, archive)


def _read(archive: zipfile.ZipFile, path: Path, name: str, limit: int) -> bytes:
    try:
        with archive.open(name) as stream:
            content = stream.read(limit + 1)
    except KeyError:
        raise InputError("backup.unreadable", path=path) from None
    except (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, RuntimeError) as error:
        raise InvalidProofError("backup.altered", path=path, name=name) from error
    if len(content) > limit:
        raise InvalidProofError("backup.altered", path=path, name=name)
    return content


def _parsed(content: bytes, path: Path) -> Manifest:
    try:
        value = json.loads(content)
        kind = str(value["document"])
    except (ValueError, KeyError, TypeError, RecursionError) as error:
        raise InputError("backup.unreadable", path=path) from error
    if kind.startswith("backup/") and kind != "backup/1":
        raise PilotbaseError("backup.newer", path=path, found=kind, software=str(value.get("software", "–"))[:80])
    try:
        manifest = Manifest.model_validate(value)
    except pydantic.ValidationError as error:
        raise InputError("backup.unreadable", path=path) from error
    schema.require_released(manifest.version, path)
    if manifest.version not in schema.VERSIONS:
        raise PilotbaseError("backup.newer", path=path, found=manifest.version, software=manifest.software)
    return manifest


def _require_signed(content: bytes, signature: bytes, manifest: Manifest, path: Path) -> None:
    try:
        public = Ed25519PublicKey.from_public_bytes(LogVerifier.from_text(manifest.log).key)
        public.verify(base64.b64decode(signature, validate=True), SIGNED_AS + content)
    except (InvalidSignature, binascii.Error, InputError) as error:
        raise InvalidProofError("backup.altered", path=path, name=MANIFEST) from error


def _require_members(archive: zipfile.ZipFile, manifest: Manifest, path: Path) -> None:
    found = [info for info in archive.infolist() if info.filename not in (MANIFEST, SIGNATURE)]
    named = {info.filename: info for info in found}
    if len(named) != len(found) or set(named) != set(manifest.members):
        strange = sorted(set(named) ^ set(manifest.members)) or [info.filename for info in found]
        raise InvalidProofError("backup.altered", path=path, name=strange[0])
    for name, info in named.items():
        if not _is_allowed(name):
            raise InvalidProofError("backup.strange_name", path=path, name=name)
        if info.file_size != manifest.members[name].size or info.compress_type not in _KINDS or info.flag_bits & 1:
            raise InvalidProofError("backup.altered", path=path, name=name)


def _is_allowed(name: str) -> bool:
    """Tell whether a backup may have a member of this name: one that stays within its home, and is no secret of it."""
    room, _, rest = name.partition("/")
    if room == "store":
        return rest.removesuffix(".jsonl") in tables.metadata.tables and rest.endswith(".jsonl")
    if room == "home":
        return is_plain(rest) and is_kept(rest)
    return name in (TRUST, ACCOUNTS) or _BLOB.fullmatch(name) is not None
