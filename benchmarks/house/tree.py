"""The source files, each read and parsed once, and places in them."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from benchmarks.publishing import ROOT

PACKAGES = (ROOT / "src" / "pilotbase", ROOT / "estate" / "pilotbase_estate")
"""The core, and the plug-ins of this repository."""
Function = ast.FunctionDef | ast.AsyncFunctionDef


@dataclass(frozen=True)
class Source:
    """A file of ours."""

    path: Path
    """From the root of the tree."""
    text: str
    tree: ast.Module

    @property
    def module(self) -> str:
        """Its dotted name; a package's own file has the package's."""
        parts = self.path.with_suffix("").parts[1:]
        return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)

    @property
    def room(self) -> str:
        """The sub-package of ``pilotbase`` that it is in; for files outside any, and plug-ins, the package itself."""
        if not self.module.startswith("pilotbase."):
            return self.module.partition(".")[0]
        return self.module.split(".")[min(1, self.module.count("."))]

    @property
    def is_migration(self) -> bool:
        """Whether it is a step of a database's schema, which is never edited after its release."""
        return self.path.parent.name in {"migrations", "versions"}

    def place(self, node: ast.stmt | ast.expr) -> str:
        """Return ``file:line``."""
        return f"{self.path}:{node.lineno}"


@cache
def sources() -> tuple[Source, ...]:
    """Return every Python file of our packages."""
    return tuple(_read(path) for package in PACKAGES for path in sorted(package.rglob("*.py")))


def _read(path: Path) -> Source:
    text = path.read_text("utf-8")
    return Source(path.relative_to(ROOT), text, ast.parse(text))


def functions(source: Source) -> Iterator[tuple[str, Function]]:
    """Yield qualified name and node of every function and method, including those inside functions."""
    yield from _functions(source.tree, "")


def _functions(node: ast.AST, inside: str) -> Iterator[tuple[str, Function]]:
    for child in ast.iter_child_nodes(node):
        if isinstance(child, Function | ast.ClassDef):
            name = f"{inside}.{child.name}" if inside else child.name
            if not isinstance(child, ast.ClassDef):
                yield name, child
            yield from _functions(child, name)
        else:
            yield from _functions(child, inside)
