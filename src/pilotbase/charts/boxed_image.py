"""An image with the boxes on it: found ones solid, missed ones dashed, false alarms dotted, each with its word."""

from __future__ import annotations

from base64 import b64decode

from pilotbase.charts.drawing import Drawing, shortened, width_of
from pilotbase.charts.palette import DEEP_BLUE, LIGHT, PAPER, RED
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
    drawing = Drawing(max(width, _SMALLEST_WIDTH), height, title, said, LIGHT.paper)
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
