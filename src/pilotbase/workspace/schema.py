"""The schema of the store: created and upgraded by Alembic migrations, checked at every opening.

A plug-in with tables has revisions and a version of its own, which follow those of the core.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from sqlalchemy import Connection, inspect, text

from pilotbase.documents.errors import InputError, PilotbaseError
from pilotbase.documents.plugins import mirrored
from pilotbase.workspace.engine import Database

CURRENT = "0104"
"""The newest revision; older ones in order in `VERSIONS`."""
VERSIONS = ("0104",)
_TABLE = "alembic_version"


@dataclass(frozen=True)
class _Chain:
    """The revisions of a plug-in, or of the core: the package without a name."""

    package: str
    folder: Path

    @property
    def table(self) -> str:
        """Return the name of the database table with their present version."""
        return f"{_TABLE}_{self.package}" if self.package else _TABLE

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
        if version != CURRENT or any(_outdated(connection, database)):
            migrate(connection, CURRENT)


def migrate(connection: Connection, target: str, plugins: Mapping[str, str] = {}) -> None:
    """Bring the database of ``connection`` from its present version to ``target``, within its transaction.

    Plug-ins are brought to their versions in ``plugins``, others to their newest.
    """
    _run(connection, _Chain("", Path(__file__).parent / "migrations" / "versions"), target)
    for chain in _chains():
        _run(connection, chain, plugins.get(chain.package, chain.versions[-1]))


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
        behind = list(_outdated(connection, database))
    for found, wanted in [(version, CURRENT)] * (version != CURRENT) + behind:
        raise InputError("workspace.schema_older", path=database.place, found=found, wanted=wanted)


def require_released(version: str, path: object) -> None:
    """Raise `PilotbaseError` if a development version from before 0.1 wrote the contents of ``path``."""
    if version < VERSIONS[0]:
        raise PilotbaseError("workspace.schema_unreleased", path=path, found=version)


def versions_of_plugins(connection: Connection) -> dict[str, str]:
    """Return package → version of every plug-in that has tables in this database, installed or not."""
    there = [name for name in inspect(connection).get_table_names() if name.startswith(f"{_TABLE}_")]
    return {name.removeprefix(f"{_TABLE}_"): version for name in there if (version := _version(connection, name))}


def require_plugins(versions: Mapping[str, str], path: object) -> None:
    """Return if every plug-in is installed that the contents of ``path`` need, and knows the version of its tables.

    Raises:
        PilotbaseError: ``workspace.plugin_missing`` or ``workspace.plugin_older``.
    """
    chains = {chain.package: chain for chain in _chains()}
    if missing := sorted(versions.keys() - chains.keys()):
        raise PilotbaseError("workspace.plugin_missing", path=path, packages=", ".join(missing))
    for package, version in versions.items():
        if version not in (known := chains[package].versions):
            newest = known[-1]
            raise PilotbaseError("workspace.plugin_older", path=path, package=package, found=version, wanted=newest)


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
        yield _Chain(module.__name__.partition(".")[0], Path(module.__path__[0], "versions"))


def _outdated(connection: Connection, database: Database) -> Iterator[tuple[str, str]]:
    """Yield the version of an outdated plug-in, and the required one; raises `PilotbaseError` for a newer one."""
    for chain in _chains():
        found, newest = _version(connection, chain.table), chain.versions[-1]
        if found is not None:
            require_plugins({chain.package: found}, database.place)
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
