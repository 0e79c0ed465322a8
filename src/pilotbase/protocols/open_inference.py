"""Messages of the Open Inference Protocol, version 2, over REST: bytes to frozen dataclasses and back.

Sources: kserve/open-inference-protocol, ``inference_rest.md``; the binary tensor data extension of Triton, in which the
header ``Inference-Header-Content-Length`` states where the JSON ends and the raw tensors begin. They are little-endian
values in row-major order; a BYTES element is its length, in four bytes, followed by that many bytes.
"""

from __future__ import annotations

import math
import re
import struct
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import chain
from typing import Any

import numpy as np
import numpy.typing as npt

from pilotbase.protocols.strict_json import WireError, read_object, write_json

HEADER_LENGTH = "inference-header-content-length"
MAXIMUM_TENSORS = 10_000
MAXIMUM_HEADER_BYTES = 4 << 20
_IDENTITY = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.:/-]{0,79}")
Values = npt.NDArray[Any]
MAXIMUM_DIMENSIONS = 8
MAXIMUM_ELEMENTS = 1 << 27
BYTES = "BYTES"
EXTENSIONS = ("binary_tensor_data", "model_repository", "model_configuration", "statistics")
"""Of the model repository only the index: nothing is loaded or unloaded by callers."""
NUMERIC: Mapping[str, np.dtype[Any]] = {
    "BOOL": np.dtype("?"),
    "UINT8": np.dtype("<u1"),
    "UINT16": np.dtype("<u2"),
    "UINT32": np.dtype("<u4"),
    "UINT64": np.dtype("<u8"),
    "INT8": np.dtype("<i1"),
    "INT16": np.dtype("<i2"),
    "INT32": np.dtype("<i4"),
    "INT64": np.dtype("<i8"),
    "FP32": np.dtype("<f4"),
    "FP64": np.dtype("<f8"),
}
_ALLOWED_IN_JSON: Mapping[str, frozenset[type]] = {
    "b": frozenset({bool}),
    "i": frozenset({int}),
    "u": frozenset({int}),
    "f": frozenset({int, float, type(None)}),
    "O": frozenset({str, type(None)}),
}
"""By kind of dtype. ``null`` represents a missing number or text, which the protocol itself doesn't define."""
_LENGTH = struct.Struct("<I")
_DATATYPES = frozenset({*NUMERIC, BYTES})


@dataclass(frozen=True)
class InferRequest:
    """A request to a model."""

    id: str | None
    inputs: tuple[Tensor, ...]
    outputs: tuple[str, ...]
    """Names of the tensors that are wanted; empty: all."""
    binary: frozenset[str] | bool
    """Which outputs are wanted as raw bytes; True: every one that is not named in ``outputs``."""

    @property
    def cases(self) -> int:
        """How many cases it asks about: the most rows of a tensor."""
        return max((one.shape[0] for one in self.inputs if one.shape), default=1) or 1


@dataclass(frozen=True)
class InferResponse:
    """A model's answer; ``parameters`` apply to the whole answer."""

    model: str
    version: str
    id: str | None
    outputs: tuple[Tensor, ...]
    parameters: Mapping[str, bool | int | str]


@dataclass(frozen=True)
class TensorMetadata:
    """A model's metadata on one tensor; −1 means any size."""

    name: str
    datatype: str
    shape: tuple[int, ...]

    @property
    def described(self) -> dict[str, object]:
        """Return it as JSON."""
        return {"name": self.name, "datatype": self.datatype, "shape": list(self.shape)}


@dataclass(frozen=True)
class Tensor(TensorMetadata):
    """A named tensor; ``values`` is flat, in row-major order: of the numeric dtype, or objects (bytes, None)."""

    values: Values


Tensors = tuple[Sequence[TensorMetadata], Sequence[TensorMetadata]]
"""Inputs and outputs."""
Counted = tuple[int, int]
"""How many calls, and how many nanoseconds they took together."""


def read_header_length(value: str | None, size: int) -> int | None:
    """Return the length of the JSON before the raw tensors, None if there are none; raises `WireError`."""
    if value is None:
        return None
    if not value.isascii() or not value.isdigit() or len(value) > 10 or int(value) > min(size, MAXIMUM_HEADER_BYTES):
        raise WireError("wire.header_length", field="Inference-Header-Content-Length")
    return int(value)


def read_infer_request(body: bytes, header_length: int | None = None) -> InferRequest:
    """Return the request in ``body``, whose first ``header_length`` bytes are JSON (None: all are).

    Raises:
        WireError: it isn't a request of the protocol: not JSON, a tensor whose data don't fit its shape or datatype, or
            raw bytes missing or left over.
    """
    message, inputs = _read_message(body, header_length, "inputs")
    outputs, binary = _read_outputs(message)
    return InferRequest(_read_id(message.get("id")), inputs, outputs, binary)


