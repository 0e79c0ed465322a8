"""Where files keep texts: PNG, JPEG, EXIF; RIFF (WebP, WAV), MP3 tags (ID3v2), MP4 boxes.

Untrusted files, read by offset and length: never beyond their end, never beyond a budget, always in finite time.

Sources: PNG specification, third edition, §11.3; JPEG, ITU-T T.81, B.1; XMP part 3, §1.1.3; TIFF 6.0, §2; Exif 2.32,
§4.6; EBU Tech 3285; WebP container specification; id3.org, id3v2.4.0-structure and -frames (2.3, 2.4); ISO/IEC
14496-12 §4.2; QuickTime file format (item lists of metadata, user data, XMP).
"""

from __future__ import annotations

import struct
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from typing import BinaryIO

from pilotbase.documents.texts import Text, text

MOST_PARTS = 100_000
"""Chunks, boxes, frames and fields in one file; a file with more is refused."""
MOST_BYTES = 8 << 20
"""Bytes of metadata read from one file."""
LONGEST_TEXT = 256 << 10
"""Bytes of one text."""
RIFF_MAGIC = b"RIFF"
ID3_MAGIC = b"ID3"
_ENCODINGS = {0: ("latin-1", 1), 1: ("utf-16", 2), 2: ("utf-16-be", 2), 3: ("utf-8", 1)}
MP4_MAGIC = b"ftyp"
"""At the fifth byte of the file."""
_XMP_BOX = bytes.fromhex("be7acfcb97a942e89c71999491e3afac")
_INSIDE = {b"moov", b"udta", b"trak"}
_DEEPEST = 8
PNG_MAGIC = b"\x89PNG\r\n\x1a\n"
JPEG_MAGIC = b"\xff\xd8\xff"
_XMP_SEGMENT = b"http://ns.adobe.com/xap/1.0/\x00"
_WITHOUT_LENGTH = {0x01, *range(0xD0, 0xD9)}
_START_OF_SCAN, _END = 0xDA, 0xD9
_TEXTS = {0x010E: "ImageDescription", 0x0131: "Software", 0x013B: "Artist", 0x8298: "Copyright", 0x9286: "UserComment"}
_WIDE_TEXTS = {0x9C9B: "XPTitle", 0x9C9C: "XPComment", 0x9C9E: "XPKeywords", 0x9C9F: "XPSubject"}
_EXIF_DIRECTORY = 0x8769
_MOST_DIRECTORIES, _MOST_ENTRIES = 8, 1_000
_SIZES = {1: 1, 2: 1, 7: 1}


class UnreadableError(ValueError):
    """The file isn't what its first bytes claim, or has too many parts; `said` contains the reason."""

    def __init__(self, code: str, **params: object) -> None:
        super().__init__(code)
        self.said: Text = text(code, **params)


class Bounded:
    """A file with its size; `read` refuses ranges beyond its end or its budget."""

    def __init__(self, stream: BinaryIO, size: int) -> None:
        self._stream, self.size = stream, size
        self._parts, self._bytes = MOST_PARTS, MOST_BYTES

    def read(self, at: int, length: int) -> bytes:
        """Return the bytes from ``at`` on; raises `UnreadableError` if the file ends before."""
        if at < 0 or length < 0 or at + length > self.size:
            raise UnreadableError("standard.file.cut_off", at=at)
        self._bytes -= length
        if self._bytes < 0:
            raise UnreadableError("standard.file.too_much", allowed=MOST_BYTES)
        self._stream.seek(at)
        data = self._stream.read(length)
        if len(data) != length:
            raise UnreadableError("standard.file.cut_off", at=at)
        return data

    def within(self, at: int, length: int) -> None:
        """Check that the file has this many bytes there; raises `UnreadableError`. Nothing is read."""
        if at < 0 or length < 0 or at + length > self.size:
            raise UnreadableError("standard.file.cut_off", at=at)

    def text(self, at: int, length: int) -> bytes:
        """Return a text's bytes, cut at `LONGEST_TEXT`; raises as `read`."""
        self.within(at, length)
        return self.read(at, min(length, LONGEST_TEXT))

    def count(self) -> None:
        """Count one more part; raises `UnreadableError` if there are too many."""
        self._parts -= 1
        if self._parts < 0:
            raise UnreadableError("standard.file.too_many_parts", allowed=MOST_PARTS)

    def inflate(self, data: bytes) -> bytes:
        """Return zlib data decompressed, cut at `LONGEST_TEXT`: the rest is never decompressed. Raises as `read`."""
        try:
            found = zlib.decompressobj().decompress(data, LONGEST_TEXT)
        except zlib.error as error:
            raise UnreadableError("standard.file.not_compressed") from error
        self._bytes -= len(found)
        if self._bytes < 0:
            raise UnreadableError("standard.file.too_much", allowed=MOST_BYTES)
        return found


