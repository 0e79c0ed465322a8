"""Which tests stay together, on one worker and in one part: those that share what a fixture of their file has made.

A test of such a file may need what the tests above it did. Other tests go wherever there is room.
"""

import re
from collections.abc import Iterable
from functools import cache
from pathlib import Path

import pytest
from xdist.scheduler import LoadScopeScheduling

ROOT = Path(__file__).parent.parent
LONGEST = (
    "tests/hub/test_who_reaches_what.py",
    "tests/cli/test_walk.py",
    "tests/hub/test_kept_running.py",
    "tests/worker/sites/test_running.py",
    "tests/cli/test_command_line.py",
    "tests/test_plugins.py",
    "tests/hub/test_closed_values.py",
)
"""Files with a test that takes longer than twelve seconds, most of them waiting: they begin before all others."""
READ_ALL = ("tests/test_house.py", "tests/test_texts.py", "tests/vault/test_no_other_way.py")
"""Each of their tests needs all source: on one worker it is read once."""
_OF_A_FILE = re.compile(r'scope="module".*?\ndef (\w+)\(', re.DOTALL)


def unit_of(nodeid: str) -> str:
    """Return what a test stays with: its file, or only itself."""
    file = nodeid.partition("::")[0]
    return file if shares_state(file) else nodeid


@cache
def shares_state(file: str) -> bool:
    """Return whether a test of the file uses a fixture that is made once a file: its own, or of a conftest above."""
    if file in READ_ALL:
        return True
    if not (ROOT / file).is_file():
        return False  # of somebody else's
    text = (ROOT / file).read_text("utf-8")
    above = "|".join(name for folder in (ROOT / file).relative_to(ROOT).parents for name in _fixtures_of(folder))
    return bool(_OF_A_FILE.search(text)) or bool(above and re.search(rf"\b({above})\b", text))


@cache
def _fixtures_of(folder: Path) -> list[str]:
    conftest = ROOT / folder / "conftest.py"
    return _OF_A_FILE.findall(conftest.read_text("utf-8")) if conftest.is_file() else []


def in_units(items: Iterable[pytest.Item]) -> list[list[pytest.Item]]:
    """Return the tests by what they stay with, in their order."""
    units: dict[str, list[pytest.Item]] = {}
    for item in items:
        units.setdefault(unit_of(item.nodeid), []).append(item)
    return list(units.values())


def last_files_first(items: Iterable[pytest.Item]) -> list[pytest.Item]:
    """Return the tests file by file, the last file first: workers and watches take longest, and would begin last."""
    files: dict[str, list[pytest.Item]] = {}
    for item in items:
        files.setdefault(item.nodeid.partition("::")[0], []).append(item)
    return [item for file in reversed(files) for item in files[file]]


def parcels(items: Iterable[pytest.Item]) -> list[list[pytest.Item]]:
    """Return what a worker is given at a time: the longest first, then those of many tests, so that all end together.

    The cases of a function are one parcel.
    """
    together: dict[str, list[pytest.Item]] = {}
    for item in last_files_first(items):
        together.setdefault(_parcel_of(item.nodeid), []).append(item)
    return sorted(together.values(), key=lambda tests: (_place(tests[0].nodeid), -len(tests)))


class ByUnit(LoadScopeScheduling):
    """Gives a worker one parcel after the other, in the order of the tests."""

    def _split_scope(self, nodeid: str) -> str:
        return _parcel_of(nodeid)


def pytest_xdist_make_scheduler(config, log):
    return ByUnit(config, log)


def _parcel_of(nodeid: str) -> str:
    return unit_of(nodeid).partition("[")[0]


def _place(nodeid: str) -> int:
    file = nodeid.partition("::")[0]
    return LONGEST.index(file) if file in LONGEST else len(LONGEST)