def write_infer_response(response: InferResponse, binary: frozenset[str] | bool) -> tuple[bytes, int | None]:
    """Return the body of a response and the length of its JSON, None if no raw tensor follows."""
    raw: list[bytes] = []
    outputs: list[Mapping[str, object]] = []
    for tensor in response.outputs:
        if binary is True or (not isinstance(binary, bool) and tensor.name in binary):
            raw.append(binary_data(tensor))
            outputs.append({**tensor.described, "parameters": {"binary_data_size": len(raw[-1])}})
        else:
            outputs.append({**tensor.described, "data": json_data(tensor)})
    message: dict[str, object] = {"model_name": response.model, "model_version": response.version}
    if response.id is not None:
        message["id"] = response.id
    if response.parameters:
        message["parameters"] = dict(response.parameters)
    head = write_json({**message, "outputs": outputs})
    return (b"".join([head, *raw]), len(head)) if raw else (head, None)


def write_infer_request(inputs: Sequence[Tensor], outputs: Sequence[str]) -> bytes:
    """Return the body of a request, all of it JSON; ``outputs`` names the tensors that are wanted, none: all."""
    described = [{**one.described, "data": json_data(one)} for one in inputs]
    wanted = {"outputs": [{"name": name} for name in outputs]} if outputs else {}
    return write_json({"inputs": described, **wanted})


def read_infer_response(body: bytes, header_length: int | None) -> InferResponse:
    """Return the response in ``body``, whose first ``header_length`` bytes are JSON (None: all are).

    Raises:
        WireError: it isn't a response of the protocol.
    """
    message, outputs = _read_message(body, header_length, "outputs")
    name, version = message.get("model_name"), message.get("model_version")
    name = name if isinstance(name, str) else ""
    version = str(version) if isinstance(version, str | int) else ""  # some servers spell it as a number
    return InferResponse(name, version, None, outputs, {})


def server_metadata(name: str, version: str) -> bytes:
    """Return the metadata of the server."""
    return write_json({"name": name, "version": version, "extensions": list(EXTENSIONS)})


def model_metadata(
    name: str,
    versions: Sequence[str],
    platform: str,
    tensors: Tensors,
) -> bytes:
    """Return the metadata of a model; ``tensors`` are its inputs and its outputs."""
    inputs, outputs = ([tensor.described for tensor in side] for side in tensors)
    described = {"name": name, "versions": list(versions), "platform": platform, "inputs": inputs, "outputs": outputs}
    return write_json(described)


def model_config(name: str, platform: str, tensors: Tensors) -> bytes:
    """Return the configuration of a model as Triton has it; ``tensors`` are its inputs and its outputs."""
    inputs, outputs = ([_configured(tensor) for tensor in side] for side in tensors)
    return write_json({"name": name, "platform": platform, "max_batch_size": 0, "input": inputs, "output": outputs})


def _configured(tensor: TensorMetadata) -> Mapping[str, object]:
    spelled = "STRING" if tensor.datatype == BYTES else tensor.datatype
    return {"name": tensor.name, "data_type": f"TYPE_{spelled}", "dims": list(tensor.shape)}


def model_statistics(name: str, version: str, answered: Counted, failed: Counted, last: int) -> bytes:
    """Return the statistics of a model as Triton has them; ``last``: the last call, in milliseconds since 1970.

    What was measured is the time of whole calls.
    """
    spelled = {kind: {"count": count, "ns": ns} for kind, (count, ns) in (("success", answered), ("fail", failed))}
    counts = {"last_inference": last, "inference_count": answered[0], "execution_count": answered[0]}
    return write_json({"model_stats": [{"name": name, "version": version, **counts, "inference_stats": spelled}]})


def repository_index(name: str, states: Mapping[str, bool]) -> bytes:
    """Return the index of a repository that holds one model; ``states``: version → whether it is ready."""
    spelled = {True: "READY", False: "UNAVAILABLE"}
    return write_json(
        [{"name": name, "version": one, "state": spelled[ready], "reason": ""} for one, ready in states.items()]
    )


def readiness(name: str, ready: bool) -> bytes:
    """Return the message on the readiness of a model."""
    return write_json({"name": name, "ready": ready})


def error_body(message: str) -> bytes:
    """Return the body of an error."""
    return write_json({"error": message})


def _read_id(found: object) -> str | None:
    if found is None or found == "":
        return None
    if not isinstance(found, str) or _IDENTITY.fullmatch(found) is None:
        raise WireError("wire.identity", field="id")
    return found


