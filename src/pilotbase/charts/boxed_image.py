"""Images for people: pixels as PNG, by our own code, with boxes: found solid, missed dashed, false alarms dotted."""

import struct
import zlib
from base64 import b64decode

import numpy as np
from numpy.typing import NDArray

from pilotbase.charts.drawing import DEEP_BLUE, PAPER, RED, Drawing, shortened, width_of
from pilotbase.documents.figures import ShownBox, ShownImage
from pilotbase.documents.texts import Language, text

LONGER_SIDE = 360.0
_SMALLEST_WIDTH = 160.0
_STROKES = {"found": (DEEP_BLUE, ""), "missed": (RED, "7 4"), "false": (RED, "2 3")}
_LABEL = 11


def boxed_image(image: ShownImage, boxes: tuple[ShownBox, ...], title: str, language: Language) -> str:
    """Return the image as SVG with ``boxes``; without any it is the image alone."""
    scale = LONGER_SIDE / max(image.height, image.width)
    width, height = image.width * scale, image.height * scale
    said = "; ".join(format_box(box, language) for box in boxes)
    drawing = Drawing(max(width, _SMALLEST_WIDTH), height, title, said)
    drawing.image((0, 0), (width, height), b64decode(image.png))
    for box in sorted(boxes, key=lambda one: one.state == "found", reverse=True):
        _draw_box(drawing, box, scale, (max(width, _SMALLEST_WIDTH), height), language)
    return drawing.to_svg()


def format_box(box: ShownBox, language: Language) -> str:
    """Return a box in words: its outcome, class and score."""
    score = "" if box.score is None else f" {box.score:.2f}"
    return f"{text(f'picture.box.{box.state}').render(language)}: {box.label}{score}"


def _draw_box(drawing: Drawing, box: ShownBox, scale: float, paper: tuple[float, float], language: Language) -> None:
    colour, dashes = _STROKES[box.state]
    left, top = (_held(value * scale, side) for value, side in ((box.x, paper[0]), (box.y, paper[1])))
    right = _held((box.x + box.width) * scale, paper[0])
    bottom = _held((box.y + box.height) * scale, paper[1])
    corners = [(left, top), (right, top), (right, bottom), (left, bottom), (left, top)]
    drawing.path(corners, PAPER, 4.5)
    drawing.path(corners, colour, 2.5, dashes)
    said = shortened(format_box(box, language), 0.7 * paper[0])
    room = width_of(said, _LABEL)
    x = max(2.0, min(left, paper[0] - room - 2))
    y = top - 4 if top > _LABEL + 6 else min(bottom + _LABEL + 2, paper[1] - 3)
    drawing.text((x, y), said, colour=colour, bold=True, size=_LABEL)


def _held(value: float, side: float) -> float:
    return min(max(value, 1.5), side - 1.5)


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
