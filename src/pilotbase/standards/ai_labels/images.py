"""Texts in images: chunks of a PNG, segments of a JPEG, and the EXIF block that both can contain.

Sources: PNG specification, third edition, §11.3; JPEG, ITU-T T.81, B.1; XMP part 3, §1.1.3; TIFF 6.0, §2; Exif 2.32,
§4.6.
"""

from __future__ import annotations

import struct
import zlib
from collections.abc import Iterator

from pilotbase.standards.ai_labels.bounded import LONGEST_TEXT, Bounded, UnreadableError

PNG_MAGIC = b"\x89PNG\r\n\x1a\n"
JPEG_MAGIC = b"\xff\xd8\xff"
_XMP = b"http://ns.adobe.com/xap/1.0/\x00"
_WITHOUT_LENGTH = {0x01, *range(0xD0, 0xD9)}
_START_OF_SCAN, _END = 0xDA, 0xD9
_TEXTS = {0x010E: "ImageDescription", 0x0131: "Software", 0x013B: "Artist", 0x8298: "Copyright", 0x9286: "UserComment"}
_WIDE_TEXTS = {0x9C9B: "XPTitle", 0x9C9C: "XPComment", 0x9C9E: "XPKeywords", 0x9C9F: "XPSubject"}
_EXIF_DIRECTORY = 0x8769
_MOST_DIRECTORIES, _MOST_ENTRIES = 8, 1_000
_SIZES = {1: 1, 2: 1, 7: 1}


def png_texts(file: Bounded) -> Iterator[tuple[str, str]]:
    """Yield (keyword, text); raises `UnreadableError` for a file that ends before its end chunk."""
    at = len(PNG_MAGIC)
    while True:
        file.count()
        head = file.read(at, 8)
        length, kind = int.from_bytes(head[:4], "big"), head[4:]
        file.within(at + 8, length + 4)
        if kind in (b"tEXt", b"zTXt", b"iTXt"):
            yield _png_text(file, kind, _sound(file, kind, at + 8, length))
        elif kind == b"eXIf":
            yield from exif_texts(_sound(file, kind, at + 8, length))
        elif kind == b"IEND":
            return
        at += 12 + length


def _sound(file: Bounded, kind: bytes, at: int, length: int) -> bytes:
    """Return a chunk's bytes; readers ignore a chunk whose checksum is wrong."""
    data = file.text(at, length)
    checksum = int.from_bytes(file.read(at + length, 4), "big")
    if length <= LONGEST_TEXT and zlib.crc32(data, zlib.crc32(kind)) != checksum:
        raise UnreadableError("standard.file.bad_part", at=at)
    return data


def _png_text(file: Bounded, kind: bytes, data: bytes) -> tuple[str, str]:
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


def jpeg_texts(file: Bounded) -> Iterator[tuple[str, str]]:
    """Yield (place, text) of what precedes the image data; raises `UnreadableError`."""
    at = 2
    while True:
        file.count()
        mark, kind = file.read(at, 2)
        if mark != 0xFF:
            raise UnreadableError("standard.file.bad_part", at=at)
        if kind == 0xFF:  # fill bytes may precede a marker
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


def exif_texts(data: bytes) -> Iterator[tuple[str, str]]:
    """Yield (name, text) of an EXIF block with or without its header; raises `UnreadableError`."""
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
                name, found = _exif_text(data, place, order, tag)
                told += len(found)
                if told > len(data):  # many fields share one long text
                    raise UnreadableError("standard.file.bad_exif")
                yield name, found


def _exif_text(data: bytes, place: int, order: str, tag: int) -> tuple[str, str]:
    length = _number(data, place + 4, order + "I")
    at = place + 8 if length <= 4 else _number(data, place + 8, order + "I")
    if at + length > len(data):
        raise UnreadableError("standard.file.cut_off", at=at)
    found = data[at : at + min(length, LONGEST_TEXT)]
    if tag in _WIDE_TEXTS:
        return _WIDE_TEXTS[tag], found.decode("utf-16-le", "replace").rstrip("\x00")
    if _TEXTS[tag] == "UserComment" and found[:8] == b"UNICODE\x00":
        big = found[8::2].count(0) > found[9::2].count(0)  # writers don't keep to the block's own byte order
        return "UserComment", found[8:].decode("utf-16-be" if big else "utf-16-le", "replace").rstrip("\x00")
    plain = found[8:] if _TEXTS[tag] == "UserComment" and found[:5] in (b"ASCII", b"\0\0\0\0\0") else found
    return _TEXTS[tag], plain.decode("utf-8", "replace").rstrip("\x00")


def _number(data: bytes, at: int, form: str) -> int:
    try:
        return int(struct.unpack_from(form, data, at)[0])
    except struct.error:
        raise UnreadableError("standard.file.cut_off", at=at) from None
