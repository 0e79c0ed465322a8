"""The schema of the store: created and upgraded by Alembic migrations, checked at every opening.

A plug-in with tables has revisions and a version of its own, which follow those of the core.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from sqlalchemy import Connection, inspect, text

from pilotbase.documents.errors import InputError, PilotbaseError
from pilotbase.documents.plugins import mirrored
from pilotbase.workspace.engine import Database

CURRENT = "0101"
"""The newest revision; older ones in order in `VERSIONS`."""
VERSIONS = ("0101",)
_TABLE = "alembic_version"


@dataclass(frozen=True)
class _Chain:
    """The revisions of a plug-in."""

    folder: Path
    table: str
    """The database table with its present version."""

    @property
    def versions(self) -> list[str]:
        """Return the revisions, oldest first: each file is named after its own."""
        return sorted(file.name.partition("_")[0] for file in self.folder.glob("[0-9]*.py"))


def upgrade(database: Database) -> None:
    """Bring ``database`` to `CURRENT`, all in one transaction; nothing to do if it is there already."""
    with database.write() as connection:
        version = _version(connection)
        if version is not None:
            _require_known(version, database)
        if version != CURRENT or any(_versions_of_plugins(connection, database)):
            migrate(connection, CURRENT)


def migrate(connection: Connection, target: str) -> None:
    """Bring the database of ``connection`` from its present version to ``target``, within its transaction.

    Plug-ins are brought to their newest versions.
    """
    _run(connection, _Chain(Path(__file__).parent / "migrations" / "versions", _TABLE), target)
    for chain in _chains():
        _run(connection, chain, chain.versions[-1])


def known_version(connection: Connection, database: Database) -> str:
    """Return the version of ``database``, as ``connection`` to it sees it.

    Raises:
        InputError: there is no store.
        PilotbaseError: it was made by a newer version of Pilotbase, or before 0.1.
    """
    version = _version(connection)
    if version is None:
        raise InputError("workspace.no_store", path=database.place)
    _require_known(version, database)
    return version


def require_current(database: Database) -> None:
    """Return if ``database`` has this version's schema; raises `InputError` or `PilotbaseError` saying what to do."""
    with database.read() as connection:
        version = known_version(connection, database)
        behind = list(_versions_of_plugins(connection, database))
    for found, wanted in [(version, CURRENT)] * (version != CURRENT) + behind:
        raise InputError("workspace.schema_older", path=database.place, found=found, wanted=wanted)


def require_released(version: str, path: object) -> None:
    """Raise `PilotbaseError` if a development version from before 0.1 wrote the contents of ``path``."""
    if version < VERSIONS[0]:
        raise PilotbaseError("workspace.schema_unreleased", path=path, found=version)


def require_plugins(connection: Connection) -> None:
    """Return if every plug-in that has tables in this database is installed.

    Raises:
        PilotbaseError: ``backup.plugin_missing``: its rows would be left out.
    """
    known = {chain.table for chain in _chains()}
    there = [name for name in inspect(connection).get_table_names() if name.startswith(f"{_TABLE}_")]
    if missing := sorted(set(there) - known):
        raise PilotbaseError(
            "backup.plugin_missing", packages=", ".join(name.removeprefix(f"{_TABLE}_") for name in missing)
        )


def _require_known(version: str, database: Database) -> None:
    require_released(version, database.place)
    if version not in VERSIONS:
        raise PilotbaseError("workspace.schema_newer", path=database.place, found=version, wanted=CURRENT)


def _version(connection: Connection, table: str = _TABLE) -> str | None:
    if not inspect(connection).has_table(table):
        return None
    found = connection.scalar(text(f"SELECT version_num FROM {table}"))  # noqa: S608 - named by us
    return None if found is None else str(found)


def _chains() -> Iterator[_Chain]:
    for module in mirrored("workspace.migrations"):
        yield _Chain(Path(module.__path__[0], "versions"), f"{_TABLE}_{module.__name__.partition('.')[0]}")


def _versions_of_plugins(connection: Connection, database: Database) -> Iterator[tuple[str, str]]:
    """Yield the version of an outdated plug-in, and the required one; raises `PilotbaseError` for a newer one."""
    for chain in _chains():
        *_, newest = known = chain.versions
        found = _version(connection, chain.table)
        if found is not None and found not in known:
            raise PilotbaseError("workspace.schema_newer", path=database.place, found=found, wanted=newest)
        if found != newest:
            yield found or "–", newest


def _run(connection: Connection, chain: _Chain, target: str) -> None:
    from alembic import command  # every process opens a store, few migrate one
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent / "migrations").replace("%", "%%"))
    config.set_main_option("version_locations", str(chain.folder).replace("%", "%%"))
    config.set_main_option("path_separator", "newline")
    config.attributes |= {"connection": connection, "table": chain.table}
    command.upgrade(config, target)
