"""Canaries drawn from an owner's table, on its own command line, and searched for in a suspected file.

A row is made of values from rows shortly before its place, column by column, so that it fits in range, form and time;
values that no two rows share (numbers of things) are altered in their last digits. The table is read three times and
never held in memory.
"""

from __future__ import annotations

import csv
import io
import math
import random
import re
import secrets
import tempfile
from collections import Counter, deque
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, Literal

from pilotbase.data.sources.opening import open_source
from pilotbase.data.sources.source import SourceTable
from pilotbase.data.sources.text_files import SAMPLE, guess_dialect
from pilotbase.documents.dataset import Dataset
from pilotbase.documents.errors import InputError
from pilotbase.documents.subjects import Subject, holder_of
from pilotbase.documents.terms import Action, Channel
from pilotbase.vault.canaries import Canary, FileMarks, Sighting, marks_of, sight
from pilotbase.vault.dataset_files import find_all_kept
from pilotbase.worker.base import Base, vault_of
from pilotbase.workspace.store import View
from pilotbase.workspace.uses import uses_of

GIVEN = 32
"""Canaries in a copy: this many, and at most one for each `SPARSE` rows; none if there would be fewer than `LEAST`."""
LEAST, SPARSE = 8, 200
LIKELY = 1e-4
"""How many rows of the file may be expected to equal a canary by chance."""
_AFTER, _WINDOW, _FIRST, _TRIED = 100, 64, 10_000, 4
_ENCODINGS = ("utf-8", "gb18030")
"""Encodings in which the byte of a line's end is part of no other character."""
_NUMBERED = re.compile(r"[^0-9:/]*[0-9]+(\.[0-9]+)?", re.ASCII)
"""A number, or a name that ends in one; no date and no time."""
_MOST_USES = 100_000


@dataclass(frozen=True)
class _Form:
    """How a table is written, so that an added row looks alike."""

    encoding: str
    separator: str
    quoting: Literal[0, 1, 2, 3]
    end: str

    def line(self, cells: Sequence[str]) -> str:
        written = io.StringIO()
        csv.writer(written, delimiter=self.separator, quoting=self.quoting, lineterminator=self.end).writerow(cells)
        return written.getvalue()


@dataclass(frozen=True)
class _Shape:
    """The findings of a table's first reading."""

    columns: tuple[str, ...]
    rows: int
    rising: tuple[bool, ...]
    """No value of the column is below the one before it."""
    single: tuple[bool, ...]
    """No two of the first rows have the same value."""


def asks_for_marks(dataset: Dataset) -> bool:
    """Return whether the terms of a dataset say that files are marked for their recipients."""
    permissions = dataset.usage.permission if dataset.usage is not None else ()
    return any(duty.action is Action.WATERMARK for one in permissions for duty in one.duty)


