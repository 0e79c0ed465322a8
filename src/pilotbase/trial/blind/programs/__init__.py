"""The programs, one file each. Whatever names ``PROGRAM`` here is found; nothing else names it."""

from __future__ import annotations

from importlib import import_module
from pkgutil import iter_modules

from pilotbase.trial.blind.program import BlindProgram

PROGRAMS: tuple[BlindProgram, ...] = tuple(
    import_module(f"{__name__}.{module.name}").PROGRAM
    for module in sorted(iter_modules(__path__), key=lambda module: module.name)
)
"""All programs of the files here, by name."""
