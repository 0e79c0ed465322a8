"""Texts of a JPEG: EXIF and XMP in APP1, comments in COM (JPEG, ITU-T T.81, B.1; XMP part 3, §1.1.3)."""

from __future__ import annotations

from collections.abc import Iterator

from pilotbase.standards.ai_labels.bounded import Bounded, UnreadableError
from pilotbase.standards.ai_labels.tiff import exif_texts

MAGIC = b"\xff\xd8\xff"
_XMP = b"http://ns.adobe.com/xap/1.0/\x00"
_WITHOUT_LENGTH = {0x01, *range(0xD0, 0xD9)}
_START_OF_SCAN, _END = 0xDA, 0xD9


def jpeg_texts(file: Bounded) -> Iterator[tuple[str, str]]:
    """Yield (place, text) of what stands before the picture; raises `UnreadableError`."""
    at = 2
    while True:
        file.count()
        mark, kind = file.read(at, 2)
        if mark != 0xFF:
            raise UnreadableError("standard.file.bad_part", at=at)
        if kind == 0xFF:  # fill bytes may stand before a marker
            at += 1
            continue
        if kind in (_START_OF_SCAN, _END):
            return
        if kind in _WITHOUT_LENGTH:
            at += 2
            continue
        length = int.from_bytes(file.read(at + 2, 2), "big")
        if length < 2:
            raise UnreadableError("standard.file.bad_part", at=at)
        yield from _segment(file, kind, at + 4, length - 2)
        at += 2 + length


def _segment(file: Bounded, kind: int, at: int, length: int) -> Iterator[tuple[str, str]]:
    file.within(at, length)
    if kind == 0xFE:
        yield "comment", file.text(at, length).decode("utf-8", "replace")
    elif kind == 0xE1:
        data = file.text(at, length)
        if data.startswith(b"Exif\x00\x00"):
            yield from exif_texts(data)
        elif data.startswith(_XMP):
            yield "xmp", data[len(_XMP) :].decode("utf-8", "replace")
