"""A backup: one file with the state of a base at one moment, while hub and worker go on; it contains no key.

The file is a ZIP archive. Its last members are ``manifest.json``, which names every other member with size and digest,
and ``manifest.sig``, its signature by the key of the log.

    store/<table>.jsonl   the rows of the store (`dump_rows`), all of one snapshot
    blobs/<hex digest>    the blobs; kept/… shared blobs and chunks; cut/… the chunks of each cut blob
    home/<path>           other files of the home: applications, runs, reports, trust roots, revocations
    trust.json            the public half of keys/
    <further>             additions from a face of the base: the accounts of the hub

Blobs and files are read after the snapshot: everything that the store refers to was written before it. The backup
leaves out what can be made again (environments, fetched packages, scratch) and secrets (keys, mails with links).

The rows of a store are JSON lines, spelled alike for SQLite and PostgreSQL: either can read what the other wrote. The
first line of a table names its columns; each line after it is one row. Bytes are ``{"b": base64}``; times are the
microseconds that the column holds.
"""

from __future__ import annotations

import base64
import contextlib
import hashlib
import json
import os
import secrets
import stat
import zipfile
from collections.abc import Iterable, Iterator, Mapping
from datetime import UTC, datetime
from itertools import chain, islice
from pathlib import Path
from typing import Any, Literal

import pydantic
from sqlalchemy import BigInteger, Connection, Integer, MetaData, Table, func, insert, inspect, select
from sqlalchemy import text as sql

from pilotbase import __version__
from pilotbase.documents.base import Document, Moment, Part
from pilotbase.documents.errors import InputError, InvalidProofError
from pilotbase.documents.hashes import Digest, digest_of, hex_of
from pilotbase.documents.progress import OnProgress, Progress, ignore_progress
from pilotbase.documents.texts import text
from pilotbase.workspace import schema, tables
from pilotbase.workspace.blobs.store import CUT, KEPT, OWN
from pilotbase.workspace.engine import Database, machine_failure
from pilotbase.workspace.failures import NotFoundError
from pilotbase.workspace.home import MARK, Home
from pilotbase.workspace.keys import PUBLIC_HALF, sync_folder
from pilotbase.workspace.log.notes import LogKey
from pilotbase.workspace.plain_files import is_plain

MANIFEST, SIGNATURE, TRUST = "manifest.json", "manifest.sig", "trust.json"
SIGNED_AS = b"pilotbase backup\n"
"""Prefix of the manifest under its signature, so that no checkpoint of the log can pass for one."""
LEFT_OUT = frozenset({MARK, "blobs", "keys", "tmp", "environments", "packages", "demo", "mail"})
"""Entries of a home that no backup holds as files."""
BLOB_ROOMS = {"blobs": OWN, "kept": KEPT, "cut": CUT}
"""Folder of blobs in the archive → room of the blob store; chunks before the lists that name them."""
_DATABASES = ("pilotbase.db", "hub.db")
_CHUNK = 1 << 20
COPIES = frozenset({"listing_search"})
"""Tables that only repeat others, and are rebuilt from them."""
_AT_ONCE = 500


class BackupEntry(Part):
    """One member of the archive."""

    digest: Digest
    size: int = pydantic.Field(ge=0)
    mode: int | None = pydantic.Field(default=None, ge=0, le=0o777)
    """Permissions of a file of the home."""


class Manifest(Document):
    """The contents of a backup."""

    document: Literal["backup/1"] = "backup/1"
    software: str
    made_at: Moment
    version: str
    """The schema of the store (`workspace.schema`)."""
    plugins: dict[str, str] = pydantic.Field(default={})
    """Package → schema of its tables, of every plug-in that has any in the store."""
    log: str
    """The key that signs the log and this manifest, as `LogVerifier` spells it."""
    keys: tuple[str, ...]
    """Names of the key files that the base had; none of them is in the backup."""
    members: dict[str, BackupEntry]


