"""The house keeps its own rules; what is measured stands in docs/measured.md (``make measured``).

Parameters, complexity and docstrings are held by ruff, rings between rooms and sub-packages by the import contracts.
"""

import re
import subprocess
import sys
from pathlib import Path

import pytest

from benchmarks.house import reading, rules, starting
from benchmarks.house.dependencies import declared
from benchmarks.house.entered import entered
from benchmarks.house.figures import unmeasured
from benchmarks.house.imports import rings
from benchmarks.house.page import page
from benchmarks.house.tree import sources
from benchmarks.publishing import published
from pilotbase.sandbox.box.environments import with_needed
from pilotbase.sandbox.box.own_functions import IN_A_BOX

PAGE = Path(__file__).parent.parent / "docs" / "measured.md"


@pytest.mark.parametrize(
    "broken",
    [
        rules.long_files,
        rules.long_functions,
        rules.rings_of_files,
        rules.hidden_imports,
        rules.same_lines,
        rules.unused_names,
        rules.gone_names,
        rules.stale_exceptions,
    ],
    ids=lambda rule: rule.__name__,
)
def test_nobody_breaks_a_rule_of_the_house(broken):
    assert not (found := broken()), "\n" + "\n".join(found)


def test_it_grows_no_harder_to_read():
    assert len(reading.files()) <= reading.FILES, "join the file of its idea, or say in reading.py why it is one more"
    most = max(reading.own_imports(), key=lambda each: each.size)
    assert most.size <= reading.OWN_IMPORTS, f"{most.place} imports {most.size} of our files"
    twice = reading.names_twice()
    assert len(twice) <= reading.NAMES_TWICE, f"two public classes of one name: {list(twice)}"
    assert all(len(ring) <= reading.RING for ring in rings(reading.all_imports()))


@pytest.mark.prove
def test_who_follows_a_trial_enters_few_files():
    assert len(found := entered("trial run")) <= reading.ENTERED, "\n".join(found)


def test_who_takes_many_parameters_says_why():
    for source in sources():
        for number, line in enumerate(source.text.splitlines(), 1):
            if "PLR0913" in line:
                assert re.search(r"# noqa: PLR0913 - \w", line), f"{source.path}:{number}: say why behind a dash"


def test_help_loads_nothing_heavy():
    heavy = starting.packages_of(starting.loaded()) & declared() - starting.LIGHT
    assert not heavy, f"`pilotbase --help` loads {sorted(heavy)}: import them where a command needs them"


def test_a_list_loads_no_library_of_numbers():
    bound = ", ".join(f"pilotbase.worker.operations.{noun}" for noun in ("incidents", "records", "services"))
    program = f"import sys, pilotbase.worker.base, {bound}; print(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", program], check=True, capture_output=True, text=True)
    assert not {"jinja2", "numpy", "polars", "scipy", "pilotbase.trial.scorer"} & set(done.stdout.split())


def test_a_list_builds_no_document_that_it_does_not_read():
    """Each takes milliseconds: a field's default must not be one that was built, as a call does."""
    program = """
import pilotbase.worker.operations.records
from pilotbase.documents.base import Part
waiting = [Part]
while waiting:
    part = waiting.pop()
    waiting += part.__subclasses__()
    if part.__pydantic_complete__:
        print(part.__name__)
"""
    done = subprocess.run([sys.executable, "-c", program], check=True, capture_output=True, text=True)
    assert set(done.stdout.split()) <= {"Field", "HashSplit", "ScenarioData"}, "of worlds, whose data are our own"


def test_what_a_box_calls_loads_only_what_the_box_has():
    called = ("worker.intake.scenarios_in_box", "worker.datasets.in_box", "standards.in_box")
    program = f"import sys, {', '.join(f'pilotbase.{module}' for module in called)}; print(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", program], check=True, capture_output=True, text=True)
    absent = starting.packages_of(done.stdout.split()) & declared() - set(with_needed(IN_A_BOX))
    assert not absent, f"no box has {sorted(absent)}: keep what is called there apart from what needs them"


def test_the_page_shows_what_was_published_and_it_holds():
    rows = published("house")
    assert [row["name"] for row in rows if not row["holds"]] == []
    assert PAGE.read_text("utf-8") == page(rows, unmeasured(rows)), "run: make measured"
