"""The schema of the store: made and raised to a newer version by Alembic migrations, checked at every opening."""

from __future__ import annotations

from pathlib import Path

from sqlalchemy import Connection, inspect, text

from pilotbase.documents.errors import InputError, PilotbaseError
from pilotbase.workspace.engine import Database

CURRENT = "0102"
"""The newest revision; older ones in order in `VERSIONS`."""
VERSIONS = ("0101", "0102")


def upgrade(database: Database) -> None:
    """Bring ``database`` to `CURRENT`, all in one transaction; nothing to do when it is there already."""
    with database.write() as connection:
        version = _version(connection)
        if version is not None:
            _require_known(version, database)
        if version != CURRENT:
            migrate(connection, CURRENT)


def migrate(connection: Connection, target: str) -> None:
    """Bring the database of ``connection`` from the version that it has to ``target``, within its transaction."""
    from alembic import command  # every process opens a store, few migrate one
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent / "migrations").replace("%", "%%"))
    config.attributes["connection"] = connection
    command.upgrade(config, target)


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
    if version != CURRENT:
        raise InputError("workspace.schema_older", path=database.place, found=version, wanted=CURRENT)


def require_released(version: str, path: object) -> None:
    """Raise `PilotbaseError` if a development version from before 0.1 wrote what ``path`` holds."""
    if version < VERSIONS[0]:
        raise PilotbaseError("workspace.schema_unreleased", path=path, found=version)


def _require_known(version: str, database: Database) -> None:
    require_released(version, database.place)
    if version not in VERSIONS:
        raise PilotbaseError("workspace.schema_newer", path=database.place, found=version, wanted=CURRENT)


def _version(connection: Connection) -> str | None:
    if not inspect(connection).has_table("alembic_version"):
        return None
    found = connection.scalar(text("SELECT version_num FROM alembic_version"))
    return None if found is None else str(found)
