"""An ONNX model, run by onnxruntime: no code of the supplier's runs, and nothing is reported to anyone.

The model has one input of numbers, shape (cases, features) in the order of the contract, or one input for each feature,
with its name and of shape (cases,) or (cases, 1). If an image or a sound is its only feature, it has one input of shape
(1, height, width, channels), (1, channels, height, width) or (1, samples), and is called case by case, since cases
differ in size; pixels are unscaled, 0 to 255. The first output that fits the contract's kind is used; columns of scores
or probabilities, and of label sets, are the classes in the order of the contract, that is, of their names.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

RUNTIME = "onnx"
NEEDS = ("onnxruntime", "numpy")
EXTRA = "onnx"

_NUMBERS = {
    "tensor(float)": "float32",
    "tensor(double)": "float64",
    "tensor(float16)": "float16",
    "tensor(int64)": "int64",
    "tensor(int32)": "int32",
    "tensor(bool)": "bool",
}
_ARRAYS = {**_NUMBERS, "tensor(uint8)": "uint8"}
_RANKS = {"sc:ImageObject": 4, "sc:AudioObject": 2}
_CHANNELS = (1, 3, 4)
_FLOATS = ("tensor(float)", "tensor(double)", "tensor(float16)")
_FLAGS = ("tensor(int64)", "tensor(int32)", "tensor(bool)")
_LABELS = ("tensor(string)", *_FLAGS)
_TEXTS = ("sc:Text", "sc:Date", "sc:DateTime")
_MISSING_BOOLEAN = 255
_ROUNDING = 1e-5
"""How far outside of [0, 1] single precision takes the probability of a forest, which sums shares of its trees."""
_SAID = (
    ("does not exist", "model_unreadable"),
    ("External data path", "model_refused"),
    ("is not a registered function/op", "model_refused"),
    ("Unsupported model IR version", "model_too_new"),
    ("guarantees* support", "model_too_new"),
    ("Could not find an implementation", "model_too_new"),
    ("bad_alloc", "memory_limit"),
)
"""Words of onnxruntime → the reason that they mean; a model refused with other words is unreadable."""


def load(given: Any) -> Callable[[Any], Any]:
    """Return a function that answers batches; raises with the reason why the model or its form is refused."""
    session = _open(given)
    inputs, outputs = session.get_inputs(), session.get_outputs()
    array = _one_array(inputs, given)
    feed = array or _one_matrix(inputs, given) or _by_name(inputs, given)
    if feed is None:
        wanted = f"one input of numbers of shape (cases, {len(given.features)}), or an input for each of"
        raise given.refused("model_misfit", f"the model has {_shown(inputs)}; needed: {wanted} {given.features}")
    take = _READERS[given.kind](outputs, given) if given.kind in _READERS else None
    if take is None:
        raise given.refused("model_misfit", f"the model has {_shown(outputs)}; the contract asks for a {given.kind}")
    name, read = take
    if array is not None:
        return lambda batch: [
            None if one is None else read(session.run([name], array(one))[0])[0] for one in batch[given.features[0]]
        ]
    return lambda batch: read(session.run([name], feed(batch))[0])


def _open(given: Any) -> Any:
    os.environ["ORT_DISABLE_TELEMETRY"] = "1"
    import onnxruntime  # type: ignore[import-untyped, unused-ignore]

    onnxruntime.disable_telemetry_events()
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads, options.inter_op_num_threads = given.threads, 1
    options.log_severity_level = 3
    try:
        path = str(Path(given.folder, given.form["model"]))
        return onnxruntime.InferenceSession(path, options, providers=["CPUExecutionProvider"])
    except Exception as problem:  # noqa: BLE001 - onnxruntime has no common class
        said = str(problem)
        reason = next((reason for words, reason in _SAID if words in said), "model_unreadable")
        raise given.refused(reason, f"onnxruntime {onnxruntime.__version__} refuses the model: {said[:2000]}") from None


def _one_array(inputs: Any, given: Any) -> Callable[[Any], dict[str, Any]] | None:
    """Return the function that feeds one image or sound to a model of one; None if it has other inputs."""
    ranks = [_RANKS.get(given.types[name]) for name in given.features]
    if len(inputs) != 1 or ranks != [len(inputs[0].shape)] or inputs[0].type not in _ARRAYS:
        return None
    one = inputs[0]
    _require_free(one, given, unless=1)
    first = len(one.shape) == 4 and one.shape[1] in _CHANNELS and one.shape[3] not in _CHANNELS
    kind, axes = _ARRAYS[one.type], (2, 0, 1)
    return lambda value: {one.name: (value.transpose(axes) if first else value)[None].astype(kind)}


def _one_matrix(inputs: Any, given: Any) -> Callable[[Any], dict[str, Any]] | None:
    """Return the function that feeds a model of one matrix; None if it has other inputs."""
    if len(inputs) != 1 or len(inputs[0].shape) != 2 or inputs[0].type not in _NUMBERS:
        return None
    name, (_, width) = inputs[0].name, inputs[0].shape
    if (isinstance(width, int) and width != len(given.features)) or not all(map(given.is_number, given.features)):
        return None
    _require_free(inputs[0], given)
    kind = _NUMBERS[inputs[0].type]
    return lambda batch: {name: _cast(given.numbers(batch), kind, name)}


def _by_name(inputs: Any, given: Any) -> Callable[[Any], dict[str, Any]] | None:
    """Return the function that feeds a model with an input for each feature; None if it has others."""
    if {one.name for one in inputs} != set(given.features):
        return None
    if not all(_fits_its_feature(one, given) for one in inputs):
        return None
    for one in inputs:
        _require_free(one, given)
    shapes = {one.name: (-1, 1) if len(one.shape) == 2 else (-1,) for one in inputs}
    kinds = {one.name: _NUMBERS.get(one.type, "object") for one in inputs}
    return lambda batch: {
        name: _column(batch[name], kinds[name], name).reshape(shapes[name]) for name in (one.name for one in inputs)
    }


def _fits_its_feature(one: Any, given: Any) -> bool:
    is_number = one.type in _NUMBERS and given.is_number(one.name)
    is_text = one.type == "tensor(string)" and given.types[one.name] in _TEXTS
    return (is_number or is_text) and (len(one.shape) == 1 or _has_columns(one, 1))


def _column(column: Any, kind: str, name: str) -> Any:
    """Return a column in the model's type; a missing text is the empty one."""
    import numpy

    if kind == "object":
        return numpy.array(["" if text is None else text for text in column], dtype=object)
    if column.dtype.kind == "u":
        column = numpy.where(column == _MISSING_BOOLEAN, numpy.nan, column)
    return _cast(column, kind, name)


