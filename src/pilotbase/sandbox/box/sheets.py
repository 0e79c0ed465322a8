"""Spreadsheets of strangers read in a box: returns rows of texts, and which cells held formulas."""

from __future__ import annotations

import json
import os
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any

from pilotbase.documents.errors import InputError, PilotbaseError
from pilotbase.documents.limits import IsolationLevel, Limits
from pilotbase.sandbox.box import sheet_program
from pilotbase.sandbox.box.box import NO_REPORT, Box, ask_box
from pilotbase.sandbox.box.channel import ChannelClosedError, DeadlinePassedError
from pilotbase.sandbox.box.command import BoxProgram, Mount
from pilotbase.sandbox.box.settings import BoxSettings, LogPolicy

MAXIMUM_BYTES = 16 << 20
"""Largest file, and largest part of a workbook once unpacked (four times that)."""
MAXIMUM_ROWS, MAXIMUM_COLUMNS, MAXIMUM_CELL = 10_000, 50, 2_000
SUFFIXES = (".csv", ".xlsx")
_SECONDS = 60
_MOST_ROWS_BYTES = 64 << 20
_SOURCE, _TARGET = PurePosixPath("/source"), PurePosixPath("/target")
_LIMITS = Limits(memory_bytes=512 << 20, cpu_seconds=_SECONDS, wall_seconds=_SECONDS, processes=8)


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
        told = _read_in_box(source, target)
        rows = list(_rows(target / "rows"))
    if len(rows) < 2:
        raise InputError("imports.empty")
    return Spreadsheet(
        tuple(cell.strip() for cell in rows[0].cells), tuple(rows[1:]), str(told.get("encoding", ""))[:20]
    )


def _read_in_box(source: Path, target: Path) -> dict[str, object]:
    settings = BoxSettings(limits=_LIMITS, level=IsolationLevel.L2, logs=LogPolicy.FULL)
    if os.getuid() == 0:
        os.chown(target, settings.uid, settings.uid)
    mounts = (Mount(source, _SOURCE), Mount(target, _TARGET, writable=True))
    greeting = {
        "file": str(_SOURCE / "sheet"),
        "target": str(_TARGET / "rows"),
        "rows": MAXIMUM_ROWS,
        "columns": MAXIMUM_COLUMNS,
        "cell": MAXIMUM_CELL,
        "bytes": 4 * MAXIMUM_BYTES,
    }
    with Box(BoxProgram(Path(sheet_program.__file__), (), mounts), settings) as box:
        return _converse(box, greeting)


def _converse(box: Box, greeting: dict[str, Any]) -> dict[str, object]:
    try:
        read, report = ask_box(box, greeting, _SECONDS)
        if read:
            return dict(report)
        kind, found = str(report["kind"]), str(report["found"])
    except (ChannelClosedError, DeadlinePassedError):
        raise InputError("imports.large", allowed=MAXIMUM_BYTES) from None  # a limit of the box has ended it
    except NO_REPORT:
        raise PilotbaseError("box.start_failed", said=box.logs().text[-200:]) from None
    raise _error(kind, found)


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
