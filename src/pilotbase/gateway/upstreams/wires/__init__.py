"""What endpoints of others speak, one file a protocol. The ``asked`` of each file is found by its name."""

from __future__ import annotations

from collections.abc import Mapping

from pilotbase.documents.plugins import loaded
from pilotbase.protocols.upstream import UpstreamWire

WIRES: Mapping[str, UpstreamWire] = {
    module.__name__.rpartition(".")[2]: module.asked for module in loaded("gateway.upstreams.wires")
}
"""Protocol → how a question is put in it."""
