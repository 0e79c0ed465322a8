"""Plug-ins: installed packages that mirror the core's layout. What the core finds in its folders, it finds in theirs.

A distribution names its package in the entry point group ``pilotbase.plugins``; ``PILOTBASE_PLUGINS`` chooses among
those that are installed: names with commas, or ``none``. Every command needs them, so this module imports only the
standard library and reads entry points itself: `importlib.metadata` takes 50 ms to load and search.
"""

from __future__ import annotations

import os
import re
import sys
from functools import cache
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from pkgutil import iter_modules
from types import ModuleType

HOUSE = "pilotbase"
VARIABLE = "PILOTBASE_PLUGINS"
_GROUP = re.compile(r"^\[pilotbase\.plugins\]$([^\[]*)", re.MULTILINE)
_ENTRY = re.compile(r"^([\w.-]+)[ \t]*=[ \t]*(\w+)[ \t]*$", re.MULTILINE)


@cache
def plugins() -> tuple[str, ...]:
    """Return the packages of the chosen plug-ins, sorted by the names of their entry points.

    Raises:
        LookupError: ``PILOTBASE_PLUGINS`` names one that is not installed.
    """
    asked = os.environ.get(VARIABLE, "").replace(" ", "")
    if asked == "none":
        return ()
    installed = _installed()
    chosen = asked.split(",") if asked else sorted(installed)
    if missing := [name for name in chosen if name not in installed]:
        raise LookupError(f"{VARIABLE} names plug-ins that are not installed: {', '.join(missing)}")
    return tuple(installed[name] for name in chosen)


@cache
def packages(name: str) -> tuple[str, ...]:
    """Return the full names of a package or module, such as ``hub.pages``: the core's, then those of plug-ins."""
    return tuple(full for full in (f"{root}.{name}" for root in (HOUSE, *plugins())) if _exists(full))


def loaded(folder: str) -> list[ModuleType]:
    """Return every module in ``folder`` of the core and of plug-ins, sorted by its own name."""
    found = [(file.name, full) for full in packages(folder) for file in iter_modules(import_module(full).__path__)]
    return [import_module(f"{full}.{name}") for name, full in sorted(found, key=lambda one: one[0])]


def mirrored(name: str) -> list[ModuleType]:
    """Return the module ``name`` of each plug-in that has one, such as ``cli.first_level``."""
    return [import_module(full) for full in packages(name) if not full.startswith(f"{HOUSE}.")]


def _exists(full: str) -> bool:
    try:
        return find_spec(full) is not None
    except ModuleNotFoundError as error:
        if error.name is None or not full.startswith(error.name):
            raise
        return False


def _installed() -> dict[str, str]:
    """Return name → package of every entry point of the group; the first on the import path wins."""
    found: dict[str, str] = {}
    for folder in sys.path:
        for file in sorted(Path(folder).glob("*.dist-info/entry_points.txt")):
            for group in _GROUP.findall(file.read_text("utf-8")):
                found = dict(_ENTRY.findall(group)) | found
    return found
