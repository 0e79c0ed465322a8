"""Sounds three to five keys of a telephone: 40 ms of two tones each (ITU-T Q.23), pauses, noise of the line."""

from __future__ import annotations

import csv
import wave
from pathlib import Path

import numpy as np

CASES = 480
RATE = 8000
LOW, HIGH = (697, 770, 852, 941), (1209, 1336, 1477)
KEYS = ("123", "456", "789", "*0#")


def write(folder: Path) -> None:
    """Write the sounds and ``cases.csv``."""
    draw = np.random.default_rng(20260914)
    (folder / "sounds").mkdir()
    with (folder / "cases.csv").open("w", newline="", encoding="utf-8") as file:
        table = csv.writer(file)
        table.writerow(("id", "sound", "dialled"))
        for number in range(CASES):
            keys = draw.choice(list("0123456789*#"), draw.integers(3, 6))
            name = f"sounds/{number:04}.wav"
            save(folder / name, line(keys, draw))
            table.writerow((f"c{number:04}", name, " ".join(keys)))


def line(keys: np.ndarray, draw: np.random.Generator) -> np.ndarray:
    """Return the samples of keys with pauses of 25 to 45 ms around them."""
    parts = [pause(draw)]
    for key in keys:
        parts += [tones(key, draw), pause(draw)]
    samples = np.concatenate(parts)
    return samples + draw.normal(0, 250, len(samples))


def tones(key: str, draw: np.random.Generator) -> np.ndarray:
    """Return 40 ms of the two tones of a key, the higher one a little louder, each up to 1 % off."""
    row = next(at for at, keys in enumerate(KEYS) if key in keys)
    pair = (LOW[row], 3000), (HIGH[KEYS[row].index(key)], 3800)
    time = np.arange(RATE * 40 // 1000) / RATE
    off = draw.uniform(0.99, 1.01, 2)
    return sum(loud * np.sin(2 * np.pi * tone * by * time) for (tone, loud), by in zip(pair, off, strict=True))


def pause(draw: np.random.Generator) -> np.ndarray:
    """Return 25 to 45 ms of silence."""
    return np.zeros(int(draw.integers(200, 360)))


def save(path: Path, samples: np.ndarray) -> None:
    """Write samples as a mono file of 16 bits."""
    with wave.open(str(path), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(RATE)
        file.writeframes(np.clip(samples, -32768, 32767).astype("<i2").tobytes())
