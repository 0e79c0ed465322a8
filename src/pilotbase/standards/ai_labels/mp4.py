"""Texts of an MP4: item lists of metadata, user data, XMP (ISO/IEC 14496-12 §4.2; QuickTime file format)."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from pilotbase.standards.ai_labels.bounded import Bounded, UnreadableError

MAGIC = b"ftyp"
"""At the fifth byte."""
_XMP = bytes.fromhex("be7acfcb97a942e89c71999491e3afac")
_INSIDE = {b"moov", b"udta", b"trak"}
_DEEPEST = 8


@dataclass(frozen=True)
class Mp4Box:
    """A box: its kind and where its content begins and ends."""

    kind: bytes
    at: int
    end: int


def mp4_texts(file: Bounded) -> Iterator[tuple[str, str]]:
    """Yield (key, text); raises `UnreadableError` where a box is longer than what holds it, or has no length."""
    waiting = [(Mp4Box(b"", 0, file.size), 0)]
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
                yield "xmp", _read(file, Mp4Box(box.kind, box.at + 16, box.end))


def _boxes(file: Bounded, at: int, end: int) -> Iterator[Mp4Box]:
    while at + 8 <= end:
        file.count()
        head = file.read(at, 8)
        size, kind, inside = int.from_bytes(head[:4], "big"), head[4:], at + 8
        if size == 1:
            size, inside = int.from_bytes(file.read(at + 8, 8), "big"), at + 16
        elif size == 0:  # to the end of what holds it
            size = end - at
        if at + size > end or inside > at + size:
            raise UnreadableError("standard.file.bad_part", at=at)
        yield Mp4Box(kind, inside, at + size)
        at += size


def _metadata(file: Bounded, meta: Mp4Box) -> Iterator[tuple[str, str]]:
    """Yield the items of a metadata box: named by a list of keys, or each by boxes of its own."""
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
            yield "xmp", _read(file, Mp4Box(box.kind, min(box.at + 4, box.end), box.end))


def _keys(file: Bounded, box: Mp4Box) -> Iterator[str]:
    at = box.at + 8
    while at + 8 <= box.end:
        file.count()
        size = int.from_bytes(file.read(at, 4), "big")
        if size < 8 or at + size > box.end:
            raise UnreadableError("standard.file.bad_part", at=at)
        yield file.text(at + 8, size - 8).decode("utf-8", "replace")
        at += size


def _item(file: Bounded, item: Mp4Box, keys: list[str]) -> Iterator[tuple[str, str]]:
    number = int.from_bytes(item.kind, "big")
    name = keys[number - 1] if 0 < number <= len(keys) else item.kind.decode("latin-1")
    for box in _boxes(file, item.at, item.end):
        if box.kind == b"name":
            name = _read(file, Mp4Box(box.kind, min(box.at + 4, box.end), box.end))
        elif box.kind == b"data":
            yield name.rpartition(".")[2], _read(file, Mp4Box(box.kind, min(box.at + 8, box.end), box.end))


def _read(file: Bounded, box: Mp4Box) -> str:
    return file.text(box.at, box.end - box.at).decode("utf-8", "replace").strip("\x00")
