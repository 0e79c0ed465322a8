"""Renders a conveyor with bolts (bars) and nuts (rings), 0 to 3 in an image, on a belt that is lit unevenly."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import numpy as np

CASES = 520
HEIGHT, WIDTH = 32, 48
SIZES = {"bolt": (4, 11), "nut": (8, 8)}


def write(folder: Path) -> None:
    """Write the images and ``cases.csv``."""
    draw = np.random.default_rng(20260911)
    (folder / "images").mkdir()
    with (folder / "cases.csv").open("w", newline="", encoding="utf-8") as file:
        table = csv.writer(file)
        table.writerow(("id", "image", "parts"))
        for number in range(CASES):
            pixels, parts = picture(draw)
            name = f"images/{number:04}.npy"
            np.save(folder / name, pixels)
            table.writerow((f"c{number:04}", name, json.dumps(parts)))


def picture(draw: np.random.Generator) -> tuple[np.ndarray, list]:
    """Return pixels of shape (32, 48), and the parts on them: class, x, y, width, height."""
    light = draw.uniform(60, 85) + draw.uniform(0, 20) * np.linspace(0, 1, WIDTH)
    pixels = np.tile(light, (HEIGHT, 1)) + draw.normal(0, 3, (HEIGHT, WIDTH))
    taken, parts = np.zeros((HEIGHT, WIDTH), dtype=bool), []
    for _ in range(draw.integers(0, 4)):
        kind = "bolt" if draw.random() < 0.65 else "nut"
        height, width = SIZES[kind]
        x, y = int(draw.integers(1, WIDTH - width)), int(draw.integers(1, HEIGHT - height))
        if taken[max(y - 2, 0) : y + height + 2, max(x - 2, 0) : x + width + 2].any():
            continue
        taken[y : y + height, x : x + width] = True
        shape = np.ones((height, width), dtype=bool) if kind == "bolt" else ring(height)
        pixels[y : y + height, x : x + width][shape] = draw.uniform(165, 225)
        parts.append([kind, x, y, width, height])
    return np.clip(pixels, 0, 255).astype(np.uint8), parts


def ring(size: int) -> np.ndarray:
    """Return a disc with a hole, of shape (size, size)."""
    middle = (size - 1) / 2
    distance = np.hypot(*np.ogrid[-middle : middle + 1, -middle : middle + 1])
    return (distance <= size / 2) & (distance >= size / 5)
