"""An MLflow model folder, read through the ONNX model or the skops file of a scikit-learn model in it.

The manifest names its file ``MLmodel``. Of its flavours, ``onnx`` and ``sklearn`` in the format skops are read, only by
the modules that read such models; pickles and code are never read, even if the folder contains them. If the signature
names columns, they must be those of the contract in its order.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

RUNTIME = "mlflow"
NEEDS = ("onnxruntime", "skops", "scikit-learn", "numpy", "pyyaml")
EXTRA = "onnx,sklearn"
NEIGHBOURS = ("onnx_model", "skops_model")

_LONGEST = 1 << 20
_ADVICE = "store it with mlflow.onnx, or with mlflow.sklearn and serialization_format='skops'"


def load(given: Any) -> Callable[[Any], Any]:
    """Return a function that answers batches; raises with the reason why the folder is refused."""
    described = _read(given)
    neighbour, file = _model(described["flavors"], given)
    _require_columns(described, given)
    given.form = {**given.form, "model": _inside(file, given)}
    predict: Callable[[Any], Any] = given.neighbour(neighbour).load(given)
    return predict


def _read(given: Any) -> dict[str, Any]:
    import yaml

    try:
        described = yaml.safe_load(Path(given.folder, given.form["model"]).read_bytes()[:_LONGEST])
        if not isinstance(described["flavors"], dict):
            raise TypeError("flavors is no mapping")
    except (yaml.YAMLError, TypeError, KeyError, ValueError) as problem:
        said = f"{given.form['model']} is no MLmodel file: {type(problem).__name__}: {problem}"
        raise given.refused("model_unreadable", said[:2000]) from None
    found: dict[str, Any] = described
    return found


def _model(flavours: dict[str, Any], given: Any) -> tuple[str, str]:
    """Return the neighbour that reads the model, and its file beside ``MLmodel``."""
    onnx, sklearn = (one if isinstance(one, dict) else {} for one in map(flavours.get, ("onnx", "sklearn")))
    if isinstance(onnx.get("data"), str):
        return "onnx_model", onnx["data"]
    stored = sklearn.get("serialization_format")
    if stored == "skops" and isinstance(sklearn.get("pickled_model"), str):
        return "skops_model", sklearn["pickled_model"]
    kept = f" ({stored})" if stored else ""
    said = f"the folder holds the flavours {sorted(map(str, flavours))}{kept}: pickles and code are never loaded"
    raise given.refused("model_refused", f"{said}; {_ADVICE}")


def _require_columns(described: dict[str, Any], given: Any) -> None:
    """Refuse a signature that names other columns than the contract, or in another order."""
    try:
        inputs = json.loads(described["signature"]["inputs"])
        names = [one["name"] for one in inputs if one["type"] != "tensor"]
    except (TypeError, KeyError, ValueError):
        return
    if names and names != given.features:
        said = f"the model is signed for the columns {names}, the contract has {given.features}"
        raise given.refused("model_misfit", f"{said}: train it on these in this order, and store it anew")


def _inside(file: str, given: Any) -> str:
    """Return the model's file as the manifest would name it; refuse one outside of the folder."""
    folder = Path(given.form["model"]).parent
    if Path(file).is_absolute() or ".." in Path(file).parts:
        raise given.refused("model_refused", f"the model's file {file} lies outside of the folder of MLmodel")
    return str(folder / file)
