"""Texts of EXIF: the fields of a TIFF directory that hold words (TIFF 6.0, §2; Exif 2.32, §4.6)."""

from __future__ import annotations

import struct
from collections.abc import Iterator

from pilotbase.standards.ai_labels.bounded import LONGEST_TEXT, UnreadableError

_TEXTS = {0x010E: "ImageDescription", 0x0131: "Software", 0x013B: "Artist", 0x8298: "Copyright", 0x9286: "UserComment"}
_WIDE_TEXTS = {0x9C9B: "XPTitle", 0x9C9C: "XPComment", 0x9C9E: "XPKeywords", 0x9C9F: "XPSubject"}
_EXIF_DIRECTORY = 0x8769
_MOST_DIRECTORIES, _MOST_ENTRIES = 8, 1_000
_SIZES = {1: 1, 2: 1, 7: 1}


def exif_texts(data: bytes) -> Iterator[tuple[str, str]]:
    """Yield (name, text) of an EXIF block with or without its head; raises `UnreadableError`."""
    data = data.removeprefix(b"Exif\x00\x00")
    order = {b"II*\x00": "<", b"MM\x00*": ">"}.get(data[:4])
    if order is None:
        raise UnreadableError("standard.file.bad_exif")
    waiting, seen, told = [_number(data, 4, order + "I")], set[int](), 0
    while waiting:
        at = waiting.pop()
        if at == 0 or at in seen:
            continue
        seen.add(at)
        if len(seen) > _MOST_DIRECTORIES:
            raise UnreadableError("standard.file.bad_exif")
        count = _number(data, at, order + "H")
        if count > _MOST_ENTRIES:
            raise UnreadableError("standard.file.bad_exif")
        for index in range(count):
            place = at + 2 + 12 * index
            tag, kind = _number(data, place, order + "H"), _number(data, place + 2, order + "H")
            if tag == _EXIF_DIRECTORY:
                waiting.append(_number(data, place + 8, order + "I"))
            elif (tag in _TEXTS or tag in _WIDE_TEXTS) and kind in _SIZES:
                name, found = _text(data, place, order, tag)
                told += len(found)
                if told > len(data):  # many fields share one long text
                    raise UnreadableError("standard.file.bad_exif")
                yield name, found


def _text(data: bytes, place: int, order: str, tag: int) -> tuple[str, str]:
    length = _number(data, place + 4, order + "I")
    at = place + 8 if length <= 4 else _number(data, place + 8, order + "I")
    if at + length > len(data):
        raise UnreadableError("standard.file.cut_off", at=at)
    found = data[at : at + min(length, LONGEST_TEXT)]
    if tag in _WIDE_TEXTS:
        return _WIDE_TEXTS[tag], found.decode("utf-16-le", "replace").rstrip("\x00")
    if _TEXTS[tag] == "UserComment" and found[:8] == b"UNICODE\x00":
        big = found[8::2].count(0) > found[9::2].count(0)  # writers do not keep to the block's own order
        return "UserComment", found[8:].decode("utf-16-be" if big else "utf-16-le", "replace").rstrip("\x00")
    plain = found[8:] if _TEXTS[tag] == "UserComment" and found[:5] in (b"ASCII", b"\0\0\0\0\0") else found
    return _TEXTS[tag], plain.decode("utf-8", "replace").rstrip("\x00")


def _number(data: bytes, at: int, form: str) -> int:
    try:
        return int(struct.unpack_from(form, data, at)[0])
    except struct.error:
        raise UnreadableError("standard.file.cut_off", at=at) from None
