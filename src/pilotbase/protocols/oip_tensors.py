"""Tensors of the Open Inference Protocol, version 2: in JSON, and in the binary tensor data extension.

Sources: Open Inference Protocol REST (kserve/open-inference-protocol, ``inference_rest.md``, "Tensor data") and the
extension ``binary_tensor_data`` of Triton: raw little-endian values in row-major order; a BYTES element is its length,
four bytes, and then so many bytes.
"""

from __future__ import annotations

import math
import struct
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import chain
from typing import Any

import numpy as np
import numpy.typing as npt

from pilotbase.protocols.strict_json import WireError

Values = npt.NDArray[Any]

MAXIMUM_DIMENSIONS = 8
MAXIMUM_ELEMENTS = 1 << 27
BYTES = "BYTES"
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
"""By kind of dtype. ``null`` stands for a missing number or text, which the protocol itself has no word for."""
_LENGTH = struct.Struct("<I")


@dataclass(frozen=True)
class Tensor:
    """A named tensor; ``values`` is flat, in row-major order: of the numeric dtype, or objects (bytes, None)."""

    name: str
    datatype: str
    shape: tuple[int, ...]
    values: Values


def read_shape(found: object, field: str) -> tuple[int, ...]:
    """Return the shape that JSON spells; raises `WireError`."""
    if not isinstance(found, list) or not 1 <= len(found) <= MAXIMUM_DIMENSIONS:
        raise WireError("wire.tensor_shape", field=field)
    sizes = tuple(size for size in found if type(size) is int and 0 <= size <= MAXIMUM_ELEMENTS)
    if len(sizes) != len(found) or math.prod(sizes) > MAXIMUM_ELEMENTS:
        raise WireError("wire.tensor_shape", field=field)
    return sizes


def tensor_from_json(name: str, datatype: str, shape: tuple[int, ...], data: object) -> Tensor:
    """Return the tensor whose elements a JSON array holds, flat or nested as ``shape``; raises `WireError`."""
    if not isinstance(data, list):
        raise WireError("wire.tensor_data", field=name, datatype=datatype)
    flat = data if _is_flat(data) else _flattened(name, shape, data)
    if len(flat) != math.prod(shape):
        raise WireError("wire.tensor_count", field=name, found=len(flat), wanted=math.prod(shape))
    dtype = NUMERIC.get(datatype, np.dtype(object))
    if not set(map(type, flat)) <= _ALLOWED_IN_JSON[dtype.kind]:
        raise WireError("wire.tensor_data", field=name, datatype=datatype)
    return Tensor(name, datatype, shape, _array(name, datatype, flat))


def tensor_from_binary(name: str, datatype: str, shape: tuple[int, ...], data: memoryview) -> Tensor:
    """Return the tensor whose elements stand in ``data``, and nothing besides; raises `WireError`."""
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


def _is_flat(data: list[object]) -> bool:
    return not any(type(element) is list for element in data)


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
