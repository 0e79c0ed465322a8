"""ONNX models with random weights, as large as those that people train on tables: their answers do not matter."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import pairwise
from pathlib import Path

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

COLUMNS = 20
CLASSES = ("0", "1")
_OPSETS = [helper.make_opsetid("", 17), helper.make_opsetid("ai.onnx.ml", 3)]
_LABELS = {"domain": "ai.onnx.ml", "classlabels_strings": list(CLASSES)}


def write_forest(path: Path, trees: int = 100, depth: int = 5) -> None:
    """Write a boosted forest of complete trees, as gradient boosting produces them."""
    draw = np.random.default_rng(0)
    inner, nodes = 2**depth - 1, 2 ** (depth + 1) - 1
    number = np.tile(np.arange(nodes), trees)
    tree = np.repeat(np.arange(trees), nodes)
    leaf = number >= inner
    weights = draw.normal(size=int(leaf.sum()))
    node = helper.make_node(
        "TreeEnsembleClassifier", ["x"], ["label", "scores"], post_transform="LOGISTIC", **_LABELS,
        nodes_treeids=tree.tolist(), nodes_nodeids=number.tolist(),
        nodes_modes=np.where(leaf, "LEAF", "BRANCH_LEQ").tolist(),
        nodes_featureids=np.where(leaf, 0, draw.integers(0, COLUMNS, len(number))).tolist(),
        nodes_values=np.where(leaf, 0.0, draw.normal(size=len(number))).tolist(),
        nodes_truenodeids=np.where(leaf, 0, 2 * number + 1).tolist(),
        nodes_falsenodeids=np.where(leaf, 0, 2 * number + 2).tolist(),
        class_treeids=tree[leaf].tolist(), class_nodeids=number[leaf].tolist(),
        class_ids=[1] * len(weights), class_weights=weights.tolist(),
    )  # fmt: skip
    _write(path, [node], _classifier_outputs())


def write_network(path: Path, width: int = 128) -> None:
    """Write a network of two hidden layers."""
    draw, nodes, weights = np.random.default_rng(0), [], []
    for layer, (before, after) in enumerate(pairwise((COLUMNS, width, width, len(CLASSES)))):
        matrix = draw.normal(size=(before, after)).astype(np.float32) / np.float32(before**0.5)
        weights.append(numpy_helper.from_array(matrix, f"w{layer}"))
        nodes.append(helper.make_node("MatMul", [f"out{layer - 1}" if layer else "x", f"w{layer}"], [f"sum{layer}"]))
        nodes.append(helper.make_node("Relu", [f"sum{layer}"], [f"out{layer}"]))
    nodes.append(helper.make_node("Softmax", [f"out{layer}"], ["scores"], axis=1))
    _write(path, nodes, _classifier_outputs()[1:], weights)


def write_linear(path: Path) -> None:
    """Write a linear model: next to nothing to compute."""
    draw = np.random.default_rng(0).normal(size=COLUMNS)
    both = {"coefficients": [*(-draw).tolist(), *draw.tolist()], "intercepts": [0.0, 0.0]}
    node = helper.make_node(
        "LinearClassifier", ["x"], ["label", "scores"], post_transform="LOGISTIC", **_LABELS, **both
    )
    _write(path, [node], _classifier_outputs())


def _classifier_outputs() -> list[onnx.ValueInfoProto]:
    return [
        helper.make_tensor_value_info("label", TensorProto.STRING, [None]),
        helper.make_tensor_value_info("scores", TensorProto.FLOAT, [None, len(CLASSES)]),
    ]


def _write(
    path: Path,
    nodes: Iterable[onnx.NodeProto],
    outputs: list[onnx.ValueInfoProto],
    weights: Iterable[onnx.TensorProto] = (),
) -> None:
    given = helper.make_tensor_value_info("x", TensorProto.FLOAT, [None, COLUMNS])
    graph = helper.make_graph(list(nodes), "model", [given], outputs, list(weights))
    path.write_bytes(helper.make_model(graph, opset_imports=_OPSETS, ir_version=8).SerializeToString())