def _cast(values: Any, kind: str, name: str) -> Any:
    import numpy

    if kind in ("int64", "int32", "bool") and values.dtype.kind == "f" and numpy.isnan(values).any():
        raise ValueError(f"the input {name} is {kind} and cannot hold missing values: export it as float")
    return numpy.ascontiguousarray(values, dtype=kind)


def _require_free(one: Any, given: Any, unless: int | None = None) -> None:
    if isinstance(one.shape[0], int) and one.shape[0] != unless:
        fixed = f"the input {one.name} takes {one.shape[0]} cases at a time: export it with a free first dimension"
        raise given.refused("model_misfit", fixed)


def _labels(outputs: Any, given: Any) -> tuple[str, Callable[[Any], Any]] | None:
    """Return the output of labels, or of a score for each class, of which the highest is the answer."""
    for one in outputs:
        if one.type in _LABELS and _is_one_column(one):
            return one.name, _of_one_column
    for one in outputs:
        if one.type in _FLOATS and _has_columns(one, len(given.classes)):
            return one.name, lambda scores: _of_codes(scores.argmax(axis=1), given.classes)
    return None


def _of_codes(codes: Any, classes: list[str]) -> Any:
    import numpy

    return numpy.array(classes, dtype=object)[codes]


def _probabilities(outputs: Any, given: Any) -> tuple[str, Callable[[Any], Any]] | None:
    """Return the output with the probability of the positive class: a mapping, its column, or a single number."""
    code = given.code(given.positive)
    for one in outputs:
        if one.type.startswith("seq(map("):
            return one.name, lambda rows: _rounded([_of_class(row, given, code) for row in rows])
    for one in outputs:
        if one.type in _FLOATS and _has_columns(one, len(given.classes)) and code is not None:
            return one.name, lambda scores: _rounded(scores[:, code])
    return next(((one.name, _rounded) for one in outputs if _is_one_number(one)), None)


