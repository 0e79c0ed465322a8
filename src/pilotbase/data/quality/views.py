"""The sixteen bytes that stand for each text of a column, as the table library holds them: looked at, never copied.

By Arrow's C stream interface, layout of a string view: four bytes of length, then the text itself where it has at most
twelve, zeros behind it; of a longer text its first four.
"""

from __future__ import annotations

import ctypes
from collections.abc import Callable, Iterator

import numpy as np
import numpy.typing as npt
import polars as pl

INLINE = 12
"""Bytes of the longest text that stands in its view as a whole."""
Views = npt.NDArray[np.uint8]
"""n × 16."""
Words = npt.NDArray[np.uint64]
Truths = npt.NDArray[np.bool_]
_WIDTH, _FORMAT = 16, b"vu"


class _Array(ctypes.Structure):
    _fields_ = (
        ("length", ctypes.c_int64),
        ("null_count", ctypes.c_int64),
        ("offset", ctypes.c_int64),
        ("n_buffers", ctypes.c_int64),
        ("n_children", ctypes.c_int64),
        ("buffers", ctypes.POINTER(ctypes.c_void_p)),
        ("children", ctypes.c_void_p),
        ("dictionary", ctypes.c_void_p),
        ("release", ctypes.CFUNCTYPE(None, ctypes.c_void_p)),
        ("private_data", ctypes.c_void_p),
    )


class _Schema(ctypes.Structure):
    _fields_ = (
        ("format", ctypes.c_char_p),
        ("name", ctypes.c_char_p),
        ("metadata", ctypes.c_char_p),
        ("flags", ctypes.c_int64),
        ("n_children", ctypes.c_int64),
        ("children", ctypes.c_void_p),
        ("dictionary", ctypes.c_void_p),
        ("release", ctypes.CFUNCTYPE(None, ctypes.c_void_p)),
        ("private_data", ctypes.c_void_p),
    )


class _Stream(ctypes.Structure):
    _fields_ = (
        ("get_schema", ctypes.CFUNCTYPE(ctypes.c_int, ctypes.c_void_p, ctypes.POINTER(_Schema))),
        ("get_next", ctypes.CFUNCTYPE(ctypes.c_int, ctypes.c_void_p, ctypes.POINTER(_Array))),
    )


_pointer = ctypes.pythonapi.PyCapsule_GetPointer
_pointer.restype, _pointer.argtypes = ctypes.c_void_p, (ctypes.py_object, ctypes.c_char_p)


def may_be(texts: pl.Series, looks_so: Callable[[Views], bool]) -> bool:
    """Tell whether ``looks_so`` holds for the views of any piece of ``texts``; true too where they are held otherwise.

    What stands for a missing text is any sixteen bytes.
    """
    return any(views is None or looks_so(views) for views in _pieces(texts))


def judged(
    texts: pl.Series, judge: Callable[[Views], Truths], otherwise: Callable[[pl.Series], pl.Series]
) -> pl.Series:
    """Return for each text whether ``judge`` holds it true by its view, null for a missing one.

    ``otherwise`` says the same of texts that are held otherwise.
    """
    found = [np.zeros(0, np.bool_)]
    for views in _pieces(texts):
        if views is None:
            return otherwise(texts)
        found.append(judge(views))
    truths = pl.Series(texts.name, np.concatenate(found))
    return truths.set(texts.is_null(), None) if texts.null_count() else truths


def words_of(text: bytes) -> Words:
    """Return the view of a text of at most `INLINE` bytes; shape (2,)."""
    return np.frombuffer(np.uint32(len(text)).tobytes() + text.ljust(INLINE, b"\0"), np.uint64)


def _pieces(texts: pl.Series) -> Iterator[Views | None]:
    """Yield the views of each piece, which last until the next; None where they are held otherwise."""
    capsule: object = texts.__arrow_c_stream__()
    address = _pointer(capsule, b"arrow_array_stream")
    stream = ctypes.cast(address, ctypes.POINTER(_Stream)).contents
    if not _holds_views(stream, address):
        yield None
        return
    while (array := _next(stream, address)).release:
        try:
            yield _views_of(array)
        finally:
            array.release(ctypes.addressof(array))


def _holds_views(stream: _Stream, address: int) -> bool:
    schema = _Schema()
    if stream.get_schema(address, schema):
        return False
    holds = bool(schema.format == _FORMAT)
    schema.release(ctypes.addressof(schema))
    return holds


def _next(stream: _Stream, address: int) -> _Array:
    array = _Array()
    if stream.get_next(address, array):
        raise MemoryError
    return array


def _views_of(array: _Array) -> Views:
    if not array.length:
        return np.zeros((0, _WIDTH), np.uint8)
    start = array.buffers[1] + array.offset * _WIDTH
    return np.ctypeslib.as_array(ctypes.cast(start, ctypes.POINTER(ctypes.c_uint8)), (array.length, _WIDTH))
