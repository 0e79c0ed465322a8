"""The sixteen bytes that represent each text of a column in the table library: looked at, never copied.

Through Arrow's C stream interface, layout of a string view: four bytes of length, then the text itself if it has at
most twelve, followed by zeros; of a longer text its first four.
"""

from __future__ import annotations

import ctypes
import re
from collections.abc import Callable, Iterator
from functools import partial
from operator import le
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
import polars as pl

INLINE = 12
"""Bytes of the longest text that its view holds as a whole."""
Views = npt.NDArray[np.uint8]
"""n × 16."""
Words = npt.NDArray[np.uint64]
Truths = npt.NDArray[np.bool_]
_WIDTH, _FORMAT = 16, b"vu"
_pointer = ctypes.pythonapi.PyCapsule_GetPointer
_pointer.restype, _pointer.argtypes = ctypes.c_void_p, (ctypes.py_object, ctypes.c_char_p)
_ELEMENT = re.compile(
    r"(?:\[(?P<first>[A-Za-z0-9])-(?P<last>[A-Za-z0-9])\]"
    r"|\\(?P<escaped>[-.+*?()|{}\[\]^$\\])"
    r"|(?P<sign>[A-Za-z0-9_ :,/-]))"
    r"(?:\{(?P<times>[0-9]{1,2})\})?"
)
_BLOCK = 8192
"""Rows at a time: the working data stay close to the processor."""
_UPPER_BITS, _BOTH = np.uint64(0x8080808080808080), np.uint16(0x0101)


class _Form(NamedTuple):
    """Added to a block of views; a byte's upper bit then means: too great (``above``), not too small (``below``)."""

    above: Words
    below: Words


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


def may_be(texts: pl.Series, looks_so: Callable[[Views], bool]) -> bool:
    """Return whether ``looks_so`` holds for the views of any piece of ``texts``; also true if they are not stored so.

    A missing text is any sixteen bytes.
    """
    return any(views is None or looks_so(views) for views in _pieces(texts))


def judged(
    texts: pl.Series, judge: Callable[[Views], Truths], otherwise: Callable[[pl.Series], pl.Series]
) -> pl.Series:
    """Return for each text whether ``judge`` accepts its view, null for a missing one.

    ``otherwise`` decides the same for texts that are stored otherwise.
    """
    found = [np.zeros(0, np.bool_)]
    for views in _pieces(texts):
        if views is None:
            return otherwise(texts)
        found.append(judge(views))
    truths = pl.Series(texts.name, np.concatenate(found))
    return truths.set(texts.is_null(), None) if texts.null_count() else truths


def _words_of(text: bytes) -> Words:
    """Return the view of a text of at most `INLINE` bytes; shape (2,)."""
    return np.frombuffer(np.uint32(len(text)).tobytes() + text.ljust(INLINE, b"\0"), np.uint64)


def _pieces(texts: pl.Series) -> Iterator[Views | None]:
    """Yield the views of each piece, which last until the next; None if they are stored otherwise."""
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


def fits_form(texts: pl.Expr, pattern: str) -> pl.Expr:
    """Return whether each text as a whole matches ``pattern``, a regular expression; null for a missing one.

    A pattern of a few characters, such as ``AB-[0-9]{6}``, is checked on the views: a tenth of the work. At each place
    it allows a range of characters. Eight places are compared by two sums: adding 127 minus the last one sets the
    upper bit of a byte if the character is greater, adding 128 minus the first one leaves it unset if it is less. The
    first byte of 128 and more fails one of both, so that what it carries into the next does not matter.
    """
    whole = f"^(?:{pattern})$"
    ends = _ends_of(pattern)
    if ends is None:
        return texts.str.contains(whole)
    look = partial(_fitting, _form_of(*ends), whole)
    return texts.map_batches(look, return_dtype=pl.Boolean, is_elementwise=True)


def _ends_of(pattern: str) -> tuple[bytes, bytes] | None:
    """Return the first and the last character at each place; None if the pattern is longer or of another kind."""
    first, last, at = "", "", 0
    while at < len(pattern):
        found = _ELEMENT.match(pattern, at)
        if found is None:
            return None
        sign, times = found["escaped"] or found["sign"], int(found["times"] or 1)
        first += (found["first"] or sign) * times
        last += (found["last"] or sign) * times
        at = found.end()
    fits = len(first) <= INLINE and all(map(le, first, last))
    return (first.encode(), last.encode()) if fits else None


def _form_of(first: bytes, last: bytes) -> _Form:
    least, most = (_words_of(ends).view(np.uint8) for ends in (first, last))
    return _Form(*(np.tile(added.view(np.uint64), _BLOCK) for added in (127 - most, 128 - least)))


def _fitting(form: _Form, whole: str, texts: pl.Series) -> pl.Series:
    return judged(texts, partial(_are_fitting, form), lambda others: others.str.contains(whole))


def _are_fitting(form: _Form, views: Views) -> Truths:
    words, found = views.view(np.uint64).reshape(-1), np.empty(len(views), np.bool_)
    for start in range(0, len(views), _BLOCK):
        block = words[2 * start : 2 * (start + _BLOCK)]
        wrong = block + form.above[: len(block)]
        small = block + form.below[: len(block)]
        wrong |= np.invert(small, out=small)
        wrong &= _UPPER_BITS
        np.equal((wrong == 0).view(np.uint16), _BOTH, out=found[start : start + _BLOCK])
    return found
