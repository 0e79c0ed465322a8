"""The known forms of applications: each is a module of this package."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from types import MappingProxyType, ModuleType

from pilotbase.documents.application import Form
from pilotbase.documents.plugins import loaded
from pilotbase.sandbox.adapters import acting, world_program


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
        return Adapter(form.interface, Path(_BY_INTERFACE[form.interface].__file__ or ""), (), "")
    return adapter_of(form.runtime)


@cache
def known_adapters() -> Mapping[str, Adapter]:
    """Return every adapter, by runtime."""
    modules = [module for module in loaded("sandbox.adapters") if hasattr(module, "RUNTIME")]
    return MappingProxyType({module.RUNTIME: _adapter(module) for module in modules})


_BY_INTERFACE: Mapping[str, ModuleType] = MappingProxyType({"act": acting, "world": world_program})


def _adapter(module: ModuleType) -> Adapter:
    script = Path(str(module.__file__))
    neighbours = tuple(script.with_name(f"{name}.py") for name in getattr(module, "NEIGHBOURS", ()))
    return Adapter(module.RUNTIME, script, module.NEEDS, module.EXTRA, neighbours)
