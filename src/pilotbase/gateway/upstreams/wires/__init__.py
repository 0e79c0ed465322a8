"""What endpoints of others speak, one file a protocol. Whatever is the ``WIRE`` of a file here is found by its name."""

from __future__ import annotations

from collections.abc import Mapping

from pilotbase.documents.plugins import loaded
from pilotbase.gateway.upstreams.wire import UpstreamWire

WIRES: Mapping[str, UpstreamWire] = {
    module.__name__.rpartition(".")[2]: module.WIRE for module in loaded("gateway.upstreams.wires")
}
"""Protocol → how a question is put in it."""
