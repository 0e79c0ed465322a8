"""Tables from files: CSV, Parquet and the first sheet of an XLSX workbook, bounded, with problems named by line."""

from __future__ import annotations

import csv
import io
import re
import zipfile
from collections.abc import Callable, Mapping
from pathlib import Path
from types import MappingProxyType
from xml.parsers import expat

import fastexcel
import polars as pl
import polars.selectors

from pilotbase.data.sources.dialects import placed_rows, shown_separator
from pilotbase.data.sources.faults import Faults
from pilotbase.data.sources.workbook_cells import read_cells, sheet_members
from pilotbase.documents.errors import InputError
from pilotbase.documents.texts import text

MAXIMUM_BYTES = 512 << 20
"""Largest file that is read, and largest content of a workbook once unpacked."""
MAXIMUM_CELLS = 200_000_000
SEPARATORS = (",", ";", "\t")

_SHOWN = 80
_NUMBER = re.compile(r"[-+]?\d+(\.\d*)?")


def read_table(path: Path, missing: tuple[str, ...] = ("",)) -> pl.DataFrame:
    """Return the table in ``path``: texts for CSV and XLSX, native types for Parquet; missing cells are null.

    A CSV is UTF-8 with one header line, separated by commas (or by semicolons or tabs where the header has no comma).
    ``missing`` are the spellings of a missing value; surrounding blanks do not count. Rows without any value are left
    out.

    Raises:
        InputError: ``data.*``: no such file, unknown kind, too large, no table, no UTF-8, double column names, no rows;
            every row that breaks the rules of CSV with its line, every cell of a workbook that would be lost.
    """
    reader = READERS.get(path.suffix.lower())
    if reader is None:
        raise InputError("data.unknown_kind", file=path.name, allowed=", ".join(READERS))
    try:
        size = path.stat().st_size
        if size > MAXIMUM_BYTES:
            raise InputError("data.file_too_large", file=path.name, size=size, limit=MAXIMUM_BYTES)
        if size == 0:
            raise InputError("data.empty_file", file=path.name)
        table = reader(path)
    except FileNotFoundError:
        raise InputError("data.no_file", file=str(path)) from None
    except OSError as error:
        raise InputError("data.unreadable_file", file=path.name, reason=error.strerror or str(error)) from None
    return _without_empty_rows(missing_as_null(table, missing), path.name)


def _read_csv(path: Path) -> pl.DataFrame:
    data = path.read_bytes()
    separator, header = _read_header(data, path.name)
    _check_names(header, path.name)
    try:
        table = pl.read_csv(data, separator=separator, infer_schema=False)
    except pl.exceptions.PolarsError:
        return _read_csv_slowly(data, separator, header, path.name)
    if table.width != len(header) or table[:, -1].null_count():  # perhaps a row that is too short
        return _read_csv_slowly(data, separator, header, path.name)
    table.columns = header
    return table


def _read_csv_slowly(data: bytes, separator: str, header: list[str], file: str) -> pl.DataFrame:
    """Read by the rules of RFC 4180, one row after the other: names every line that breaks them."""
    faults, width = Faults(file), len(header)
    placed = list(placed_rows(io.StringIO(_decode(data, file), newline=""), separator, faults))
    ragged = [(line, len(row)) for line, _, row in placed if row and len(row) != width]
    if len(ragged) == 1 and not faults:
        raise InputError("data.ragged_row", file=file, line=ragged[0][0], found=ragged[0][1], allowed=width)
    for line, found in ragged:
        faults.add(text("source.ragged_row", found=found, allowed=width, separator=shown_separator(separator)), line)
    faults.require_none()
    rows = [row for _, _, row in placed if row]
    return pl.DataFrame(rows[1:], schema=dict.fromkeys(header, pl.String), orient="row")


def _read_header(data: bytes, file: str) -> tuple[str, list[str]]:
    start = _decode(data[: 1 << 20], file, cut=True)
    line = start.partition("\n")[0]
    separator = next((candidate for candidate in SEPARATORS if candidate in line), ",")
    try:
        return separator, next(csv.reader(io.StringIO(start, newline=""), delimiter=separator))
    except (csv.Error, StopIteration):
        raise InputError("data.not_a_table", file=file, reason=text("data.reason.no_header")) from None


