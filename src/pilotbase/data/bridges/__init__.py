"""Formats in which others describe data; every file here that defines a ``BRIDGE`` is found automatically."""

from __future__ import annotations

from pilotbase.data.bridges.definition import Bridge
from pilotbase.documents.plugins import loaded


def bridges() -> dict[str, Bridge]:
    """Return name → bridge."""
    modules = loaded("data.bridges")
    found: tuple[Bridge, ...] = tuple(module.BRIDGE for module in modules if hasattr(module, "BRIDGE"))
    return {bridge.name: bridge for bridge in found}
