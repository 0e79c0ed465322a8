"""Exceptions to the rules, read from ``exceptions.toml``."""

from __future__ import annotations

import tomllib
from functools import cache
from pathlib import Path

_FILE = Path(__file__).with_name("exceptions.toml")


def lazy_files() -> frozenset[str]:
    """Return the names of files that may import ours inside functions."""
    return frozenset(each["file"] for each in _written().get("lazy", []))


def same_lines() -> frozenset[str]:
    """Return the first lines of runs that may occur in two places."""
    return frozenset(each["line"] for each in _written().get("duplicate", []))


def unreached_names() -> frozenset[str]:
    """Return public names that are used by code other than ours."""
    return frozenset(each["name"] for each in _written().get("unreached", []))


def reasons() -> list[tuple[str, str, str]]:
    """Return rule, its exception, and the reason."""
    return [
        (rule, next(value for key, value in each.items() if key != "reason"), each["reason"])
        for rule, entries in _written().items()
        for each in entries
    ]


@cache
def _written() -> dict[str, list[dict[str, str]]]:
    return tomllib.loads(_FILE.read_text("utf-8"))
