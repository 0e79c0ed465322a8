"""Formats in which others describe data; a file here that defines a ``BRIDGE`` is found by itself."""

from __future__ import annotations

from importlib import import_module
from pkgutil import iter_modules

from pilotbase.data.bridges.definition import Bridge


def bridges() -> dict[str, Bridge]:
    """Return name → bridge."""
    modules = (import_module(f"{__name__}.{found.name}") for found in iter_modules(__path__))
    found: tuple[Bridge, ...] = tuple(module.BRIDGE for module in modules if hasattr(module, "BRIDGE"))
    return {bridge.name: bridge for bridge in found}
