"""Texts of RIFF files: WebP (EXIF, XMP) and WAV (LIST INFO, ID3, XMP); EBU Tech 3285, WebP container specification."""

from __future__ import annotations

from collections.abc import Iterator

from pilotbase.standards.ai_labels.bounded import Bounded, UnreadableError
from pilotbase.standards.ai_labels.id3 import id3_texts
from pilotbase.standards.ai_labels.tiff import exif_texts

MAGIC = b"RIFF"


def riff_texts(file: Bounded) -> Iterator[tuple[str, str]]:
    """Yield (name, text) of a RIFF file's chunks; raises `UnreadableError` where one is longer than the file."""
    end = 8 + int.from_bytes(file.read(4, 4), "little")
    file.within(8, end - 8)
    for kind, at, length in _chunks(file, 12, end):
        if kind == b"EXIF":
            yield from exif_texts(file.text(at, length))
        elif kind in (b"XMP ", b"_PMX"):
            yield "xmp", file.text(at, length).decode("utf-8", "replace")
        elif kind in (b"id3 ", b"ID3 "):
            yield from id3_texts(file, at, at + length)
        elif kind == b"AIGC":
            yield "AIGC", file.text(at, length).decode("utf-8", "replace")
        elif kind == b"LIST" and length >= 4 and file.read(at, 4) == b"INFO":
            for name, place, size in _chunks(file, at + 4, at + length):
                yield name.decode("latin-1"), file.text(place, size).decode("utf-8", "replace").rstrip("\x00")


def _chunks(file: Bounded, at: int, end: int) -> Iterator[tuple[bytes, int, int]]:
    """Yield (name, place, length) of the chunks between two places; each is padded to an even length."""
    while at + 8 <= end:
        file.count()
        head = file.read(at, 8)
        length = int.from_bytes(head[4:], "little")
        if at + 8 + length > end:
            raise UnreadableError("standard.file.bad_part", at=at)
        yield head[:4], at + 8, length
        at += 8 + length + length % 2
