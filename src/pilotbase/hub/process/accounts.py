"""The accounts in a process that serves no pages: Django set up on them, where a hub has made any."""

from __future__ import annotations

import os
from pathlib import Path

from pilotbase.hub.configuration import HubConfiguration, django_database
from pilotbase.hub.process.serving import SETTINGS
from pilotbase.workspace.home import open_home


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
