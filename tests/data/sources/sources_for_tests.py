"""Sources written for tests, one planted fault each."""

import json
import sqlite3
import struct
import zlib
from contextlib import closing
from pathlib import Path

import polars as pl

from pilotbase.data.sources.opening import open_source
from pilotbase.data.sources.source import OpenedSource, ReadOptions
from pilotbase.documents.errors import InputError

NOTHING = ReadOptions()


def opened(folder: Path, name: str, content: bytes | str = b"", asked: ReadOptions = NOTHING) -> OpenedSource:
    """Write ``content`` and open it; scratch files lie beside it."""
    if content:
        (folder / name).write_bytes(content if isinstance(content, bytes) else content.encode())
    scratch = folder / "scratch"
    scratch.mkdir(exist_ok=True)
    return open_source(str(folder / name), scratch, asked)


def rows(source: OpenedSource, table: int = 0) -> list[tuple]:
    return source.tables[table].frame.collect().rows()


def refused(folder: Path, name: str, content: bytes | str = b"", asked: ReadOptions = NOTHING) -> str:
    """Open what must be refused, and return what is said in English; both languages say it."""
    try:
        opened(folder, name, content, asked)
    except InputError as error:
        assert error.render("zh") != error.render("en")
        return error.render("en")
    raise AssertionError("it was opened")


def said(source: OpenedSource) -> str:
    return "\n".join(taken.render("en") for taken in source.taken)


def png(width: int, height: int, shade: int = 0) -> bytes:
    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    header = chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0))
    pixels = zlib.compress((b"\0" + bytes([shade]) * width) * height)
    return b"\x89PNG\r\n\x1a\n" + header + chunk(b"IDAT", pixels) + chunk(b"IEND", b"")


def jpeg(width: int, height: int) -> bytes:
    application = b"\xff\xe0" + struct.pack(">H", 16) + b"JFIF\0" + bytes(9)
    frame = b"\xff\xc0" + struct.pack(">HBHH", 11, 8, height, width) + bytes(4)
    return b"\xff\xd8" + application + frame + b"\xff\xd9"


def database(path: Path, *statements: str) -> Path:
    with closing(sqlite3.connect(path)) as connection, connection:
        for statement in statements:
            connection.execute(statement)
    return path


def lines(*records: object) -> str:
    return "".join(json.dumps(record, ensure_ascii=False) + "\n" for record in records)


def parquet(path: Path, row_groups: int = 4) -> Path:
    rows_each = 1000
    frame = pl.DataFrame(
        {"id": range(row_groups * rows_each), "name": [f"n{at}" for at in range(row_groups * rows_each)]}
    )
    frame.write_parquet(path, row_group_size=rows_each, compression="zstd")
    return path
