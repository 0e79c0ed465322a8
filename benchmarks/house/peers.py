"""Other code bases measured by our rules: one row of a table for each.

    python -m benchmarks.house.peers NAME=ROOT[:INNER][,TESTS …] …

``ROOT`` is the folder of a package, ``TESTS`` are its folders of tests; a room is a direct child of the package, or of
``INNER`` in it (dotted). Migrations, tests and generated files are left out. Nothing is run, only parsed.
"""

from __future__ import annotations

import ast
import io
import re
import sys
import tokenize
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from benchmarks.house.imports import Graph, rings
from benchmarks.house.sizes import FUNCTION_LINES, PARAMETERS, Sized, spread
from benchmarks.house.tree import Function, Source, functions

_LEFT_OUT = re.compile(r"/(tests?|migrations|versions|_?generated|_view|node_modules)/")
_TEST = re.compile(r"(test_.*|.*_tests?|tests|conftest|.*_for_tests)\.py")
_NO_CODE = (tokenize.NL, tokenize.NEWLINE, tokenize.INDENT, tokenize.DEDENT, tokenize.ENDMARKER)
COLUMNS = (
    *("name", "files", "lines", "file: median / 90 % / most", "function: median / 90 % / most", "functions > 60"),
    *("parameters: most", "functions > 6", "documented", "typed", "Any", "ring of rooms", "ring of files", "lazy"),
    *("comments per 100", "test lines per line", "own errors", "broad per 1,000", "ignored types per 1,000"),
)


@dataclass(frozen=True)
class Peer:
    """A package on this disk."""

    name: str
    root: Path
    inner: str
    tests: tuple[Path, ...]

    @classmethod
    def parse(cls, argument: str) -> Peer:
        """Return the code base that ``NAME=ROOT[:INNER][,TESTS …]`` names."""
        name, _, places = argument.partition("=")
        place, *tests = places.split(",")
        root, _, inner = place.partition(":")
        return cls(name, Path(root).resolve(), inner, tuple(Path(each).resolve() for each in tests))

    def sources(self) -> list[Source]:
        """Return its code, read and parsed."""
        found = (path for path in sorted(self.root.rglob("*.py")) if not self._is_left_out(path))
        return [_read(path, self.root) for path in found]

    def test_files(self) -> Iterator[Path]:
        """Yield the tests in its folders of tests, and those beside its code."""
        yield from (path for folder in self.tests for path in folder.rglob("*.py"))
        yield from (path for path in self.root.rglob("*.py") if _TEST.fullmatch(path.name))

    def _is_left_out(self, path: Path) -> bool:
        return bool(_LEFT_OUT.search(f"/{path.relative_to(self.root)}") or _TEST.fullmatch(path.name))


def row(peer: Peer) -> list[str]:
    """Return the figures of a code base, in the order of `COLUMNS`."""
    sources = peer.sources()
    files = [Sized(f"{source.path}:1", source.module, source.text.count("\n")) for source in sources]
    named = [(source.place(node), name, node) for source in sources for name, node in functions(source)]
    lengths = [Sized(place, name, (node.end_lineno or 0) - node.lineno + 1) for place, name, node in named]
    taken = [Sized(place, name, len(_arguments(node))) for place, name, node in named]
    annotations = [each.annotation for _, _, node in named for each in _arguments(node)]
    loaded, lazy = module_imports(sources)
    between = _between_rooms(loaded, f"{peer.root.name}.{peer.inner}".rstrip("."))
    comments, code = _count_lines(source.text for source in sources)
    _, tested = _count_lines(path.read_text("utf-8") for path in peer.test_files())
    return [
        *(peer.name, str(len(files)), f"{sum(each.size for each in files):,}"),
        *(_spelled(files), _spelled(lengths)),
        str(sum(each.size > FUNCTION_LINES for each in lengths)),
        str(max(each.size for each in taken)),
        str(sum(each.size > PARAMETERS for each in taken)),
        _share([ast.get_docstring(node) is not None for source in sources for node in _public(source.tree)]),
        _share([each is not None for each in annotations]),
        _share([each is not None and "Any" in re.findall(r"\w+", ast.unparse(each)) for each in annotations]),
        *(_largest(between), _largest(loaded), str(lazy)),
        *(f"{100 * comments / code:.1f}", f"{tested / code:.2f}" if tested else "–", _share(_own_errors(sources))),
        *(_per_thousand(_broad_handlers(sources), files), _per_thousand(_ignored_types(sources), files)),
    ]


def module_imports(sources: list[Source]) -> tuple[Graph, int]:
    """Return module → own modules that it imports when loaded, and how many imports hide in functions."""
    known = {source.module for source in sources}
    loaded: Graph = {module: set() for module in known}
    lazy = 0
    for source in sources:
        for node, hidden in _imports(source.tree, hidden=False):
            targets = set(_targets(node, source, known)) - {source.module}
            if hidden:
                lazy += bool(targets)
            else:
                loaded[source.module] |= targets
    return loaded, lazy


def _read(path: Path, root: Path) -> Source:
    text = path.read_text("utf-8")
    return Source("src" / path.relative_to(root.parent), text, ast.parse(text))