def write_backup(
    home: Home,
    target: Path,
    further: Mapping[str, Iterable[bytes]] = {},
    on_progress: OnProgress = ignore_progress,
) -> Manifest:
    """Write a backup of ``home`` to ``target``, whole or not at all, and return its manifest.

    ``further``: name → pieces of other data of the base, read after everything of the home.

    Raises:
        InputError: ``target`` exists already, or is inside the home; a file of the home has an odd name.
        NotFoundError: the key of the log is not here.
        PilotbaseError: a plug-in that has tables in the store is not installed, or older than they are.
        InvalidProofError: a blob was changed on the disk, or a chunk of it is missing.
        PilotbaseError: disk full, or not writable; nothing is left behind.
    """
    target = target.absolute()
    if os.path.lexists(target):
        raise InputError("backup.exists", path=target)
    if home.path.resolve() in target.resolve().parents:
        raise InputError("backup.inside", path=target, home=home.path)
    draft = target.with_name(f".{target.name}.{secrets.token_hex(8)}")
    try:
        with open(os.open(draft, os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o600), "w+b") as stream:
            with zipfile.ZipFile(stream, "w") as archive:
                manifest = _pack(home, _Packing(archive), further, on_progress)
            stream.flush()
            os.fsync(stream.fileno())
        _publish(draft, target)
    except OSError as error:
        raise machine_failure(error, target) from error
    finally:
        draft.unlink(missing_ok=True)
    return manifest


def is_kept(name: str) -> bool:
    """Return whether the file or folder ``name`` of a home belongs in a backup; no draft does: those have a dot."""
    top, *below = name.split("/")
    return top not in LEFT_OUT and not top.startswith((".", *_DATABASES)) and not (below and below[0].startswith("."))


class _Packing:
    """Writes members and keeps their sizes and digests."""

    def __init__(self, archive: zipfile.ZipFile) -> None:
        self._archive = archive
        self.members: dict[str, BackupEntry] = {}

    def add_file(self, name: str, path: Path) -> None:
        """Add a file as it is read now; a file that has disappeared meanwhile is skipped."""
        try:
            descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
        except OSError as error:
            if isinstance(error, FileNotFoundError) or path.is_symlink():
                return
            raise machine_failure(error, path) from error
        with open(descriptor, "rb") as stream:
            status = os.fstat(descriptor)
            if stat.S_ISREG(status.st_mode):
                self.add(name, iter(lambda: stream.read(_CHUNK), b""), mode=status.st_mode & 0o777)

    def add(self, name: str, pieces: Iterable[bytes], *, mode: int | None = None, packed: bool = False) -> None:
        """Add a member; ``packed``: it is cipher text, which cannot be compressed."""
        digest, size = self.write(name, pieces, zipfile.ZIP_STORED if packed else zipfile.ZIP_DEFLATED)
        self.members[name] = BackupEntry(digest=digest, size=size, mode=mode)

    def write(self, name: str, pieces: Iterable[bytes], kind: int = zipfile.ZIP_DEFLATED) -> tuple[Digest, int]:
        """Write a member that the manifest does not name; return its digest and size."""
        info = zipfile.ZipInfo(name)
        info.compress_type, info.external_attr = kind, 0o600 << 16
        hashed, size, source = hashlib.sha256(), 0, iter(pieces)
        first = next(source, b"")  # a missing file fails before its member begins
        with self._archive.open(info, "w", force_zip64=True) as member:
            for piece in chain([first], source):
                hashed.update(piece)
                size += len(piece)
                member.write(piece)
        return digest_of(hashed.hexdigest()), size


def stored_tables(connection: Connection) -> list[Table]:
    """Return the tables of the store in this database's form, maybe that of an older version, in order."""
    there = set(inspect(connection).get_table_names())
    names = [table.name for table in tables.metadata.sorted_tables if table.name in there - COPIES]
    known = MetaData()
    known.reflect(connection, only=names)
    return [known.tables[name] for name in names]


def dump_rows(connection: Connection, table: Table) -> Iterator[bytes]:
    """Yield the lines of ``table``, in the order of its key."""
    yield _line([column.name for column in table.columns])
    rows = select(table).order_by(*table.primary_key.columns)
    for row in connection.execution_options(yield_per=_AT_ONCE).execute(rows):
        yield _line([_spelled(value) for value in row])


def load_rows(connection: Connection, table: Table, lines: Iterable[bytes]) -> int:
    """Insert the rows of ``lines`` into the empty ``table`` and return how many.

    Raises:
        InvalidProofError: they are not rows of this table.
    """
    read = (_read(line, table) for line in lines)
    columns = next(read, [])
    if not columns or set(columns) - set(table.columns.keys()):
        raise InvalidProofError("backup.not_rows", table=table.name)
    count = 0
    while chunk := list(islice(read, _AT_ONCE)):
        if any(len(row) != len(columns) for row in chunk):
            raise InvalidProofError("backup.not_rows", table=table.name)
        connection.execute(insert(table), [dict(zip(columns, map(_value, row), strict=True)) for row in chunk])
        count += len(chunk)
    _go_on_counting(connection, table)
    return count


