"""One small linear model, written as an application of every form, and models that are wrong in one way each."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import onnx
import yaml
from numpy.typing import NDArray
from onnx import TensorProto, helper, numpy_helper

from pilotbase.documents.application import Form
from pilotbase.documents.contract import Contract, Field, Prediction
from tests.contracts.image_cases import answering_image

FEATURES = ("pressure", "age")
CLASSES = ("broken", "fine")
KINDS = ("label", "probability", "value")
OPSETS = [helper.make_opsetid("", 17), helper.make_opsetid("ai.onnx.ml", 3)]
SUMS = """
WEIGHTS, OFFSET, KIND = {weights}, {offset}, {kind!r}
def answer(pressure, age):
    total = WEIGHTS[0] * pressure + WEIGHTS[1] * age + OFFSET
    if KIND == "value":
        return total
    return ("broken" if total > 0 else "fine") if KIND == "label" else 1 / (1 + math.exp(-total))
"""
FUNCTION = (
    "import math\n" + SUMS + "def predict(batch):\n    return list(map(answer, batch['pressure'], batch['age']))\n"
)
PROGRAM = (
    "import json, math, sys\n"
    + SUMS
    + """
for line in sys.stdin:
    columns = json.loads(line)["columns"]
    print(json.dumps(list(map(answer, columns["pressure"], columns["age"]))), flush=True)
