"""Texts of a PNG: its chunks tEXt, zTXt, iTXt and eXIf (PNG specification, third edition, §11.3)."""

from __future__ import annotations

import zlib
from collections.abc import Iterator

from pilotbase.standards.ai_labels.bounded import LONGEST_TEXT, Bounded, UnreadableError
from pilotbase.standards.ai_labels.tiff import exif_texts

MAGIC = b"\x89PNG\r\n\x1a\n"


def png_texts(file: Bounded) -> Iterator[tuple[str, str]]:
    """Yield (keyword, text); raises `UnreadableError` for a file that ends before its end chunk."""
    at = len(MAGIC)
    while True:
        file.count()
        head = file.read(at, 8)
        length, kind = int.from_bytes(head[:4], "big"), head[4:]
        file.within(at + 8, length + 4)
        if kind in (b"tEXt", b"zTXt", b"iTXt"):
            yield _text(file, kind, _sound(file, kind, at + 8, length))
        elif kind == b"eXIf":
            yield from exif_texts(_sound(file, kind, at + 8, length))
        elif kind == b"IEND":
            return
        at += 12 + length


def _sound(file: Bounded, kind: bytes, at: int, length: int) -> bytes:
    """Return a chunk's bytes; one that its checksum does not fit is read by nobody."""
    data = file.text(at, length)
    checksum = int.from_bytes(file.read(at + length, 4), "big")
    if length <= LONGEST_TEXT and zlib.crc32(data, zlib.crc32(kind)) != checksum:
        raise UnreadableError("standard.file.bad_part", at=at)
    return data


def _text(file: Bounded, kind: bytes, data: bytes) -> tuple[str, str]:
    keyword, found, rest = data.partition(b"\x00")
    if not found:
        raise UnreadableError("standard.file.bad_text")
    if kind == b"zTXt":
        rest = file.inflate(rest[1:])
    if kind == b"iTXt":
        packed = rest[:1] == b"\x01"
        rest = rest[2:].partition(b"\x00")[2].partition(b"\x00")[2]
        rest = file.inflate(rest) if packed else rest
    return keyword.decode("latin-1"), rest.decode("utf-8", "replace")
