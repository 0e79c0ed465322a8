"""The second pass: measures that need equal rows together, in bounded memory, partitioned by hash on disk.

Each row is three numbers: the hash of its key, a number carried along, its row number. If there are over a million they
are written into partitions by the key's upper bits as the table streams by; each partition is then read by itself, in
batches whose equal keys are merged, so that neither many rows nor many equal ones take more memory.
Distinct rows, repetitions, contradicting labels, orphans and rows on both sides of a split are all derived from the
same groups.
Two of n different keys share 64 bits with probability n²/2⁶⁵: 3·10⁻⁴ for a hundred million rows.
"""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

import numpy as np
import numpy.typing as npt
import polars as pl

from pilotbase.data.quality.columns import ROW

PARTITIONS = 256
SHOWN = 5
"""First rows that are named."""
HELD, WORDS = 1_000_000, 3
"""Rows of all names kept in memory before they go to disk, and the words of 8 bytes that each takes."""
_BATCH = 250_000
Words = npt.NDArray[np.uint64]
Truths = npt.NDArray[np.bool_]
Blocks = Callable[[], Iterator[Words]]
"""Reads the rows of a partition, some at a time, from the beginning."""


@dataclass(frozen=True)
class KeyedRows:
    """Rows that take part: ``key`` (64 bits; null leaves the row out) and what they carry (64 bits or a few)."""

    frame: pl.LazyFrame
    key: pl.Expr
    carried: pl.Expr


@dataclass
class KeyTally:
    """The result for rows with equal keys.

    ``marked`` rows carry 1; of these ``met`` share their key with a row that carries 0. Row lists are the first ones.
    """

    rows: int = 0
    distinct: int = 0
    grouped: int = 0
    """Rows whose key another row also has."""
    mixed: int = 0
    """Those of them in whose group different values are carried."""
    smallest: int | None = None
    """Rows of the smallest group."""
    marked: int = 0
    met: int = 0
    repeated_rows: list[int] = field(default_factory=list)
    met_rows: list[int] = field(default_factory=list)
    unmet_rows: list[int] = field(default_factory=list)

    @property
    def repeated(self) -> int:
        """Rows that repeat the key of an earlier row."""
        return self.rows - self.distinct


def tally_all(asked: Mapping[str, Sequence[KeyedRows]], batch: int = _BATCH, held: int = HELD) -> dict[str, KeyTally]:
    """Return the tally of each name's streams taken together; rows of one frame are read once for all.

    ``batch``: rows read at a time; ``held``: as `HELD`.
    """
    found = {name: KeyTally() for name in asked}
    if not asked:
        return found
    with tempfile.TemporaryDirectory(prefix="pilotbase-tally-") as folder:
        each = held // len(asked)
        written = {name: _Partitions(Path(folder), number, each, batch) for number, name in enumerate(asked)}
        for frame, streams in _by_frame(asked):
            _write(frame, streams, written, batch)
        for name, partitions in written.items():
            for part in partitions.parts():
                _add(found[name], part)
    return found


def _by_frame(asked: Mapping[str, Sequence[KeyedRows]]) -> list[tuple[pl.LazyFrame, list[tuple[str, KeyedRows]]]]:
    frames: dict[int, tuple[pl.LazyFrame, list[tuple[str, KeyedRows]]]] = {}
    for name, streams in asked.items():
        for stream in streams:
            frames.setdefault(id(stream.frame), (stream.frame, []))[1].append((name, stream))
    return list(frames.values())


def _write(
    frame: pl.LazyFrame, streams: list[tuple[str, KeyedRows]], written: Mapping[str, _Partitions], batch: int
) -> None:
    chosen = [
        one
        for number, (_, stream) in enumerate(streams)
        for one in (stream.key.alias(f"key {number}"), stream.carried.cast(pl.UInt64).alias(f"carried {number}"))
    ]
    for rows in frame.select(*chosen, pl.col(ROW)).collect_batches(chunk_size=batch, engine="streaming"):
        for number, (name, _) in enumerate(streams):
            there = rows.select(f"key {number}", f"carried {number}", ROW).filter(pl.col(f"key {number}").is_not_null())
            columns = [column.fill_null(0).cast(pl.UInt64).to_numpy() for column in there]
            written[name].add(np.stack(columns, axis=1))