"""
)


def contract(kind: str) -> Contract:
    classes = () if kind == "value" else CLASSES
    prediction = Prediction(kind=kind, classes=classes, positive="broken" if kind == "probability" else None)
    features = (Field(name="pressure", dataType="sc:Float"), Field(name="age", dataType="sc:Integer"))
    return Contract(features=features, prediction=prediction)


def dump_skops(model: object, path: Path) -> None:
    """Write a model as skops does; loading it takes two seconds, which whoever only lists the tests is spared."""
    import skops.io

    skops.io.dump(model, path)


def points(rows: int) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
    draw = np.random.default_rng(3)
    return draw.uniform(0, 10, rows).round(3), draw.integers(0, 900, rows)


class Trained:
    """A model of scikit-learn, and its weights for ``broken``."""

    def __init__(self, kind: str) -> None:
        from sklearn.linear_model import LinearRegression, LogisticRegression

        pressure, age = points(400)
        self.kind = kind
        matrix = np.column_stack([pressure, age / 1.0])
        if kind == "value":
            self.model = LinearRegression().fit(matrix, 3 * pressure - age / 100 + np.sin(pressure))
            self.weights, self.offset = self.model.coef_.tolist(), float(self.model.intercept_)
        else:
            self.model = LogisticRegression(max_iter=1000).fit(matrix, np.where(pressure > 6, *CLASSES))
            self.weights, self.offset = (-self.model.coef_[0]).tolist(), -float(self.model.intercept_[0])

    def write(self, runtime: str, folder: Path) -> Form:
        """Write the application of that form into ``folder``."""
        values = {"weights": self.weights, "offset": self.offset, "kind": self.kind}
        if runtime == "python":
            (folder / "app.py").write_text(FUNCTION.format(**values))
            return Form()
        if runtime == "command":
            (folder / "answer.py").write_text(PROGRAM.format(**values))
            return Form(runtime="command", command=("python", "answer.py"))
        if runtime == "container":
            (folder / "image.tar").write_bytes(answering_image(self.weights, self.offset, self.kind))
            return Form(runtime="container", image="image.tar")
        if runtime == "skops":
            dump_skops(self.model, folder / "model.skops")
            return Form(runtime="skops", model="model.skops")
        if runtime == "mlflow":
            return self.write_mlflow(folder)
        (folder / "model.onnx").write_bytes(self.onnx())
        return Form(runtime="onnx", model="model.onnx")

    def write_mlflow(self, folder: Path) -> Form:
        """Write a folder as MLflow 3.17 does: a probability by skops, else as ONNX."""
        (folder / "best").mkdir()
        if self.kind == "probability":
            dump_skops(self.model, folder / "best" / "model.skops")
            kept = {"pickled_model": "model.skops", "serialization_format": "skops", "code": None}
            (folder / "best" / "MLmodel").write_text(mlmodel({"sklearn": kept}))
        else:
            (folder / "best" / "model.onnx").write_bytes(self.onnx())
            (folder / "best" / "MLmodel").write_text(mlmodel({"onnx": {"data": "model.onnx", "code": None}}))
        return Form(runtime="mlflow", model="best/MLmodel")

    def onnx(self) -> bytes:
        """Return it in double precision; with labels as converters write it, by the operator for linear classifiers."""
        if self.kind == "label":
            both = {"coefficients": [*self.weights, *(-w for w in self.weights)]}
            both["intercepts"] = [self.offset, -self.offset]
            names = {"domain": "ai.onnx.ml", "classlabels_strings": list(CLASSES)}
            node = helper.make_node("LinearClassifier", ["x"], ["label", "scores"], **names, **both)
            label = helper.make_tensor_value_info("label", TensorProto.STRING, [None])
            scores = helper.make_tensor_value_info("scores", TensorProto.FLOAT, [None, 2])
            return model([node], [matrix_input(2)], [label, scores])
        weights = numpy_helper.from_array(np.array(self.weights).reshape(2, 1), "w")
        offset = numpy_helper.from_array(np.array([self.offset]), "b")
        nodes = [helper.make_node("MatMul", ["x", "w"], ["xw"]), helper.make_node("Add", ["xw", "b"], ["sum"])]
        if self.kind == "probability":
            nodes.append(helper.make_node("Sigmoid", ["sum"], ["p"]))
        output = helper.make_tensor_value_info(
            "p" if self.kind == "probability" else "sum", TensorProto.DOUBLE, [None, 1]
        )
        return model(nodes, [matrix_input(2)], [output], [weights, offset])


def mlmodel(flavours: dict, columns: Sequence[str] = FEATURES) -> str:
    """Return an ``MLmodel`` file with a signature that names columns."""
    inputs = [{"type": "double", "name": name, "required": True} for name in columns]
    loader = {"python_function": {"loader_module": "mlflow.pyfunc", "python_version": "3.11.7"}}
    signature = {"inputs": json.dumps(inputs), "outputs": None, "params": None}
    return yaml.safe_dump({"flavors": {**flavours, **loader}, "signature": signature, "mlflow_version": "3.17.2"})


def matrix_input(width: int, rows: int | None = None, kind: int = TensorProto.DOUBLE) -> onnx.ValueInfoProto:
    return helper.make_tensor_value_info("x", kind, [rows, width])


def model(nodes, inputs, outputs, initializers=(), opsets=OPSETS) -> bytes:
    graph = helper.make_graph(list(nodes), "g", list(inputs), list(outputs), list(initializers))
    return helper.make_model(graph, opset_imports=list(opsets), ir_version=8).SerializeToString()


def one_column(node_of: Callable[[], onnx.NodeProto], **changes) -> bytes:
    """Return a model of one node whose answer is a column of doubles."""
    output = helper.make_tensor_value_info("y", TensorProto.DOUBLE, [None, 1])
    return model([node_of()], changes.pop("inputs", [matrix_input(2)]), [output], **changes)


def mean() -> onnx.NodeProto:
    return helper.make_node("ReduceMean", ["x"], ["y"], axes=[1])


def with_weights_at(location: str) -> bytes:
    """Return a model whose weights lie in another file, 16 bytes of doubles."""
    weights = TensorProto(name="w", data_type=TensorProto.DOUBLE, dims=[2, 1], data_location=TensorProto.EXTERNAL)
    for key, value in (("location", location), ("offset", "0"), ("length", "16")):
        weights.external_data.add(key=key, value=value)
    return one_column(lambda: helper.make_node("MatMul", ["x", "w"], ["y"]), initializers=[weights])


def probabilities(zip_map: bool, broken: float = 0.75) -> bytes:
    """Return a classifier that gives this for broken, 0.25 for fine: as a column each, or as a mapping."""
    names = {"domain": "ai.onnx.ml", "classlabels_strings": list(CLASSES)}
    zeros = {"coefficients": [0.0] * 4, "intercepts": [broken, 0.25]}
    nodes = [helper.make_node("LinearClassifier", ["x"], ["label", "scores"], **names, **zeros)]
    outputs = [
        helper.make_tensor_value_info("label", TensorProto.STRING, [None]),
        helper.make_tensor_value_info("scores", TensorProto.FLOAT, [None, 2]),
    ]
    if zip_map:
        nodes.append(helper.make_node("ZipMap", ["scores"], ["maps"], **names))
        number = helper.make_tensor_type_proto(TensorProto.FLOAT, [])
        mapping = helper.make_map_type_proto(TensorProto.STRING, number)
        outputs[1] = helper.make_value_info("maps", helper.make_sequence_type_proto(mapping))
    return model(nodes, [matrix_input(2)], outputs)


def labels_as_a_column() -> bytes:
    """Return a classifier that says broken, shape (cases, 1), as texts."""
    always = {"coefficients": [0.0] * 4, "intercepts": [0.75, 0.25], "classlabels_strings": list(CLASSES)}
    shape = numpy_helper.from_array(np.array([-1, 1]), "shape")
    nodes = [
        helper.make_node("LinearClassifier", ["x"], ["flat", "scores"], domain="ai.onnx.ml", **always),
        helper.make_node("Reshape", ["flat", "shape"], ["label"]),
    ]
    return model(
        nodes, [matrix_input(2)], [helper.make_tensor_value_info("label", TensorProto.STRING, [None, 1])], [shape]
    )


def by_name() -> bytes:
    """Return a model with an input for each feature: 100 × pressure + age."""
    hundred = numpy_helper.from_array(np.array([100.0]), "hundred")
    nodes = [
        helper.make_node("Mul", ["pressure", "hundred"], ["scaled"]),
        helper.make_node("Cast", ["age"], ["years"], to=TensorProto.DOUBLE),
        helper.make_node("Add", ["scaled", "years"], ["y"]),
    ]
    inputs = [
        helper.make_tensor_value_info("age", TensorProto.INT64, [None, 1]),
        helper.make_tensor_value_info("pressure", TensorProto.DOUBLE, [None, 1]),
    ]
    return model(nodes, inputs, [helper.make_tensor_value_info("y", TensorProto.DOUBLE, [None, 1])], [hundred])


def huge() -> bytes:
    """Return a model of a few bytes that fills 16 GB for one case."""
    size = numpy_helper.from_array(np.array([2_000_000_000], dtype=np.int64), "size")
    nodes = [
        helper.make_node("ConstantOfShape", ["size"], ["block"], value=numpy_helper.from_array(np.array([1.0]))),
        helper.make_node("ReduceMean", ["block"], ["one"], keepdims=1),
        helper.make_node("ReduceMean", ["x"], ["mean"], axes=[1]),
        helper.make_node("Mul", ["mean", "one"], ["y"]),
    ]
    return model(nodes, [matrix_input(2)], [helper.make_tensor_value_info("y", TensorProto.DOUBLE, [None, 1])], [size])


def stored_lies(folder: Path) -> None:
    """Write a file as skops does that asks for a type which is no model."""
    from sklearn.linear_model import LinearRegression

    path = folder / "model.skops"
    dump_skops(LinearRegression().fit([[0.0, 0.0], [1.0, 2.0]], [0.0, 1.0]), path)
    _rewrite(path, lambda schema: {**schema, "__class__": "Popen", "__module__": "subprocess"})


def _rewrite(path: Path, change: Callable[[dict], dict]) -> None:
    import zipfile

    with zipfile.ZipFile(path) as archive:
        files = {name: archive.read(name) for name in archive.namelist()}
    files["schema.json"] = json.dumps(change(json.loads(files["schema.json"]))).encode()
    with zipfile.ZipFile(path, "w") as archive:
        for name, content in files.items():
            archive.writestr(name, content)


def constant(answer: NDArray) -> bytes:
    """Return a model that gives this answer, shape (columns,), for each case."""
    kind = TensorProto.STRING if answer.dtype.kind == "O" else helper.np_dtype_to_tensor_dtype(answer.dtype)
    weights = [numpy_helper.from_array(answer[None], "answer"), numpy_helper.from_array(np.array([1]), "one")]
    nodes = [
        helper.make_node("Shape", ["x"], ["cases"], start=0, end=1),
        helper.make_node("Concat", ["cases", "one"], ["shape"], axis=0),
        helper.make_node("Expand", ["answer", "shape"], ["y"]),
    ]
    return model(nodes, [matrix_input(2)], [helper.make_tensor_value_info("y", kind, [None, len(answer)])], weights)
