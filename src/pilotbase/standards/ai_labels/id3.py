"""Texts of an ID3v2 tag (2.3, 2.4): user texts, comments, private frames (id3.org, id3v2.4.0-structure, -frames)."""

from __future__ import annotations

from collections.abc import Iterator

from pilotbase.standards.ai_labels.bounded import Bounded, UnreadableError

MAGIC = b"ID3"
_ENCODINGS = {0: ("latin-1", 1), 1: ("utf-16", 2), 2: ("utf-16-be", 2), 3: ("utf-8", 1)}


def id3_texts(file: Bounded, at: int, end: int) -> Iterator[tuple[str, str]]:
    """Yield (description, text) of the frames of the tag at ``at``; raises `UnreadableError`."""
    if end - at < 10:
        raise UnreadableError("standard.file.cut_off", at=at)
    head = file.read(at, 10)
    version, flags = head[3], head[5]
    stop = at + 10 + _safe_number(head[6:])
    if head[:3] != MAGIC or version not in (3, 4) or stop > end:
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
    while at >= 0 and at % width:  # the end of a wide text stands at an even place
        at = data.find(bytes(width), at + 1)
    at = len(data) if at < 0 else at
    described, value = data[:at], data[at + width :]
    return described.decode(name, "replace"), value.decode(name, "replace").rstrip("\x00")


def _safe_number(data: bytes) -> int:
    """Return a number of seven bits a byte; a set high bit is no such number."""
    if any(byte & 0x80 for byte in data):
        raise UnreadableError("standard.file.bad_part", at=0)
    return data[0] << 21 | data[1] << 14 | data[2] << 7 | data[3]