def _of_all_classes(outputs: Any, given: Any) -> tuple[str, Callable[[Any], Any]] | None:
    """Return the output with a probability for each class: a mapping, or a column for each."""
    codes = range(len(given.classes))

    def by_name(rows: Any) -> Any:
        return _sum_one([[_of_class(row, given, code) for code in codes] for row in rows])

    for one in outputs:
        if one.type.startswith("seq(map(") or (one.type in _FLOATS and _has_columns(one, len(codes))):
            return one.name, by_name if one.type.startswith("seq") else _sum_one
    return None


def _sum_one(probabilities: Any) -> Any:
    """Return rows of probabilities whose sum is 1, where only rounding has taken it elsewhere."""
    values = _rounded(probabilities)
    sums = values.sum(axis=1, keepdims=True)
    near = abs(sums - 1) <= _ROUNDING * values.shape[1]
    return values / near.choose(1.0, sums)


def _rounded(probabilities: Any) -> Any:
    """Clip values that only rounding has taken out of [0, 1]; values further out are no probabilities."""
    import numpy

    values = numpy.asarray(probabilities, dtype="float64")
    near = numpy.clip(values, 0.0, 1.0)
    return numpy.where(abs(near - values) <= _ROUNDING, near, values)


def _of_class(row: dict[Any, float], given: Any, code: int | None) -> float:
    for key, probability in row.items():
        if code is not None and given.code(key) == code:
            return probability
    raise given.refused("model_misfit", f"the model knows the classes {list(row)}, not {given.classes}")


def _label_sets(outputs: Any, given: Any) -> tuple[str, Callable[[Any], Any]] | None:
    """Return the output that says for each class whether it is there, 0 or 1."""
    fits = (one for one in outputs if one.type in _FLAGS and _has_columns(one, len(given.classes)))
    read = lambda flags: [[given.classes[code] for code in row.nonzero()[0]] for row in flags]  # noqa: E731
    return next(((one.name, read) for one in fits), None)


def _first(fits: Callable[[Any], bool], read: Callable[[Any], Any]) -> Callable[[Any, Any], Any]:
    """Return the function that finds the first output that ``fits``, with how to read it; None if there is none."""
    return lambda outputs, given: next(((one.name, read) for one in outputs if fits(one)), None)


def _has_columns(one: Any, count: int) -> bool:
    return len(one.shape) == 2 and one.shape[1] == count


def _is_one_number(one: Any) -> bool:
    return one.type in _FLOATS and _is_one_column(one)


def _is_one_column(one: Any) -> bool:
    return len(one.shape) == 1 or (len(one.shape) == 2 and not (isinstance(one.shape[1], int) and one.shape[1] != 1))


def _of_one_column(answers: Any) -> Any:
    return answers[:, 0] if answers.ndim == 2 and answers.shape[1] == 1 else answers


def _shown(values: Any) -> str:
    return ", ".join(f"{one.name}: {one.type} {tuple(one.shape)}" for one in values)


_READERS = {
    "label": _labels,
    "probability": _probabilities,
    "probabilities": _of_all_classes,
    "value": _first(_is_one_number, _of_one_column),
    "interval": _first(lambda one: one.type in _FLOATS and _has_columns(one, 2), lambda ends: ends),
    "text": _first(lambda one: one.type == "tensor(string)" and _is_one_column(one), _of_one_column),
    "labels": _label_sets,
    # Names, best first, shape (cases, names); an empty name is none.
    "ranking": _first(
        lambda one: one.type == "tensor(string)" and len(one.shape) == 2,
        lambda names: [list(filter(None, row)) for row in names.tolist()],
    ),
    # Codes of classes, shape (cases, height, width).
    "mask": _first(lambda one: one.type in ("tensor(uint8)", *_FLAGS) and len(one.shape) == 3, lambda codes: codes),
}
"""Kind of answer → the function that finds its output and how to read it; boxes have no common form."""