def draw_marks(path: Path) -> FileMarks | None:
    """Return canaries for a table of separated values; None if it is none, or is too small or too plain for them."""
    form = _form(path)
    shape = _shape(path, form) if form is not None else None
    if form is None or shape is None:
        return None
    given = min(GIVEN, shape.rows // SPARSE)
    if given < LEAST:
        return None
    secret = secrets.token_bytes(32)
    drawn = _drawn(path, form, shape, random.Random(secret), 2 * given * _TRIED)  # noqa: S311 - a secret seeds it
    kept = _unlikely(path, form, shape, drawn)[: 2 * given]
    if len(kept) < 2 * LEAST:
        return None
    kept = sorted(kept[: len(kept) // 2 * 2], key=lambda one: one.place)
    return FileMarks(secret=secret.hex(), encoding=form.encoding, columns=shape.columns, canaries=tuple(kept))


def look_for_canaries(base: Base, view: View, dataset: Subject, suspected: Path) -> list[Sighting]:
    """Return which canaries of a dataset's kept files, of all versions, a suspected file holds.

    Raises:
        InputError: the file is no table, or none of the kept files has canaries.
        RefusedError: the actor is not the owner.
    """
    vault = vault_of(base, view)
    vault.require_access(holder_of(dataset))
    marked = [(kept, marks) for kept in find_all_kept(vault, dataset) if (marks := marks_of(vault, kept)) is not None]
    if not marked:
        raise InputError("canary.none", dataset=dataset)
    fetched = [use for use in uses_of(base.lab.view, dataset, limit=_MOST_USES) if use.channel == Channel.DOWNLOAD]
    to = sorted({use.organisation for use in fetched})
    with tempfile.TemporaryDirectory() as scratch:
        tables = open_source(str(suspected), Path(scratch)).tables
        return [sight(marks, kept, one.rows, _found(one, marks), to) for kept, marks in marked for one in tables]


def _found(table: SourceTable, marks: FileMarks) -> dict[int, tuple[int, ...]]:
    """Return the canaries found in a table of a suspected file, each with the columns that both tables have."""
    names = table.frame.collect_schema().names()
    shared = tuple(at for at, name in enumerate(marks.columns) if name in names)
    wanted = {tuple(_plain(one.cells[at]) for at in shared): number for number, one in enumerate(marks.canaries)}
    found = dict[int, tuple[int, ...]]()
    chosen = [marks.columns[at] for at in shared]
    for part in table.frame.select(chosen).collect().iter_slices(_FIRST) if len(shared) > 1 else ():
        for row in part.iter_rows():
            number = wanted.get(tuple(map(_plain, row)))
            if number is not None:
                found[number] = shared
    return found


def _plain(cell: object) -> str:
    """Return a value in the form used for comparison, independent of a copy's spelling."""
    spelled = "" if cell is None else str(cell).strip()
    try:
        return repr(float(spelled))
    except ValueError:
        return spelled.replace("T", " ").removesuffix("Z").lower()


def _form(path: Path) -> _Form | None:
    """Return how a table is written, to the byte; None if its first records do not show that."""
    with path.open("rb") as stream:
        sample = stream.read(SAMPLE)
    if b"\x00" in sample or path.suffix.lower() not in (".csv", ".tsv", ".txt"):
        return None
    for encoding in _ENCODINGS:
        try:
            words = sample[: sample.rfind(b"\n") + 1].decode(encoding)
        except UnicodeDecodeError:
            continue
        separator, end = guess_dialect(words, by_blanks=False).separator, "\r\n" if "\r\n" in words else "\n"
        for quoting in (csv.QUOTE_MINIMAL, csv.QUOTE_ALL, csv.QUOTE_NONNUMERIC):
            form = _Form(encoding, separator, quoting, end)
            if _writes_alike(words.removeprefix("\ufeff"), form):
                return form
    return None


def _writes_alike(words: str, form: _Form) -> bool:
    """Return whether the records of a sample, written in a form, reproduce the sample."""
    records = list(csv.reader(io.StringIO(words, newline=""), delimiter=form.separator))[:-1]  # the last may be cut off
    return len(records) > 1 and words.startswith("".join(form.line(one) for one in records))


def _records(path: Path, form: _Form) -> Iterator[tuple[int, list[str]]]:
    """Yield the records of a table with the byte at which each begins."""
    read = 0

    def lines(stream: BinaryIO) -> Iterator[str]:
        nonlocal read
        for raw in stream:
            read += len(raw)
            yield raw.decode(form.encoding).removeprefix("\ufeff" if read == len(raw) else "")

    with path.open("rb") as stream:
        start = 0
        for cells in csv.reader(lines(stream), delimiter=form.separator, strict=True):
            yield start, cells
            start = read


def _shape(path: Path, form: _Form) -> _Shape | None:
    """Return the shape of a table; None if its records differ in width, or are not read as they are written."""
    records = _records(path, form)
    try:
        columns = next(records)[1]
        rows, before = 0, [""] * len(columns)
        rising, seen = [True] * len(columns), [set[str]() for _ in columns]
        for _, cells in records:
            if len(cells) != len(columns):
                return None
            for at, cell in enumerate(cells):
                rising[at] = rising[at] and (rows == 0 or _order(cell) >= _order(before[at]))
                if rows < _FIRST:
                    seen[at].add(cell)
            rows, before = rows + 1, cells
    except (csv.Error, UnicodeDecodeError, StopIteration):
        return None
    single = tuple(len(values) == min(rows, _FIRST) for values in seen)
    return _Shape(tuple(columns), rows, tuple(rising), single)


def _order(cell: str) -> tuple[float, str]:
    try:
        return float(cell), ""
    except ValueError:
        return float("-inf"), cell


def _drawn(path: Path, form: _Form, shape: _Shape, chance: random.Random, count: int) -> list[Canary]:
    """Return canaries at places all over a table, even if they equal rows of it."""
    places = set(chance.sample(range(_AFTER, shape.rows), min(count, shape.rows - _AFTER)))
    window: deque[list[str]] = deque(maxlen=_WINDOW)
    drawn, records = [], _records(path, form)
    next(records)
    for row, (start, cells) in enumerate(records):
        if row in places:
            made = [_value(shape, at, [one[at] for one in window], chance) for at in range(len(shape.columns))]
            drawn.append(Canary(place=start, line=form.line(made), cells=tuple(made), shares=()))
        window.append(cells)
    chance.shuffle(drawn)
    return drawn


def _value(shape: _Shape, at: int, near: Sequence[str], chance: random.Random) -> str:
    """Return a value for a column, based on those of the rows before."""
    value = chance.choice(near)
    if shape.single[at] and _NUMBERED.fullmatch(value):
        return "".join(_altered(value, chance))
    return near[-1] if shape.rising[at] else value


def _altered(value: str, chance: random.Random) -> Iterator[str]:
    """Yield a number, or a name that ends in one, with its last digits drawn anew."""
    places = [at for at, character in enumerate(value) if character.isdigit()][-4:]
    for at, character in enumerate(value):
        yield chance.choice("0123456789") if at in places[1:] or (at in places and value[:at]) else character


def _unlikely(path: Path, form: _Form, shape: _Shape, drawn: Sequence[Canary]) -> list[Canary]:
    """Return the canaries that no row equals and hardly any could, each with the frequency of its values."""
    wanted = [Counter({one.cells[at]: 0 for one in drawn}) for at in range(len(shape.columns))]
    there, records = set[tuple[str, ...]](), _records(path, form)
    made = {one.cells for one in drawn}
    next(records)
    for _, cells in records:
        for at, cell in enumerate(cells):
            if cell in wanted[at]:
                wanted[at][cell] += 1
        if tuple(cells) in made:
            there.add(tuple(cells))
    kept = []
    for one in drawn:
        shares = tuple(max(wanted[at][cell], 1) / shape.rows for at, cell in enumerate(one.cells))
        numbered = [at for at, cell in enumerate(one.cells) if shape.single[at] and _NUMBERED.fullmatch(cell)]
        taken = any(wanted[at][one.cells[at]] for at in numbered)
        if one.cells not in there and not taken and shape.rows * math.prod(shares) <= LIKELY:
            kept.append(one.model_copy(update={"shares": shares}))
    return kept
