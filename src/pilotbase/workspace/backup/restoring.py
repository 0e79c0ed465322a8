"""A backup opened and checked, and a base brought back from it, into an empty place only, whole or not at all.

The home is built beside its place and renamed into it once everything holds; the store is written, migrated to this
version and compared with its log in one transaction. A backup contains no keys: they are copied from where they were
kept, and missing ones are noted, so that none is made anew without the operator's knowledge.

A backup may come from anywhere: nothing in it is trusted before its digest is verified. Names, sizes and kinds of the
members are checked before a byte is unpacked, and the bytes as they are read: a member is exactly as long as the
manifest says.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import json
import os
import re
import secrets
import shutil
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pydantic
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from sqlalchemy import Connection, delete, inspect

from pilotbase.documents.errors import InputError, InvalidProofError, PilotbaseError, RefusedError
from pilotbase.documents.hashes import HEX, digest_of
from pilotbase.workspace import schema, tables, text_index
from pilotbase.workspace.backup.writing import (
    BLOB_ROOMS,
    MANIFEST,
    SIGNATURE,
    SIGNED_AS,
    TRUST,
    Manifest,
    is_kept,
    load_rows,
    stored_tables,
)
from pilotbase.workspace.checks.reconciliation import verify_tables
from pilotbase.workspace.engine import Database, machine_failure
from pilotbase.workspace.failures import DiskFullError
from pilotbase.workspace.home import FOLDERS, MARK, Home, HomeSettings, create_database_file
from pilotbase.workspace.keys import PUBLIC_HALF, KeyFolder, write_private
from pilotbase.workspace.log.notes import LogKey, LogVerifier
from pilotbase.workspace.log.offline import VerifiedLog
from pilotbase.workspace.plain_files import is_plain

ACCOUNTS = "accounts.jsonl"
_MAXIMUM_MANIFEST = 256 << 20
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
        """Return whether there is a member of this name."""
        return name in self.manifest.members

    def names(self, prefix: str) -> list[str]:
        """Return the names of the members under ``prefix``, sorted."""
        return sorted(name for name in self.manifest.members if name.startswith(prefix))

    @property
    def size(self) -> int:
        """Return the unpacked size of the members in bytes."""
        return sum(member.size for member in self.manifest.members.values())

    def chunks(self, name: str) -> Iterator[bytes]:
        """Iterate the bytes of a member.

        Raises:
            InvalidProofError: they are not those that the manifest names; raised after the last piece.
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
        InputError: there is no such file, it is no backup, or it is truncated.
        InvalidProofError: it was altered: members and manifest do not match, or it has names that no backup has.
        PilotbaseError: it was written by a newer version of Pilotbase, or by one before 0.1, or a plug-in with rows in
            it is not installed or too old.
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
        content = _read(archive, path, MANIFEST, _MAXIMUM_MANIFEST)
        manifest = _parsed(content, path)
        _require_signed(content, _read(archive, path, SIGNATURE, 1 << 10), manifest, path)
        _require_members(archive, manifest, path)
        yield Backup(path, manifest, archive)


@dataclass(frozen=True)
class Destination:
    """Where a base is restored: its home, the places of store and blobs, and a folder with its keys, if at hand."""

    path: Path
    settings: HomeSettings
    keys: Path | None = None


@contextmanager
def restored_home(backup: Backup, to: Destination) -> Iterator[Home]:
    """Yield the home as a draft, all but the rows of its store; it is moved into place when the block ends well.

    Raises:
        InputError: the place is not empty.
        InvalidProofError: a blob or file was altered.
        RefusedError: the keys at hand, or the blobs at their address, belong to another base.
        PilotbaseError: disk full, or not writable; nothing is left behind.
    """
    require_empty(to.path)
    to.path.parent.mkdir(parents=True, exist_ok=True)
    _require_space(backup, to.path.parent)
    draft = to.path.with_name(f".{to.path.name}.{secrets.token_hex(8)}")
    try:
        _make(draft, to)
        home = Home(draft, to.settings)
        _copy_keys(backup, home.keys, to.keys)
        _unpack(backup, home)
        write_private(draft / MARK, to.settings.canonical())
        yield home
        home.keys.await_back(backup.manifest.keys)
        draft.replace(to.path)
    except OSError as error:
        raise machine_failure(error, to.path) from error
    finally:
        shutil.rmtree(draft, ignore_errors=True)


