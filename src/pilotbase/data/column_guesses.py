"""What a column seems to hold or to be for: a unit, keys, row numbers, images or sounds, boxes, masks, lists of names.

Guesses for a draft, which the owner confirms.
"""

from __future__ import annotations

import io
import re
import wave
from collections.abc import Mapping, Sequence
from pathlib import Path, PurePosixPath

import numpy as np
import polars as pl

from pilotbase.data.column_types import type_column
from pilotbase.data.date_forms import holds_dates
from pilotbase.documents.answer_texts import SEPARATOR, AnswerTextError, classes_in, read_ranking
from pilotbase.documents.contract import AnswerKind, DataType, Field, Task

MISSING_SPELLINGS = ("NA", "N/A", "n/a", "NaN", "nan", "NULL", "null", "None", "none", "?", "-", "--", "缺失", "无")
"""Spellings taken for a missing value in a column of numbers or dates."""

Types = Mapping[str, DataType]
"""Column → its type."""
_BRACKETED = re.compile(r"[\[(（【]\s*(?P<unit>[^\])）】]{1,12}?)\s*[\])）】]\s*$")
_SUFFIX = re.compile(r"[_\s](?P<suffix>[A-Za-z%]+)$")
_KEY_NAME = re.compile(r"(^|[_\s-])(id|uid|uuid|key|no|nr|number|index|case)$|编号|序号|主键|流水号", re.IGNORECASE)
_CODE = r"^[^\s\d]*\d\S{0,40}$"
_CHINESE = r"[㐀-鿿豈-﫿]"
_SENTENCE = rf"[，。；：、！？“”…]|({_CHINESE}.*){{7}}"
"""What no code contains: sentence punctuation, or this many Chinese letters, which have no blanks between words."""
_FEWEST_STEMS, _MOST_STEMS = 3, 0.2
"""Codes share the Chinese letters before their numbers (病历0012); texts with a number in them hardly do."""

UNITS = {
    **{name.lower(): name for name in ("rpm", "kW", "MW", "GW", "kWh", "MWh", "kV", "mA", "Hz", "kHz", "Pa", "kPa")},
    **{name.lower(): name for name in ("MPa", "bar", "mbar", "hPa", "mm", "cm", "km", "ms", "min", "kg", "mg", "mmHg")},
    **{"pct": "%", "percent": "%", "degc": "°C", "celsius": "°C", "kelvin": "K", "degf": "°F", "fahrenheit": "°F"},
    **{"nm": "N·m", "kmh": "km/h", "kph": "km/h", "mph": "mph", "sec": "s", "seconds": "s", "minutes": "min"},
    **{"hours": "h", "hour": "h", "days": "d", "day": "d", "miles": "mi", "volts": "V", "amps": "A", "watts": "W"},
    **{"cny": "CNY", "rmb": "CNY", "yuan": "CNY", "usd": "USD", "eur": "EUR", "years": "a", "months": "mo"},
}
"""End of a column's name, in lower case → unit."""
_SHORT_UNITS = (
    (re.compile(r"temp|温", re.IGNORECASE), {"c": "°C", "k": "K", "f": "°F"}),
    (re.compile(r"dist|length|height|depth|width|距|长|高|深|宽", re.IGNORECASE), {"m": "m"}),
    (re.compile(r"time|duration|delay|wait|时", re.IGNORECASE), {"s": "s", "h": "h", "d": "d"}),
    (re.compile(r"volt|压", re.IGNORECASE), {"v": "V"}),
    (re.compile(r"current|流", re.IGNORECASE), {"a": "A"}),
    (re.compile(r"power|功", re.IGNORECASE), {"w": "W"}),
)
"""A single letter is a unit only after a name that it fits."""
_ENDINGS = frozenset({".png", ".jpg", ".jpeg", ".bmp", ".gif", ".tif", ".tiff", ".webp", ".wav", ".npy"})
_IMAGES = (b"\x89PNG", b"\xff\xd8\xff", b"GIF8", b"BM", b"II*\0", b"MM\0*")
_NPY = b"\x93NUMPY"
_SAMPLES = ("<i2", "<f4")
_BYTES = "bytes"
"""The key of a file's content in Parquet files of Hugging Face."""
_LISTED = 0.05
"""A column with names between bars in at least this share of cells, and no words, holds lists of names."""
_LONGEST_NAME = 60


