"""Folders that MLflow writes: their ONNX and scikit-learn models are read, their pickles and code are not."""

import pytest

from pilotbase.documents.application import Form
from pilotbase.documents.limits import EndReason
from pilotbase.sandbox.box.ends import BoxEnded
from tests.contracts.adapter_boxes import start
from tests.contracts.adapter_cases import contract, mean, mlmodel, one_column

FORM = Form(runtime="mlflow", model="MLmodel")
ONNX = {"onnx": {"data": "model.onnx", "code": None}}
PICKLED = {"sklearn": {"pickled_model": "model.pkl", "serialization_format": "cloudpickle", "code": None}}
FAULTS = {
    "pickle": (mlmodel(PICKLED), EndReason.MODEL_REFUSED, "['python_function', 'sklearn'] (cloudpickle)"),
    "code": (mlmodel({}), EndReason.MODEL_REFUSED, "serialization_format='skops'"),
    "outside": (mlmodel({"onnx": {"data": "../secret.onnx"}}), EndReason.MODEL_REFUSED, "../secret.onnx"),
    "absent": (mlmodel({"onnx": {"data": "other.onnx"}}), EndReason.MODEL_UNREADABLE, "other.onnx"),
    "order": (mlmodel(ONNX, ("age", "pressure")), EndReason.MODEL_MISFIT, "['age', 'pressure']"),
    "no_yaml": ("flavors: [", EndReason.MODEL_UNREADABLE, "no MLmodel file"),
    "no_flavours": ("artifact_path: model", EndReason.MODEL_UNREADABLE, "'flavors'"),
}


@pytest.mark.prove
@pytest.mark.parametrize("fault", FAULTS)
def test_what_is_wrong_with_a_folder_is_said(place, folder, fault):
    described, reason, words = FAULTS[fault]
    (folder / "MLmodel").write_text(described)
    (folder / "model.onnx").write_bytes(one_column(mean))
    (folder / "model.pkl").write_bytes(b"cos\nsystem\n(S'true'\ntR.")
    with pytest.raises(BoxEnded) as ended:
        start(place, folder, FORM, contract("value")).close()
    assert (ended.value.reason, words in ended.value.detail) == (reason, True), ended.value.detail


@pytest.mark.prove
@pytest.mark.parametrize(
    "signature", ["null", '{inputs: \'[{"type": "tensor", "tensor-spec": {"dtype": "float64"}}]\'}']
)
def test_a_folder_that_signs_no_columns_is_read_as_its_model_is(place, folder, signature):
    (folder / "MLmodel").write_text(f"flavors: {{onnx: {{data: model.onnx}}}}\nsignature: {signature}\n")
    (folder / "model.onnx").write_bytes(one_column(mean))
    with start(place, folder, FORM, contract("value")) as worker:
        assert worker.running
