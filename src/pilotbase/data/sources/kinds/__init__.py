"""The kinds of sources, one file each. Whatever has a ``READER`` here is found; nothing else names it."""

from __future__ import annotations

from importlib import import_module
from pkgutil import iter_modules

from pilotbase.data.sources.source import Reader

READERS: tuple[Reader, ...] = tuple(
    import_module(f"{__name__}.{kind.name}").READER
    for kind in sorted(iter_modules(__path__), key=lambda kind: kind.name)
)
"""All readers of the files here."""