def restore_store(backup: Backup, home: Home) -> VerifiedLog:
    """Write the store of a home and return what its log proves; all of it is written, or nothing.

    Raises:
        InputError: the database holds a store already.
        InvalidProofError: rows were altered, or log and tables do not agree.
    """
    database = Database(home.store_url)
    try:
        with database.write() as connection:
            _require_no_store(connection, database)
            schema.migrate(connection, backup.manifest.version, backup.manifest.plugins)
            _load(backup, connection)
            schema.migrate(connection, schema.CURRENT)
            text_index.rebuild(connection)
            return verify_tables(connection, backup.verifier)
    finally:
        database.close()


def require_empty(path: Path) -> None:
    """Return if there is nothing at ``path``, or an empty folder; raises `InputError`."""
    if path.is_dir() and not path.is_symlink():
        found = next(iter(sorted(entry.name for entry in path.iterdir())), None)
        if found is not None:
            raise InputError("backup.home_not_empty", path=path, found=found)
    elif os.path.lexists(path):
        raise InputError("backup.home_not_empty", path=path, found=path.name)


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
    schema.require_plugins(manifest.plugins, path)
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
    """Return whether a backup may have a member of this name: it stays within its home, and is no secret of it."""
    room, _, rest = name.partition("/")
    if room == "store":
        return rest.removesuffix(".jsonl") in tables.metadata.tables
    if room == "home":
        return is_plain(rest) and is_kept(rest)
    return name in (TRUST, ACCOUNTS) or _BLOB.fullmatch(name) is not None


def _require_space(backup: Backup, folder: Path) -> None:
    free = shutil.disk_usage(folder).free
    if backup.size > free:
        raise DiskFullError("backup.no_space", path=folder, wanted=backup.size, free=free)


def _make(draft: Path, to: Destination) -> None:
    draft.mkdir(mode=0o700)
    for name in FOLDERS:
        (draft / name).mkdir(mode=0o700)
    if to.settings.store_url is None:
        create_database_file(draft / "pilotbase.db")


def _copy_keys(backup: Backup, keys: KeyFolder, source: Path | None) -> None:
    if source is None:
        return
    given = KeyFolder(source)
    if not source.is_dir() or not given.names():
        raise InputError("backup.no_keys", path=source)
    for name in given.names():
        keys.create(name, (source / name).read_bytes)
    if (source / PUBLIC_HALF).is_file():
        write_private(keys.path / PUBLIC_HALF, (source / PUBLIC_HALF).read_bytes())
    if "log.pem" in given.names() and str(LogKey(keys.log_key()).verifier) != backup.manifest.log:
        raise RefusedError("backup.other_keys", path=source)


def _unpack(backup: Backup, home: Home) -> None:
    if backup.has(TRUST) and not (home.keys.path / PUBLIC_HALF).exists():
        write_private(home.keys.path / PUBLIC_HALF, b"".join(backup.chunks(TRUST)))
    blobs = home.open_blobs()
    blobs.claim(backup.manifest.log)
    for folder, room in BLOB_ROOMS.items():
        for name in backup.names(f"{folder}/"):
            if not blobs.bring_back(room, digest_of(name.removeprefix(f"{folder}/")), backup.chunks(name)):
                raise InvalidProofError("backup.altered", path=backup.path, name=name)
    for name in backup.names("home/"):
        path = home.path / name.removeprefix("home/")
        _make_parents(path, home.path)
        with open(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as stream:
            stream.writelines(backup.chunks(name))
            os.fchmod(stream.fileno(), backup.manifest.members[name].mode or 0o600)


def _make_parents(path: Path, home: Path) -> None:
    """Make the parent folders of a file: private at the top, readable below, since boxes see copies of applications."""
    for parent in reversed(path.relative_to(home).parents[:-1]):
        if not (home / parent).is_dir():
            (home / parent).mkdir(mode=0o700)
            (home / parent).chmod(0o755 if parent.parent.name else 0o700)  # independent of the umask


def _require_no_store(connection: Connection, database: Database) -> None:
    there = set(inspect(connection).get_table_names())
    if there & {"alembic_version", *tables.metadata.tables}:
        raise InputError("backup.database_not_empty", path=database.place)


def _load(backup: Backup, connection: Connection) -> None:
    known = {table.name: table for table in stored_tables(connection)}
    wanted = {name.removeprefix("store/").removesuffix(".jsonl") for name in backup.names("store/")}
    if wrong := (wanted - set(known)) | (tables.CORE.intersection(known) - wanted):  # a plug-in may have come later
        raise InvalidProofError("backup.not_rows", table=min(wrong))
    for table in reversed(known.values()):
        connection.execute(delete(table))  # the rows that the migrations begin with
    for name, table in known.items():
        if name in wanted:
            load_rows(connection, table, backup.lines(f"store/{name}.jsonl"))
