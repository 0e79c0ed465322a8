"""Renders brushed metal: rows of uneven brightness, up to two bright scratches across them, a clamp in some corners."""

from __future__ import annotations

import csv
import json
from itertools import groupby
from pathlib import Path

import numpy as np

CASES = 480
SIZE = 32
UNKNOWN = 255


def write(folder: Path) -> None:
    """Write the images and ``cases.csv``."""
    draw = np.random.default_rng(20260912)
    (folder / "images").mkdir()
    with (folder / "cases.csv").open("w", newline="", encoding="utf-8") as file:
        table = csv.writer(file)
        table.writerow(("id", "image", "scratch"))
        for number in range(CASES):
            pixels, mask = panel(draw)
            name = f"images/{number:04}.npy"
            np.save(folder / name, pixels)
            table.writerow((f"c{number:04}", name, spelled(mask)))


def panel(draw: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """Return pixels and mask, each of shape (32, 32)."""
    rows = draw.uniform(90, 140) + draw.normal(0, 8, (SIZE, 1))
    pixels = rows + draw.normal(0, 4, (SIZE, SIZE))
    mask = np.zeros((SIZE, SIZE), dtype=np.int64)
    for _ in range(draw.integers(0, 3)):
        near = to_line(draw.uniform(2, SIZE - 2, (2, 2))) <= draw.uniform(0.9, 1.5)
        pixels[near] += draw.uniform(45, 80)
        mask[near] = 1
    if draw.random() < 0.2:
        pixels[:5, :5], mask[:5, :5] = 30, UNKNOWN
    return np.clip(pixels, 0, 255).astype(np.uint8), mask


def to_line(ends: np.ndarray) -> np.ndarray:
    """Return the distance of each pixel to the line between two points, in pixels."""
    first, last = ends
    points = np.stack(np.mgrid[:SIZE, :SIZE], axis=-1).astype(float)
    along = ((points - first) @ (last - first)) / max(((last - first) ** 2).sum(), 1.0)
    return np.linalg.norm(points - (first + np.clip(along, 0, 1)[..., None] * (last - first)), axis=-1)


def spelled(mask: np.ndarray) -> str:
    """Return a mask as the target column spells it: runs of codes, row by row."""
    runs = [[int(code), len(list(same))] for code, same in groupby(mask.ravel().tolist())]
    return json.dumps({"size": list(mask.shape), "runs": [number for run in runs for number in run]})
