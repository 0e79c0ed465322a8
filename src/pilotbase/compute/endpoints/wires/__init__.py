"""What endpoints speak, one file a protocol. Whatever is the ``WIRE`` of a file here is found by its name."""

from __future__ import annotations

from collections.abc import Mapping

from pilotbase.compute.endpoints.wire import Wire
from pilotbase.documents.plugins import loaded

WIRES: Mapping[str, type[Wire]] = {
    module.__name__.rpartition(".")[2]: module.WIRE for module in loaded("compute.endpoints.wires")
}
"""Protocol → how cases are put in it and answers read."""