class _Partitions:
    """Rows of three words: together while they are few, then on disk, divided by the upper bits of the first."""

    def __init__(self, folder: Path, number: int, held: int, batch: int) -> None:
        self._paths = [folder / f"{number}-{part}" for part in range(PARTITIONS)]
        self._held: list[Words] = []
        self._most, self._batch, self._on_disk = held, batch, False

    def add(self, rows: Words) -> None:
        self._held.append(rows)
        if sum(map(len, self._held)) > self._most:
            self._write()

    def parts(self) -> Iterator[Blocks]:
        if not self._on_disk:
            rows = np.concatenate([np.zeros((0, WORDS), np.uint64), *self._held])
            yield lambda: iter((rows,))
            return
        self._write()
        for path in self._paths:
            if path.exists():
                yield partial(_read, path, self._batch)

    def _write(self) -> None:
        rows = np.concatenate([np.zeros((0, WORDS), np.uint64), *self._held])
        part = (rows[:, 0] >> np.uint64(56)).astype(np.uint8)  # small numbers are sorted in one go
        order = np.argsort(part, kind="stable")
        ends = np.cumsum(np.bincount(part, minlength=PARTITIONS))
        for path, chunk in zip(self._paths, np.split(rows[order], ends[:-1]), strict=True):
            if len(chunk):
                with path.open("ab") as stream:
                    stream.write(chunk.tobytes())
        self._held, self._on_disk = [], True


def _read(path: Path, batch: int) -> Iterator[Words]:
    for start in range(0, path.stat().st_size, 8 * WORDS * batch):
        yield np.fromfile(path, dtype=np.uint64, count=WORDS * batch, offset=start).reshape(-1, WORDS)


def _add(tally: KeyTally, blocks: Blocks) -> None:
    """Add the rows of one partition: first what the rows of each key are together, then which rows that names.

    However many rows share a key, it takes the memory of one.
    """
    known = [np.zeros(0, np.uint64)] * 6
    for rows in blocks():
        key, carried, number = rows.T
        told = (key, np.ones(len(key), np.uint64), carried, carried, carried == 1, number)
        known = _grouped(*(np.concatenate(pair, dtype=np.uint64) for pair in zip(known, told, strict=True)))
    keys, sizes, least, most, marked, first = known
    if not len(keys):
        return
    several, met = sizes > 1, (marked > 0) & (least == 0)
    tally.rows += int(sizes.sum())
    tally.distinct += len(keys)
    tally.grouped += int(sizes[several].sum())
    tally.mixed += int(sizes[several & (least != most)].sum())
    tally.marked += int(marked.sum())
    tally.met += int(marked[met].sum())
    tally.smallest = min(int(sizes.min()), tally.smallest or int(sizes.min()))
    if several.any() or marked.any():
        _name_rows(tally, blocks, keys, first, met)


def _grouped(key: Words, sizes: Words, least: Words, most: Words, marked: Words, first: Words) -> list[Words]:
    """Return the same for each key once: how many rows, the least and most they carry, how many carry 1, the first."""
    order = np.argsort(key)
    key = key[order]
    starts = np.flatnonzero(np.diff(key, prepend=~key[:1]))
    merged = ((np.add, sizes), (np.minimum, least), (np.maximum, most), (np.add, marked), (np.minimum, first))
    return [key[starts], *(merge.reduceat(values[order], starts) for merge, values in merged)]


def _name_rows(tally: KeyTally, blocks: Blocks, keys: Words, first: Words, met: Truths) -> None:
    for rows in blocks():
        key, carried, number = rows.T
        place, marked = np.searchsorted(keys, key), carried == 1
        tally.repeated_rows = _first(tally.repeated_rows, number[number != first[place]])
        tally.met_rows = _first(tally.met_rows, number[marked & met[place]])
        tally.unmet_rows = _first(tally.unmet_rows, number[marked & ~met[place]])


def _first(known: list[int], more: Words) -> list[int]:
    least = np.partition(more, SHOWN)[:SHOWN] if len(more) > SHOWN else more
    return sorted([*known, *least.tolist()])[:SHOWN]
