"""Protocols of endpoints, one for each file. The ``WIRE`` of each file here is found by its name."""

from __future__ import annotations

from collections.abc import Mapping

from pilotbase.documents.plugins import loaded
from pilotbase.sandbox.endpoints.wire import Wire

WIRES: Mapping[str, type[Wire]] = {
    module.__name__.rpartition(".")[2]: module.WIRE for module in loaded("sandbox.endpoints.wires")
}
"""Protocol → the class that puts cases and reads answers."""
