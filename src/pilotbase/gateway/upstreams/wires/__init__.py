"""What endpoints of others speak, one file a protocol. Whatever is the ``WIRE`` of a file here is found by its name."""

from __future__ import annotations

from collections.abc import Mapping
from importlib import import_module
from pkgutil import iter_modules

from pilotbase.gateway.upstreams.wire import UpstreamWire

WIRES: Mapping[str, UpstreamWire] = {
    file.name: import_module(f"{__name__}.{file.name}").WIRE for file in iter_modules(__path__)
}
"""Protocol → how a question is put in it."""
