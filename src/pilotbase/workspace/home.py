"""The home of a base: one private folder that holds everything, made once and opened by every command.

home.json        what it is, and where store and blobs are if they are not inside
pilotbase.db     the store (SQLite), unless `home.json` names a PostgreSQL address
blobs/           content-addressed blobs, unless `home.json` names another fsspec address
keys/            private keys, mode 0600; a backup leaves this folder out
tmp/             scratch of running commands
trust-roots.json public roots (written by the code that makes the signing keys)
"""

from __future__ import annotations

import contextlib
import json
import os
import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import pydantic
from sqlalchemy import make_url
from sqlalchemy.exc import ArgumentError

from pilotbase.documents.base import Document
from pilotbase.documents.errors import InputError, PilotbaseError, RefusedError
from pilotbase.workspace import schema
from pilotbase.workspace.blobs import BlobStore
from pilotbase.workspace.engine import Database, machine_failure
from pilotbase.workspace.keys import KeyFolder, write_private
from pilotbase.workspace.log.entries import log_size
from pilotbase.workspace.log.notes import LogKey
from pilotbase.workspace.store import Clock, Store, utc_now

VARIABLE, HUB_URL, GATEWAY_URL = "PILOTBASE_HOME", "PILOTBASE_HUB_URL", "PILOTBASE_GATEWAY_URL"
"""Variables with the place of the home, and the public addresses of hub and gateway, which others read too."""
MARK = "home.json"
STORES = ("postgresql://", "sqlite:///")
FOLDERS = ("blobs", "keys", "tmp")
"""Made with every home."""


class HomeSettings(Document):
    """The contents of `home.json`. Absent addresses mean: inside the home."""

    document: Literal["home/1"] = "home/1"
    store_url: str | None = None
    blobs_url: str | None = None


@dataclass(frozen=True)
class Home:
    """An existing home whose owner and modes have been checked."""

    path: Path
    settings: HomeSettings

    @property
    def keys(self) -> KeyFolder:
        return KeyFolder(self.path / "keys")

    @property
    def scratch(self) -> Path:
        return self.path / "tmp"

    @property
    def trust_roots(self) -> Path:
        return self.path / "trust-roots.json"

    @property
    def store_url(self) -> str:
        return self.settings.store_url or f"sqlite:///{self.path / 'pilotbase.db'}"

    def open_store(self, clock: Clock = utc_now) -> Store:
        """Open the store with the key that signs its log; see `Store.open`."""
        return Store.open(self.store_url, LogKey(self.keys.log_key()), clock)

    def open_blobs(self) -> BlobStore:
        """Open the blob store."""
        return BlobStore(self.settings.blobs_url or str(self.path / "blobs"))


def home_path(environment: Mapping[str, str] = os.environ) -> Path:
    """Return the folder that ``PILOTBASE_HOME`` names, else ``~/.pilotbase``."""
    named = environment.get(VARIABLE)
    return (Path(named) if named else Path("~/.pilotbase")).expanduser().absolute()


def init_home(path: Path, settings: HomeSettings | None = None) -> Home:
    """Create the home at ``path`` (folders, store, log key) and return it; an existing one is opened.

    `home.json` is written last: a crash before that leaves a folder that the next call completes. Any other failure
    leaves nothing behind in an empty place.

    Raises:
        RefusedError: another user owns the folder, the existing home keeps its store or blobs elsewhere, or the blobs
            belong to another base.
        InputError: the folder is not empty and no home, or the database holds the store of another base.
        PilotbaseError: disk full, or not writable; the place of the blobs cannot be written to.
    """
    existed = filled = True
    try:
        existed = path.exists()
        filled = existed and (not path.is_dir() or any(path.iterdir()))
        if settings is not None and settings.blobs_url is not None and not (path / MARK).exists():
            BlobStore(settings.blobs_url).require_place()
        path.mkdir(mode=0o700, parents=True, exist_ok=True)
        _require_owner(path)
        if not (path / MARK).exists():
            _make_folders(path)
            home = Home(path, settings or HomeSettings())
            key = LogKey(home.keys.create_log_key())
            _prepare_store(home)
            _require_unused(home)
            home.open_blobs().claim(str(key.verifier))
            write_private(path / MARK, home.settings.canonical())
    except (PilotbaseError, OSError) as error:
        if not filled:
            _unmake(path, existed)
        if isinstance(error, OSError):
            raise machine_failure(error, path) from error
        raise
    home = _read_home(path)
    if settings is not None and home.settings != settings:
        raise RefusedError("workspace.other_store", path=path / MARK)
    return home


