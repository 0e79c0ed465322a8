"""Pixels as a PNG file, written by our own code: nothing in an owner's image file except pixels reaches a page.

Source: W3C, "Portable Network Graphics (PNG) Specification (Third Edition)", sections 5, 9.2 (no filter) and 11.2.
"""

from __future__ import annotations

import struct
import zlib

import numpy as np
from numpy.typing import NDArray

_GREY, _RGB = 0, 2


def png_of(pixels: NDArray[np.uint8]) -> bytes:
    """Return a PNG of ``pixels``, shape (height, width) or (height, width, 1) grey, or (height, width, 3) RGB."""
    height, width = pixels.shape[:2]
    colours = 1 if pixels.ndim == 2 else pixels.shape[2]
    header = struct.pack(">IIBBBBB", width, height, 8, _GREY if colours == 1 else _RGB, 0, 0, 0)
    rows = np.zeros((height, 1 + width * colours), dtype=np.uint8)
    rows[:, 1:] = pixels.reshape(height, width * colours)
    parts = (_chunk(b"IHDR", header), _chunk(b"IDAT", zlib.compress(rows.tobytes(), 9)), _chunk(b"IEND", b""))
    return b"\x89PNG\r\n\x1a\n" + b"".join(parts)


def _chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
