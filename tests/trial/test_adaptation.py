"""The matrix of environments: each cell is run and compared, or not measured and excluded on the certificate."""

import platform

import numpy as np
import pytest

from pilotbase.documents.errors import InputError
from pilotbase.documents.limits import EndReason
from pilotbase.documents.probes import Cell
from pilotbase.documents.vocabularies import Outcome, Verdict
from pilotbase.trial.probes.cells import compared, what_differs_here
from pilotbase.worker.trials.proving import prove, rehearse_in
from pilotbase.worker.trials.replaying import replay_trial
from tests.trial.conftest import GOOD

MATRIX = """trial:
  matrix:
    cells:
      - {name: one-at-a-time, batch_rows: 1}
      - {name: little-memory, memory_bytes: 96 MiB, system: linux}
      - {name: ascend, accelerator: ascend-910b}
    cases: 40
"""
BY_BATCH = (
    "def predict(batch):\n    return ['broken' if p > 6 and batch.rows > 1 else 'fine' for p in batch['pressure']]\n"
)


def matrixed(content):
    content = content.replace("criteria:\n", "criteria:\n  - {rule: cells.agreeing >= 100 %}\n")
    return content.replace("trial:\n", MATRIX)


def test_an_application_that_answers_alike_everywhere_passes_what_is_here(
    base, write_scenario, write_application, tmp_path
):
    proven = prove(base, write_scenario(change=matrixed), write_application(GOOD), tmp_path / "out")
    report, adaptation = proven.report, proven.report.sections[3]
    assert report.verdict is Verdict.ACCEPT and report.criteria[0].estimate == 1
    found = {finding.check: finding.outcome for finding in adaptation.findings}
    assert found["cell: one-at-a-time"] is found["cell: little-memory"] is Outcome.PASS
    assert found["cell: ascend"] is Outcome.NOT_MEASURED and "other_runtimes" not in found
    assert adaptation.outcome is Outcome.PASS
    assert "adaptation: cell: ascend" in proven.certificate.not_measured
    assert [one.cases for one in report.cells] == [40, 40, 0]
    assert replay_trial(tmp_path / "out").verdict == Verdict.ACCEPT


def test_an_application_that_answers_otherwise_in_one_fails_adaptation_and_function_alone(
    base, write_scenario, write_application, tmp_path
):
    report = prove(base, write_scenario(change=matrixed), write_application(BY_BATCH), tmp_path / "out").report
    outcomes = {section.verification.value: section.outcome for section in report.sections}
    assert outcomes["adaptation"] is Outcome.FAIL and report.verdict is Verdict.REJECT
    assert Outcome.FAIL not in {outcome for name, outcome in outcomes.items() if name not in ("adaptation", "function")}
    assert report.cells[0].differing > 5 and report.cells[1].differing == 0
    replayed = replay_trial(tmp_path / "out")
    assert replayed.verdict == Verdict.REJECT


def test_a_cell_that_breaks_off_fails(base, write_scenario, write_application):
    greedy = "KEPT = bytearray(120 << 20)\n" + GOOD
    report = rehearse_in(base, write_scenario(change=matrixed), write_application(greedy)).report
    assert report.cells[1].end is not EndReason.FINISHED and not report.cells[1].agrees
    assert report.cells[0].agrees and report.sections[3].outcome is Outcome.FAIL


def test_a_criterion_on_cells_needs_some(base, write_scenario, write_application):
    change = lambda content: content.replace("criteria:\n", "criteria:\n  - {rule: cells.agreeing >= 100 %}\n")  # noqa: E731
    with pytest.raises(InputError) as refused:
        prove(base, write_scenario(change=change), write_application())
    assert "trial.matrix" in refused.value.render("zh")


def test_two_cells_of_one_name_are_refused(base, write_scenario, write_application):
    with pytest.raises(InputError) as refused:
        prove(
            base,
            write_scenario(change=lambda one: matrixed(one).replace("ascend,", "one-at-a-time,")),
            write_application(),
        )
    assert "one-at-a-time" in refused.value.render("en")


def test_what_this_machine_is_not_is_named():
    python = ".".join(platform.python_version_tuple()[:2])
    here = Cell(name="here", system="Linux", architecture=platform.machine(), accelerator="none", python=python)
    assert what_differs_here(here) is None
    assert what_differs_here(here.model_copy(update={"python": "3.99"})) == "3.99"
    assert what_differs_here(Cell(name="elsewhere", architecture="loongarch64")) == "loongarch64"


CELL = Cell(name="cell")


@pytest.mark.parametrize(
    ("answers", "reference", "differing", "largest"),
    [
        (np.array([1.0, np.nan, 2.0]), np.array([1.0 + 1e-7, np.nan, 2.1]), 1, 0.1),
        (np.array([1.0, np.nan]), np.array([np.nan, 1.0]), 2, None),
        (np.array([[0.0, 1.0], [0.0, 2.0]]), np.array([[0.0, 1.0], [0.0, 1.0]]), 1, 1.0),
        (np.array([1, -1, 0], dtype=np.int32), np.array([1, -1, 1], dtype=np.int32), 1, None),
        (np.array(["a", None], dtype=object), np.array(["a", "b"], dtype=object), 1, None),
    ],
)
def test_answers_are_held_against_the_trials(answers, reference, differing, largest):
    run = compared(CELL, EndReason.FINISHED, answers, reference, 1e-6)
    assert run.differing == differing and run.agrees is (differing == 0)
    assert run.largest == (None if largest is None else pytest.approx(largest))
