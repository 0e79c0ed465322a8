"""The result of reading a source: checked tables on disk, scanned lazily; their files; all problems, with places."""

from __future__ import annotations

import re
import uuid
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from io import BufferedReader, FileIO
from pathlib import Path
from typing import TYPE_CHECKING

import polars as pl
import polars.selectors

from pilotbase.documents.dataset import FileObject, Reference, Resource, Source
from pilotbase.documents.errors import InputError, Issue
from pilotbase.documents.hashes import Digest, digest_stream, hex_of
from pilotbase.documents.progress import OnProgress, Progress, ignore_progress
from pilotbase.documents.texts import Text, text

if TYPE_CHECKING:
    from _typeshed import WriteableBuffer

MOST_BYTES = 512 << 20
"""Bytes of a file whose table is held in memory, and of an unpacked workbook."""
MOST_CELLS = 200_000_000
"""Cells of a table in memory."""
MOST_COLUMNS = 10_000
"""Columns of a table, as `pilotbase.documents.dataset.RecordSet` holds them."""
LONGEST_NAME = 200
LONGEST_CELL = 8 << 20
"""Characters of one cell, such as the context of a question; more is nearly always an unclosed quote."""
DEEPEST = 12
"""Levels of members inside members that become columns."""
BROKEN = (pl.exceptions.PolarsError, pl.exceptions.PanicException)
"""The table library's errors for a file that it cannot read."""
SHOWN = 5
"""Problems of one kind that are reported; the rest are only counted."""