def open_home(path: Path) -> Home:
    """Return the home at ``path``.

    Raises:
        InputError: there is none, or `home.json` is wrong.
        RefusedError: another user owns it, or others may read it.
    """
    if not (path / MARK).is_file():
        raise InputError("workspace.no_home", path=path)
    return _read_home(path)


def settings_for(store: str | None, blobs: str | None) -> HomeSettings:
    """Return the settings of a home whose store and blobs are at these addresses; None: inside the home.

    Raises:
        InputError: an address that no store or no blob store can have.
    """
    if store is not None and not (store.startswith(STORES) and _is_address(store)):
        raise InputError("workspace.bad_store", allowed=", ".join(f"{start}…" for start in STORES))
    try:
        place = BlobStore(blobs or "").objects
    except (ValueError, ImportError) as error:
        raise InputError("workspace.bad_blobs", found=blobs, reason=error) from error
    if blobs is not None and place.is_folder:
        blobs = place.root  # independent of where a command is run
    return HomeSettings(store_url=store, blobs_url=blobs)


def upgrade_home(home: Home) -> None:
    """Upgrade the store to this version's schema; nothing to do when it has it. Back up first."""
    _prepare_store(home)


def _read_home(path: Path) -> Home:
    try:
        _require_owner(path)
        _require_private(path)
        _require_private(path / "keys")
        settings = HomeSettings.model_validate(json.loads((path / MARK).read_bytes()))
    except OSError as error:
        raise machine_failure(error, path) from error
    except (ValueError, pydantic.ValidationError) as error:
        raise InputError("workspace.home_unreadable", path=path / MARK) from error
    return Home(path, settings)


def _unmake(path: Path, existed: bool) -> None:
    """Remove a half-made home from an empty folder, and the folder itself unless it ``existed``."""
    for name in FOLDERS:
        shutil.rmtree(path / name, ignore_errors=True)
    with contextlib.suppress(OSError):
        for file in path.glob("pilotbase.db*"):
            file.unlink()
        if not existed:
            path.rmdir()


def _make_folders(path: Path) -> None:
    ours = (MARK, "pilotbase.db", *FOLDERS)
    strange = sorted(entry.name for entry in path.iterdir() if not entry.name.startswith((".", *ours)))
    if strange:
        raise InputError("workspace.not_empty", path=path, found=strange[0])
    path.chmod(0o700)
    for name in FOLDERS:
        (path / name).mkdir(mode=0o700, exist_ok=True)


def _prepare_store(home: Home) -> None:
    if home.settings.store_url is None:
        create_database_file(home.path / "pilotbase.db")
    database = Database(home.store_url)
    try:
        schema.upgrade(database)
    finally:
        database.close()


def _is_address(url: str) -> bool:
    try:
        make_url(url)
    except (ArgumentError, ValueError):
        return False
    return True


def _require_unused(home: Home) -> None:
    """Return if the log is empty: a used store belongs to a base whose keys are elsewhere."""
    database = Database(home.store_url)
    try:
        with database.read() as connection:
            size = log_size(connection)
    finally:
        database.close()
    if size:
        raise InputError("workspace.store_in_use", path=database.place)


def create_database_file(path: Path) -> None:
    """Create the file of an embedded database, or make it private: SQLite gives its side files the same mode."""
    try:
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        os.fchmod(descriptor, 0o600)
        os.close(descriptor)
    except OSError as error:
        raise machine_failure(error, path.parent) from error


def _require_owner(path: Path) -> None:
    owner = path.stat().st_uid
    if owner != os.geteuid():
        raise RefusedError("workspace.home_foreign", path=path, owner=owner, user=os.geteuid())


def _require_private(path: Path) -> None:
    mode = path.stat().st_mode & 0o777
    if mode & 0o077:
        raise RefusedError("workspace.home_exposed", path=path, mode=f"{mode:04o}")
