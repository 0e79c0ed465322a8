"""The figures of the house as rows: value, bound, the place of the worst, and what peers have."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

from benchmarks.house import dependencies, mutants, reading, rules, starting
from benchmarks.house.beside import peers
from benchmarks.house.duplicates import RUN
from benchmarks.house.entered import COMMANDS, entered
from benchmarks.house.imports import Graph, lazy_imports, module_imports, rings, room_imports
from benchmarks.house.public_names import for_tests_alone, public_names, undocumented, unmentioned
from benchmarks.house.runs import kept, stamp
from benchmarks.house.sizes import (
    FILE_LINES,
    FUNCTION_LINES,
    PARAMETERS,
    Sized,
    file_lines,
    function_lines,
    parameters,
    spread,
)
from benchmarks.house.tree import PACKAGES, sources
from benchmarks.publishing import ROOT, Row, row

HELP, ASKED = "`pilotbase --help`", "`pilotbase work`, on a new base"
COVERAGE = "lines that the quick tests run"


def figures(earlier: list[Row]) -> list[Row]:
    """Return every figure; those of long runs from the last run here, otherwise as published ``earlier``."""
    quick = [*_shape(), *_reading(), *_imports(), *_names(), *_install()]
    known = {each["name"]: each for each in earlier}
    long = ((name, measure()) for name, _, measure in _long_runs())
    return [*quick, *(found or known[name] for name, found in long if found or name in known)]


def unmeasured(rows: list[Row]) -> dict[str, str]:
    """Return figure → command, for those that no run has measured yet."""
    found = {each["name"] for each in rows}
    return {name: command for name, command, _ in _long_runs() if name not in found}


def _shape() -> Iterator[Row]:
    yield _spread("lines of a file", file_lines(), FILE_LINES, "file m / 90 % / most")
    yield _spread("lines of a function", function_lines(), FUNCTION_LINES, "function m / 90 % / most")
    many = [each for each in parameters() if each.size > PARAMETERS]
    note = f"more than {PARAMETERS}: {len(many)}, each with its reason where it stands (ruff)"
    yield _spread("parameters of a function", parameters(), None, "most parameters (functions over 6)") | {"note": note}
    yield _count(f"runs of {RUN} same lines in two places", rules.same_lines())


def _reading() -> Iterator[Row]:
    rooms = reading.lines_by_room()
    beside = sum(rooms.pop(package.name, 0) for package in PACKAGES[1:])
    yield _row("lines of plug-ins", beside, "") | {"shown": f"{beside:,}"}
    yield _row("lines of the package", sum(rooms.values()), "") | {
        "shown": f"{sum(rooms.values()):,}",
        "note": ", ".join(f"{room} {lines:,}" for room, lines in rooms.items()),
    }
    yield _at_most("files of the package", len(reading.files()), reading.FILES)
    yield _spread("our own files that a file imports", reading.own_imports(), reading.OWN_IMPORTS)
    twice = reading.names_twice()
    note = ", ".join(f"{name} {len(places)}" for name, places in list(twice.items())[:10])
    yield _at_most("names that two public classes have", len(twice), reading.NAMES_TWICE) | {"note": note}
    for command in COMMANDS:
        bound = reading.ENTERED if command == "trial run" else None
        yield _at_most(f"files entered by `{command}`", len(entered(command)), bound)


def _imports() -> Iterator[Row]:
    yield _ring("files", module_imports(), "ring of files")
    yield _ring("rooms", room_imports(), "ring of rooms")
    longest = max(map(len, rings(reading.all_imports())), default=0)
    yield _at_most("largest ring of files, imports in functions and by strings too", longest, reading.RING)
    places = {place for place, _, _ in lazy_imports() if "/cli/" not in place}
    named = {place.partition(":")[0] for place in places}
    note = f"named: {len(places)} in {len(named)} files; commands may, so that `--help` is quick"
    hidden = _count("imports of our own inside functions", rules.hidden_imports())
    yield hidden | {"note": note, "peers": peers("lazy")}


def _names() -> Iterator[Row]:
    names = public_names()
    free = [each for each in names if each.kind != "method"]
    share = 100 * (1 - len(undocumented(names)) / len(names))
    documented = _row("public functions, classes and methods with a docstring", share, "%")
    yield documented | {"peers": peers("documented names")}
    yield _count("public functions and classes without a docstring", [each.place for each in undocumented(free)])
    unnamed = len(unmentioned(names))
    mentioned = _row("public functions and classes no test mentions", unnamed, "")
    note = "by word; most run below what tests call, and which lines do not is the coverage"
    yield mentioned | {"shown": f"{unnamed:,} of {len(free):,}", "note": note}
    yield _count("public functions and classes reached from nowhere", rules.unused_names())
    alone = [each.name for each in for_tests_alone(names)]
    yield _row("public functions and classes that only tests reach", len(alone), "") | {"note": ", ".join(alone)}
    code = sum(each.text.count("\n") for each in sources())
    tests = sum(path.read_text("utf-8").count("\n") for path in (ROOT / "tests").rglob("*.py"))
    yield _row("lines of tests to a line of code", tests / code, "")


def _install() -> Iterator[Row]:
    packages = dependencies.locked()
    note = f"{len(dependencies.declared())} asked for by name, the others come with them"
    yield _row("packages of the base install", len(packages), "") | {"note": note}
    brought = [[each.name, each.packages, each.megabytes, each.alone] for each in dependencies.dependencies()]
    yield _row("size of the base install", dependencies.megabytes(packages), "MB") | {"brought": brought}


def _long_runs() -> Iterator[tuple[str, str, Callable[[], Row | None]]]:
    """Yield name, command, and a function for the row of a slow or noise-sensitive figure; None: not measured."""
    yield HELP, "make measured", partial(_started, HELP, starting.seconds, starting.SECONDS, "s")
    yield ASKED, "make measured", partial(_started, ASKED, starting.cpu_seconds, starting.CPU_SECONDS, "CPU s")
    for room in mutants.ROOMS:
        yield f"mutants killed in {room}", "make prove", partial(_killed, room)
    yield COVERAGE, "make measured COVERAGE=1", _covered
    yield "`make demo`", "make measured DEMO=1", partial(_timed, "demo")
    yield "`make test`", "make test", partial(_timed, "test")


def _started(name: str, measure: Callable[[], list[float]], bound: float, unit: str) -> Row | None:
    if not starting.is_quiet():
        return None
    seconds = measure()
    median = starting.median(seconds)
    return _row(name, median, unit, f"<= {bound}", median <= bound) | {"note": f"median of {len(seconds)} runs"}


def _killed(room: str) -> Row | None:
    found = kept(f"mutants-{room}")
    if found is None:
        return None
    share, bound = 100 * found["killed"] / found["mutants"], 100 * mutants.KILLED_AT_LEAST
    survivors = found["mutants"] - found["killed"]
    note = f"{found['killed']} of {found['mutants']}" + (f"; {survivors} explained below" if survivors else "")
    return _row(f"mutants killed in {room}", share, "%", f">= {bound:g}", share >= bound) | {"note": note} | _of(found)


def _covered() -> Row | None:
    found = kept("coverage")
    if found is None:
        return None
    rooms: dict[str, list[int]] = found["rooms"]
    shares = {room: run / lines for room, (run, lines) in rooms.items() if lines}
    least = ", ".join(f"{room} {100 * shares[room]:.0f} %" for room in sorted(shares, key=shares.__getitem__)[:3])
    total = 100 * sum(run for run, _ in rooms.values()) / sum(lines for _, lines in rooms.values())
    return _row(COVERAGE, total, "%") | {"note": f"least: {least}"} | _of(found)


def _timed(run: str) -> Row | None:
    found = kept(run)
    return found and _row(f"`make {run}`", found["seconds"], "s") | _of(found)


def _of(found: dict[str, Any]) -> Row:
    return {"date": found["date"], "commit": found["commit"]}


def _at_most(name: str, value: int, bound: int | None) -> Row:
    if bound is None:
        return _row(name, value, "")
    return _row(name, value, "", f"<= {bound}", value <= bound)


def _spread(name: str, sized: list[Sized], bound: int | None, column: str = "") -> Row:
    found = spread(sized)
    target = None if bound is None else f"<= {bound}"
    largest = found.largest
    held = _row(name, largest.size, "", target, bound is None or largest.size <= bound)
    shown = f"{found.median:g} / {found.ninetieth:g} / {largest.size}"
    return held | {
        "shown": shown,
        "place": f"{largest.place.partition(':')[0]}, {largest.name}",
        "peers": peers(column),
    }


def _ring(what: str, graph: Graph, column: str) -> Row:
    largest = max(map(len, rings(graph)), default=0)
    held = _row(f"largest ring of {what}", largest, "", "<= 0", not largest)
    return held | {"shown": f"{largest} of {len(graph)}", "peers": peers(column)}


def _count(name: str, broken: list[str]) -> Row:
    place = broken[0].partition(" ")[0] if broken else ""
    return _row(name, len(broken), "", "<= 0", not broken) | {"place": place}


def _row(name: str, value: float, unit: str, target: str | None = None, holds: bool = True) -> Row:
    return row(name, value, unit, target, holds) | stamp()
