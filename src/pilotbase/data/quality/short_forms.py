"""Texts held against a pattern of a few signs, such as ``AB-[0-9]{6}``, by their views: a tenth of the work.

At each place such a pattern allows the signs from one to another. Eight places are compared by two sums: adding
127 - the last one sets the upper bit of a byte where the sign is greater, adding 128 - the first one leaves it unset
where it is less. The first byte of 128 and more fails one of both, so that what it carries into the next is no matter.
"""

from __future__ import annotations

import re
from functools import partial
from operator import le
from typing import NamedTuple

import numpy as np
import polars as pl

from pilotbase.data.quality.views import INLINE, Truths, Views, Words, judged, words_of

_ELEMENT = re.compile(
    r"(?:\[(?P<first>[A-Za-z0-9])-(?P<last>[A-Za-z0-9])\]"
    r"|\\(?P<escaped>[-.+*?()|{}\[\]^$\\])"
    r"|(?P<sign>[A-Za-z0-9_ :,/-]))"
    r"(?:\{(?P<times>[0-9]{1,2})\})?"
)
_BLOCK = 8192
"""Rows at a time: what is worked on stays close to the processor."""
_UPPER_BITS, _BOTH = np.uint64(0x8080808080808080), np.uint16(0x0101)


class _Form(NamedTuple):
    """What is added to a block of views, so that the upper bit of a byte tells: a sign too great, no sign too small."""

    above: Words
    below: Words


def fits_form(texts: pl.Expr, pattern: str) -> pl.Expr:
    """Return whether each text as a whole is of ``pattern``, a regular expression; null of a missing one."""
    whole = f"^(?:{pattern})$"
    ends = _ends_of(pattern)
    if ends is None:
        return texts.str.contains(whole)
    look = partial(_fitting, _form_of(*ends), whole)
    return texts.map_batches(look, return_dtype=pl.Boolean, is_elementwise=True)


def _ends_of(pattern: str) -> tuple[bytes, bytes] | None:
    """Return the first and the last sign at each place; None where the pattern is longer or of another kind."""
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
    least, most = (words_of(ends).view(np.uint8) for ends in (first, last))
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
