"""``--shard``: together the parts are all tests, no test is in two, and costly neighbours are spread.

What tests of one file share stays on one worker and in one part. ``--forks``: every test is run once and told.
"""

import re
import subprocess
import sys
from collections import Counter
from types import SimpleNamespace

import pytest

from tests.conftest import deal, pytest_collection_modifyitems
from tests.scheduling import LONGEST, ROOT, parcels, shares_state

SHARING = "tests/hub/test_sites.py"


def cases_of(file):
    return [SimpleNamespace(nodeid=f"{file}::test_{number}[a]") for number in range(15)]


def names(items):
    return [item.nodeid for item in items]


class Chosen:
    """What pytest asks its hooks with, for one part."""

    def __init__(self, shard):
        self.shard, self.hook, self.items = shard, self, cases_of("tests/test_shards.py") + cases_of(SHARING)
        self.rest = []

    def getoption(self, name):
        return {"shard": self.shard}[name]

    def pytest_deselected(self, items):
        self.rest = items


@pytest.mark.parametrize("hands", [1, 2, 4, 7, 40])
def test_parts_are_disjoint_and_cover_all(hands):
    parts = [Chosen(f"{number}/{hands}") for number in range(1, hands + 1)]
    everything = sorted(names(Chosen("1/1").items))
    for part in parts:
        pytest_collection_modifyitems(part, part.items)
        assert sorted(names([*part.items, *part.rest])) == everything, "what is not run is told as not chosen"
    assert sorted(name for part in parts for name in names(part.items)) == everything
    shared = Counter(at for at, part in enumerate(parts) for name in names(part.items) if name.startswith(SHARING))
    assert len(shared) == 1, "in one part"


@pytest.mark.parametrize(
    ("file", "shared"),
    [(SHARING, True), ("tests/hub/test_imports.py", True), ("tests/documents/test_moments.py", False)],
    ids=["its own fixture", "a fixture of the folder", "none"],
)
def test_a_file_whose_tests_share_what_a_fixture_made_stays_on_one_worker(file, shared):
    assert shares_state(file) is shared
    assert len(parcels(cases_of(file))) == (1 if shared else 15)


def test_the_longest_begin_first_and_then_what_many_tests_share():
    assert all((ROOT / file).is_file() for file in LONGEST)
    few, many = cases_of("tests/documents/test_moments.py"), cases_of(SHARING)
    order = [parcel[0].nodeid for parcel in parcels([*few, *many, *cases_of(LONGEST[1])[:2], *cases_of(LONGEST[0])])]
    files = list(dict.fromkeys(nodeid.partition("::")[0] for nodeid in order))
    assert files == [LONGEST[0], LONGEST[1], SHARING, "tests/documents/test_moments.py"]


def test_no_part_has_all_that_is_costly():
    """Every second one costs much, as on PostgreSQL; and so do seven neighbours."""
    assert {sum(at % 2 for at in hand) for hand in deal(range(960), 4)} == {120}
    assert {sum(100 <= at < 107 for at in hand) for hand in deal(range(960), 4)} <= {1, 2}


@pytest.mark.parametrize("wrong", ["", "2", "0/4", "5/4", "a/b", "1/0", "1/4/2"])
def test_what_is_no_part_is_refused(wrong):
    with pytest.raises(pytest.UsageError, match="2/4"):
        pytest_collection_modifyitems(Chosen(wrong), [])


TOLD = """
import os, pytest
@pytest.mark.parametrize("number", range(8))
def test_odd(number): assert number % 2, "even"
def test_skipped(): pytest.skip("not here")
def test_killed(): os._exit(3)
def test_printed(capfd): os.write(1, b"x"); assert capfd.readouterr().out == "x"
"""


def test_forked_processes_tell_what_passed_and_failed_and_where_one_was_killed(tmp_path):
    (file := tmp_path / "test_told.py").write_text(TOLD)
    options = ["--forks", "3", "--basetemp", tmp_path / "made"]  # else it clears away what earlier runs have left
    command = [sys.executable, "-m", "pytest", "-q", "-p", "tests.forking", *options, file]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 1
    undone = r"5 failed, [45] passed, 1 skipped"  # the process that was killed may have held one more
    assert re.search(undone, done.stdout), done.stdout
    assert "ended with 3" in done.stdout and done.stdout.count("even") >= 4
