"""The second pass: measures that need equal rows together, in bounded memory, partitioned by hash on disk.

Each row is three numbers: the hash of its key, a number carried along, its row number. If there are over a million they
are written into partitions by the key's upper bits as the table streams by; each partition is then sorted by itself.
Distinct rows, repetitions, contradicting labels, orphans and rows on both sides of a split are all derived from the
same groups.
Two of n different keys share 64 bits with probability n²/2⁶⁵: 3·10⁻⁴ for a hundred million rows.
"""

from __future__ import annotations

import tempfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import numpy.typing as npt
import polars as pl

from pilotbase.data.quality.columns import ROW

PARTITIONS = 64
SHOWN = 5
"""First rows that are named."""
HELD, WORDS = 1_000_000, 3
"""Rows per name kept in memory before they go to disk, and the words of 8 bytes that each takes."""
_BATCH = 250_000
Words = npt.NDArray[np.uint64]
Numbers = npt.NDArray[np.int64]


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

    ``held``: as `HELD`.
    """
    found = {name: KeyTally() for name in asked}
    if not asked:
        return found
    with tempfile.TemporaryDirectory(prefix="pilotbase-tally-") as folder:
        written = {name: _Partitions(Path(folder), number, held) for number, name in enumerate(asked)}
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

    def __init__(self, folder: Path, number: int, held: int) -> None:
        self._paths = [folder / f"{number}-{part}" for part in range(PARTITIONS)]
        self._held: list[Words] = []
        self._most, self._on_disk = held, False

    def add(self, rows: Words) -> None:
        self._held.append(rows)
        if sum(map(len, self._held)) > self._most:
            self._write()

    def parts(self) -> Iterator[Words]:
        if not self._on_disk:
            yield np.concatenate([np.zeros((0, WORDS), np.uint64), *self._held])
            return
        self._write()
        for path in self._paths:
            if path.exists():
                yield np.fromfile(path, dtype=np.uint64).reshape(-1, WORDS)

    def _write(self) -> None:
        rows = np.concatenate([np.zeros((0, WORDS), np.uint64), *self._held])
        part = (rows[:, 0] >> np.uint64(58)).astype(np.uint8)  # small numbers are sorted in one go
        order = np.argsort(part, kind="stable")
        ends = np.cumsum(np.bincount(part, minlength=PARTITIONS))
        for path, chunk in zip(self._paths, np.split(rows[order], ends[:-1]), strict=True):
            if len(chunk):
                with path.open("ab") as stream:
                    stream.write(chunk.tobytes())
        self._held, self._on_disk = [], True


def _add(tally: KeyTally, rows: Words) -> None:
    if not len(rows):
        return
    rows = rows[np.argsort(rows[:, 0])]
    key, carried = rows[:, 0], rows[:, 1]
    first = np.concatenate([[True], key[1:] != key[:-1]])
    starts = np.flatnonzero(first)
    sizes = np.diff(np.append(starts, len(key)))
    least, most = np.minimum.reduceat(carried, starts), np.maximum.reduceat(carried, starts)
    several, marked = sizes > 1, carried == 1
    met = marked & np.repeat(least == 0, sizes)
    tally.rows += len(key)
    tally.distinct += len(starts)
    tally.grouped += int(sizes[several].sum())
    tally.mixed += int(sizes[several & (least != most)].sum())
    tally.marked += int(marked.sum())
    tally.met += int(met.sum())
    tally.smallest = min(int(sizes.min()), tally.smallest or int(sizes.min()))
    numbers = rows[:, 2]
    tally.repeated_rows = _first(tally.repeated_rows, _repeated(numbers, sizes))
    tally.met_rows = _first(tally.met_rows, numbers[met])
    tally.unmet_rows = _first(tally.unmet_rows, numbers[marked & ~met])


def _repeated(numbers: Words, sizes: Numbers) -> Words:
    """Return all row numbers but the least of each group."""
    grouped = np.repeat(sizes > 1, sizes)
    if not grouped.any():
        return numbers[:0]
    group, numbers = np.repeat(np.arange(len(sizes)), sizes)[grouped], numbers[grouped]
    order = np.lexsort((numbers, group))
    again = np.flatnonzero(np.diff(group[order]) == 0) + 1
    return numbers[order[again]]


def _first(known: list[int], more: Words) -> list[int]:
    least = np.partition(more, SHOWN)[:SHOWN] if len(more) > SHOWN else more
    return sorted([*known, *least.tolist()])[:SHOWN]