def _pack(home: Home, packing: _Packing, further: Mapping[str, Iterable[bytes]], on_progress: OnProgress) -> Manifest:
    key, made_at = LogKey(home.keys.log_key()), datetime.now(UTC)
    on_progress(Progress(text("backup.progress.store")))
    version, plugins = _pack_store(home, packing)
    on_progress(Progress(text("backup.progress.files")))
    blobs = home.open_blobs()
    folders = {room: folder for folder, room in BLOB_ROOMS.items()}
    for room, digest in blobs.parts():
        with contextlib.suppress(NotFoundError):  # erased meanwhile
            packing.add(f"{folders[room]}/{hex_of(digest)}", blobs.part(room, digest), packed=True)
    for name in _files(home.path):
        packing.add_file(f"home/{name}", home.path / name)
    if (home.keys.path / PUBLIC_HALF).exists():
        packing.add_file(TRUST, home.keys.path / PUBLIC_HALF)
    for name, pieces in further.items():
        packing.add(name, pieces)
    manifest = Manifest(
        software=f"pilotbase {__version__}",
        made_at=made_at,
        version=version,
        plugins=plugins,
        log=str(key.verifier),
        keys=home.keys.names(),
        members=packing.members,
    )
    content = manifest.canonical()
    packing.write(MANIFEST, [content])
    packing.write(SIGNATURE, [base64.b64encode(key.private.sign(SIGNED_AS + content))])
    return manifest


def _pack_store(home: Home, packing: _Packing) -> tuple[str, dict[str, str]]:
    """Pack every table from one snapshot; return the versions of the schema and of plug-ins."""
    database = Database(home.store_url)
    try:
        with database.read() as connection:
            version = schema.known_version(connection, database)
            plugins = schema.versions_of_plugins(connection)
            schema.require_plugins(plugins, home.path)
            for table in stored_tables(connection):
                packing.add(f"store/{table.name}.jsonl", dump_rows(connection, table))
    finally:
        database.close()
    return version, plugins


def _files(home: Path) -> Iterator[str]:
    """Yield the names of the files of a home that belong in a backup; raises `InputError` for an odd one."""
    for top, folders, names in os.walk(home):
        here = Path(top).relative_to(home)
        folders[:] = sorted(name for name in folders if is_kept((here / name).as_posix()))
        for name in sorted(map(Path.as_posix, (here / name for name in names))):
            if is_kept(name):
                if not is_plain(name):
                    raise InputError("backup.odd_name", path=home, name=name)
                yield name


def _publish(draft: Path, target: Path) -> None:
    """Give a finished file its name, without replacing another file."""
    try:
        target.hardlink_to(draft)
    except FileExistsError:
        raise InputError("backup.exists", path=target) from None
    except OSError:  # a file system without such links
        draft.rename(target)
    sync_folder(target.parent)


def _go_on_counting(connection: Connection, table: Table) -> None:
    """Let PostgreSQL number new rows after the inserted ones; SQLite does so by itself."""
    (key, *more) = table.primary_key.columns
    if connection.dialect.name != "postgresql" or more or not isinstance(key.type, BigInteger | Integer):
        return
    counter = connection.scalar(sql("SELECT pg_get_serial_sequence(:t, :c)"), {"t": table.name, "c": key.name})
    newest = connection.scalar(select(func.max(key)))
    if counter is not None and newest is not None:
        connection.execute(sql("SELECT setval(:counter, :newest)"), {"counter": counter, "newest": newest})


def _line(values: list[Any]) -> bytes:
    return json.dumps(values, ensure_ascii=False, separators=(",", ":")).encode() + b"\n"


def _spelled(value: Any) -> Any:
    return {"b": base64.b64encode(value).decode()} if isinstance(value, bytes | memoryview) else value


def _read(line: bytes, table: Table) -> list[Any]:
    try:
        values = json.loads(line)
    except ValueError:
        values = None
    if not isinstance(values, list):
        raise InvalidProofError("backup.not_rows", table=table.name)
    return values


def _value(spelled: Any) -> Any:
    return base64.b64decode(spelled["b"]) if isinstance(spelled, dict) else spelled
