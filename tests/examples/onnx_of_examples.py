"""The trained applications of the examples as ONNX models: all that they do, from the columns to the answer.

Each is written from its ``model.json`` alone, in double precision, with an input for every feature of the contract, so
that a model answers what its application in Python answers.
"""

import json
from pathlib import Path

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

from pilotbase.documents.contract import Contract, DataType

_OPSETS = [helper.make_opsetid("", 21), helper.make_opsetid("ai.onnx.ml", 5)]
_TREES = "ai.onnx.ml"
_LEQ, _SUM, _NONE = 0, 1, 0
"""Of the operator TreeEnsemble: to the left where a value is at most the threshold; leaves are added, and no more."""
_PI_PER_HALF_MINUTE = 2 * np.pi / 60


def export(application: Path, contract: Contract) -> bytes:
    """Return the model of one of `EXPORTED`, for the application in that folder."""
    graph = Graph(contract)
    EXPORTED[application.name](graph, json.loads((application / "model.json").read_text()))
    return graph.model()


class Graph:
    """An ONNX model that is being written: nodes over columns of doubles, shape (cases, 1)."""

    def __init__(self, contract: Contract) -> None:
        self._contract = contract
        self._nodes: list[onnx.NodeProto] = []
        self._constants: list[onnx.TensorProto] = []
        self._outputs: list[onnx.ValueInfoProto] = []

    def put(self, operator: str, *inputs: str, **attributes: object) -> str:
        """Add a node and return what its output is called."""
        name = f"v{len(self._nodes)}"
        self._nodes.append(helper.make_node(operator, list(inputs), [name], **attributes))
        return name

    def constant(self, value: object) -> str:
        """Return what a constant is called: a number, a text, or an array of either."""
        name = f"c{len(self._constants)}"
        array = np.asarray(value)
        tensor = numpy_helper.from_array(array.astype(object) if array.dtype.kind == "U" else array, name)
        self._constants.append(tensor)
        return name

    def filled(self, feature: str, fill: float) -> str:
        """Return a number with ``fill`` where it is missing."""
        return self.put("Where", self.put("IsNaN", feature), self.constant(fill), feature)

    def looked_up(self, feature: str, values: dict[str, float], otherwise: float) -> str:
        """Return what stands for each text of a feature."""
        tables = {"keys_tensor": np.array(list(values), dtype=object), "values_tensor": np.array([*values.values()])}
        given = {name: numpy_helper.from_array(table, name) for name, table in tables.items()}
        default = numpy_helper.from_array(np.array([otherwise]), "default")
        return self.put("LabelEncoder", feature, domain=_TREES, default_tensor=default, **given)

    def trees(self, columns: list[str], model: dict) -> str:
        """Return the sum of what complete trees say, as `examples/trees.py` writes them."""
        split, threshold, leaf = (np.array(model[name]) for name in ("split", "threshold", "leaf"))
        count, inner = split.shape
        first = np.arange(count)[:, None] * inner
        left = 2 * np.arange(inner) + 1
        is_leaf = left >= inner
        children = {
            side: np.where(is_leaf, np.arange(count)[:, None] * (inner + 1) + node - inner, first + node)
            for side, node in (("true", left), ("false", left + 1))
        }
        arrays = {
            "nodes_splits": threshold.ravel().astype(float),
            "nodes_modes": np.full(split.size, _LEQ, dtype=np.uint8),
            "leaf_weights": leaf.ravel().astype(float),
        }
        return self.put(
            "TreeEnsemble",
            self.put("Concat", *columns, axis=1),
            domain=_TREES,
            aggregate_function=_SUM,
            post_transform=_NONE,
            n_targets=1,
            tree_roots=first.ravel().tolist(),
            nodes_featureids=split.ravel().tolist(),
            nodes_truenodeids=children["true"].ravel().tolist(),
            nodes_falsenodeids=children["false"].ravel().tolist(),
            nodes_trueleafs=np.tile(is_leaf.astype(int), count).tolist(),
            nodes_falseleafs=np.tile(is_leaf.astype(int), count).tolist(),
            leaf_targetids=[0] * leaf.size,
            **{name: numpy_helper.from_array(array, name) for name, array in arrays.items()},
        )

    def card(self, model: dict) -> str:
        """Return the log odds of a score card, as `examples/scores.py` fits it."""
        parts = [self.constant(model["intercept"])]
        for name, number in model["numbers"].items():
            centred = self.put("Sub", self.filled(name, number["fill"]), self.constant(number["centre"]))
            parts.append(self.put("Mul", centred, self.constant(number["weight"] / number["scale"])))
        parts += [self.looked_up(name, weights, 0.0) for name, weights in model["categories"].items()]
        return self.put("Sum", *parts)

    def answer(self, numbers: str) -> None:
        """Let numbers be the answer."""
        self._nodes.append(helper.make_node("Identity", [numbers], ["answer"]))
        self._outputs.append(helper.make_tensor_value_info("answer", TensorProto.DOUBLE, [None, 1]))

    def answer_one_of(self, numbers: str, limit: float, from_limit: str, below: str) -> None:
        """Let a class be the answer: one from a limit on, the other below it."""
        reached = self.put("GreaterOrEqual", numbers, self.constant(limit))
        classes = [self.constant(name) for name in (from_limit, below)]
        self._nodes.append(helper.make_node("Where", [reached, *classes], ["answer"]))
        self._outputs.append(helper.make_tensor_value_info("answer", TensorProto.STRING, [None, 1]))

    def model(self) -> bytes:
        """Return the file."""
        inputs = [
            helper.make_tensor_value_info(
                field.name, TensorProto.STRING if field.data_type is DataType.TEXT else TensorProto.DOUBLE, [None, 1]
            )
            for field in self._contract.features
        ]
        graph = helper.make_graph(self._nodes, "model", inputs, self._outputs, self._constants)
        return helper.make_model(graph, opset_imports=_OPSETS, ir_version=10).SerializeToString()


