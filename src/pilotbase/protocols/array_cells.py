"""Arrays as cells of a table: pixels and samples as the bytes of a ``.npy`` file, in text as base64.

Source: NumPy, "A simple file format for NumPy arrays" (NEP 1), version 1.0; nothing in it is pickled.
"""

from __future__ import annotations

import base64
import binascii
import io
import math
from typing import Any

import numpy as np
from numpy.typing import NDArray

Array = NDArray[Any]
_ALLOWED = frozenset({"|u1", "<i2", "<f4"})
"""Pixels; samples of 16 bits, or in [-1, 1]."""
MOST_VALUES = 1 << 26


def array_bytes(array: Array) -> bytes:
    """Return the bytes of a ``.npy`` file."""
    file = io.BytesIO()
    np.lib.format.write_array(file, np.ascontiguousarray(array), version=(1, 0), allow_pickle=False)
    return file.getvalue()


def array_of(data: bytes) -> Array:
    """Return the array in ``data``, read-only.

    Raises:
        ValueError: it isn't such a file, or its values have a type that pixels and samples don't have.
    """
    file = io.BytesIO(data)
    if np.lib.format.read_magic(file) != (1, 0):
        raise ValueError("not version 1.0 of the format")
    try:
        shape, fortran, dtype = np.lib.format.read_array_header_1_0(file)
    except Exception as error:  # noqa: BLE001 - this evaluates a literal, which raises any kind of error
        raise ValueError(str(error)) from None
    if any(type(side) is not int for side in shape):  # yes and no are whole numbers to its reader
        raise ValueError("no shape")
    count = math.prod(shape)
    rest = data[file.tell() :]
    if fortran or dtype.str not in _ALLOWED or not 0 <= count <= MOST_VALUES or len(rest) != count * dtype.itemsize:
        raise ValueError("no pixels and no samples")
    return np.frombuffer(rest, dtype=dtype).reshape(shape)


def cell_of(array: Array) -> str:
    """Return the cell that holds ``array``."""
    return base64.b64encode(array_bytes(array)).decode("ascii")


def array_in(cell: str) -> Array:
    """Return the array that a cell holds; raises `ValueError` as `array_of`."""
    try:
        return array_of(base64.b64decode(cell, validate=True))
    except binascii.Error as error:
        raise ValueError(str(error)) from None
