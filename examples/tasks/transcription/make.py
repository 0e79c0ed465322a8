"""Prints labels with hand-drawn glyphs (``glyphs.json``), twice as large, at some place, in uneven ink, with noise."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import numpy as np

CASES = 480
HEIGHT, WIDTH = 22, 96
SCALE = 2
GLYPHS = json.loads(Path(__file__).with_name("glyphs.json").read_text("utf-8"))


def write(folder: Path) -> None:
    """Write the images and ``cases.csv``."""
    draw = np.random.default_rng(20260913)
    (folder / "images").mkdir()
    with (folder / "cases.csv").open("w", newline="", encoding="utf-8") as file:
        table = csv.writer(file)
        table.writerow(("id", "image", "language", "label"))
        for number in range(CASES):
            language = "zh" if draw.random() < 0.5 else "en"
            label = worded(language, draw)
            name = f"images/{number:04}.npy"
            np.save(folder / name, printed(label, draw))
            table.writerow((f"c{number:04}", name, language, label))


def worded(language: str, draw: np.random.Generator) -> str:
    """Return a label: height, size or none, place, number."""
    if language == "zh":
        place = draw.choice(list("上中下")) + draw.choice(list("大小")) + draw.choice(list("山口田日工王土"))
    else:
        place = draw.choice(["TOP", "MID", "LOW"]) + draw.choice(list("ABCDEF"))
    return f"{place}{draw.integers(0, 100):02}"


def printed(label: str, draw: np.random.Generator) -> np.ndarray:
    """Return the image of a label, of shape (22, 96): dark ink on light paper."""
    ink = np.hstack([np.pad(bitmap(letter), ((0, 0), (0, 1))) for letter in label])
    ink = np.kron(ink, np.ones((SCALE, SCALE)))
    y, x = draw.integers(1, HEIGHT - ink.shape[0]), draw.integers(1, WIDTH - ink.shape[1])
    pixels = draw.uniform(190, 230) + draw.normal(0, 6, (HEIGHT, WIDTH))
    pixels[y : y + ink.shape[0], x : x + ink.shape[1]] -= ink * draw.uniform(110, 150)
    return np.clip(pixels, 0, 255).astype(np.uint8)


def bitmap(letter: str) -> np.ndarray:
    """Return a glyph as an array of 0 and 1, of shape (7, 5) or (7, 7)."""
    return np.array([[mark == "#" for mark in row] for row in GLYPHS[letter]], dtype=float)
