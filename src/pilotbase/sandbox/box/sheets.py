"""Spreadsheets of strangers read in a box: returns rows of texts, and which cells held formulas."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from pilotbase.documents.errors import InputError
from pilotbase.documents.limits import Limits
from pilotbase.sandbox.box import sheet_program
from pilotbase.sandbox.box.box import run_work
from pilotbase.sandbox.box.command import Mount

MAXIMUM_BYTES = 16 << 20
"""Largest file, and largest part of a workbook once unpacked (four times that)."""
MAXIMUM_ROWS, MAXIMUM_COLUMNS, MAXIMUM_CELL = 10_000, 50, 2_000
SUFFIXES = (".csv", ".xlsx")
_SECONDS = 60
_MOST_ROWS_BYTES = 64 << 20
_SOURCE, _TARGET = PurePosixPath("/source"), PurePosixPath("/target")
_GREETING = {
    "file": str(_SOURCE / "sheet"),
    "target": str(_TARGET / "rows"),
    "rows": MAXIMUM_ROWS,
    "columns": MAXIMUM_COLUMNS,
    "cell": MAXIMUM_CELL,
    "bytes": 4 * MAXIMUM_BYTES,
}


@dataclass(frozen=True)
class SheetRow:
    """One non-empty row, by its number in the file."""

    number: int
    cells: tuple[str, ...]
    formulas: frozenset[int]
    """Cells that hold a formula, or anything that a spreadsheet takes for one."""


@dataclass(frozen=True)
class Spreadsheet:
    """A spreadsheet: its first row names the columns."""

    header: tuple[str, ...]
    rows: tuple[SheetRow, ...]
    encoding: str
    """``UTF-8``, ``GB18030`` …; empty for a workbook, which states its own."""


def read_sheet(file: Path, scratch: Path) -> Spreadsheet:
    """Return the spreadsheet in ``file``; ``scratch`` is a private folder to work in.

    Raises:
        InputError: it is no CSV or XLSX, damaged, too large, in an unknown encoding, without rows.
        RefusedError: this host gives no box.
        PilotbaseError: the box failed on our side.
    """
    size = file.stat().st_size
    if size > MAXIMUM_BYTES:
        raise InputError("imports.large", allowed=MAXIMUM_BYTES)
    if size == 0:
        raise InputError("imports.empty")
    with tempfile.TemporaryDirectory(dir=scratch) as name:
        source, target = Path(name, "source"), Path(name, "target")
        source.mkdir(mode=0o755)
        target.mkdir(mode=0o700)
        (source / "sheet").write_bytes(file.read_bytes())
        (source / "sheet").chmod(0o644)
        told, refused = run_work(
            sheet_program,
            (Mount(source, _SOURCE), Mount(target, _TARGET, writable=True)),
            _GREETING,
            Limits(memory_bytes=512 << 20, cpu_seconds=_SECONDS, wall_seconds=_SECONDS, processes=8),
        )
        if refused:
            raise _error(refused, told["found"])
        rows = list(_rows(target / "rows"))
    if len(rows) < 2:
        raise InputError("imports.empty")
    return Spreadsheet(
        tuple(cell.strip() for cell in rows[0].cells), tuple(rows[1:]), str(told.get("encoding", ""))[:20]
    )


def _rows(written: Path) -> Iterator[SheetRow]:
    """Yield the rows that the box has written, as far as they have the agreed form."""
    if written.is_symlink() or not written.is_file() or written.stat().st_size > _MOST_ROWS_BYTES:
        raise InputError("imports.large", allowed=MAXIMUM_BYTES)
    with written.open(encoding="utf-8") as lines:
        for line in lines:
            number, cells, formulas = json.loads(line)
            yield SheetRow(int(number), tuple(map(str, cells)), frozenset(map(int, formulas)))


def _error(kind: str, found: str) -> InputError:
    known = {
        "encoding": InputError("imports.encoding", line=found),
        "rows": InputError("imports.rows", allowed=MAXIMUM_ROWS),
        "columns": InputError("imports.columns", found=found, allowed=MAXIMUM_COLUMNS),
        "cell": InputError("imports.cell", row=found, allowed=MAXIMUM_CELL),
        "large": InputError("imports.large", allowed=MAXIMUM_BYTES),
        "binary": InputError("imports.damaged", reason="NUL"),
    }
    return known.get(kind, InputError("imports.damaged", reason=found))
