"""Parquet: scanned in place, once every column has been decoded from end to end."""

from __future__ import annotations

import struct
from dataclasses import dataclass
from pathlib import Path

import polars as pl

from pilotbase.data.sources.columns import open_columns
from pilotbase.data.sources.source import OpenedSource, ReadOptions, refuse, require_file
from pilotbase.documents.texts import text

_MAGIC = b"PAR1"
_MEDIA = "application/vnd.apache.parquet"
Field = None | bool | int | float | bytes | list["Field"] | dict[int, "Field"]
_LARGEST = 64 << 20
_DEEPEST = 16
_ROW_GROUPS, _ROWS = 4, 3
"""Numbers of the fields: of the file, of a row group."""


def read(place: str, asked: ReadOptions, scratch: Path) -> OpenedSource:
    """Return the tables in ``place``; see `pilotbase.data.sources.source.Read`."""
    path = Path(place)
    require_file(path)
    _check_ends(path)
    return open_columns(pl.scan_parquet(path, glob=False), path, _MEDIA, asked, lambda: row_groups(path))


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


def row_groups(path: Path) -> tuple[range, ...]:
    """Return the rows (from 0) of each row group, from the footer; empty if it is broken.

    The table library does not show them. The footer is a structure in Thrift's compact protocol (parquet-format,
    ``FileMetaData``; thrift-compact-protocol.md): fields by number, varints with the sign in the lowest bit.
    """
    try:
        counts = [group[_ROWS] for group in _groups(footer(path))]
    except (ValueError, IndexError, KeyError, struct.error):
        return ()
    found: list[range] = []
    for count in counts:
        start = found[-1].stop if found else 0
        if not isinstance(count, int) or count < 0:
            return ()
        found.append(range(start, start + count))
    return tuple(found)


def footer(path: Path) -> dict[int, Field]:
    """Return the footer's fields by number; raises `ValueError` or `IndexError` if there is none."""
    with path.open("rb") as stream:
        size = stream.seek(0, 2)
        stream.seek(max(0, size - 8))
        length = int.from_bytes(stream.read(4), "little")
        if not 0 < length <= min(_LARGEST, size - 12):
            raise ValueError(length)
        stream.seek(size - 8 - length)
        return _Reader(stream.read(length)).structure(0)


def _groups(fields: dict[int, Field]) -> list[dict[int, Field]]:
    groups = fields[_ROW_GROUPS]
    if not isinstance(groups, list):
        raise ValueError(groups)
    return [group for group in groups if isinstance(group, dict)]


@dataclass
class _Reader:
    data: bytes
    at: int = 0

    def structure(self, depth: int) -> dict[int, Field]:
        fields: dict[int, Field] = {}
        number = 0
        while head := self.byte():
            number = number + (head >> 4) if head >> 4 else self.number()
            fields[number] = self.value(head & 15, depth)
        return fields

    def value(self, kind: int, depth: int, in_list: bool = False) -> Field:
        if depth > _DEEPEST:
            raise ValueError(depth)
        if kind in (1, 2):
            return self.byte() == 1 if in_list else kind == 1
        if kind == 3:
            return self.byte()
        if kind in (4, 5, 6):
            return self.number()
        if kind == 7:
            return float(struct.unpack("<d", self.bytes(8))[0])
        if kind == 8:
            return self.bytes(self.varint())
        if kind in (9, 10):
            return self.list_of(depth)
        if kind == 12:
            return self.structure(depth + 1)
        raise ValueError(kind)

    def list_of(self, depth: int) -> list[Field]:
        head = self.byte()
        size = head >> 4 if head >> 4 < 15 else self.varint()
        if size > len(self.data):
            raise ValueError(size)
        return [self.value(head & 15, depth + 1, in_list=True) for _ in range(size)]

    def number(self) -> int:
        found = self.varint()
        return (found >> 1) ^ -(found & 1)

    def varint(self) -> int:
        found = shift = 0
        while True:
            byte = self.byte()
            found |= (byte & 127) << shift
            shift += 7
            if byte < 128:
                return found
            if shift > 63:
                raise ValueError(found)

    def byte(self) -> int:
        self.at += 1
        return self.data[self.at - 1]

    def bytes(self, count: int) -> bytes:
        if self.at + count > len(self.data):
            raise IndexError(count)
        self.at += count
        return self.data[self.at - count : self.at]
