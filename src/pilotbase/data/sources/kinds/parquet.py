"""Parquet: scanned where it is, once every column has been decoded from end to end."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import polars as pl

from pilotbase.data.sources.faults import Faults, check_names, refuse
from pilotbase.data.sources.files import file_object, require_file
from pilotbase.data.sources.flattening import flattened, in_seconds, lasting, too_wide
from pilotbase.data.sources.parquet_footer import row_groups
from pilotbase.data.sources.source import OpenedSource, ReadOptions, SourceTable
from pilotbase.documents.texts import text

_MAGIC = b"PAR1"
_BATCH = 100_000
_BROKEN = (pl.exceptions.PolarsError, pl.exceptions.PanicException)


class _Parquet:
    def reads(self, place: str) -> bool:
        return Path(place).suffix.lower() in (".parquet", ".pq")

    def read(self, place: str, asked: ReadOptions, scratch: Path) -> OpenedSource:
        path = Path(place)
        require_file(path)
        _check_ends(path)
        frame = pl.scan_parquet(path, glob=False)
        frame, rows, wide = _checked(frame, path)
        timed = lasting(frame)
        flat, left_out = flattened(frame.with_columns(map(in_seconds, timed)))
        said = {"wide": wide, "seconds": timed, "list": left_out}
        taken = tuple(
            text(f"source.taken.{what}", file=path.name, column=name) for what, names in said.items() for name in names
        )
        table = SourceTable(path.stem, flat, rows, path.name)
        return OpenedSource((table,), (file_object(path, "application/vnd.apache.parquet"),), taken)


READER = _Parquet()


def _check_ends(path: Path) -> None:
    size = path.stat().st_size
    with path.open("rb") as stream:
        start = stream.read(4)
        stream.seek(-min(4, size), 2)
        end = stream.read(4)
    if start != _MAGIC:
        raise refuse(path.name, text("source.no_parquet", found=start.hex(" ")))
    if end != _MAGIC or size < 12:
        raise refuse(path.name, text("source.cut_parquet", size=size))


def _checked(frame: pl.LazyFrame, path: Path) -> tuple[pl.LazyFrame, int, list[str]]:
    """Return the frame without numbers too wide to be decoded, the number of rows, and the columns left out.

    Raises:
        InputError: every other column that cannot be decoded, with the rows.
    """
    faults = Faults(path.name)
    try:
        names = frame.collect_schema().names()
        rows = int(frame.select(pl.len()).collect().item())
        wide = too_wide(frame)
    except _BROKEN as error:
        raise refuse(path.name, text("source.broken_footer", reason=first_line(error))) from None
    check_names(names, faults, None)
    if rows == 0:
        faults.add(text("source.no_rows"))
    faults.require_none()
    frame = frame.drop(wide)
    names = [name for name in names if name not in wide]
    if not names:
        faults.add(text("source.broken_rows", first=1, last=rows))
    elif not _decodes(frame):
        groups = row_groups(path)
        for name in names:
            if groups:
                _tell_broken(frame.select(name), groups, faults, name)
            elif not _decodes(frame.select(name)):
                faults.add(text("source.broken_rows", first=1, last=rows), path=name)
        if not faults:
            faults.add(text("source.broken_rows", first=1, last=rows))
    faults.require_none()
    return frame, rows, wide


def _tell_broken(column: pl.LazyFrame, groups: Sequence[range], faults: Faults, name: str) -> None:
    """Note the row groups in which a column cannot be decoded, halving until each is found."""
    waiting = [(0, len(groups))]
    while waiting:
        low, high = waiting.pop()
        first, last = groups[low].start, groups[high - 1].stop
        if _decodes(column.slice(first, last - first)):
            continue
        if high - low == 1:
            faults.add(text("source.broken_group", group=low + 1, first=first + 1, last=last), path=name)
        else:
            middle = (low + high) // 2
            waiting += [(middle, high), (low, middle)]


def _decodes(frame: pl.LazyFrame) -> bool:
    """Tell whether every value can be decoded; none is kept."""
    try:
        for _ in frame.collect_batches(chunk_size=_BATCH, maintain_order=False, engine="streaming"):
            pass
    except _BROKEN:
        return False
    return True


def first_line(error: BaseException) -> str:
    """Return the beginning of what a library says."""
    return (str(error).strip().splitlines() or [type(error).__name__])[0][:120]
