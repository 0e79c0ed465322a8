"""A typed table as plain buffers: what a box has read comes back without a parser that a hostile file could break.

One column after the other, little endian:

    presence   uint8, one a row: 0 (null) or 1
    values     float64, int64, uint8 (booleans), int32 (days since 1970) or int64 (microseconds since 1970, UTC)
    or texts   int64 offsets (rows + 1), then UTF-8 bytes

Of what comes back, only lengths, offsets and UTF-8 are trusted, once they are checked.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np
import numpy.typing as npt
import polars as pl

Types = Mapping[str, pl.DataType]

_PHYSICAL: Mapping[pl.DataType, str] = {
    pl.Float64(): "<f8",
    pl.Int64(): "<i8",
    pl.Boolean(): "u1",
    pl.Date(): "<i4",
    pl.Datetime("us", "UTC"): "<i8",
}

_DAY = 86_400_000_000
_RANGES: Mapping[pl.DataType, tuple[int, int]] = {
    pl.Date(): (-719_162, 2_932_896),
    pl.Datetime("us", "UTC"): (-719_162 * _DAY, 2_932_897 * _DAY - 1),
}
"""Bounds of times from year 1 to 9999, which every library can spell."""


def encode_columns(frame: pl.DataFrame) -> Iterator[bytes]:
    """Yield the buffers of a ``frame`` whose columns have the types of `conform`."""
    for column in frame:
        yield column.is_not_null().cast(pl.UInt8).to_numpy().tobytes()
        if column.dtype == pl.String:
            encoded = [b"" if value is None else value.encode() for value in column]
            yield np.cumsum([0, *map(len, encoded)], dtype="<i8").tobytes()
            yield b"".join(encoded)
        else:
            physical = column.cast(pl.UInt8) if column.dtype == pl.Boolean else column.to_physical()
            yield physical.fill_null(0).to_numpy().astype(_PHYSICAL[column.dtype]).tobytes()


def decode_columns(data: bytes, rows: int, types: Types) -> pl.DataFrame:
    """Return the table of ``rows`` rows whose columns have these names and ``types``.

    Raises:
        ValueError: bytes are missing or left over, offsets decrease, a text is not UTF-8, a time is in no year.
    """
    buffers = _Buffers(data)
    columns = [
        _texts(name, rows, buffers) if kind == pl.String else _values(name, rows, kind, buffers)
        for name, kind in types.items()
    ]
    buffers.require_end()
    return pl.DataFrame(columns)


class _Buffers:
    """Takes one buffer after the other, never more than there is."""

    def __init__(self, data: bytes) -> None:
        self._data, self._at = data, 0

    def take(self, count: int, dtype: str) -> npt.NDArray[Any]:
        """Return the next ``count`` numbers; raises `ValueError` if there are fewer."""
        found = np.frombuffer(self._data, dtype, count, self._at) if count else np.zeros(0, dtype)
        self._at += found.nbytes
        return found

    def require_end(self) -> None:
        if self._at != len(self._data):
            raise ValueError("bytes are left over")


def _values(name: str, rows: int, kind: pl.DataType, buffers: _Buffers) -> pl.Series:
    present = buffers.take(rows, "u1") == 1
    numbers = buffers.take(rows, _PHYSICAL[kind])
    low, high = _RANGES.get(kind, (None, None))
    if low is not None and bool(((numbers < low) | (numbers > high)).any()):
        raise ValueError("a time is in no year")
    values = pl.Series(name, numbers).cast(kind)
    return values.zip_with(pl.Series(present), pl.Series(name, [None], dtype=kind))


def _texts(name: str, rows: int, buffers: _Buffers) -> pl.Series:
    present = buffers.take(rows, "u1") == 1
    offsets = buffers.take(rows + 1, "<i8")
    if offsets[0] != 0 or bool((np.diff(offsets) < 0).any()):
        raise ValueError("the offsets of a text column do not climb")
    joined = buffers.take(int(offsets[-1]), "u1").tobytes()
    ends = offsets.tolist()
    spelled = [
        joined[start:end].decode() if there else None
        for start, end, there in zip(ends, ends[1:], present.tolist(), strict=False)
    ]
    return pl.Series(name, spelled, dtype=pl.String)
