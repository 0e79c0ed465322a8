"""Reads a label from left to right, by the glyph that fits best; without numpy an image is (shape, type, bytes)."""

import json
from itertools import pairwise
from pathlib import Path

SCALE, ROWS = 2, 7
GLYPHS = {
    letter: [[int(mark == "#") for mark in row] for row in rows]
    for letter, rows in json.loads(Path(__file__).with_name("glyphs.json").read_text("utf-8")).items()
}


def predict(batch):
    return [read(*image) for image in batch["image"]]


def read(shape, _kind, pixels):
    height, width, _ = shape
    paper = sorted(pixels)[int(0.7 * len(pixels))]
    inks = sorted(paper - value for value in pixels)
    darkest = inks[-len(inks) // 50]
    rows = [[(paper - value) / darkest for value in pixels[at * width : (at + 1) * width]] for at in range(height)]
    first_row, first, last = ink_box(rows)
    cells = shrunk(rows, first_row, first, last)
    label, at = "", 0
    while at + 5 <= len(cells[0]) + 1:
        letter = min(GLYPHS, key=lambda one: misfit(cells, at, GLYPHS[one]))
        label, at = label + letter, at + len(GLYPHS[letter][0]) + 1
    return label


def ink_box(rows):
    """Return the first row, the first and the last column that hold a stroke."""
    down = [max(pairs(row)) for row in rows]
    across = [max(pairs(column)) for column in zip(*rows, strict=True)]
    inked = [at for at, value in enumerate(across) if value > 0.5]
    best = max(range(len(rows) - SCALE * ROWS + 1), key=lambda top: sum(map(sum, rows[top : top + SCALE * ROWS])))
    first = next((at for at, value in enumerate(down) if value > 0.5), best)
    return min(first, len(rows) - SCALE * ROWS), inked[0], inked[-1]


def pairs(line):
    """Return the means of neighbours: a stroke is two pixels wide, noise is not."""
    return [(one + other) / 2 for one, other in pairwise(line)]


def shrunk(rows, top, first, last):
    """Return the ink of each cell of two by two pixels, of shape (7, columns)."""
    return [
        [
            sum(
                rows[top + SCALE * row + down][min(column + right, len(rows[0]) - 1)]
                for down in (0, 1)
                for right in (0, 1)
            )
            / 4
            for column in range(first, last + 1, SCALE)
        ]
        for row in range(ROWS)
    ]


def misfit(cells, at, glyph):
    """Return the mean distance of a glyph to what is printed from column ``at`` on; beyond the end is paper."""
    wide, columns = len(glyph[0]), len(cells[0])
    off = sum(
        abs(mark - (cells[row][at + column] if at + column < columns else 0))
        for row in range(ROWS)
        for column, mark in enumerate([*glyph[row], 0])
    )
    return off / (wide + 1)
