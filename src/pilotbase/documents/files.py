"""Files: read up to a limit; written whole or not at all; downloaded piece by piece; tables without formulas."""

from __future__ import annotations

import csv
import io
import re
import secrets
import shutil
import zipfile
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from xml.sax.saxutils import escape, quoteattr

from pilotbase.documents.errors import InputError
from pilotbase.documents.hashes import Digest
from pilotbase.documents.texts import text

_FORMULA = ("=", "+", "-", "@", "\t", "\r")
"""Characters that a spreadsheet takes for the start of a formula (OWASP, CSV injection)."""
_MOST_TEXT = 64 << 20
_NUMBER = re.compile(r"-\d+(\.\d+)?([eE][-+]?\d+)?")
"""A negative number is no formula, and must stay a number when it is read back."""


@dataclass(frozen=True)
class Stretch:
    """A part of a file: the bytes from ``start`` to before ``end``."""

    start: int
    end: int


Part = Callable[[int, Digest], Stretch | None]
"""Chooses the part of a file, given its size and the name of its bytes; None: all of it."""


def whole(_size: int, _tag: Digest) -> Stretch | None:
    """Choose the whole file."""
    return None


@dataclass(frozen=True)
class File:
    """A file to download: its pieces are opened one after the other."""

    name: str
    size: int
    """Size of the whole file, in bytes."""
    pieces: Iterator[bytes]
    part: Stretch | None = None
    """The part that these bytes are; None: all."""
    tag: Digest = ""
    """Identifies the stored bytes: it differs for other bytes."""
    in_parts: bool = False
    """Whether parts of it may be requested."""

    @classmethod
    def of(cls, name: str, content: bytes) -> File:
        """Return a small file from bytes in memory."""
        return cls(name, len(content), iter([content]))

    def content(self) -> bytes:
        """Return all of its bytes; works once."""
        return b"".join(self.pieces)


@contextmanager
def reading(file: Path | str) -> Iterator[None]:
    """Report that ``file`` doesn't exist, or cannot be read, as `InputError`."""
    try:
        yield
    except FileNotFoundError:
        raise InputError("input.no_file", file=file) from None
    except OSError as error:
        raise InputError("input.unreadable_file", file=file, reason=error.strerror or str(error)) from None


def read_bounded(path: Path, limit: int, shown_as: str | None = None) -> bytes:
    """Return the bytes of ``path``, at most ``limit`` of them; ``shown_as`` is its name in errors.

    Raises:
        InputError: the file doesn't exist, cannot be read, or is larger.
    """
    file = shown_as or path
    with reading(file), path.open("rb") as stream:
        data = stream.read(limit + 1)
    if len(data) > limit:
        raise InputError("input.file_too_large", file=file, limit=limit)
    return data


def decoded(data: bytes, file: str, limit: int) -> str:
    """Return the text in at most ``limit`` bytes of UTF-8; raises `InputError`."""
    if len(data) > limit:
        raise InputError("input.file_too_large", file=file, limit=limit)
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise InputError("input.not_utf8", file=file, position=error.start) from None


def format_csv(header: Sequence[str], rows: Iterable[Sequence[str]]) -> bytes:
    """Return a table as CSV; cells that a spreadsheet would compute start with an apostrophe."""
    return b"\xef\xbb\xbf" + format_rows([header, *rows])


def format_rows(rows: Iterable[Sequence[str]]) -> bytes:
    """Return further rows of a table as `format_csv` writes them."""
    written = io.StringIO(newline="")
    csv.writer(written).writerows([_safe(cell) for cell in row] for row in rows)
    return written.getvalue().encode()


def _safe(cell: str) -> str:
    return f"'{cell}" if cell.startswith(_FORMULA) and not _NUMBER.fullmatch(cell) else cell


def read_cell(cell: str) -> str:
    """Return a cell as it was before `format_csv` wrote it."""
    return cell[1:] if cell.startswith("'") and cell[1:].startswith(_FORMULA) else cell