def guess_unit(name: str) -> str | None:
    """Return the unit at the end of a column's name: ``power [MW]``, ``功率（MW）``, ``temp_c``; None if none."""
    bracketed = _BRACKETED.search(name)
    if bracketed:
        return bracketed["unit"]
    suffix = _SUFFIX.search(name)
    if suffix is None:
        return None
    ending, stem = suffix["suffix"].lower(), name[: suffix.start()]
    if ending in UNITS:
        return UNITS[ending]
    return next((units[ending] for fits, units in _SHORT_UNITS if ending in units and fits.search(stem)), None)


def guess_key(table: pl.DataFrame, taken: set[str], types: Types) -> str | None:
    """Return the first column that names each row once and either has a key's name or holds codes; None if none.

    Codes are short words with a digit and without blanks. A text may differ from row to row and still not be a name.
    """
    names = naming_each_row(table, taken)
    called = (column.name for column in names if called_key(column.name))
    coded = (column.name for column in names if types[column.name] is DataType.TEXT and _holds_codes(column))
    return next(called, None) or next(coded, None)


def called_key(name: str) -> bool:
    """Return whether a column is called as what names records is."""
    return _KEY_NAME.search(name) is not None


def possible_keys(table: pl.DataFrame, taken: set[str], types: Types) -> list[str]:
    """Return the columns of whole numbers that name each row once: keys, or measurements."""
    return [column.name for column in naming_each_row(table, taken) if types[column.name] is DataType.INTEGER]


def naming_each_row(table: pl.DataFrame, taken: set[str]) -> list[pl.Series]:
    """Return the columns without a gap and without a value that repeats."""
    return [
        column
        for column in table
        if column.name not in taken
        and not column.dtype.is_float()
        and not column.null_count()
        and column.n_unique() == table.height
    ]


def _holds_codes(column: pl.Series) -> bool:
    if column.dtype != pl.String or not column.str.contains(_CODE).all() or holds_dates(column):
        return False
    if column.str.contains(_SENTENCE).any():
        return False
    chinese = column.filter(column.str.contains(_CHINESE))
    stems = chinese.str.extract_all(_CHINESE).list.join("").n_unique()
    return stems <= max(_FEWEST_STEMS, _MOST_STEMS * len(chinese))


def guess_row_numbers(table: pl.DataFrame, taken: set[str]) -> list[str]:
    """Return the columns that only count the rows, each one higher than in the row before."""
    found = []
    for column in table.select(pl.exclude(taken)):
        whole = type_column(column, DataType.INTEGER).values
        if not whole.null_count() and (whole.diff().drop_nulls() == 1).all():
            found.append(column.name)
    return found


def guess_array(column: pl.Series, folder: Path) -> Field | None:
    """Return a field of images or sounds if the first cell of ``column`` is one, or names one in ``folder``."""
    data = _first(column, folder)
    if data is None:
        return None
    kind = _kind(data)
    if kind is None:
        return None
    return Field(name=column.name, data_type=kind, rate=_rate(data) if kind is DataType.AUDIO else None)


def _first(column: pl.Series, folder: Path) -> bytes | None:
    """Return the bytes of the first file; None if the column holds no files."""
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


def guess_structure(cells: Sequence[str | None], most_classes: int) -> Task | None:
    """Return the task whose answers these cells spell; None for words and classes.

    A missing cell is an empty list of boxes or labels. Lists of more than ``most_classes`` names are rankings.
    """
    told = [cell.strip() for cell in cells if cell is not None and cell.strip()]
    if _all_read(told, "boxes"):
        return "detection"
    if _all_read(told, "mask"):
        return "segmentation"
    names = _listed_names(told)
    if names is None:
        return None
    return "multilabel" if len(names) <= most_classes else "ranking"


def _all_read(told: Sequence[str], kind: AnswerKind) -> bool:
    """Return whether each cell is of ``kind``, and one of them names something."""
    try:
        return any([classes_in(cell, kind) for cell in told])  # a list: each is read
    except AnswerTextError:
        return False


def _listed_names(told: Sequence[str]) -> set[str] | None:
    """Return the names in cells that are lists of names; None if they are not."""
    lists = [cell for cell in told if SEPARATOR in cell or cell.startswith("[")]
    if not lists or len(lists) < _LISTED * len(told):
        return None
    try:
        names = {name for cell in told for name in read_ranking(cell)}
    except AnswerTextError:
        return None
    return names if all(len(name) <= _LONGEST_NAME for name in names) else None
