"""The known forms of applications: each is a module of this package."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from types import MappingProxyType, ModuleType

from pilotbase.documents.application import Form
from pilotbase.documents.plugins import loaded
from pilotbase.protocols import mcp_wire
from pilotbase.sandbox.adapters import acting, agent_door, world_program


@dataclass(frozen=True)
class Adapter:
    """A module that loads one form of application in the box."""

    runtime: str
    script: Path
    needs: tuple[str, ...]
    """Distributions that the box gets; none if the application brings its own in its lock."""
    extra: str
    """The extra of Pilotbase that installs them."""
    neighbours: tuple[Path, ...] = ()
    """Modules that it uses, beside it in the box."""

    @property
    def scripts(self) -> tuple[Path, ...]:
        """Every file that the box gets."""
        return (self.script, *self.neighbours)


def adapter_of(runtime: str) -> Adapter | None:
    """Return the adapter for applications of that runtime; None: the runner itself, which imports Python code."""
    return known_adapters().get(runtime)


def loader_of(form: Form) -> Adapter | None:
    """Return what loads an application of that form: by its interface if it is Python, else by its runtime."""
    if form.runtime == "python" and form.interface != "predict":
        script, *neighbours = (Path(str(module.__file__)) for module in _BY_INTERFACE[form.interface])
        return Adapter(form.interface, script, (), "", tuple(neighbours))
    return adapter_of(form.runtime)


@cache
def known_adapters() -> Mapping[str, Adapter]:
    """Return every adapter, by runtime."""
    modules = [module for module in loaded("sandbox.adapters") if hasattr(module, "RUNTIME")]
    return MappingProxyType({module.RUNTIME: _adapter(module) for module in modules})


_BY_INTERFACE: Mapping[str, tuple[ModuleType, ...]] = MappingProxyType(
    {"act": (acting, agent_door), "mcp": (agent_door, mcp_wire), "world": (world_program,)}
)
"""What loads it in the box, and what lies beside that."""


def _adapter(module: ModuleType) -> Adapter:
    script = Path(str(module.__file__))
    neighbours = tuple(script.with_name(f"{name}.py") for name in getattr(module, "NEIGHBOURS", ()))
    return Adapter(module.RUNTIME, script, module.NEEDS, module.EXTRA, neighbours)