Cell = str | float | int | None
_TYPES = (
    '<?xml version="1.0" encoding="UTF-8" standalone="yes"?>'
    '<Types xmlns="http://schemas.openxmlformats.org/package/2006/content-types">'
    '<Default Extension="rels" ContentType="application/vnd.openxmlformats-package.relationships+xml"/>'
    '<Default Extension="xml" ContentType="application/{main}.sheet.main+xml"/>{sheets}</Types>'
)
_SPREADSHEET = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
_RELATIONS = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
_PACKAGE = "http://schemas.openxmlformats.org/package/2006/relationships"
_NOT_IN_XML = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def format_workbook(sheets: Mapping[str, Iterable[Sequence[Cell]]]) -> bytes:
    """Return an XLSX workbook (ECMA-376) with one sheet a table: texts stay texts, nothing is computed.

    The same tables give the same bytes.
    """
    parts = {f"xl/worksheets/sheet{place}.xml": _sheet(rows) for place, rows in enumerate(sheets.values(), 1)}
    main = "vnd.openxmlformats-officedocument.spreadsheetml"
    kinds = "".join(f'<Override PartName="/{name}" ContentType="application/{main}.worksheet+xml"/>' for name in parts)
    listed = "".join(
        f'<sheet name={quoteattr(name[:31])} sheetId="{place}" r:id="r{place}"/>'
        for place, name in enumerate(sheets, 1)
    )
    book = f'<workbook xmlns="{_SPREADSHEET}" xmlns:r="{_RELATIONS}"><sheets>{listed}</sheets></workbook>'
    whole = {
        "[Content_Types].xml": _TYPES.format(main=main, sheets=kinds),
        "_rels/.rels": _related({"r1": ("officeDocument", "xl/workbook.xml")}),
        "xl/workbook.xml": book,
        "xl/_rels/workbook.xml.rels": _related(
            {f"r{place}": ("worksheet", f"worksheets/sheet{place}.xml") for place in range(1, len(parts) + 1)}
        ),
        **parts,
    }
    written = io.BytesIO()
    with zipfile.ZipFile(written, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in whole.items():
            archive.writestr(zipfile.ZipInfo(name), content, zipfile.ZIP_DEFLATED)
    return written.getvalue()


def _related(targets: Mapping[str, tuple[str, str]]) -> str:
    told = "".join(
        f'<Relationship Id="{identity}" Type="{_RELATIONS}/{kind}" Target="{target}"/>'
        for identity, (kind, target) in targets.items()
    )
    return f'<Relationships xmlns="{_PACKAGE}">{told}</Relationships>'


def _sheet(rows: Iterable[Sequence[Cell]]) -> str:
    told = "".join(f"<row>{''.join(map(_cell, row))}</row>" for row in rows)
    return f'<worksheet xmlns="{_SPREADSHEET}"><sheetData>{told}</sheetData></worksheet>'


def _cell(cell: Cell) -> str:
    if cell is None or cell == "":
        return "<c/>"
    if not isinstance(cell, str):
        return f"<c><v>{cell!r}</v></c>"
    return f'<c t="inlineStr"><is><t xml:space="preserve">{escape(_NOT_IN_XML.sub("", cell))}</t></is></c>'


PRIVATE = 0o600
PUBLIC = 0o644


def write_whole(path: Path, content: str | bytes, mode: int = PUBLIC) -> None:
    """Write ``path`` through a draft beside it; raises `OSError`, and then leaves the earlier file."""
    draft = path.with_name(f".{path.name}.{secrets.token_hex(4)}")
    try:
        draft.touch(mode)
        draft.write_bytes(content.encode() if isinstance(content, str) else content)
        draft.replace(path)
    finally:
        draft.unlink(missing_ok=True)


@contextmanager
def whole_folder(folder: Path) -> Iterator[Path]:
    """Yield a draft folder that takes the place of ``folder`` (absent or empty) when the block ends without error."""
    draft = folder.with_name(f".{folder.name}.{secrets.token_hex(4)}")
    draft.mkdir(parents=True)
    try:
        yield draft
        draft.replace(folder)
    finally:
        shutil.rmtree(draft, ignore_errors=True)


def table_lines(path: Path, delimiter: str, columns: Sequence[str]) -> Iterator[tuple[int, dict[str, str]]]:
    """Yield number and cells of each line of a small table as text.

    Raises:
        InputError: the file cannot be read, lacks one of ``columns``, or has a line with more or fewer cells.
    """
    content = decoded(read_bounded(path, _MOST_TEXT), path.name, _MOST_TEXT)
    rows = csv.DictReader(io.StringIO(content, newline=""), delimiter=delimiter)
    if missing := [name for name in columns if name not in (rows.fieldnames or ())]:
        raise InputError.at(path.name, "", text("input.columns", missing=missing), 1)
    try:
        for row in rows:
            if None in row or None in row.values():
                raise InputError.at(path.name, "", text("input.cells"), rows.line_num)
            yield rows.line_num, row
    except csv.Error:
        raise InputError.at(path.name, "", text("input.cells"), rows.line_num + 1) from None
