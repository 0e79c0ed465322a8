"""What a reader has to keep in mind: files, lines of each room, what one file needs, names with two meanings."""

from __future__ import annotations

import ast
from collections import Counter, defaultdict
from collections.abc import Iterator

from benchmarks.house.imports import Graph, lazy_imports, module_imports, own_imports_by_string
from benchmarks.house.sizes import Sized
from benchmarks.house.tree import Source, sources

FOUND = (
    "measures/formulas", "data/quality/measures", "data/suspects", "data/bridges", "data/sources/kinds",
    "certificate/exports", "trial/probes", "trial/blind_baselines/programs", "watch/detectors", "sandbox/adapters",
    "sandbox/endpoints/wires",
    "gateway/upstreams/wires", "notices/channels",
)  # fmt: skip
"""Folders in which a new thing of a kind is one file, found by itself: nobody reads them all, so they may grow."""
FILES, OWN_IMPORTS, NAMES_TWICE, RING, ENTERED = 1017, 25, 20, 0, 235
"""Upper bounds; files of the core and the estate together, without those in `FOUND`; aims: 950 and 180, 25, 20, 250."""


def files() -> list[Source]:
    """Return the files that make the house larger: all but those in `FOUND`."""
    return [source for source in sources() if not source.path.parent.as_posix().endswith(FOUND)]


def lines_by_room() -> dict[str, int]:
    """Return room → lines of Python, the largest first."""
    lines: Counter[str] = Counter()
    for source in sources():
        lines[source.room] += source.text.count("\n")
    return dict(lines.most_common())


def own_imports() -> list[Sized]:
    """Return how many of our files each file imports; files that only re-export names are left out."""
    return [
        Sized(f"{source.path}:1", source.module, len(module_imports()[source.module]))
        for source in sources()
        if source.path.name != "__init__.py"
    ]


def names_twice() -> dict[str, list[str]]:
    """Return the public names that two or more classes have → where, the commonest first."""
    places: defaultdict[str, list[str]] = defaultdict(list)
    for place, name in _classes():
        places[name].append(place)
    twice = {name: found for name, found in places.items() if len(found) > 1}
    return dict(sorted(twice.items(), key=lambda each: (-len(each[1]), each[0])))


def all_imports() -> Graph:
    """Return module → our modules that it imports at any time: when loaded, inside a function, by a string."""
    graph = {module: set(targets) for module, targets in module_imports().items()}
    modules = {str(source.path): source.module for source in sources()}
    for place, _, target in (*lazy_imports(), *own_imports_by_string()):
        module = modules[place.partition(":")[0]]
        if "/cli/" not in place and module != target:
            graph[module].add(target)
    return graph


def _classes() -> Iterator[tuple[str, str]]:
    """Yield place and name; worlds are programs of boxes, which all define the same."""
    for source in (one for one in sources() if one.path.name != "world.py" or one.room != "worlds"):
        for node in ast.walk(source.tree) if not source.is_migration else ():
            if isinstance(node, ast.ClassDef) and not node.name.startswith("_"):
                yield source.place(node), node.name