def are_few(count: int, rows: int) -> bool:
    """Return whether so few of ``rows`` are wrong that the rest is read: at most a twentieth, or a single one."""
    return count <= max(1, rows // 20) and 2 * count < rows


class FileFaults:
    """Collects the problems of one file."""

    def __init__(self, file: str) -> None:
        self.file = file
        self._issues: list[Issue] = []
        self._found: Counter[str] = Counter()

    def __bool__(self) -> bool:
        return bool(self._found)

    def add(self, problem: Text, line: int | None = None, path: str = "") -> None:
        """Note a problem, whose text has a ``.hint``: what to do; ``path`` is a column, a cell, a field."""
        self._found[problem.code] += 1
        if self._found[problem.code] <= SHOWN:
            self._issues.append(Issue(file=self.file, path=path, line=line, problem=problem, hint=problem.hint))

    def more(self, code: str, count: int) -> None:
        """Note that there are ``count`` further problems of a kind, which were not kept."""
        self._found[code] += count

    def require_none(self) -> None:
        """Raise `InputError` with everything that was noted."""
        if not self._found:
            return
        rest = [text("source.more", count=count - SHOWN) for count in self._found.values() if count > SHOWN]
        more = [Issue(file=self.file, path="", problem=problem) for problem in rest]
        raise InputError.from_issues(self.file, [*self._issues, *more])


def refuse(file: str, problem: Text, line: int | None = None, path: str = "") -> InputError:
    """Return the error of one problem of ``file``."""
    issue = Issue(file=file, path=path, line=line, problem=problem, hint=problem.hint)
    return InputError.from_issues(file, [issue])


def first_line(error: BaseException) -> str:
    """Return the beginning of a library's message."""
    return (str(error).strip().splitlines() or [type(error).__name__])[0][:120]


def check_names(names: Sequence[str], faults: FileFaults, line: int | None = 1, path: str = "") -> None:
    """Note columns without a name, of the same name, or of a name too long, and too many of them."""
    if len(names) > MOST_COLUMNS:
        faults.add(text("source.too_many_columns", found=len(names), limit=MOST_COLUMNS), line, path)
        return
    for position, name in enumerate(names, 1):
        if not name.strip():
            faults.add(text("source.unnamed_column", position=position), line, path)
        elif len(name) > LONGEST_NAME:
            found = name[:40]
            faults.add(text("source.long_name", position=position, found=found, limit=LONGEST_NAME), line, path)
    counted = Counter(name for name in names if name.strip())
    for name, count in counted.items():
        if count > 1:
            places = ", ".join(str(at) for at, other in enumerate(names, 1) if other == name)
            faults.add(text("source.double_column", found=name[:LONGEST_NAME], positions=places[:80]), line, path)


_LOST = ("source.taken.misfits", "source.taken.uncomputed")
_BATCH = 100_000
_AHEAD, _TOLD = 1 << 20, 16 << 20
"""Bytes that are read at once, and from one report of progress to the next."""
_MANY_ROWS = 1_000_000
_NUMBER = re.compile(r"[-+]?\d+(\.\d*)?")

KEY_NAME = re.compile(
    r"(^|[_\s.-])(id|uid|uuid|guid|key|no|nr|number|code)$|^id[_\s]|编号|序号|主键|流水号|单号|^path$", re.IGNORECASE
)
"""Names of columns that identify records."""


@dataclass(frozen=True)
class ReadOptions:
    """What the owner states about a source; None: the reader finds it out."""

    encoding: str | None = None
    separator: str | None = None
    columns: tuple[str, ...] | None = None
    """Names of the columns of a table without a header line."""
    tables: tuple[str, ...] = ()
    """The sheets or tables to read; empty: all."""
    labels: Path | None = None
    """Of an image folder: a table of path and label."""
    quick: bool = False
    """Do not hash files or decode Parquet and Arrow beforehand; Parquet and Arrow may be without rows."""
    on_progress: OnProgress = field(default=ignore_progress, compare=False, repr=False)
    """Is told how much of a large file is read."""


@dataclass(frozen=True)
class SourceTable:
    """One table of a source, fully checked and not loaded."""

    name: str
    frame: pl.LazyFrame
    """Texts if the file holds texts (CSV, workbook), else native types; rows without any value are left out."""
    rows: int
    resource: str
    """Id of the file or set of files that contains it."""
    line_of: Callable[[int], int] | None = None
    """Row (from 0) → the line of the file; None if rows have no lines."""
    key: tuple[str, ...] = ()
    """Columns that a database declares as the key."""
    references: Mapping[str, Reference] = field(default_factory=dict)
    """Column → what a database declares that it refers to."""
    required: frozenset[str] = frozenset()
    """Columns that a database declares as never missing."""
    origins: Mapping[str, Source] = field(default_factory=dict)
    """Column → the place of its values, if that is not a column of the same name."""
    selector: str | None = None
    """What selects the table in a resource with several: a sheet, a table of a database."""
    separator: str = ","
    """Separates the cells of a text file; if it is not a comma, a comma in a number may be the decimal one."""
    stored: pl.LazyFrame | None = None
    """The same rows with stored columns that no field describes, such as the bytes of images."""
    in_chunks: Callable[[], Iterator[pl.DataFrame]] | None = None
    """Yields the rows of ``frame`` in order and bounded memory, where the table library reads a file far ahead."""

    @property
    def columns(self) -> list[str]:
        return self.frame.collect_schema().names()

    def batches(self) -> Iterator[pl.DataFrame]:
        """Yield all rows in order, from ``stored`` if it exists, a few at a time."""
        if self.in_chunks is not None:
            return self.in_chunks()
        frame = self.frame if self.stored is None else self.stored
        return frame.collect_batches(chunk_size=_BATCH, maintain_order=True, engine="streaming")

    def collect(self, missing: Sequence[str] = ("",), columns: Sequence[str] = ()) -> pl.DataFrame:
        """Return the table in memory, from ``stored`` if it exists, with only ``columns`` if any are named.

        ``missing`` are the spellings of a missing value; surrounding blanks do not count. Rows that then hold nothing
        are left out.

        Raises:
            InputError: ``data.too_many_cells``; no row holds anything.
        """
        frame = self.frame if self.stored is None else self.stored
        frame = frame.select(columns) if columns else frame
        width = len(frame.collect_schema())
        if self.rows * width > MOST_CELLS:
            raise InputError("data.too_many_cells", file=self.resource, rows=self.rows, columns=width, limit=MOST_CELLS)
        table = missing_as_null(frame.collect(engine="streaming"), missing)
        full = table.filter(~pl.all_horizontal(pl.all().is_null()))
        if full.is_empty():
            raise refuse(self.resource, text("source.no_rows"), path=self.selector or "")
        return full


@dataclass(frozen=True)
class OpenedSource:
    """The tables of one source, their files, and the assumptions if the source does not say."""

    tables: tuple[SourceTable, ...]
    resources: tuple[Resource, ...]
    taken: tuple[Text, ...] = ()
    live: bool = False
    """The source keeps changing: the tables are a snapshot."""
    led: bool = False
    """A request for one table gets the first: the first sheet, or the records of JSON before their lists."""

    def only(self) -> SourceTable:
        """Return the only table, or the first if it leads the others.

        Raises:
            InputError: ``data.several_tables``.
        """
        if len(self.tables) > 1 and not self.led:
            raise InputError("data.several_tables", found=", ".join(one.name for one in self.tables))
        return self.tables[0]

    def require_whole(self) -> None:
        """Return unless misfits were read as missing, since nobody would see the note.

        Raises:
            InputError: with each of them.
        """
        lost = [one for one in self.taken if one.code in _LOST]
        if lost:
            file = self.tables[0].resource
            raise InputError.from_issues(file, [Issue(file=file, path="", problem=one) for one in lost])


def missing_as_null(table: pl.DataFrame, missing: Sequence[str]) -> pl.DataFrame:
    """Return ``table`` without the spellings of a missing value; surrounding blanks do not count."""
    spellings = [spelling.strip() for spelling in missing]
    numbers = [float(spelling) for spelling in spellings if _NUMBER.fullmatch(spelling)]
    words, number = pl.col(pl.String), polars.selectors.numeric()
    return table.with_columns(
        pl.when(~words.str.strip_chars().is_in(spellings)).then(words),
        pl.when(~number.cast(pl.Float64).is_in(numbers)).then(number),
    )


Read = Callable[[str, ReadOptions, Path], OpenedSource]
"""Reads one kind of source: the tables in a place, a path or an address; temporary data for scanning go in a folder.

Raises `InputError` with every problem at once, each with its place.
"""


def require_file(path: Path) -> None:
    """Raise `InputError` unless ``path`` is a readable file that is not empty."""
    try:
        if path.stat().st_size == 0:
            raise refuse(path.name, text("source.empty_file"))
        with path.open("rb") as stream:
            stream.read(1)
    except FileNotFoundError:
        raise InputError("data.no_file", file=str(path)) from None
    except OSError as error:
        raise InputError("data.unreadable_file", file=path.name, reason=error.strerror or str(error)) from None


def file_object(path: Path, media_type: str, asked: ReadOptions) -> FileObject:
    """Return the file ``path`` as a resource under its own name, with its hash unless ``asked`` is quick."""
    return FileObject(
        id=path.name,
        content_url=path.name,
        encoding_format=(media_type,),
        content_size=path.stat().st_size,
        sha256=None if asked.quick else hex_of(digest_watched(path, asked.on_progress)),
    )


def digest_watched(path: Path, on_progress: OnProgress) -> Digest:
    """Return the digest of a file, and tell how much of a large one is read."""
    with open_watched(path, "digest", on_progress) as stream:
        return digest_stream(stream)


def open_watched(path: Path, stage: str, on_progress: OnProgress) -> BufferedReader:
    """Open a file to be read once, from its beginning; of a large one, tell in a ``stage`` how many MiB are read."""
    return BufferedReader(_WatchedFile(path, text(f"source.progress.{stage}", file=path.name), on_progress), _AHEAD)


def telling_rows(stage: Text, rows: int, on_progress: OnProgress) -> Callable[[int], None]:
    """Return what takes how many of the ``rows`` of a table are done; it tells them if there are many."""
    return lambda done: on_progress(Progress(stage, done, rows)) if rows > _MANY_ROWS else None


class _WatchedFile(FileIO):
    def __init__(self, path: Path, stage: Text, on_progress: OnProgress) -> None:
        super().__init__(path)
        self._stage, self._on_progress = stage, on_progress
        self._size, self._read, self._next = path.stat().st_size, 0, _TOLD

    def readinto(self, buffer: WriteableBuffer) -> int | None:
        count = super().readinto(buffer)
        self._read += count or 0
        if self._read >= self._next:
            self._next = self._read + _TOLD
            self._on_progress(Progress(self._stage, min(self._read, self._size) >> 20, self._size >> 20))
        return count


CELLS_OF_PART = 2_000_000


@dataclass(frozen=True)
class Spooled:
    """A table on disk."""

    frame: pl.LazyFrame
    rows: int


def spool(rows: Iterable[Sequence[object]], schema: Mapping[str, pl.DataType], scratch: Path) -> Spooled:
    """Return ``rows``, one value a column of ``schema``, kept in a folder of their own in ``scratch``."""
    kept = Spool(schema, scratch)
    for row in rows:
        kept.take(row)
    return kept.close()


class Spool:
    """A table that is being written: several of them can be filled in one reading."""

    def __init__(self, schema: Mapping[str, pl.DataType], scratch: Path) -> None:
        self._schema, self._folder = dict(schema), scratch / uuid.uuid4().hex
        self._folder.mkdir()
        self._size = max(1, CELLS_OF_PART // max(1, len(schema)))
        self._rows = 0
        self._part: list[Sequence[object]] = []
        self._written: list[Path] = []

    def take(self, row: Sequence[object]) -> None:
        """Take a row, one value a column."""
        self._part.append(row)
        if len(self._part) == self._size:
            self._write()

    def close(self) -> Spooled:
        """Return the table, which then takes no more rows."""
        if self._part:
            self._write()
        schema = self._schema
        frame = pl.scan_parquet(self._written, glob=False) if self._written else pl.LazyFrame(schema=schema)
        return Spooled(frame, self._rows)

    def _write(self) -> None:
        self._written.append(self._folder / f"{len(self._written):06}.parquet")
        pl.DataFrame(self._part, schema=self._schema, orient="row").write_parquet(self._written[-1])
        self._rows += len(self._part)
        self._part = []
