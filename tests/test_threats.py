"""The table of threats names tests and files that are there, and every room of attacks has its row."""

import ast
import re
from pathlib import Path
from typing import NamedTuple

from tests.packages_for_tests import PACKAGES

ROOT = Path(__file__).parent.parent
TEXT = (ROOT / "docs" / "threats.md").read_text("utf-8")


class Row(NamedTuple):
    way: str
    stop: str
    shown: str
    remains: str


ROWS = [
    Row(*(cell.strip() for cell in line.split("|")[1:-1]))
    for line in TEXT.splitlines()
    if line.startswith("| ") and not line.startswith("| Attack ") and line.count(" | ") == 3
]
TESTS = [test for row in ROWS for test in re.findall(r"`(tests/[\w/]+\.py)::(test_\w+)`", row.shown)]


def functions(path):
    return {node.name for node in ast.parse(path.read_text("utf-8")).body if isinstance(node, ast.FunctionDef)}


def test_every_test_that_is_named_exists():
    assert [f"{path}::{name}" for path, name in TESTS if name not in functions(ROOT / path)] == []


def test_every_file_that_is_named_exists():
    named = [path for row in ROWS for path in re.findall(r"`(\w+/[\w/.]*)`", row.stop)]
    assert [path for path in named if not any((package / path).exists() for package in PACKAGES)] == []
    assert len(named) > len(ROWS)


def test_every_file_of_attacks_is_named():
    files = [path for room in ("hostile", "attacks") for path in (ROOT / "tests" / room).glob("test_*.py")]
    assert {str(path.relative_to(ROOT)) for path in files} - {path for path, _ in TESTS} == set()


def test_what_is_stopped_is_shown_and_what_is_not_is_said_to_remain():
    assert len(ROWS) > 50
    for row in ROWS:
        assert row.way and row.stop and (row.shown or row.remains), row
