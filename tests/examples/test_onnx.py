"""The trained application of every sector, handed in as an ONNX model besides: the same score and the same verdict.

Each form is proven on a base of its own, on every hidden case at once: so both are asked the same.
"""

import json
import re

import polars as pl
import pytest
import yaml

from pilotbase.worker.base import open_base
from pilotbase.worker.demo.examples import agree_on, prepare_example, publish_dataset
from pilotbase.worker.trials.proving import prove
from tests.examples.examples_for_tests import EXAMPLES, FOLDERS, skipping_without_packages, split_of
from tests.examples.onnx_of_examples import EXPORTED, export
from tests.examples.test_applications import EXPECTED, classes_of, scenario_of

TRAINED = [folder for folder in FOLDERS if folder.name in EXPORTED]


@pytest.fixture(scope="module")
def bases(tmp_path_factory):
    """A base for each form."""
    opened = {}
    with pytest.MonkeyPatch.context() as patch:
        for runtime in ("python", "onnx"):
            patch.setenv("PILOTBASE_HOME", str(tmp_path_factory.mktemp(runtime) / "home"))
            opened[runtime] = open_base(create=True, name="test-base")
        yield opened
        for base in opened.values():
            base.lab.close()


def prepared(base, application):
    """Return the scenario of an application on a base, with one attempt that scores all that is hidden."""
    with skipping_without_packages():
        folder = prepare_example(base, EXAMPLES, application.parent.parent.name)
    scenario = folder / "scenario.yaml"
    several = re.compile(r"  attempts: \d+\n  cases_per_attempt: \d+\n")
    scenario.write_text(several.sub("  attempts: 1\n  stop: full\n", scenario.read_text()))
    agree_on(base, publish_dataset(base, folder), "lakeside-ai")
    return folder


def as_onnx(application, folder):
    """Write the application as a model into ``folder``: its manifest but for how it is loaded, and no code."""
    scenario = scenario_of(application)
    contract = scenario.contract(classes_of(split_of(application.parent.parent.name).public, scenario))
    manifest = yaml.safe_load((application / "application.yaml").read_text())
    del manifest["entry_point"]
    folder.mkdir()
    (folder / "application.yaml").write_text(json.dumps({**manifest, "runtime": "onnx", "model": "model.onnx"}))
    (folder / "model.onnx").write_bytes(export(application, contract))
    return folder


def scores(proven):
    """Return rule → estimate, but of what depends on the machine."""
    found = {one.rule: (one.estimate, one.scored) for one in proven.report.criteria}
    return {rule: score for rule, score in found.items() if not rule.startswith(("latency", "memory", "stop.seconds"))}


def answers(proven):
    """Return the answer to every hidden case, in the order of the cases."""
    return pl.read_parquet(proven.folder / "records.parquet").sort("case")["prediction"]


@pytest.mark.prove
@pytest.mark.parametrize("application", [pytest.param(one, id=one.name) for one in TRAINED])
def test_a_model_gets_the_score_and_the_verdict_of_the_application_in_python(application, bases, tmp_path):
    handed_in = {"python": application, "onnx": as_onnx(application, tmp_path / application.name)}
    python, onnx = (prove(base, prepared(base, application), handed_in[form]) for form, base in bases.items())
    assert onnx.report.verdict == python.report.verdict == EXPECTED[application.name]
    assert scores(onnx) == {rule: pytest.approx(score, abs=1e-6) for rule, score in scores(python).items()}
    hidden, given = split_of(application.parent.parent.name).hidden.height, (answers(python), answers(onnx))
    assert len(given[0]) == hidden
    if given[0].dtype == pl.Float64:
        assert abs(given[0] - given[1]).max() <= 1e-6
    else:
        assert given[0].equals(given[1])
