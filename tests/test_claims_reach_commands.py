"""What `make evidence` simulates is what commands call: each function of ours in a claim is reached from one."""

from __future__ import annotations

import ast
from collections.abc import Iterable, Iterator
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
COMMANDS = ("src/pilotbase/cli", "src/pilotbase/hub", "src/pilotbase/worker", "src/pilotbase/service", "estate")
REGISTERS_NOTHING = {"dataclass", "cache", "contextmanager", "njit", "pydantic"}
Thing = tuple[str, str]
"""A module, and what stands at its top level; "" for all that runs when it is imported."""


@cache
def tops(module: str) -> dict[str, list[ast.stmt]]:
    """Return the statements of each function and class of a module, and of what runs at import; {} if there is none."""
    root = ROOT / ("src" if module.partition(".")[0] == "pilotbase" else "estate")
    path = root.joinpath(*module.split("."))
    file = next((one for one in (path.with_suffix(".py"), path / "__init__.py") if one.is_file()), None)
    found: dict[str, list[ast.stmt]] = {"": []} if file else {}
    for node in ast.parse(file.read_text("utf-8")).body if file else []:
        named = isinstance(node, ast.FunctionDef | ast.ClassDef)
        if named:
            found.setdefault(node.name, []).append(node)
        marks = {one.id for deco in getattr(node, "decorator_list", ()) for one in ast.walk(deco) if hasattr(one, "id")}
        if not named or marks - REGISTERS_NOTHING or node.name == "main":  # of a process of its own
            found[""].append(node)
    return found


def imports(nodes: Iterable[ast.AST]) -> dict[str, Thing]:
    """Return name → what it stands for, of the imports of ours in ``nodes`` and below."""
    below = (one for node in nodes for one in ast.walk(node) if isinstance(one, ast.ImportFrom) and one.module)
    ours = (one for one in below if one.module.split(".")[0] in ("pilotbase", "pilotbase_estate"))
    return {alias.asname or alias.name: (one.module, alias.name) for one in ours for alias in one.names}


@cache
def defined(thing: Thing) -> Thing:
    """Return where a name is defined: a package may only pass it on."""
    module, name = thing
    passed = names_of(module) if tops(module) else {}
    if name in passed and (name in tops(module) or passed[name] != thing):  # not a module of the package itself
        return thing if name in tops(module) else defined(passed[name])
    return (f"{module}.{name}", "") if tops(f"{module}.{name}") else (module, "")


@cache
def names_of(module: str) -> dict[str, Thing]:
    """Return name → what it stands for, everywhere in a module."""
    return {one: (module, one) for one in tops(module)} | imports(tops(module)[""])


def used(thing: Thing) -> Iterator[Thing]:
    """Return what a thing names, itself or in what it imports."""
    module, name = thing
    nodes = tops(module)[name]
    inside = imports(nodes)
    scope = names_of(module) | inside
    yield from ((defined(one)[0], "") for one in inside.values())
    for node in (one for top in nodes for one in ast.walk(top)):
        if isinstance(node, ast.Name) and node.id in scope:
            yield defined(scope[node.id])
        if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name) and node.value.id in scope:
            within = defined(scope[node.value.id])
            yield defined((within[0], node.attr)) if not within[1] else within


@cache
def reached() -> set[Thing]:
    """Return all that commands, pages and jobs can call, by the names that they use."""
    files = (path.relative_to(ROOT).with_suffix("") for room in COMMANDS for path in (ROOT / room).rglob("*.py"))
    modules = [".".join(file.parts[1:]).removesuffix(".__init__") for file in files]
    waiting = [(module, name) for module in modules for name in tops(module)]
    found = set(waiting)
    while waiting:
        new = {one for one in used(waiting.pop()) if tops(one[0])} - found
        found |= new
        waiting += new
    return found


@pytest.mark.prove
def test_each_function_of_ours_in_a_claim_is_reached_from_a_command() -> None:
    pages = (ROOT / "benchmarks/evidence").rglob("*.py")
    tested = {one.stem: {defined(it) for it in imports([ast.parse(one.read_text("utf-8"))]).values()} for one in pages}
    assert {name: things - reached() for name, things in tested.items() if things - reached()} == {}


@pytest.mark.prove
def test_each_function_and_class_of_the_evidence_room_is_reached_from_a_command() -> None:
    """But `primitive`, which says how a state is taken up again: the contract of all, to which tests hold them."""
    stems = {path.stem for path in (ROOT / "src/pilotbase/evidence").glob("[a-z]*.py")} - {"primitive"}
    things = {(room, name) for room in (f"pilotbase.evidence.{stem}" for stem in stems) for name in tops(room)}
    assert sorted(things - reached()) == []
