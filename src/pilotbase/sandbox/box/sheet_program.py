"""The work of `work_program` that reads anyone's spreadsheet. It stands alone: standard library only.

CSV (UTF-8, UTF-16 with a byte order mark, GB18030) and the first sheet of an XLSX workbook become rows of texts, one
JSON line for each row: its number in the file, its cells, and which of them hold formulas. Nothing is computed, no
formula's value is used.
"""

from __future__ import annotations

import csv
import io
import json
import re
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

MAIN = "{http://schemas.openxmlformats.org/spreadsheetml/2006/main}"
REFERENCE = re.compile(r"([A-Z]{1,3})([0-9]{1,7})")
FORMULA = ("=", "+", "-", "@", "\t", "\r")
"""Characters that make a spreadsheet take a cell for a formula."""
NUMBER = re.compile(r"[-+]?[0-9]+([.,][0-9]+)?")


class RefusedSheetError(Exception):
    """A file that is not read; ``kind`` names the reason."""

    def __init__(self, kind: str, found: object) -> None:
        super().__init__(kind)
        self.kind, self.found = kind, str(found)


def run(greeting: dict[str, Any]) -> dict[str, Any]:
    """Write each non-empty row as a line; return their number, and the encoding of the file."""
    data = Path(greeting["file"]).read_bytes()
    encoding, rows = ("", workbook_rows(data, greeting)) if data[:4] == b"PK\x03\x04" else text_rows(data)
    count = 0
    with Path(greeting["target"]).open("x", encoding="utf-8") as written:
        for number, cells, formulas in rows:
            if not any(cell.strip() for cell in cells) and not formulas:
                continue
            count += 1
            if count > greeting["rows"] + 1:
                raise RefusedSheetError("rows", greeting["rows"])
            if len(cells) > greeting["columns"]:
                raise RefusedSheetError("columns", len(cells))
            if any(len(cell) > greeting["cell"] for cell in cells):
                raise RefusedSheetError("cell", number)
            written.write(json.dumps([number, cells, formulas], ensure_ascii=False) + "\n")
    return {"rows": count, "encoding": encoding}


def text_rows(data: bytes) -> tuple[str, Iterator[tuple[int, list[str], list[int]]]]:
    """Return the encoding of a CSV and its rows."""
    encoding, content = decode(data)
    if "\0" in content:
        raise RefusedSheetError("binary", "")
    head = content.partition("\n")[0]
    separator = max((",", ";", "\t"), key=head.count)
    return encoding, _csv_rows(csv.reader(io.StringIO(content, newline=""), delimiter=separator, strict=True))


def decode(data: bytes) -> tuple[str, str]:
    """Return the encoding and the text of ``data``."""
    if data[:2] in (b"\xff\xfe", b"\xfe\xff"):
        return "UTF-16", data.decode("utf-16")
    for name, encoding in (("UTF-8", "utf-8-sig"), ("GB18030", "gb18030")):
        try:
            return name, data.decode(encoding)
        except UnicodeDecodeError as error:
            line = data.count(b"\n", 0, error.start) + 1
    raise RefusedSheetError("encoding", line)


def _csv_rows(reader: Any) -> Iterator[tuple[int, list[str], list[int]]]:
    start = 1
    for cells in reader:
        formulas = [at for at, cell in enumerate(cells) if cell.startswith(FORMULA) and not NUMBER.fullmatch(cell)]
        yield start, cells, formulas
        start = reader.line_num + 1


def workbook_rows(data: bytes, greeting: dict[str, Any]) -> Iterator[tuple[int, list[str], list[int]]]:
    """Yield the rows of the first sheet of a workbook."""
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        names = set(archive.namelist())
        shared = _shared_texts(archive, names, greeting["bytes"])
        sheet = _parsed(_member(archive, _first_sheet(archive, names, greeting["bytes"]), greeting["bytes"]))
    last = 0
    for row in sheet.iter(f"{MAIN}row"):
        last = int(row.get("r", last + 1))
        cells: list[str] = []
        formulas: list[int] = []
        for cell in row.iter(f"{MAIN}c"):
            at = _column(cell.get("r", ""), len(cells))
            if at >= greeting["columns"]:
                raise RefusedSheetError("columns", at + 1)
            cells += [""] * (at - len(cells))
            cells.append(_cell_text(cell, shared))
            if cell.find(f"{MAIN}f") is not None or _is_formula(cells[at], cell):
                formulas.append(at)
        yield last, cells, formulas


def _is_formula(content: str, cell: ElementTree.Element) -> bool:
    typed = cell.get("t", "n") in ("s", "inlineStr", "str")
    return typed and content.startswith(FORMULA) and not NUMBER.fullmatch(content)


def _first_sheet(archive: zipfile.ZipFile, names: set[str], most: int) -> str:
    workbook = _parsed(_member(archive, "xl/workbook.xml", most))
    relations = _parsed(_member(archive, "xl/_rels/workbook.xml.rels", most))
    first = next(workbook.iter(f"{MAIN}sheet"), None)
    if first is None:
        raise RefusedSheetError("damaged", "no sheet")
    wanted = next(value for name, value in first.attrib.items() if name.endswith("}id"))
    target = next(one.get("Target", "") for one in relations if one.get("Id") == wanted)
    name = target.lstrip("/") if target.startswith("/") else f"xl/{target}"
    if name not in names:
        raise RefusedSheetError("damaged", name)
    return name


def _shared_texts(archive: zipfile.ZipFile, names: set[str], most: int) -> list[str]:
    if "xl/sharedStrings.xml" not in names:
        return []
    root = _parsed(_member(archive, "xl/sharedStrings.xml", most))
    return ["".join(part.text or "" for part in one.iter(f"{MAIN}t")) for one in root.iter(f"{MAIN}si")]


def _member(archive: zipfile.ZipFile, name: str, most: int) -> bytes:
    with archive.open(name) as source:
        content = source.read(most + 1)
    if len(content) > most:
        raise RefusedSheetError("large", name)
    return content


def _parsed(content: bytes) -> ElementTree.Element:
    if b"<!DOCTYPE" in content or b"<!ENTITY" in content:
        raise RefusedSheetError("damaged", "DOCTYPE")
    return ElementTree.fromstring(content)  # noqa: S314 - in the box, bounded, without entities


def _column(reference: str, otherwise: int) -> int:
    found = REFERENCE.fullmatch(reference)
    if found is None:
        return otherwise
    place = 0
    for letter in found[1]:
        place = place * 26 + ord(letter) - 64
    return max(place - 1, otherwise)


def _cell_text(cell: ElementTree.Element, shared: list[str]) -> str:
    kind, value = cell.get("t", "n"), cell.findtext(f"{MAIN}v") or ""
    if kind == "s":
        return shared[int(value)]
    if kind == "inlineStr":
        return "".join(part.text or "" for part in cell.iter(f"{MAIN}t"))
    if kind == "n" and value:
        number = float(value)
        return str(int(number)) if number == int(number) and abs(number) < 1e15 else value
    return {"0": "false", "1": "true"}.get(value, value) if kind == "b" else value


REFUSED = RefusedSheetError
