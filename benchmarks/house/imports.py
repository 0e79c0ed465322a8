"""What imports what among our own files: rings, and imports hidden in functions."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from functools import cache

from benchmarks.house.tree import Source, sources

Graph = dict[str, set[str]]


@cache
def module_imports() -> Graph:
    """Return module → our modules that it imports when loaded; imports for type checkers only are left out."""
    known = {source.module for source in sources()}
    return {
        source.module: {
            target
            for node in _outside_functions(source.tree)
            for target in _targets(node, known)
            if target != source.module
        }
        for source in sources()
    }


def room_imports() -> Graph:
    """Return room → rooms it imports."""
    rooms = {source.module: source.room for source in sources()}
    graph: Graph = {room: set() for room in rooms.values()}
    for module, targets in module_imports().items():
        graph[rooms[module]] |= {rooms[target] for target in targets} - {rooms[module]}
    return graph


@cache
def lazy_imports() -> tuple[tuple[str, str, str], ...]:
    """Return place, room and our module of every import inside a function."""
    known = {source.module for source in sources()}
    return tuple(
        (source.place(node), source.room, target)
        for source in sources()
        for node in _inside_functions(source)
        for target in sorted(set(_targets(node, known)))
    )


def own_imports_by_string() -> tuple[tuple[str, str, str], ...]:
    """Return place, room and our module of every ``import_module("…")`` that names one of ours."""
    known = {source.module for source in sources()}
    return tuple(
        (source.place(node), source.room, node.args[0].value)
        for source in sources()
        for node in ast.walk(source.tree)
        if isinstance(node, ast.Call)
        and ast.unparse(node.func).endswith("import_module")
        and isinstance(node.args[0], ast.Constant)
        and node.args[0].value in known
    )


def rings(graph: Graph) -> list[list[str]]:
    """Return the groups of modules that import each other in a ring, the largest first."""
    found = [sorted(group) for group in _components(graph) if len(group) > 1]
    return sorted(found, key=lambda group: (-len(group), group))


def _components(graph: Graph) -> list[set[str]]:
    """Return the strongly connected components (Kosaraju): reach forwards in reverse order of finishing backwards."""
    backwards: Graph = {name: set() for name in graph}
    for name, targets in graph.items():
        for target in targets:
            backwards[target].add(name)
    seen: set[str] = set()
    finished = [name for start in graph for name in _reached(start, graph, seen)]
    seen = set()
    return [set(_reached(start, backwards, seen)) for start in reversed(finished) if start not in seen]


def _reached(start: str, graph: Graph, seen: set[str]) -> list[str]:
    """Return what is reached from ``start`` and not yet in ``seen``, each after everything it leads to."""
    order: list[str] = []
    stack = [(start, False)]
    while stack:
        name, done = stack.pop()
        if done:
            order.append(name)
        elif name not in seen:
            seen.add(name)
            stack.append((name, True))
            stack += [(target, False) for target in sorted(graph[name])]
    return order


def _targets(node: ast.stmt, known: set[str]) -> Iterator[str]:
    if isinstance(node, ast.Import):
        yield from (alias.name for alias in node.names if alias.name in known)
    elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
        for alias in node.names:
            whole = f"{node.module}.{alias.name}"
            target = whole if whole in known else node.module
            if target in known:
                yield target


def _outside_functions(node: ast.AST) -> Iterator[ast.stmt]:
    for child in ast.iter_child_nodes(node):
        if isinstance(child, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda):
            continue
        if isinstance(child, ast.If) and ast.unparse(child.test).endswith("TYPE_CHECKING"):
            yield from (found for other in child.orelse for found in _outside_functions(other))
            continue
        if isinstance(child, ast.Import | ast.ImportFrom):
            yield child
        yield from _outside_functions(child)


def _inside_functions(source: Source) -> Iterator[ast.stmt]:
    outer = [node for node in ast.walk(source.tree) if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)]
    inner = {node for function in outer for node in ast.walk(function) if isinstance(node, ast.Import | ast.ImportFrom)}
    yield from sorted(inner, key=lambda node: node.lineno)