def riff_texts(file: Bounded) -> Iterator[tuple[str, str]]:
    """Yield (name, text) of a RIFF file's chunks; raises `UnreadableError` if one is longer than the file."""
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
    """Yield (name, offset, length) of the chunks between two offsets; each is padded to an even length."""
    while at + 8 <= end:
        file.count()
        head = file.read(at, 8)
        length = int.from_bytes(head[4:], "little")
        if at + 8 + length > end:
            raise UnreadableError("standard.file.bad_part", at=at)
        yield head[:4], at + 8, length
        at += 8 + length + length % 2


def id3_texts(file: Bounded, at: int, end: int) -> Iterator[tuple[str, str]]:
    """Yield (description, text) of the frames of the tag at ``at``; raises `UnreadableError`."""
    if end - at < 10:
        raise UnreadableError("standard.file.cut_off", at=at)
    head = file.read(at, 10)
    version, flags = head[3], head[5]
    stop = at + 10 + _safe_number(head[6:])
    if head[:3] != ID3_MAGIC or version not in (3, 4) or stop > end:
        raise UnreadableError("standard.file.bad_part", at=at)
    at += 10
    if flags & 0x40:
        size = file.read(at, 4)
        at += _safe_number(size) if version == 4 else 4 + int.from_bytes(size, "big")
    while at + 10 <= stop:
        file.count()
        frame = file.read(at, 10)
        if frame[:1] == b"\x00":
            return
        length = _safe_number(frame[4:8]) if version == 4 else int.from_bytes(frame[4:8], "big")
        if at + 10 + length > stop:
            raise UnreadableError("standard.file.bad_part", at=at)
        yield from _frame(frame[:4], file.text(at + 10, length), bool(flags & 0x80))
        at += 10 + length


def _frame(kind: bytes, data: bytes, unsynchronised: bool) -> Iterator[tuple[str, str]]:
    data = data.replace(b"\xff\x00", b"\xff") if unsynchronised else data
    if kind == b"TXXX" and data:
        yield _described(data[0], data[1:])
    elif kind == b"COMM" and len(data) > 4:
        yield _described(data[0], data[4:])
    elif kind == b"PRIV":
        owner, _, rest = data.partition(b"\x00")
        yield owner.decode("latin-1"), rest.decode("utf-8", "replace")
    elif kind[:1] == b"T" and data:
        name, _ = _ENCODINGS.get(data[0], _ENCODINGS[0])
        yield kind.decode("latin-1"), data[1:].decode(name, "replace").rstrip("\x00")


def _described(encoding: int, data: bytes) -> tuple[str, str]:
    name, width = _ENCODINGS.get(encoding, _ENCODINGS[0])
    at = data.find(bytes(width))
    while at >= 0 and at % width:  # the end of a wide text is at an even offset
        at = data.find(bytes(width), at + 1)
    at = len(data) if at < 0 else at
    described, value = data[:at], data[at + width :]
    return described.decode(name, "replace"), value.decode(name, "replace").rstrip("\x00")


def _safe_number(data: bytes) -> int:
    """Return a number with seven bits per byte; a set high bit is invalid."""
    if any(byte & 0x80 for byte in data):
        raise UnreadableError("standard.file.bad_part", at=0)
    return data[0] << 21 | data[1] << 14 | data[2] << 7 | data[3]


