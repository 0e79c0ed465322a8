"""Columnar files with native types: scanned in place after every column decodes to its end."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import polars as pl
from polars.io.plugins import register_io_source

from pilotbase.data.sources.source import (
    BROKEN,
    DEEPEST,
    FileFaults,
    OpenedSource,
    ReadOptions,
    SourceTable,
    check_names,
    file_object,
    first_line,
    refuse,
    telling_rows,
)
from pilotbase.documents.texts import text

_BATCH = 100_000
_CELLS, _ROWS, _PASSED_ON = 5_250_000, 250_000, 125_000
"""Cells and rows that are decoded at once, and the rows that are passed on at once."""

Groups = Callable[[], Sequence[range]]
"""The rows (from 0) of each row group; empty if the file does not list them."""
_MOST_DIGITS = 38
"""Digits of a decimal number that the table library decodes."""


def open_columns(frame: pl.LazyFrame, path: Path, media_type: str, asked: ReadOptions, groups: Groups) -> OpenedSource:
    """Return the table of ``path`` that ``frame`` scans; raises `InputError` for what cannot be decoded."""
    _decode_sparingly()
    frame, rows, wide = _checked(frame, path, asked, groups)
    timed = [name for name, dtype in frame.collect_schema().items() if dtype == pl.Duration]
    frame = frame.with_columns(map(_in_seconds, timed))
    flat, left_out = _flattened(frame)
    stored = _flattened(frame, whole=True)[0] if left_out else None
    said = {"wide": wide, "seconds": timed, "list": left_out}
    taken = tuple(
        text(f"source.taken.{what}", file=path.name, column=name) for what, names in said.items() for name in names
    )
    table = SourceTable(path.stem, flat, rows, path.name, stored=stored)
    return OpenedSource((table,), (file_object(path, media_type, asked),), taken)


def _decode_sparingly() -> None:
    """Decode row groups column by column, a few at a time, unless this process is configured otherwise.

    Otherwise so many are decoded ahead that fresh memory is a third of the work. The number is half the threads'.
    """
    few = max(1, pl.thread_pool_size() // 2)
    os.environ.setdefault("POLARS_ROW_GROUP_PREFETCH_SIZE", str(few))
    os.environ.setdefault("POLARS_PARQUET_DECODE_TARGET_VALUES_PER_THREAD", "1")


def _checked(
    frame: pl.LazyFrame, path: Path, asked: ReadOptions, groups: Groups
) -> tuple[pl.LazyFrame, int, list[str]]:
    """Return the frame without numbers too wide to be decoded, the number of rows, and the columns left out.

    Raises:
        InputError: every other column that cannot be decoded, with the rows.
    """
    faults = FileFaults(path.name)
    try:
        names = frame.collect_schema().names()
        rows = int(frame.select(pl.len()).collect().item())
        wide = _too_wide(frame)
    except (*BROKEN, OSError) as error:
        raise refuse(path.name, text("source.broken_footer", reason=first_line(error))) from None
    check_names(names, faults, None)
    if rows == 0 and not asked.quick:
        faults.add(text("source.no_rows"))
    faults.require_none()
    frame = frame.drop(wide)
    names = [name for name in names if name not in wide]
    known = groups()
    whole = in_pieces(frame, known) if sum(map(len, known)) == rows > 0 and names else frame
    if not names:
        faults.add(text("source.broken_rows", first=1, last=rows))
    elif not asked.quick and not _decodes(
        whole, telling_rows(text("source.progress.decode", file=path.name), rows, asked.on_progress)
    ):
        for name in names:
            if known:
                _tell_broken(frame.select(name), known, faults, name)
            elif not _decodes(frame.select(name)):
                faults.add(text("source.broken_rows", first=1, last=rows), path=name)
        if not faults:
            faults.add(text("source.broken_rows", first=1, last=rows))
    faults.require_none()
    return whole, rows, wide


def in_pieces(scan: pl.LazyFrame, groups: Sequence[range]) -> pl.LazyFrame:
    """Return the rows of ``scan``, decoded piece by piece: the library decodes a dozen whole row groups ahead.

    ``groups``: all row groups in order; their writer chose the size of each.
    """
    schema = scan.collect_schema()
    most = min(_ROWS, max(1, _CELLS // len(schema)))

    def read(
        columns: list[str] | None, predicate: pl.Expr | None, limit: int | None, _batch: int | None
    ) -> Iterator[pl.DataFrame]:
        for piece in pieces_of(groups, most):
            rows = len(piece) if limit is None else min(len(piece), limit - piece.start)
            if rows <= 0:
                return
            found = scan.slice(piece.start, rows).select(columns if columns is not None else pl.all())
            kept = found if predicate is None else found.filter(predicate)
            yield from kept.collect(engine="in-memory").iter_slices(_PASSED_ON)

    return register_io_source(read, schema=schema)


def pieces_of(groups: Sequence[range], most: int) -> list[range]:
    """Return ``groups`` cut and joined to at most ``most`` rows each."""
    found: list[range] = []
    for group in groups:
        if found and len(found[-1]) + len(group) <= most:
            found[-1] = range(found[-1].start, group.stop)
        else:
            each = -(-len(group) // -(-len(group) // most)) if group else 1
            found += [group[start : start + each] for start in range(0, len(group), each)]
    return found


def _tell_broken(column: pl.LazyFrame, groups: Sequence[range], faults: FileFaults, name: str) -> None:
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


def _decodes(frame: pl.LazyFrame, on_rows: Callable[[int], None] = lambda _: None) -> bool:
    """Return whether every value can be decoded, keeping none; ``on_rows`` takes how many rows are."""
    done = 0
    try:
        for batch in frame.collect_batches(chunk_size=_BATCH, maintain_order=False, engine="streaming"):
            on_rows(done := done + batch.height)
    except BROKEN:
        return False
    return True


def _too_wide(frame: pl.LazyFrame) -> list[str]:
    """Return the columns of decimal numbers with so many digits that they cannot be decoded."""
    schema = frame.collect_schema()
    return [name for name, dtype in schema.items() if isinstance(dtype, pl.Decimal) and dtype.precision > _MOST_DIGITS]


def _in_seconds(name: str) -> pl.Expr:
    """Return a column of lengths of time as numbers."""
    return (pl.col(name).dt.total_microseconds() / 1e6).alias(name)


def _flattened(frame: pl.LazyFrame, whole: bool = False) -> tuple[pl.LazyFrame, list[str]]:
    """Return ``frame`` with ``address.city`` for the member ``city`` of ``address``, and the columns left out.

    Lists of structures or of lists, bytes and objects are left out: no field can describe them. Lengths of time inside
    structures or lists are, too. ``whole``: a column of which anything would be left out stays as it is.
    """
    expressions: list[pl.Expr] = []
    left_out: list[str] = []
    for name, dtype in frame.collect_schema().items():
        flat: list[pl.Expr] = []
        lost: list[str] = []
        _flatten(pl.col(name), name, dtype, flat, lost)
        expressions += [pl.col(name)] if lost and whole else flat
        left_out += lost
    return frame.select(expressions), left_out


def _flatten(value: pl.Expr, name: str, dtype: pl.DataType, found: list[pl.Expr], left_out: list[str]) -> None:
    if isinstance(dtype, pl.Struct) and name.count(".") < DEEPEST:
        for member in dtype.fields:
            inner = member.dtype if isinstance(member.dtype, pl.DataType) else member.dtype()
            _flatten(value.struct.field(member.name), f"{name}.{member.name}", inner, found, left_out)
    elif isinstance(dtype, pl.List) and not _inner(dtype).is_nested() and _inner(dtype) != pl.Duration:
        found.append(value.alias(name))
    elif dtype.is_nested() or dtype in (pl.Binary, pl.Object, pl.Duration):
        left_out.append(name)
    else:
        found.append(value.alias(name))


def _inner(dtype: pl.List) -> pl.DataType:
    return dtype.inner if isinstance(dtype.inner, pl.DataType) else dtype.inner()
