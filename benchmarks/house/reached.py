"""Which functions and classes are reached from what the tests name, or from a command, a page or a setting.

Reaching goes by words: a name is reached if it occurs in a test, in a template, in the code that a file runs when
loaded (routes, settings, commands) or in the body of a definition that is itself reached. So no running code is missed,
and unused names are found; a name defined in two files is reached if one of them is.
"""

from __future__ import annotations

import ast
import re
from collections import defaultdict

from benchmarks.house.tree import PACKAGES, Source, sources

Definition = ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef


def reached(named: frozenset[str]) -> set[str]:
    """Return our names that are reached from those ``named`` outside the package."""
    uses: defaultdict[str, set[str]] = defaultdict(set)
    roots = {*named, *_words_of_templates()}
    for source in sources():
        for node in source.tree.body:
            if isinstance(node, Definition):
                uses[node.name] |= _words(source, node) - {node.name}
                roots |= _started_by_decorator(node)
            elif not isinstance(node, ast.Import | ast.ImportFrom):
                roots |= _words(source, node)
    found: set[str] = set()
    waiting = [name for name in roots if name in uses]
    while waiting:
        name = waiting.pop()
        if name not in found:
            found.add(name)
            waiting += [word for word in uses[name] if word in uses and word not in found]
    return found


def words(text: str) -> set[str]:
    """Return the names that occur in ``text``."""
    return set(re.findall(r"[^\W\d]\w*", text))


def _words(source: Source, node: ast.stmt) -> set[str]:
    first = min([node.lineno, *(each.lineno for each in getattr(node, "decorator_list", []))])
    return words("\n".join(source.text.splitlines()[first - 1 : node.end_lineno]))


def _started_by_decorator(node: Definition) -> set[str]:
    """Return the name that a call like ``@router.get(…)``, ``@does(…)`` or ``@page(…)`` hands to what will call it."""
    calls = [
        each
        for each in node.decorator_list
        if isinstance(each, ast.Call)
        and (isinstance(each.func, ast.Attribute) or ast.unparse(each.func) in ("does", "page"))
    ]
    return {node.name} if calls and not isinstance(node, ast.ClassDef) else set()


def _words_of_templates() -> set[str]:
    paths = (
        path
        for package in PACKAGES
        for suffix in ("html", "txt", "js")
        for path in sorted(package.rglob(f"*.{suffix}"))
    )
    return {word for path in paths for word in words(path.read_text("utf-8"))}
