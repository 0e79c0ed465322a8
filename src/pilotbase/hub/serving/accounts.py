"""Accounts in a process that serves no pages: Django set up on them, kept in backups, restored, upgraded."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from pilotbase.documents.errors import InputError
from pilotbase.hub.configuration import HOME_VARIABLE, SETTINGS, HubConfiguration, django_database
from pilotbase.workspace.backup.restoring import ACCOUNTS, Backup
from pilotbase.workspace.home import Home, open_home

_HUB_KEY = "hub.key"


def start_accounts(configuration: HubConfiguration) -> bool:
    """Set Django up and return True, where there are accounts that can be asked; else return False."""
    database = django_database(configuration, open_home(configuration.home).settings.store_url)
    if database["ENGINE"].endswith("sqlite3") and not Path(database["NAME"]).exists():
        return False
    set_up_django()
    from django.db import connection

    return "hub_person" in connection.introspection.table_names()


def set_up_django() -> None:
    """Set Django up with the settings of the hub."""
    os.environ["DJANGO_SETTINGS_MODULE"] = SETTINGS
    import django

    django.setup(set_prefix=False)


def accounts_of_home() -> Mapping[str, Iterable[bytes]]:
    """Return what a backup of ``PILOTBASE_HOME`` holds besides the home, by name: the accounts of its hub, if any.

    Raises:
        InputError: the settings are wrong, or the accounts were made by an older version.
    """
    if not start_accounts(HubConfiguration.from_environment()):
        return {}
    from pilotbase.hub.people.backup_rows import dumped_accounts

    behind = migrations_behind()
    if behind:
        raise InputError("backup.accounts_behind", count=behind)
    return {ACCOUNTS: dumped_accounts()}


@contextmanager
def accounts_restored(backup: Backup, home: Home) -> Iterator[None]:
    """Load the accounts of a backup, if it has any; they stand when the block ends well.

    Raises:
        InputError: the settings are wrong, or there are accounts already.
        InvalidProofError: the accounts were altered.
    """
    if not backup.has(ACCOUNTS):
        yield
        return
    has_key = _HUB_KEY in home.keys.names()
    os.environ[HOME_VARIABLE] = str(home.path)
    set_up_django()
    from django.core.management import call_command
    from django.db import connections, transaction

    from pilotbase.hub.people.backup_rows import load_accounts

    try:
        call_command("migrate", verbosity=0, interactive=False)
        with transaction.atomic():
            load_accounts(backup.lines(ACCOUNTS))
            yield
    finally:
        connections.close_all()
        if not has_key:  # Django has made one to start with: not the one under which the accounts were kept
            (home.keys.path / _HUB_KEY).unlink(missing_ok=True)


def upgrade_accounts() -> None:
    """Bring the accounts of ``PILOTBASE_HOME`` to this version, one migration after the other, where there are any."""
    if start_accounts(HubConfiguration.from_environment()):
        from django.core.management import call_command

        call_command("migrate", verbosity=0, interactive=False)


def migrations_behind() -> int:
    """Return by how many migrations the accounts are older than this version."""
    from django.db import connection
    from django.db.migrations.executor import MigrationExecutor

    executor = MigrationExecutor(connection)
    return len(executor.migration_plan(executor.loader.graph.leaf_nodes()))
