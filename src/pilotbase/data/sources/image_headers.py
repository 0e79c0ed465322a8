"""What the first bytes of an image say: its media type and, for PNG and JPEG, width and height. Nothing is decoded."""

from __future__ import annotations

import struct
from typing import IO, NamedTuple

_MOST_SEGMENTS = 500
_FURTHEST = 16 << 20
"""Bytes of a JPEG before its frame header: metadata may be long, but not longer."""
_FRAMES = frozenset({0xC0, 0xC1, 0xC2, 0xC3, 0xC5, 0xC6, 0xC7, 0xC9, 0xCA, 0xCB, 0xCD, 0xCE, 0xCF})
_BARE = frozenset({0x01, *range(0xD0, 0xD8)})
"""Markers of a JPEG without a length."""


class ImageHeader(NamedTuple):
    """Media type; width and height in pixels, None where they were not read."""

    media_type: str
    width: int | None = None
    height: int | None = None


def read_header(stream: IO[bytes]) -> ImageHeader | None:
    """Return what the header says; None for what is no image that is known.

    Raises:
        ValueError: the header of a PNG or JPEG is damaged or cut off (PNG, 3rd edition, §11.2.2; ITU-T T.81, §B.2.2).
    """
    start = stream.read(32)
    if start.startswith(b"\x89PNG\r\n\x1a\n"):
        return _png(start)
    if start.startswith(b"\xff\xd8\xff"):
        return _jpeg(stream)
    if start[:6] in (b"GIF87a", b"GIF89a") and len(start) >= 10:
        return ImageHeader("image/gif", *struct.unpack("<HH", start[6:10]))
    if start[:4] in (b"II*\0", b"MM\0*"):
        return ImageHeader("image/tiff")
    if start[:4] == b"RIFF" and start[8:12] == b"WEBP":
        return ImageHeader("image/webp")
    if start[:2] == b"BM" and len(start) >= 26:
        width, height = struct.unpack("<ii", start[18:26])
        return ImageHeader("image/bmp", width, abs(height))
    return None


def _png(start: bytes) -> ImageHeader:
    if len(start) < 24 or start[12:16] != b"IHDR" or struct.unpack(">I", start[8:12]) != (13,):
        raise ValueError("PNG: no IHDR")
    width, height = struct.unpack(">II", start[16:24])
    return _sized("image/png", width, height)


def _jpeg(stream: IO[bytes]) -> ImageHeader:
    position = 2
    for _ in range(_MOST_SEGMENTS):
        stream.seek(position)
        marker = stream.read(4)
        if len(marker) < 4 or marker[0] != 0xFF or position > _FURTHEST:
            break
        if marker[1] == 0xFF or marker[1] in _BARE:
            position += 1 if marker[1] == 0xFF else 2
            continue
        if marker[1] in _FRAMES:
            frame = stream.read(5)
            if len(frame) < 5:
                break
            height, width = struct.unpack(">HH", frame[1:])
            return _sized("image/jpeg", width, height)
        position += 2 + int.from_bytes(marker[2:], "big")
    raise ValueError("JPEG: no frame header")


def _sized(media_type: str, width: int, height: int) -> ImageHeader:
    if not width or not height:
        raise ValueError(f"{media_type}: no width or height")
    return ImageHeader(media_type, width, height)
