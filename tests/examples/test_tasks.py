"""Every example of a task is what it says: its applications get the verdicts that are told, and replay gets them, too.

A folder in ``examples/tasks/`` is found by itself: `tests.examples.tasks_for_tests`.
"""

import json
import re
import shutil
import subprocess
import sys

import pytest

from pilotbase.documents.contract import TASKS
from pilotbase.documents.errors import RefusedError
from pilotbase.documents.loading import load_document
from pilotbase.documents.scenario import Scenario
from pilotbase.worker.base import open_base
from pilotbase.worker.trials.proving import prove
from pilotbase.worker.trials.replaying import replay_trial
from tests.examples.examples_for_tests import skipping_without_packages
from tests.examples.tasks_for_tests import EXPECTED, FOLDERS, TASK_EXAMPLES, expected_of, write

FULL = {folder.name for folder in FOLDERS if expected_of(folder)[0].is_packaged}
"""Examples of full size: their first application brings a packaged model."""
LONG = {
    "transcription",
    "transcription-sound",
    "detection",
    "segmentation",
    "forecasting-interval",
    "ranking",
    "multilabel",
    "answering",
    "anomaly",
    "forecasting",
    "summarising",
}
"""They take the longest; trials of each kind of answer are in `tests.trial.test_kinds_of_answers`."""
FIRST = {one.task: one for one in reversed(EXPECTED) if one.verdict == "accept"}
"""The first good application of each task is tried by the quick tests, all others by ``make prove``."""
NAMED = [
    pytest.param(
        one,
        id=f"{one.task}-{one.name}",
        marks=[]
        if one in FIRST.values() and one.task not in FULL | LONG and not one.is_packaged
        else [pytest.mark.prove],
    )
    for one in EXPECTED
]
QUICK = [folder for folder in FOLDERS if folder.name not in FULL]
TOLD = set(re.findall(r"^\| ([\w-]+) \| ([\w-]+) \| (\w+) \|", (TASK_EXAMPLES / "README.md").read_text("utf-8"), re.M))


@pytest.fixture(scope="module")
def base(ready_stores, tmp_path_factory):
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PILOTBASE_HOME", str(tmp_path_factory.mktemp("base") / "home"))
        opened = open_base(create=True, name="test-base")
        yield opened
        opened.lab.close()


@pytest.fixture(scope="module")
def scenario_folder(tmp_path_factory):
    """Return a function that returns the scenario of a task with its data, written once."""
    written = {}

    def folder_of(task):
        if task not in written:
            written[task] = write(task, tmp_path_factory.mktemp("tasks") / task)
        return written[task]

    return folder_of


@pytest.mark.one_in(2)
@pytest.mark.parametrize("expected", NAMED)
def test_an_application_gets_the_verdict_that_is_told_and_its_replay_gets_it_too(
    expected, base, scenario_folder, tmp_path
):
    scenario, out = scenario_folder(expected.task), tmp_path / "out"
    if expected.verdict == "refused":
        with pytest.raises(RefusedError):
            prove(base, scenario, expected.folder, out)
        return
    with skipping_without_packages():
        report = prove(base, scenario, expected.folder, out).report
    told = [(one.rule, one.estimate, str(one.outcome)) for one in report.criteria]
    assert report.verdict == expected.verdict, told
    if expected.fails is not None:
        assert {one.rule for one in report.criteria if one.outcome != "pass"} == expected.fails, told
    replayed = replay_trial(out)
    assert replayed.verdict == report.verdict
    estimates = {one.rule: one.estimate for one in report.criteria}
    assert all(one.estimate == estimates[one.rule] for one in replayed.criteria)


def test_every_task_has_an_example_and_a_page_in_both_languages():
    assert {folder.name.partition("-")[0] for folder in FOLDERS} | {"regression"} == set(TASKS), "the sectors do one"
    pages = {path.name for path in (TASK_EXAMPLES.parents[1] / "docs" / "tasks").iterdir()}
    assert pages == {f"{task}{ending}" for task in TASKS for ending in (".md", ".zh.md")}


@pytest.mark.parametrize("folder", FOLDERS, ids=lambda folder: folder.name)
def test_an_example_tells_what_it_holds(folder):
    scenario = load_document(Scenario, folder / "scenario.yaml")
    assert scenario.task == folder.name.partition("-")[0] in TASKS
    assert scenario.data.nature == "simulated" and scenario.data.licence
    expected = expected_of(folder)
    assert {one.name for one in expected} == {path.name for path in (folder / "applications").iterdir()}
    assert {one.verdict for one in expected} >= {"accept", "reject"}, "one that is good enough, and one that is not"
    assert len(expected) <= scenario.trial.attempts
    assert {row for row in TOLD if row[0] == folder.name} == {(one.task, one.name, one.verdict) for one in expected}


@pytest.mark.one_in(5)
@pytest.mark.parametrize("folder", QUICK, ids=lambda folder: folder.name)
def test_the_data_of_an_example_are_the_same_each_time(folder, scenario_folder, tmp_path):
    first, second = scenario_folder(folder.name), write(folder.name, tmp_path / "again")
    files = sorted(path.relative_to(first) for path in first.rglob("*") if path.is_file())
    assert files == sorted(path.relative_to(second) for path in second.rglob("*") if path.is_file())
    assert all((first / name).read_bytes() == (second / name).read_bytes() for name in files)


@pytest.mark.prove
@pytest.mark.parametrize("program", sorted(TASK_EXAMPLES.glob("*/train.py")), ids=lambda path: path.parent.name)
def test_weights_are_those_that_are_fitted_again(program, tmp_path):
    copied = shutil.copytree(TASK_EXAMPLES, tmp_path / "tasks", ignore=shutil.ignore_patterns("__pycache__"))
    kept = {path.relative_to(copied): path for path in copied.glob("*/applications/*/model.json")}
    for path in kept.values():
        path.write_text("{}")
    subprocess.run([sys.executable, copied / program.parent.name / "train.py"], check=True, timeout=300)
    fitted = [name for name, path in kept.items() if path.read_text() != "{}"]
    assert fitted
    for name in fitted:
        assert_close(json.loads(kept[name].read_text("utf-8")), json.loads((TASK_EXAMPLES / name).read_text("utf-8")))


def assert_close(one, other):
    """Fail where two models are more apart than another machine's rounding makes them."""
    if isinstance(one, dict):
        for name in one.keys() | other.keys():
            # What is too small to be kept on one machine may be kept on another.
            assert_close(one.get(name, 0.0), other.get(name, 0.0))
    elif isinstance(one, list):
        assert len(one) == len(other)
        for pair in zip(one, other, strict=True):
            assert_close(*pair)
    else:
        assert one == pytest.approx(other, abs=0.06)
