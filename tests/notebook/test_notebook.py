"""From a frame to a verdict in Python: in real boxes, with the folder that commands read too."""

import subprocess
import sys

import numpy as np
import polars as pl
import pytest

import pilotbase as pb
from benchmarks.peers.environments import peer_environment, site_packages
from pilotbase.documents.errors import InputError, PilotbaseError
from pilotbase.notebook.scenarios import as_table
from tests.cli.test_command_line import run
from tests.notebook.programs_for_tests import constant_model, predict, with_a_constant_model, with_a_typing_error

ANSWERS = {"target": "state", "problem": "The pump fails.", "contact": "waterworks", "miss": 20, "false_alarm": 15}


@pytest.fixture
def scenario(home, cases, tmp_path):
    return pb.Scenario.from_frame(cases, folder=tmp_path / "pumps", **ANSWERS)


def test_a_frame_and_a_function_come_to_a_verdict(scenario, tmp_path):
    assert any("hidden" in one for one in scenario.check()) and scenario.decided
    assert "recall(broken)" in scenario._repr_html_() and "The pump fails." in scenario._repr_html_()

    rehearsed = pb.rehearse(scenario, predict, out=tmp_path / "tried")
    assert rehearsed.verdict is None and "not evidence" in repr(rehearsed) and "limit is 6.0" in rehearsed.log
    assert rehearsed.scores.filter(pl.col("rule").str.starts_with("recall"))["estimate"][0] > 0.9

    result = pb.run(scenario, predict, out=tmp_path / "result")
    assert result.verdict in ("accept", "inconclusive") and result.certificate is not None
    assert result.replay().verdict == result.verdict
    assert "memory.peak <= 1 GiB  0." in repr(result), "in the unit of the rule, as commands show it"
    assert len(repr(result.replay()).splitlines()) < 15, "a notebook shows it to a person"
    assert result.scores["rule"].to_list() == [one.rule for one in scenario.document.criteria]
    page = result._repr_html_()
    assert page.startswith("<iframe") and "srcdoc" in page and "<script" not in page
    shown = run("trial", "show", tmp_path / "result")
    assert shown.exit_code == 0 and result.verdict in shown.stdout, "commands read the same folder"
    again = pb.run(scenario, predict, out=tmp_path / "result")
    assert again.report.digest() == result.report.digest(), "no second attempt"


def test_a_kit_is_rehearsed_from_python(scenario, tmp_path, monkeypatch):
    kit = scenario.kit(tmp_path / "pumps.kit.zip")
    monkeypatch.setenv("PILOTBASE_HOME", str(tmp_path / "elsewhere"))
    assert pb.Scenario(kit).document.name == scenario.document.name
    assert pb.rehearse(kit, predict).report.contract.features[0].name == "pressure"


@pytest.mark.prove
def test_a_draft_is_not_overwritten_unasked(scenario, cases, tmp_path):
    with pytest.raises(InputError, match="exists and is not empty"):
        pb.Scenario.from_frame(cases, folder=scenario.path, **ANSWERS)
    (scenario.path / "notes.md").write_text("mine")
    anew = pb.Scenario.from_frame(cases, folder=scenario.path, replace=True, **{**ANSWERS, "problem": "Another."})
    assert anew.document.problem.en == "Another."
    assert (scenario.path / "notes.md").read_text() == "mine"
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "letter.txt").write_text("dear")
    with pytest.raises(InputError):
        pb.Scenario.from_frame(cases, folder=tmp_path / "mine", replace=True, **ANSWERS)
    assert (tmp_path / "mine" / "letter.txt").read_text() == "dear"


def test_cases_come_in_what_people_have(cases):
    class OfHuggingFace:
        def to_polars(self):
            return cases.lazy()

    class OfArrow:
        def __arrow_c_stream__(self, requested_schema=None):
            return cases.__arrow_c_stream__(requested_schema)

    for given in (cases, cases.to_dict(as_series=False), OfHuggingFace(), OfArrow()):
        assert as_table(given).equals(cases)
    assert as_table(np.ones((3, 2))).shape == (3, 2)
    with pytest.raises(InputError, match="type int"):
        as_table(3)


@pytest.mark.one_in(3)
@pytest.mark.parametrize(
    ("program", "named"),
    [
        (lambda batch: batch["pressure"], "not defined with def"),
        (with_a_typing_error, "presure_limit"),
        (with_a_constant_model, "constant_model"),
        (constant_model, "is not a function"),
        (print, "is not a function"),
    ],
)
def test_what_cannot_come_along_is_refused_by_its_name(scenario, program, named):
    with pytest.raises(InputError, match=named):
        pb.rehearse(scenario, program)


@pytest.mark.prove
def test_packages_and_arrays_go_along(scenario):
    """What it imports is locked as installed here, and fetched from the index."""
    limits = np.array([6.0])

    def predict(batch):
        return np.where(batch["pressure"] > limits[0], "broken", "fine").tolist()

    try:
        rehearsed = pb.rehearse(scenario, predict)
    except PilotbaseError as error:
        if error.text.code not in ("environment.fetch_failed", "environment.resolve_failed"):
            raise
        pytest.skip(f"the package index cannot be reached: {error}")
    assert rehearsed.scores.filter(pl.col("rule").str.starts_with("recall"))["estimate"][0] > 0.9


@pytest.mark.prove
def test_a_result_is_logged_to_mlflow(scenario, tmp_path):
    """MLflow itself takes it, and shows it as its own client reads it."""
    result = pb.run(scenario, predict, out=tmp_path / "result")
    script = f"""
import sys
sys.path.append({str(site_packages("mlflow"))!r})
import mlflow, pilotbase as pb
from pilotbase.worker.trials.folder import read_report
from pathlib import Path
folder = Path({str(result.folder)!r})
mlflow.set_tracking_uri("sqlite:///{tmp_path}/mlflow.db")
with mlflow.start_run() as run:
    pb.TrialResult(read_report(folder / "report.json"), folder).log_to_mlflow()
found = mlflow.get_run(run.info.run_id)
names = {{one.path for one in mlflow.MlflowClient().list_artifacts(run.info.run_id)}}
print(found.data.metrics, found.data.tags["pilotbase.verdict"], sorted(names))
"""
    done = subprocess.run(
        [sys.executable, "-c", script],
        cwd=tmp_path,
        env=peer_environment(),
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert "recall_broken_" in done.stdout and "'certificate.json', 'report.html'" in done.stdout
