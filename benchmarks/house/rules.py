"""The rules of the house: violations as ``file:line`` with what to do. Figures and quick tests read them here."""

from __future__ import annotations

import re

from benchmarks.house import exceptions
from benchmarks.house.duplicates import RUN, duplicates
from benchmarks.house.imports import lazy_imports, module_imports, rings
from benchmarks.house.public_names import public_names, unreached
from benchmarks.house.sizes import FILE_LINES, FUNCTION_LINES, Sized, file_lines, function_lines
from benchmarks.house.tree import sources

_TOLD = re.compile(r'"""[\s\S]*?"""')
_NAME_IN_WORDS = re.compile(r"(?<!`)`([A-Za-z_][\w.]*)(?:\([^`]*\))?`(?!`)")


def long_files() -> list[str]:
    """Return files that are too long."""
    return [_too_long(each, FILE_LINES, "split it by ideas") for each in file_lines() if each.size > FILE_LINES]


def long_functions() -> list[str]:
    """Return functions that are too long."""
    advice = "give its steps names of their own"
    return [_too_long(each, FUNCTION_LINES, advice) for each in function_lines() if each.size > FUNCTION_LINES]


def rings_of_files() -> list[str]:
    """Return files that import each other in a ring. For rooms and sub-packages, the import contracts check this."""
    return [f"{' ↔ '.join(ring)}: what both need belongs below them" for ring in rings(module_imports())]


def hidden_imports() -> list[str]:
    """Return imports of our own inside functions; commands may, so that ``--help`` is quick."""
    allowed = exceptions.lazy_files()
    return [
        f"{place} imports {target} inside a function: import it at the top, or name the file in exceptions.toml"
        for place, _, target in lazy_imports()
        if "/cli/" not in place and place.partition(":")[0].rpartition("/")[2] not in allowed
    ]


def same_lines() -> list[str]:
    """Return runs of lines that occur in two places."""
    return [
        f"{each.first} and {each.second}: the same {each.lines} lines: one function, or a reason in exceptions.toml"
        for each in duplicates(RUN)
        if each.text not in exceptions.same_lines()
    ]


def unused_names() -> list[str]:
    """Return public functions and classes that no test, command, page or setting reaches."""
    return [
        f"{each.place} {each.name} is used by nobody: delete it, or name it in exceptions.toml"
        for each in unreached(public_names())
        if each.name not in exceptions.unreached_names()
    ]


def gone_names() -> list[str]:
    """Return names in backticks of docstrings that no code has."""
    code = {word for source in sources() for word in re.findall(r"\w+", _TOLD.sub("", source.text))}
    known = code | {part for source in sources() for part in source.module.split(".")}
    return [
        f"{source.path}: {found[0]} is the name of nothing: say what it is called now"
        for source in sources()
        for told in _TOLD.findall(source.text)
        for found in _NAME_IN_WORDS.finditer(told)
        if not known.issuperset(found[1].split("."))
    ]


def stale_exceptions() -> list[str]:
    """Return exceptions that are no longer needed."""
    needed = {
        "lazy": {place.partition(":")[0].rpartition("/")[2] for place, room, _ in lazy_imports() if room != "cli"},
        "duplicate": {each.text for each in duplicates(RUN)},
        "unreached": {each.name for each in unreached(public_names())},
    }
    written = exceptions.reasons()
    return [f"exceptions.toml: {what} is none: take it out" for rule, what, _ in written if what not in needed[rule]]


def _too_long(each: Sized, bound: int, advice: str) -> str:
    return f"{each.place} {each.name} has {each.size} lines, {bound} are allowed: {advice}"
