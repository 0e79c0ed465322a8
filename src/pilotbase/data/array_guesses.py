"""Which columns name files of images or sounds that lie beside the table. Guesses for a draft."""

from __future__ import annotations

import wave
from pathlib import Path, PurePosixPath

import numpy as np
import polars as pl

from pilotbase.documents.contract import DataType, Field

_IMAGES = frozenset({".png", ".jpg", ".jpeg", ".bmp", ".gif", ".tif", ".tiff", ".webp"})
_SOUNDS = frozenset({".wav"})
_ARRAYS = frozenset({".npy"})


def as_array(field: Field, column: pl.Series, folder: Path) -> Field:
    """Return ``field`` as one of images or sounds where ``column`` names such files in ``folder``; else as it is."""
    if field.data_type is not DataType.TEXT or column.dtype != pl.String:
        return field
    names = column.drop_nulls()
    endings = {PurePosixPath(name).suffix.lower() for name in names.unique().to_list()}
    if not endings or not endings <= _IMAGES | _SOUNDS | _ARRAYS:
        return field
    first = folder / str(names[0])
    if not first.is_file():
        return field
    if endings <= _SOUNDS:
        return field.model_copy(update={"data_type": DataType.AUDIO, "rate": _rate(first)})
    kind = DataType.AUDIO if endings <= _ARRAYS and _dimensions(first) == 1 else DataType.IMAGE
    return field.model_copy(update={"data_type": kind})


def _rate(file: Path) -> int | None:
    try:
        with wave.open(str(file), "rb") as sound:
            return sound.getframerate() or None
    except (wave.Error, EOFError, OSError):
        return None


def _dimensions(file: Path) -> int | None:
    try:
        return int(np.load(file, mmap_mode="r", allow_pickle=False).ndim)
    except (ValueError, OSError, EOFError):
        return None