def _read_message(
    body: bytes, header_length: int | None, field: str
) -> tuple[Mapping[str, object], tuple[Tensor, ...]]:
    """Return a message and the tensors of its ``field``, of which those as raw bytes stand behind its JSON."""
    view = memoryview(body)
    split = len(view) if header_length is None else header_length
    message = read_object(view[:split])
    tensors, used = _read_tensors(message.get(field), view[split:], field)
    if split + used != len(view):
        raise WireError("wire.bytes_left", found=len(view) - split, wanted=used)
    return message, tensors


def _read_tensors(found: object, raw: memoryview, field: str) -> tuple[tuple[Tensor, ...], int]:
    """Return the tensors of a message, and how many of the ``raw`` bytes they took."""
    if not isinstance(found, list) or not 1 <= len(found) <= MAXIMUM_TENSORS:
        if field == "outputs":
            raise WireError("wire.no_outputs", field=field)
        raise WireError("wire.no_inputs", field=field)
    tensors: list[Tensor] = []
    used = 0
    for place, described in enumerate(found):
        tensor, size = _read_tensor(described, f"{field}[{place}]", raw[used:])
        tensors.append(tensor)
        used += size
    names = [tensor.name for tensor in tensors]
    if len(set(names)) != len(names):
        raise WireError("wire.tensor_twice", field=field)
    return tuple(tensors), used


def _read_tensor(described: object, place: str, raw: memoryview) -> tuple[Tensor, int]:
    if not isinstance(described, dict):
        raise WireError("wire.tensor_form", field=place)
    name, datatype = described.get("name"), described.get("datatype")
    if not isinstance(name, str) or not 1 <= len(name) <= 200:
        raise WireError("wire.tensor_form", field=place)
    if not isinstance(datatype, str) or datatype not in _DATATYPES:
        raise WireError("wire.datatype", field=name, allowed=", ".join(sorted(_DATATYPES)))
    shape, size = _read_shape(described.get("shape"), name), _binary_size(described, name)
    if size is None:
        return _tensor_from_json(name, datatype, shape, described.get("data")), 0
    if "data" in described or size > len(raw):
        raise WireError("wire.tensor_bytes", field=name, found=len(raw), wanted=size)
    return _tensor_from_binary(name, datatype, shape, raw[:size]), size


def _binary_size(described: Mapping[str, object], name: str) -> int | None:
    size = _parameters(described, name).get("binary_data_size")
    if size is not None and (type(size) is not int or size < 0):
        raise WireError("wire.tensor_form", field=name)
    return size


def _read_outputs(message: Mapping[str, object]) -> tuple[tuple[str, ...], frozenset[str] | bool]:
    """Return the names of the outputs that are wanted, and which of them as raw bytes."""
    every = _flag(_parameters(message, "parameters"), "binary_data_output") or False
    found = message.get("outputs")
    if found is None:
        return (), every
    if not isinstance(found, list) or len(found) > MAXIMUM_TENSORS:
        raise WireError("wire.tensor_form", field="outputs")
    wanted = list(_output_flags(found))
    binary = frozenset(name for name, flag in wanted if (every if flag is None else flag))
    return tuple(name for name, _ in wanted), binary


def _output_flags(found: Sequence[object]) -> Iterator[tuple[str, bool | None]]:
    for place, described in enumerate(found):
        name = described.get("name") if isinstance(described, dict) else None
        if not isinstance(described, dict) or not isinstance(name, str):
            raise WireError("wire.tensor_form", field=f"outputs[{place}]")
        yield name, _flag(_parameters(described, name), "binary_data")


def _flag(parameters: Mapping[str, object], name: str) -> bool | None:
    flag = parameters.get(name)
    if flag is None or isinstance(flag, bool):
        return flag
    raise WireError("wire.tensor_form", field=name)


def _parameters(described: Mapping[str, object], field: str) -> Mapping[str, object]:
    found = described.get("parameters")
    if found is None:
        return {}
    if not isinstance(found, dict):
        raise WireError("wire.tensor_form", field=field)
    return found


def _read_shape(found: object, field: str) -> tuple[int, ...]:
    """Return the shape that JSON spells; raises `WireError`."""
    if not isinstance(found, list) or not 1 <= len(found) <= MAXIMUM_DIMENSIONS:
        raise WireError("wire.tensor_shape", field=field)
    sizes = tuple(size for size in found if type(size) is int and 0 <= size <= MAXIMUM_ELEMENTS)
    if len(sizes) != len(found) or math.prod(sizes) > MAXIMUM_ELEMENTS:
        raise WireError("wire.tensor_shape", field=field)
    return sizes