def _output_trees(graph: Graph, model: dict) -> None:
    graph.answer(graph.put("Add", graph.trees(model["features"], model), graph.constant(model["base"])))


def _failure_trees(graph: Graph, model: dict) -> None:
    power = graph.put("Mul", graph.put("Mul", "torque", "rotational_speed"), graph.constant(_PI_PER_HALF_MINUTE))
    columns = {
        "heat": graph.put("Sub", "process_temperature", "air_temperature"),
        "power": power,
        "strain": graph.put("Mul", "tool_wear", "torque"),
        "quality": graph.looked_up("product_type", {"L": 0.0, "M": 1.0, "H": 2.0}, 1.0),
    }
    summed = graph.trees([columns.get(name, name) for name in model["features"]], model)
    odds = graph.put("Add", summed, graph.constant(model["base"]))
    graph.answer_one_of(odds, model["alarm_from"], "failure", "normal")


def _delay_trees(graph: Graph, model: dict) -> None:
    columns = [
        graph.looked_up(name, model["lateness"][name], model["share"])
        if name in model["lateness"]
        else graph.filled(name, model["fill"][name])
        for name in model["features"]
    ]
    odds = graph.put("Add", graph.trees(columns, model), graph.constant(model["base"] + model["lean"]))
    graph.answer(graph.put("Sigmoid", odds))


def _triage_score(graph: Graph, model: dict) -> None:
    graph.answer_one_of(graph.card(model), model["disease_from"], "disease", "healthy")


def _careful_score(graph: Graph, model: dict) -> None:
    probability = graph.put("Sigmoid", graph.card(model))
    graph.answer_one_of(probability, model["default_from"], "default", "repaid")


EXPORTED = {
    "output-trees": _output_trees,
    "failure-trees": _failure_trees,
    "delay-trees": _delay_trees,
    "triage-score": _triage_score,
    "careful-score": _careful_score,
}
"""The application of each sector that is trained and meant to pass."""