@dataclass(frozen=True)
class _Mp4Box:
    """A box: its kind, and the offsets where its content begins and ends."""

    kind: bytes
    at: int
    end: int


def mp4_texts(file: Bounded) -> Iterator[tuple[str, str]]:
    """Yield (key, text); raises `UnreadableError` if a box is longer than its parent, or has no length."""
    waiting = [(_Mp4Box(b"", 0, file.size), 0)]
    while waiting:
        outer, depth = waiting.pop()
        if depth > _DEEPEST:
            raise UnreadableError("standard.file.too_deep", allowed=_DEEPEST)
        for box in _boxes(file, outer.at, outer.end):
            if box.kind in _INSIDE:
                waiting.append((box, depth + 1))
            elif box.kind == b"meta":
                yield from _metadata(file, box)
            elif box.kind == b"AIGC":
                yield "AIGC", _read(file, box)
            elif box.kind == b"uuid" and box.end - box.at >= 16 and file.read(box.at, 16) == _XMP_BOX:
                yield "xmp", _read(file, _Mp4Box(box.kind, box.at + 16, box.end))


def _boxes(file: Bounded, at: int, end: int) -> Iterator[_Mp4Box]:
    while at + 8 <= end:
        file.count()
        head = file.read(at, 8)
        size, kind, inside = int.from_bytes(head[:4], "big"), head[4:], at + 8
        if size == 1:
            size, inside = int.from_bytes(file.read(at + 8, 8), "big"), at + 16
        elif size == 0:  # to the end of its parent
            size = end - at
        if at + size > end or inside > at + size:
            raise UnreadableError("standard.file.bad_part", at=at)
        yield _Mp4Box(kind, inside, at + size)
        at += size


def _metadata(file: Bounded, meta: _Mp4Box) -> Iterator[tuple[str, str]]:
    """Yield the items of a metadata box: named by a list of keys, or each by its own boxes."""
    if meta.end - meta.at < 8:
        return
    plain = file.read(meta.at, 8)[4:] in (b"hdlr", b"keys", b"ilst")  # QuickTime has no version here
    inside = list(_boxes(file, meta.at if plain else meta.at + 4, meta.end))
    keys = [key for box in inside if box.kind == b"keys" for key in _keys(file, box)]
    for box in inside:
        if box.kind == b"ilst":
            for item in _boxes(file, box.at, box.end):
                yield from _item(file, item, keys)
        elif box.kind in (b"xml ", b"uuid"):
            yield "xmp", _read(file, _Mp4Box(box.kind, min(box.at + 4, box.end), box.end))


def _keys(file: Bounded, box: _Mp4Box) -> Iterator[str]:
    at = box.at + 8
    while at + 8 <= box.end:
        file.count()
        size = int.from_bytes(file.read(at, 4), "big")
        if size < 8 or at + size > box.end:
            raise UnreadableError("standard.file.bad_part", at=at)
        yield file.text(at + 8, size - 8).decode("utf-8", "replace")
        at += size


def _item(file: Bounded, item: _Mp4Box, keys: list[str]) -> Iterator[tuple[str, str]]:
    number = int.from_bytes(item.kind, "big")
    name = keys[number - 1] if 0 < number <= len(keys) else item.kind.decode("latin-1")
    for box in _boxes(file, item.at, item.end):
        if box.kind == b"name":
            name = _read(file, _Mp4Box(box.kind, min(box.at + 4, box.end), box.end))
        elif box.kind == b"data":
            yield name.rpartition(".")[2], _read(file, _Mp4Box(box.kind, min(box.at + 8, box.end), box.end))


def _read(file: Bounded, box: _Mp4Box) -> str:
    return file.text(box.at, box.end - box.at).decode("utf-8", "replace").strip("\x00")


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
        elif data.startswith(_XMP_SEGMENT):
            yield "xmp", data[len(_XMP_SEGMENT) :].decode("utf-8", "replace")


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