def _tensor_from_json(name: str, datatype: str, shape: tuple[int, ...], data: object) -> Tensor:
    """Return the tensor whose elements a JSON array holds, flat or nested as ``shape``; raises `WireError`."""
    if not isinstance(data, list):
        raise WireError("wire.tensor_data", field=name, datatype=datatype)
    nested = any(type(element) is list for element in data)
    flat = _flattened(name, shape, data) if nested else data
    if len(flat) != math.prod(shape):
        raise WireError("wire.tensor_count", field=name, found=len(flat), wanted=math.prod(shape))
    dtype = NUMERIC.get(datatype, np.dtype(object))
    if not set(map(type, flat)) <= _ALLOWED_IN_JSON[dtype.kind]:
        raise WireError("wire.tensor_data", field=name, datatype=datatype)
    return Tensor(name, datatype, shape, _array(name, datatype, flat))


def _tensor_from_binary(name: str, datatype: str, shape: tuple[int, ...], data: memoryview) -> Tensor:
    """Return the tensor whose elements fill ``data`` exactly; raises `WireError`."""
    count = math.prod(shape)
    if datatype == BYTES:
        return Tensor(name, datatype, shape, _objects(list(_split_bytes(name, data, count))))
    dtype = NUMERIC[datatype]
    if len(data) != count * dtype.itemsize:
        raise WireError("wire.tensor_bytes", field=name, found=len(data), wanted=count * dtype.itemsize)
    if datatype == "BOOL":
        raw = np.frombuffer(data, dtype=np.uint8)
        if raw.size and raw.max() > 1:
            raise WireError("wire.tensor_data", field=name, datatype=datatype)
    return Tensor(name, datatype, shape, np.frombuffer(data, dtype=dtype))


def json_data(tensor: Tensor) -> list[object]:
    """Return the elements as a flat JSON array; a missing number is ``null``, bytes are read as UTF-8."""
    values: list[object] = tensor.values.tolist()
    if tensor.datatype == BYTES:
        return [value.decode(errors="replace") if isinstance(value, bytes) else value for value in values]
    if tensor.values.dtype.kind == "f":
        return [None if value != value else value for value in values]
    return values


def binary_data(tensor: Tensor) -> bytes:
    """Return the elements as raw bytes; a missing text is an empty one."""
    if tensor.datatype != BYTES:
        return np.ascontiguousarray(tensor.values, dtype=NUMERIC[tensor.datatype]).tobytes()
    elements: list[bytes] = [value or b"" for value in tensor.values.tolist()]
    return b"".join(chain.from_iterable((_LENGTH.pack(len(element)), element) for element in elements))


def texts_tensor(name: str, texts: Sequence[str | None], shape: tuple[int, ...]) -> Tensor:
    """Return a BYTES tensor of texts."""
    return Tensor(name, BYTES, shape, _objects([None if one is None else one.encode() for one in texts]))


def _flattened(name: str, shape: tuple[int, ...], data: list[object]) -> list[object]:
    level: list[object] = data
    for depth, size in enumerate(shape):
        if depth:
            if any(type(row) is not list or len(row) != size for row in level):
                raise WireError("wire.tensor_nesting", field=name)
            level = list(chain.from_iterable(level))  # type: ignore[arg-type]
        elif len(level) != size:
            raise WireError("wire.tensor_nesting", field=name)
    return level


def _array(name: str, datatype: str, flat: Sequence[Any]) -> Values:
    if datatype == BYTES:
        return _objects([None if text is None else text.encode(errors="surrogatepass") for text in flat])
    dtype = NUMERIC[datatype]
    try:
        values = np.array(
            [math.nan if value is None else value for value in flat] if dtype.kind == "f" else flat, dtype
        )
    except OverflowError:
        raise WireError("wire.tensor_data", field=name, datatype=datatype) from None
    if dtype.kind == "f" and np.isinf(values).any():
        raise WireError("wire.tensor_data", field=name, datatype=datatype)
    return values


def _objects(values: Sequence[object]) -> Values:
    column = np.empty(len(values), dtype=object)
    column[:] = values
    return column


def _split_bytes(name: str, data: memoryview, count: int) -> Iterator[bytes]:
    place = 0
    for _ in range(count):
        if place + 4 > len(data):
            raise WireError("wire.tensor_bytes", field=name, found=len(data), wanted=place + 4)
        (length,) = _LENGTH.unpack_from(data, place)
        place += 4 + length
        if place > len(data):
            raise WireError("wire.tensor_bytes", field=name, found=len(data), wanted=place)
        yield bytes(data[place - length : place])
    if place != len(data):
        raise WireError("wire.tensor_bytes", field=name, found=len(data), wanted=place)