def _decode(data: bytes, file: str, cut: bool = False) -> str:
    """Return UTF-8 ``data`` as text; ``cut`` says that its last character may be cut off."""
    if data[:2] in (b"\xff\xfe", b"\xfe\xff"):
        raise InputError("data.not_utf8", file=file, line=1, encoding="UTF-16")
    if b"\0" in data[: 1 << 16]:
        raise InputError("data.not_a_table", file=file, reason=text("data.reason.binary"))
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        if cut and len(data) - error.start < 4:
            return data[: error.start].decode("utf-8-sig")
        line = data.count(b"\n", 0, error.start) + 1
        raise InputError("data.not_utf8", file=file, line=line, encoding=_guess_encoding(data)) from None


def _guess_encoding(data: bytes) -> str:
    try:
        data[: 1 << 20].decode("gb18030")
    except UnicodeDecodeError as error:
        if len(data) <= 1 << 20 or error.start < (1 << 20) - 4:
            return "Latin-1"
    return "GBK"


def _read_parquet(path: Path) -> pl.DataFrame:
    try:
        scanned = pl.scan_parquet(path, glob=False)
        width = len(scanned.collect_schema())
        height = int(scanned.select(pl.len()).collect().item())
        _check_cells(height, width, path.name)
        return scanned.collect()
    except pl.exceptions.PolarsError as error:
        raise InputError("data.not_a_table", file=path.name, reason=_first_line(error)) from None


def _read_xlsx(path: Path) -> pl.DataFrame:
    try:
        with zipfile.ZipFile(path) as archive:
            unpacked = sum(member.file_size for member in archive.infolist())
            if unpacked > MAXIMUM_BYTES:
                raise InputError("data.file_too_large", file=path.name, size=unpacked, limit=MAXIMUM_BYTES)
            _check_cells_of_first_sheet(archive, path.name)
        workbook = fastexcel.read_excel(path)
        first = workbook.load_sheet(0, header_row=None, n_rows=1, dtypes="string").to_polars()
        if first.is_empty():
            raise InputError("data.empty_file", file=path.name)
        _check_names([str(name or "") for name in first.row(0)], path.name)
        sheet = workbook.load_sheet(0, dtypes="string")
        _check_cells(sheet.height, sheet.width, path.name)
        return sheet.to_polars()
    except (zipfile.BadZipFile, fastexcel.FastExcelError, expat.ExpatError, KeyError) as error:
        raise InputError("data.not_a_table", file=path.name, reason=_first_line(error)) from None


def _check_cells_of_first_sheet(archive: zipfile.ZipFile, file: str) -> None:
    """Refuse cells that would be read as missing values though they show something else."""
    faults = Faults(file)
    for sheet, member in list(sheet_members(archive).items())[:1]:
        cells = read_cells(archive, member)
        cells.require_dense(sheet, file)
        cells.note(sheet, faults)
    faults.require_none()


def _check_names(names: list[str], file: str) -> None:
    if any(not name.strip() for name in names):
        raise InputError("data.unnamed_column", file=file, position=[name.strip() for name in names].index("") + 1)
    double = sorted({name for name in names if names.count(name) > 1})
    if double:
        raise InputError("data.double_column", file=file, found=", ".join(double))


def _check_cells(height: int, width: int, file: str) -> None:
    if height * width > MAXIMUM_CELLS:
        raise InputError("data.too_many_cells", file=file, rows=height, columns=width, limit=MAXIMUM_CELLS)


def missing_as_null(table: pl.DataFrame, missing: tuple[str, ...]) -> pl.DataFrame:
    """Return ``table`` without the spellings of a missing value; surrounding blanks do not count."""
    spellings = [spelling.strip() for spelling in missing]
    numbers = [float(spelling) for spelling in spellings if _NUMBER.fullmatch(spelling)]
    words, number = pl.col(pl.String), polars.selectors.numeric()
    return table.with_columns(
        pl.when(~words.str.strip_chars().is_in(spellings)).then(words),
        pl.when(~number.cast(pl.Float64).is_in(numbers)).then(number),
    )


def _without_empty_rows(table: pl.DataFrame, file: str) -> pl.DataFrame:
    kept = table.filter(~pl.all_horizontal(pl.all().is_null()))
    if kept.is_empty():
        raise InputError("data.no_rows", file=file)
    return kept


def _first_line(error: Exception) -> str:
    return (str(error).strip().splitlines() or [type(error).__name__])[0][:_SHOWN]


READERS: Mapping[str, Callable[[Path], pl.DataFrame]] = MappingProxyType(
    {".csv": _read_csv, ".parquet": _read_parquet, ".xlsx": _read_xlsx}
)
"""Suffix → reader."""
