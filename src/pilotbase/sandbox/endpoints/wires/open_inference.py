"""The Open Inference Protocol, version 2: a batch is one call.

Source: kserve/open-inference-protocol, ``inference_rest.md``. One tensor for each feature, of shape [n]; or one FP64
matrix [n, features] if the manifest names it. The answer: one tensor of shape [n] or [n, 1]; or [n, classes], a score
or probability for each class in the order of their names, as scikit-learn and our models in boxes have them.
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from typing import Any
from urllib.parse import quote

import numpy as np
from numpy.typing import NDArray

from pilotbase.documents.contract import Contract, DataType, Field, Prediction
from pilotbase.documents.endpoint import Endpoint
from pilotbase.documents.limits import EndReason
from pilotbase.protocols.contract_tensors import PREDICTION, input_metadata
from pilotbase.protocols.frames import MISSING_BOOLEAN, FeatureBatch, FrameError
from pilotbase.protocols.guarded_http import GuardedRequest, GuardedResponse
from pilotbase.protocols.open_inference import (
    BYTES,
    HEADER_LENGTH,
    Tensor,
    read_header_length,
    read_infer_response,
    texts_tensor,
    write_infer_request,
)
from pilotbase.protocols.strict_json import WireError
from pilotbase.sandbox.endpoints.wire import ModelReply, ModelRequest, misfit, require_cells

Column = NDArray[Any]
_ROUNDING = 1e-5
"""How far a probability may be outside 0 to 1: sums in single precision are."""
_NUMERIC = frozenset({DataType.FLOAT, DataType.INTEGER, DataType.BOOLEAN})
_FREE_BYTES, _ANSWER_BYTES = 1 << 20, 64


class OpenInferenceWire:
    """Asks one model for a batch at a time."""

    def __init__(self, endpoint: Endpoint, contract: Contract) -> None:
        require_cells(contract)
        texts = [field.name for field in contract.features if field.data_type not in _NUMERIC]
        if endpoint.input is not None and texts:
            raise misfit(f"no numbers for the matrix {endpoint.input}: {', '.join(texts)}")
        self._endpoint, self._contract = endpoint, contract
        version = "" if endpoint.version is None else f"/versions/{quote(endpoint.version, safe='')}"
        self._model = f"{endpoint.url.rstrip('/')}/v2/models/{quote(endpoint.model, safe='')}{version}"

    def greeting(self) -> GuardedRequest:
        return GuardedRequest("GET", f"{self._model}/ready")

    def is_there(self, answer: GuardedResponse) -> bool:
        return answer.status == 200

    def questions(self, batch: FeatureBatch) -> Sequence[ModelRequest]:
        output = self._endpoint.output
        body = write_infer_request(self._tensors(batch), () if output is None else (output,))
        most = _FREE_BYTES + batch.rows * max(self._answer_bytes, _ANSWER_BYTES)
        request = GuardedRequest("POST", f"{self._model}/infer", body, {"Content-Type": "application/json"}, most)
        return [ModelRequest(slice(0, batch.rows), request)]

    def read(self, question: ModelRequest, answer: GuardedResponse) -> ModelReply:
        length = read_header_length(answer.headers.get(HEADER_LENGTH), len(answer.body))
        response = read_infer_response(answer.body, length)
        values = read_output(self._output(response.outputs), self._contract.prediction, question.count)
        return ModelReply(values, " ".join(one for one in (response.model, response.version) if one))

    @property
    def _answer_bytes(self) -> int:
        prediction = self._contract.prediction
        return prediction.most_bytes if prediction.is_spelled else 32 * len(prediction.classes)

    def _tensors(self, batch: FeatureBatch) -> Sequence[Tensor]:
        fields, rows = self._contract.features, batch.rows
        if self._endpoint.input is not None:
            matrix = np.column_stack([_numbers(field, batch.columns[field.name]) for field in fields])
            return [Tensor(self._endpoint.input, "FP64", matrix.shape, matrix.reshape(-1))]
        described = zip(fields, input_metadata(self._contract), strict=True)
        return [_tensor(field, known.datatype, batch.columns[field.name], rows) for field, known in described]

    def _output(self, tensors: Sequence[Tensor]) -> Tensor:
        found: Mapping[str, Tensor] = {tensor.name: tensor for tensor in tensors}
        wanted = self._endpoint.output or PREDICTION
        if wanted in found:
            return found[wanted]
        if self._endpoint.output is None and len(tensors) == 1:
            return tensors[0]
        raise WireError("wire.no_output", field="outputs", allowed=wanted)


def read_output(tensor: Tensor, prediction: Prediction, rows: int) -> Column:
    """Return the answers in a tensor, in the form of `frames.AnswerBatch`; raises `FrameError`."""
    shape = tensor.shape
    if shape[0] != rows or len(shape) > 2:
        raise FrameError(EndReason.WRONG_COUNT)
    width = shape[1] if len(shape) == 2 else 1
    if prediction.kind == "probabilities" and tensor.datatype != BYTES:
        _require_width(width, len(prediction.classes))
        return _by_name(_within(tensor.values.astype(np.float64)).reshape(rows, width), sorted(prediction.classes))
    if prediction.is_spelled:
        return _spelled(tensor, width)
    if prediction.kind == "label" and tensor.datatype == BYTES:
        return _codes(_spelled(tensor, width).tolist(), prediction)
    if tensor.datatype == BYTES:
        raise FrameError(EndReason.WRONG_TYPE)
    if prediction.kind == "label" and width == 1:
        return _codes([str(value) for value in tensor.values.tolist()], prediction)
    numbers = tensor.values.astype(np.float64).reshape(rows, width)
    if prediction.kind == "label":
        return _highest(numbers, prediction)
    if prediction.kind == "interval":
        _require_width(width, 2)
        return numbers
    if prediction.kind == "probability" and width > 1:
        _require_width(width, len(prediction.classes))
        numbers = numbers[:, [sorted(prediction.classes).index(prediction.positive or "")]]
    _require_width(numbers.shape[1], 1)
    return _within(numbers[:, 0]) if prediction.kind == "probability" else numbers[:, 0]


def _require_width(width: int, wanted: int) -> None:
    if width != wanted:
        raise FrameError(EndReason.WRONG_COUNT)


def _within(numbers: Column) -> Column:
    """Return probabilities clipped to 0 to 1, where only rounding took them outside."""
    near = (numbers > -_ROUNDING) & (numbers < 1 + _ROUNDING)
    return np.where(near, np.clip(numbers, 0.0, 1.0), numbers)


def _highest(numbers: Column, prediction: Prediction) -> Column:
    _require_width(numbers.shape[1], len(prediction.classes))
    names = sorted(prediction.classes)
    codes = np.array([prediction.classes.index(name) for name in names], dtype=np.int32)
    best = codes[np.nan_to_num(numbers, nan=-np.inf).argmax(axis=1)]
    return np.where(np.isnan(numbers).all(axis=1), np.int32(-1), best)


def _codes(labels: Sequence[str | None], prediction: Prediction) -> Column:
    """Return the codes of classes; a missing or empty one abstains, unless that is a class."""
    known = {name: code for code, name in enumerate(prediction.classes)}
    known.setdefault("", -1)
    try:
        return np.array([-1 if label is None else known[label] for label in labels], dtype=np.int32)
    except KeyError:
        raise FrameError(EndReason.UNKNOWN_CLASS) from None


def _spelled(tensor: Tensor, width: int) -> Column:
    _require_width(width, 1)
    if tensor.datatype != BYTES:
        raise FrameError(EndReason.WRONG_TYPE)
    texts = np.empty(len(tensor.values), dtype=object)
    try:
        texts[:] = [None if value is None else value.decode() for value in tensor.values.tolist()]
    except UnicodeDecodeError:
        raise FrameError(EndReason.WRONG_TYPE) from None
    return texts


def _by_name(numbers: Column, names: Sequence[str]) -> Column:
    """Return rows of probabilities as they are spelled, None where one is NaN."""
    texts = np.empty(len(numbers), dtype=object)
    rows = (dict(zip(names, row, strict=True)) for row in numbers.tolist())
    texts[:] = [None if any(map(math.isnan, row.values())) else json.dumps(row, ensure_ascii=False) for row in rows]
    return texts


def _tensor(field: Field, datatype: str, column: Column, rows: int) -> Tensor:
    if datatype == BYTES:
        return texts_tensor(field.name, column.tolist(), (rows,))
    if column.dtype.kind == "f":  # integers and truth values are floats if some are missing
        return Tensor(field.name, "FP64", (rows,), column)
    if field.data_type is DataType.BOOLEAN and column.dtype == np.uint8 and bool((column == MISSING_BOOLEAN).any()):
        return Tensor(field.name, "FP64", (rows,), _numbers(field, column))
    dtype = {"FP64": np.float64, "INT64": np.int64, "BOOL": np.bool_}[datatype]
    return Tensor(field.name, datatype, (rows,), column.astype(dtype))


def _numbers(field: Field, column: Column) -> Column:
    if field.data_type is DataType.BOOLEAN and column.dtype == np.uint8:
        return np.where(column == MISSING_BOOLEAN, np.nan, column.astype(np.float64))
    return column.astype(np.float64)


WIRE = OpenInferenceWire
