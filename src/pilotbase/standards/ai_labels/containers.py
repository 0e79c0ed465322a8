"""Texts in audio and video containers: RIFF (WebP, WAV), MP3 tags (ID3v2), MP4 boxes.

Sources: EBU Tech 3285; WebP container specification; id3.org, id3v2.4.0-structure and -frames (2.3, 2.4); ISO/IEC
14496-12 §4.2; QuickTime file format (item lists of metadata, user data, XMP).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from pilotbase.standards.ai_labels.bounded import Bounded, UnreadableError
from pilotbase.standards.ai_labels.images import exif_texts

RIFF_MAGIC = b"RIFF"
ID3_MAGIC = b"ID3"
_ENCODINGS = {0: ("latin-1", 1), 1: ("utf-16", 2), 2: ("utf-16-be", 2), 3: ("utf-8", 1)}
MP4_MAGIC = b"ftyp"
"""At the fifth byte of the file."""
_XMP = bytes.fromhex("be7acfcb97a942e89c71999491e3afac")
_INSIDE = {b"moov", b"udta", b"trak"}
_DEEPEST = 8


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
            elif box.kind == b"uuid" and box.end - box.at >= 16 and file.read(box.at, 16) == _XMP:
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
