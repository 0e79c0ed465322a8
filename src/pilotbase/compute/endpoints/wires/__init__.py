"""What endpoints speak, one file a protocol. Whatever is the ``WIRE`` of a file here is found by its name."""

from __future__ import annotations

from collections.abc import Mapping
from importlib import import_module
from pkgutil import iter_modules

from pilotbase.compute.endpoints.wire import Wire

WIRES: Mapping[str, type[Wire]] = {
    file.name: import_module(f"{__name__}.{file.name}").WIRE for file in iter_modules(__path__)
}
"""Protocol → how cases are put in it and answers read."""
