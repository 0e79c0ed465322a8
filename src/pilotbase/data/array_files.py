"""Images and sounds named by or held in a table: read once, into cells that need no reader any more.

A cell is a path in the table's folder (``images/0001.png``), the bytes of such a file (Parquet), or already the array.
Readable are ``.npy``, ``.wav`` (16 bits; several channels become their mean) and, if Pillow is installed (the extra
``images``), images of any usual kind: grey, or red, green and blue.
"""

from __future__ import annotations

import io
import wave
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path, PurePosixPath
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

from pilotbase.documents.contract import ARRAYS, DataType, Field
from pilotbase.documents.errors import InputError, Issue, PilotbaseError
from pilotbase.documents.extras import packages_of
from pilotbase.documents.texts import text
from pilotbase.protocols.array_cells import array_in, array_of, cell_of

MOST_FILE_BYTES = 64 << 20
MOST_PIXELS = 40_000_000
SHOWN = 20
Array = NDArray[Any]


class UnreadableArrayError(ValueError):
    """A cell leads to nothing readable; the message says why."""


def with_arrays(table: pl.DataFrame, fields: Sequence[Field], folder: Path) -> pl.DataFrame:
    """Return ``table`` with the array that each cell of its images and sounds leads to; missing ones stay null.

    Raises:
        InputError: each cell that leads to nothing readable, or out of ``folder``.
        PilotbaseError: images are named and Pillow is not installed.
    """
    issues: list[Issue] = []
    columns = []
    for field in fields:
        if field.data_type not in ARRAYS or field.name not in table.columns:
            continue
        cells = []
        for row, cell in enumerate(table[field.name].to_list()):
            try:
                cells.append(None if cell is None else _cell(cell, field, folder))
            except UnreadableArrayError as error:
                problem = text("data.unreadable_array", row=row + 1, found=str(cell)[:80], reason=str(error))
                issues.append(Issue(file=str(folder.name), path=field.name, problem=problem))
                cells.append(None)
        columns.append(pl.Series(field.name, cells, dtype=pl.String))
    if issues:
        raise InputError.from_issues(issues[0].file, issues[:SHOWN])
    return table.with_columns(columns)


def sound_cell(data: bytes, field: Field) -> str:
    """Return the cell of a sound file; raises `UnreadableArrayError`, also where its rate is not that of ``field``."""
    cell = cell_of(_array(data, field))
    if data.startswith(b"RIFF") and field.rate is not None:
        with wave.open(io.BytesIO(data)) as sound:
            if sound.getframerate() != field.rate:
                raise UnreadableArrayError(f"{sound.getframerate()} samples a second, the contract has {field.rate}")
    return cell


def _cell(cell: object, field: Field, folder: Path) -> str:
    if isinstance(cell, dict):  # the spelling of Hugging Face packages
        cell = cell.get("bytes") or cell.get("path")
    if isinstance(cell, bytes):
        return cell_of(_array(cell, field))
    if not isinstance(cell, str):
        raise UnreadableArrayError("neither a path nor bytes")
    if "." not in cell:
        return _checked_cell(cell, field)
    path = folder / cell
    if PurePosixPath(cell).is_absolute() or not path.resolve().is_relative_to(folder.resolve()):
        raise UnreadableArrayError("it leads out of the folder")
    if not path.is_file():
        raise UnreadableArrayError("no such file")
    try:
        with path.open("rb") as file:
            data = file.read(MOST_FILE_BYTES + 1)
    except OSError as error:
        raise UnreadableArrayError(error.strerror or str(error)) from None
    return cell_of(_array(data, field))


def _checked_cell(cell: str, field: Field) -> str:
    try:
        return cell_of(_fitting(array_in(cell), field))
    except ValueError as error:
        raise UnreadableArrayError(str(error)) from None


def _array(data: bytes, field: Field) -> Array:
    """Return the array in a file, whose kind its first bytes determine."""
    if len(data) > MOST_FILE_BYTES:
        raise UnreadableArrayError(f"more than {MOST_FILE_BYTES} bytes")
    reader = next((read for start, read in _READERS.items() if data.startswith(start)), None)
    if reader is None:
        reader = _read_image if field.data_type is DataType.IMAGE else _refuse
    return _fitting(reader(data), field)


def _fitting(array: Array, field: Field) -> Array:
    """Return an image of shape (height, width, channels), or samples of shape (samples,)."""
    image = field.data_type is DataType.IMAGE
    if image and array.ndim == 2:
        array = array[:, :, None]
    if array.ndim != (3 if image else 1) or (array.dtype == np.uint8) is not image or not array.size:
        raise UnreadableArrayError(f"an array of {array.dtype} and shape {array.shape}")
    return array


def _read_npy(data: bytes) -> Array:
    try:
        return array_of(data)
    except (ValueError, SyntaxError, EOFError) as error:
        raise UnreadableArrayError(str(error)) from None


def _read_wave(data: bytes) -> Array:
    try:
        with wave.open(io.BytesIO(data)) as sound:
            if sound.getsampwidth() != 2:
                raise UnreadableArrayError(f"{8 * sound.getsampwidth()} bits a sample, 16 are read")
            samples = np.frombuffer(sound.readframes(sound.getnframes()), dtype="<i2")
            channels = samples[: len(samples) // sound.getnchannels() * sound.getnchannels()]
            mixed = channels.reshape(-1, sound.getnchannels()).mean(axis=1)
    except (wave.Error, EOFError) as error:
        raise UnreadableArrayError(str(error)) from None
    return np.asarray(mixed.round(), dtype="<i2")


def _read_image(data: bytes) -> Array:
    try:
        from PIL import Image  # an extra: few scenarios hold images
    except ModuleNotFoundError:
        raise PilotbaseError("data.no_image_reader", packages=packages_of("images")) from None
    try:
        with Image.open(io.BytesIO(data)) as image:
            if image.width * image.height > MOST_PIXELS:
                raise UnreadableArrayError(f"more than {MOST_PIXELS} pixels")
            grey = image.mode in ("1", "L", "I;16")
            return np.asarray(image.convert("L" if grey else "RGB"), dtype=np.uint8)
    except (OSError, SyntaxError, ValueError, Image.DecompressionBombError) as error:
        raise UnreadableArrayError(str(error)) from None


def _refuse(data: bytes) -> Array:
    raise UnreadableArrayError("no file of sound that is read here")


_READERS: Mapping[bytes, Callable[[bytes], Array]] = {b"\x93NUMPY": _read_npy, b"RIFF": _read_wave}