def _arguments(node: Function) -> list[ast.arg]:
    """Return the parameters of a function, ``self`` and ``cls`` not counted."""
    named = [*node.args.posonlyargs, *node.args.args, *node.args.kwonlyargs]
    bound = bool(named) and named[0].arg in {"self", "cls"}
    return [*named[bound:], *filter(None, (node.args.vararg, node.args.kwarg))]


def _public(node: ast.Module | ast.ClassDef) -> Iterator[Function | ast.ClassDef]:
    """Yield public functions and classes, and the public methods of these."""
    for child in node.body:
        if isinstance(child, Function | ast.ClassDef) and not child.name.startswith("_"):
            yield child
            if isinstance(child, ast.ClassDef) and isinstance(node, ast.Module):
                yield from _public(child)


def _imports(node: ast.AST, hidden: bool) -> Iterator[tuple[ast.Import | ast.ImportFrom, bool]]:
    """Yield imports and whether they hide in a function; imports for type checkers only are left out."""
    for child in ast.iter_child_nodes(node):
        if isinstance(child, ast.Import | ast.ImportFrom):
            yield child, hidden
        elif isinstance(child, ast.If) and ast.unparse(child.test).endswith("TYPE_CHECKING"):
            yield from (found for other in child.orelse for found in _imports(other, hidden))
        else:
            yield from _imports(child, hidden or isinstance(child, Function | ast.Lambda))


def _targets(node: ast.Import | ast.ImportFrom, source: Source, known: set[str]) -> Iterator[str]:
    if isinstance(node, ast.Import):
        yield from (alias.name for alias in node.names if alias.name in known)
        return
    base = _base(node, source)
    for alias in node.names:
        whole = f"{base}.{alias.name}"
        if whole in known or base in known:
            yield whole if whole in known else base


def _base(node: ast.ImportFrom, source: Source) -> str:
    """Return the module of a ``from`` import, written with dots or in full."""
    if not node.level:
        return node.module or ""
    package = source.module.split(".")
    up = node.level - (source.path.name == "__init__.py")
    return ".".join([*package[: len(package) - up], *filter(None, [node.module])])


def _between_rooms(loaded: Graph, package: str) -> Graph:
    inside = f"{package}."
    rooms = {module: module[len(inside) :].split(".")[0] for module in loaded if module.startswith(inside)}
    graph: Graph = {room: set() for room in rooms.values()}
    for module, targets in loaded.items():
        if module in rooms:
            graph[rooms[module]] |= {rooms[target] for target in targets if target in rooms} - {rooms[module]}
    return graph


def _count_lines(texts: Iterable[str]) -> tuple[int, int]:
    """Return lines with a comment, and lines with anything else: docstrings are code."""
    comments = code = 0
    for text in texts:
        tokens = list(tokenize.generate_tokens(io.StringIO(text).readline))
        comments += len({token.start[0] for token in tokens if token.type == tokenize.COMMENT})
        held = (token for token in tokens if token.type not in (*_NO_CODE, tokenize.COMMENT))
        code += len({line for token in held for line in range(token.start[0], token.end[0] + 1)})
    return comments, code


def _own_errors(sources: list[Source]) -> list[bool]:
    """Return, for every ``raise`` that makes an exception, whether its class is the package's own."""
    classes = [node for source in sources for node in ast.walk(source.tree) if isinstance(node, ast.ClassDef)]
    errors = {each.name for each in classes if _is_error(each)}
    raised = [
        node.exc for source in sources for node in ast.walk(source.tree) if isinstance(node, ast.Raise) and node.exc
    ]
    called = [each.func if isinstance(each, ast.Call) else each for each in raised]
    return [ast.unparse(each).rpartition(".")[2] in errors for each in called]


def _is_error(node: ast.ClassDef) -> bool:
    return any(re.search("Error|Exception", name) for name in (node.name, *map(ast.unparse, node.bases)))


def _broad_handlers(sources: list[Source]) -> int:
    """Return how many handlers catch everything."""
    handlers = [node for source in sources for node in ast.walk(source.tree) if isinstance(node, ast.ExceptHandler)]
    return sum(each.type is None or ast.unparse(each.type) in {"Exception", "BaseException"} for each in handlers)


def _ignored_types(sources: list[Source]) -> int:
    return sum(source.text.count("type: ignore") for source in sources)


def _per_thousand(number: int, files: list[Sized]) -> str:
    return f"{1000 * number / sum(each.size for each in files):.1f}"


def _largest(graph: Graph) -> str:
    found = rings(graph)
    return f"{len(found[0]) if found else 0} of {len(graph)}"


def _spelled(sized: list[Sized]) -> str:
    found = spread(sized)
    return f"{found.median:g} / {found.ninetieth:.0f} / {found.largest.size:,}"


def _share(held: list[bool]) -> str:
    return f"{100 * sum(held) / len(held):.0f} %" if held else "–"


if __name__ == "__main__":
    print(f"| {' | '.join(COLUMNS)} |\n|{'---|' * len(COLUMNS)}")
    for argument in sys.argv[1:]:
        print(f"| {' | '.join(row(Peer.parse(argument)))} |")
