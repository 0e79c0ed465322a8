"""Which columns hold images or sounds: as files that lie beside the table, or as their bytes. Guesses for a draft."""

from __future__ import annotations

import io
import wave
from pathlib import Path, PurePosixPath

import numpy as np
import polars as pl

from pilotbase.documents.contract import DataType, Field

_ENDINGS = frozenset({".png", ".jpg", ".jpeg", ".bmp", ".gif", ".tif", ".tiff", ".webp", ".wav", ".npy"})
_IMAGES = (b"\x89PNG", b"\xff\xd8\xff", b"GIF8", b"BM", b"II*\0", b"MM\0*")
_NPY = b"\x93NUMPY"
_SAMPLES = ("<i2", "<f4")
_BYTES = "bytes"
"""Where the packages of Hugging Face keep a file's content in Parquet."""


def guess_array(column: pl.Series, folder: Path) -> Field | None:
    """Return a field of images or sounds where the first cell of ``column`` is one, or names one in ``folder``."""
    data = _first(column, folder)
    if data is None:
        return None
    kind = _kind(data)
    if kind is None:
        return None
    return Field(name=column.name, data_type=kind, rate=_rate(data) if kind is DataType.AUDIO else None)


def _first(column: pl.Series, folder: Path) -> bytes | None:
    """Return the bytes of the first file; None where the column holds no files."""
    if isinstance(column.dtype, pl.Struct) and _BYTES in [field.name for field in column.dtype.fields]:
        column = column.struct.field(_BYTES)
    cells = column.drop_nulls()
    if cells.is_empty() or column.dtype not in (pl.Binary, pl.String):
        return None
    if column.dtype == pl.Binary:
        return bytes(cells[0])
    if not {PurePosixPath(name).suffix.lower() for name in cells.unique().to_list()} <= _ENDINGS:
        return None
    first = folder / str(cells[0])
    return first.read_bytes() if first.is_file() else None


def _kind(data: bytes) -> DataType | None:
    if data.startswith(_NPY):
        return _kind_of_array(data)
    if data[:4] == b"RIFF":
        return DataType.AUDIO if data[8:12] == b"WAVE" else DataType.IMAGE
    return DataType.IMAGE if data.startswith(_IMAGES) else None


def _kind_of_array(data: bytes) -> DataType | None:
    try:
        array = np.load(io.BytesIO(data), allow_pickle=False)
    except (ValueError, OSError, EOFError):
        return None
    if array.dtype == np.uint8 and array.ndim in (2, 3):
        return DataType.IMAGE
    return DataType.AUDIO if array.dtype.str in _SAMPLES and array.ndim == 1 else None


def _rate(data: bytes) -> int | None:
    try:
        with wave.open(io.BytesIO(data)) as sound:
            return sound.getframerate() or None
    except (wave.Error, EOFError):
        return None
