"""The same model as Python, as ONNX and behind an endpoint: the same answers, the same score, the same verdict."""

import tempfile
from pathlib import Path

import numpy as np
import pytest

from pilotbase.documents.application import Form
from pilotbase.documents.vocabularies import Verdict
from pilotbase.protocols.frames import FeatureBatch
from pilotbase.sandbox.endpoints.operator import ALLOW
from pilotbase.worker.base import open_base
from pilotbase.worker.trials.proving import rehearse_in
from tests.contracts.adapter_boxes import start
from tests.contracts.adapter_cases import FEATURES, KINDS, Trained, contract, points
from tests.contracts.test_adapters import write_manifest
from tests.sandbox.endpoints.stubs_for_tests import Stub, serving
from tests.sandbox.endpoints.test_endpoint_worker import asked_of
from tests.trial.conftest import writing_scenario


def kept_elsewhere(model: Trained) -> Stub:
    """Return an endpoint that answers with the model of scikit-learn itself."""

    def answer(body):
        columns = {one["name"]: one["data"] for one in body["inputs"]}
        matrix = np.column_stack([columns[name] for name in FEATURES]).astype(float)
        found = model.model.predict_proba(matrix)[:, 0] if model.kind == "probability" else model.model.predict(matrix)
        datatype = "BYTES" if model.kind == "label" else "FP64"
        return {"outputs": [{"name": "y", "datatype": datatype, "shape": [len(matrix)], "data": found.tolist()}]}

    return Stub(answer)


@pytest.mark.one_in(3)
@pytest.mark.parametrize("kind", KINDS)
def test_an_endpoint_answers_as_the_same_model_in_a_box(place, folder, kind):
    model, asked = Trained(kind), FeatureBatch(dict(zip(FEATURES, points(200), strict=True)), 200)
    with start(place, folder, model.write("onnx", folder), contract(kind)) as worker:
        boxed = worker.predict(asked).values
    with serving(kept_elsewhere(model)) as stub, asked_of(stub, stub.endpoint(), contract(kind)) as opened:
        answered = opened.predict(asked).values
    assert answered.dtype == boxed.dtype
    np.testing.assert_allclose(answered, boxed, atol=1e-6)


@pytest.fixture(scope="module")
def base(place):
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PILOTBASE_HOME", str(place / "home"))
        patch.setenv(ALLOW, "127.0.0.1")
        opened = open_base(create=True, name="test-base")
        yield opened
        opened.lab.close()


@pytest.mark.prove
def test_python_onnx_and_an_endpoint_get_the_same_score_and_verdict(base, place):
    def may_leave(content: str) -> str:
        kept = content.replace("  target: failure\n", "  target: failure\n  withheld: [site]\n")
        kept = kept.replace("  - {rule: memory.peak <= 512 MiB}\n", "").replace("256 MiB", "512 MiB")
        return kept.replace("batch_seconds: 30", "batch_seconds: 60") + "conditions: {data_may_leave: true}\n"

    model, scenario = Trained("label"), writing_scenario(place)(rows=400, cases=60, change=may_leave)
    reports = {}
    with serving(kept_elsewhere(model)) as stub:
        for runtime in ("python", "onnx", "endpoint"):
            folder = Path(tempfile.mkdtemp(dir=place))
            form = Form(runtime="endpoint", endpoint=stub.endpoint()) if runtime == "endpoint" else None
            write_manifest(folder, runtime, form or model.write(runtime, folder))
            reports[runtime] = rehearse_in(base, scenario, folder).report
    scores = {runtime: [one.estimate for one in report.criteria] for runtime, report in reports.items()}
    for runtime in ("onnx", "endpoint"):
        np.testing.assert_allclose(scores[runtime], scores["python"], atol=1e-6)
    assert {report.verdict for report in reports.values()} == {Verdict.ACCEPT}
    assert reports["endpoint"].endpoint.url == stub.url and reports["python"].endpoint is None
    assert stub.url in reports["endpoint"].sections[3].findings[0].sentence.render("en")
