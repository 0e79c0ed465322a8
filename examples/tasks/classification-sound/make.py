"""Sounds seconds of a radio: syllables of a synthesised voice, or an engine, a hiss, or next to nothing."""

from __future__ import annotations

import csv
import wave
from pathlib import Path

import numpy as np
from scipy.signal import lfilter

CASES = 400
RATE = 16_000
VOWELS = ((730, 1090, 2440), (270, 2290, 3010), (300, 870, 2240), (530, 1840, 2480), (570, 840, 2410))
"""Formants of five vowels, Hz (Peterson & Barney, 1952)."""
WIDTHS = (80, 90, 120)


def write(folder: Path) -> None:
    """Write the sounds and ``cases.csv``."""
    draw = np.random.default_rng(20260919)
    (folder / "sounds").mkdir()
    with (folder / "cases.csv").open("w", newline="", encoding="utf-8") as file:
        table = csv.writer(file)
        table.writerow(("id", "sound", "heard"))
        for number in range(CASES):
            speech = draw.random() < 0.5
            name = f"sounds/{number:04}.wav"
            save(folder / name, (voice(draw) if speech else noise(draw)) + draw.normal(0, 60, RATE))
            table.writerow((f"s{number:04}", name, "speech" if speech else "other"))


def voice(draw: np.random.Generator) -> np.ndarray:
    """Return a second of syllables, shape (16000,)."""
    samples, at, pitch = np.zeros(RATE), int(RATE * draw.uniform(0, 0.15)), draw.uniform(95, 220)
    while at < RATE - 4500:
        spoken = syllable(pitch, draw)[: RATE - at]
        samples[at : at + len(spoken)] += spoken * draw.uniform(0.6, 1)
        at += len(spoken) + int(RATE * draw.uniform(0, 0.06))
    return samples * 6000


def syllable(pitch: float, draw: np.random.Generator) -> np.ndarray:
    """Return a hiss and a vowel: pulses of the glottis through three formants."""
    size = int(RATE * draw.uniform(0.14, 0.24))
    time = np.arange(size) / RATE
    wandering = 1 + 0.12 * np.sin(2 * np.pi * draw.uniform(1.5, 4) * time + draw.uniform(0, 6))
    pulses = np.diff(np.floor(np.cumsum(pitch * wandering) / RATE), prepend=0.0)
    vowel = resonating(pulses + draw.normal(0, 0.001, size), 0, 200)
    for formant, width in zip(VOWELS[draw.integers(len(VOWELS))], WIDTHS, strict=True):
        vowel = resonating(vowel, formant * draw.uniform(0.95, 1.05), width)
    vowel *= np.minimum(1, np.minimum(time / 0.03, (time[-1] - time) / 0.05))
    hiss = draw.normal(0, 0.1, int(RATE * draw.uniform(0.03, 0.07)))
    return np.concatenate([hiss, vowel / np.abs(vowel).max()])


def resonating(samples: np.ndarray, frequency: float, width: float) -> np.ndarray:
    """Return ``samples`` through a resonance of two poles (Klatt, 1980)."""
    pole = np.exp(-np.pi * width / RATE)
    turn = 2 * pole * np.cos(2 * np.pi * frequency / RATE)
    return lfilter([1 - turn + pole**2], [1, -turn, pole**2], samples)


def noise(draw: np.random.Generator) -> np.ndarray:
    """Return a second of an engine, a hiss, or next to nothing."""
    time = np.arange(RATE) / RATE
    kind = draw.integers(3)
    if kind == 0:
        return draw.uniform(1000, 6000) * np.sin(2 * np.pi * draw.uniform(50, 400) * time)
    return draw.normal(0, draw.uniform(200, 3000) if kind == 1 else 20, RATE)


def save(path: Path, samples: np.ndarray) -> None:
    """Write samples as a mono file of 16 bits."""
    with wave.open(str(path), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(RATE)
        file.writeframes(np.clip(samples, -32768, 32767).astype("<i2").tobytes())
