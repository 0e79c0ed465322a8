"""Every error that the source can raise, read off the source: its code, its class and the values it is given.

Nothing is imported, and no list is kept: a new ``raise`` is found by its class, a new class by its base.
"""

from __future__ import annotations

import ast
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path
from typing import TypeGuard

from pilotbase.documents.catalogues import catalogue
from pilotbase.documents.errors import PilotbaseError

_TOP = Path(__file__).resolve().parent.parent
SOURCES = (_TOP / "src", _TOP / "estate")
_ROOT = PilotbaseError.__name__
_TOLD = (ast.ClassDef, ast.Call, ast.Constant)
_LEAVES = {ast.Name, ast.Load, ast.Store, ast.alias}
_NO_VALUE = {"issues"}
"""What errors are given besides the values of their sentence."""


@dataclass(frozen=True)
class Site:
    """One place where an error is made; ``kind`` is empty where only its sentence is made, to be told later."""

    code: str | None
    """None where a variable holds it."""
    kind: str
    given: frozenset[str]
    place: str
    open: bool = False
    """Further values come by ``**``."""


def error_codes() -> dict[str, list[Site]]:
    """Return code → the places where it is raised."""
    found: dict[str, list[Site]] = {}
    for site in sites():
        if site.code is not None:
            found.setdefault(site.code, []).append(site)
    return dict(sorted(found.items()))


@cache
def sites() -> tuple[Site, ...]:
    """Return every place where an error is made."""
    return tuple(site for name in _files() for site in _resolved(name))


@cache
def exit_codes() -> Mapping[str, int]:
    """Return error class → exit code; a class has its parent's, unless it sets its own."""
    classes = [node for nodes in _files().values() for node in nodes if isinstance(node, ast.ClassDef)]
    found = {_ROOT: PilotbaseError.exit_code}
    while grown := [node for node in classes if node.name not in found and _parent(node) in found]:
        found |= {node.name: _own_exit_code(node) or found[_parent(node)] for node in grown}
    return found


def module_of(kind: str) -> str:
    """Return the module that defines an error class."""
    places = (name for name, node in _error_classes() if node.name == kind)
    return next(places).removesuffix(".py").replace("/", ".")


def added_by(kind: str) -> frozenset[str]:
    """Return the values that a class gives to every sentence by itself."""
    own = (site for site in sites() if site.kind == kind and site.code is None)
    return frozenset().union(*(site.given for site in own))


def has_hint(code: str) -> bool:
    """Return whether the catalogue says what to do about ``code``, which makes its sentence an error's."""
    return f"{code}.hint" in catalogue(code.partition(".")[0], "en")


@cache
def _files() -> Mapping[str, tuple[ast.AST, ...]]:
    """Return file → the classes, calls and constants of its tree, in the order of `ast.walk`."""
    files = ((file.relative_to(top).as_posix(), file) for top in SOURCES for file in sorted(top.rglob("*.py")))
    return {name: tuple(_read(ast.parse(file.read_text("utf-8")))) for name, file in files}


def _read(tree: ast.AST) -> Iterator[ast.AST]:
    """Yield what errors are made of: names and operators, most of a tree, hold nothing of it."""
    nodes = [tree]
    for node in nodes:  # grows as it is read
        if isinstance(node, _TOLD):
            yield node
        for field in node._fields:
            value = getattr(node, field, None)
            inner = value if isinstance(value, list) else (value,)
            nodes += [child for child in inner if isinstance(child, ast.AST) and type(child) not in _LEAVES]


@cache
def _words() -> Mapping[str, tuple[str, ...]]:
    """Return file → what could be codes of errors in it, in order."""
    return {name: tuple(filter(has_hint, _constants(nodes))) for name, nodes in _files().items()}


def _constants(nodes: Iterable[ast.AST]) -> Iterator[str]:
    values = (node.value for node in nodes if isinstance(node, ast.Constant))
    return (value for value in values if isinstance(value, str) and "." in value)


def _resolved(name: str) -> Iterator[Site]:
    """Yield the sites of one file; a code that it hands to a site by a variable is a site of its own."""
    found = list(_sites_in(name))
    written = {site.code for site in found}
    handed = [code for code in dict.fromkeys(_words()[name]) if code not in written]
    for site in found:
        yield site
        if site.code is None:
            yield from (replace(site, code=code) for code in handed)


def _sites_in(name: str) -> Iterator[Site]:
    for kind, call in _calls(_files()[name]):
        first, given = call.args[0], frozenset(word.arg for word in call.keywords if word.arg) - _NO_VALUE
        codes: list[str | None] = [None] if kind and isinstance(first, ast.Name) else []
        if isinstance(first, ast.Constant) and isinstance(first.value, str):
            codes = [first.value] if kind or has_hint(first.value) else []
        elif isinstance(first, ast.JoinedStr) and isinstance(first.values[0], ast.Constant):
            codes = [*_put_together(str(first.values[0].value))]
        is_open = any(word.arg is None for word in call.keywords)
        yield from (Site(code, kind, given, f"{name}:{call.lineno}", is_open) for code in codes)


@cache
def _error_classes() -> tuple[tuple[str, ast.ClassDef], ...]:
    """Return (file, class) of every error."""
    return tuple((name, node) for name, nodes in _files().items() for node in nodes if _is_error(node))


def _calls(nodes: Sequence[ast.AST]) -> Iterator[tuple[str, ast.Call]]:
    """Yield (class, call) of whatever makes an error, and ("", call) of whatever makes a sentence."""
    own = {id(node): outer.name for outer in nodes if _is_error(outer) for node in ast.walk(outer)}
    for node in nodes:
        if isinstance(node, ast.Call) and node.args:
            name = _last_name(node.func)
            if name in exit_codes():
                yield name, node
            elif name in ("cls", "__init__") and id(node) in own:
                yield own[id(node)], node
            elif name == "text":
                yield "", node


@cache
def _put_together(prefix: str) -> tuple[str, ...]:
    """Return the errors' codes that begin with ``prefix`` and that no file writes out."""
    written = {word for words in _words().values() for word in words}
    domain = catalogue(prefix.partition(".")[0], "en")
    return tuple(code for code in domain if code.startswith(prefix) and code not in written and has_hint(code))


def _is_error(node: ast.AST) -> TypeGuard[ast.ClassDef]:
    return isinstance(node, ast.ClassDef) and node.name in exit_codes()


def _last_name(node: ast.expr) -> str:
    return node.attr if isinstance(node, ast.Attribute) else node.id if isinstance(node, ast.Name) else ""


def _parent(node: ast.ClassDef) -> str:
    return _last_name(node.bases[0]) if node.bases else ""


def _own_exit_code(node: ast.ClassDef) -> int | None:
    for line in node.body:
        if isinstance(line, ast.Assign) and ast.unparse(line.targets[0]) == "exit_code":
            return int(ast.literal_eval(line.value))
    return None
