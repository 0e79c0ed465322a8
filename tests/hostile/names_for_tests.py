"""A spy and a reader: the spy looks up one of two names for each bit, the reader times both and prints what it heard.

Neither opens, writes or waits for anything that a box refuses. Words are mixed with noise that both know, which also
says which of two names is timed first: ones and zeros come alike, in other words in each folder, and whoever always
finds the first one slower hears half of them.
"""

from __future__ import annotations

import math
import re

import numpy as np
from numpy.typing import NDArray

BITS = 64
_NOISE = 0x9E3779B97F4A7C15
_SOURCE = """
import os, struct, time

FOLDERS = [
    "/application", "/environment", "/etc", "/dev", "/tmp", "/usr/share/zoneinfo", "/pilotbase", "/proc", "/",
    os.path.dirname(os.__file__), "/usr/lib/x86_64-linux-gnu", "/usr/lib/aarch64-linux-gnu",
]
FOLDERS = [place for place in FOLDERS if os.path.isdir(place)]

def name(folder, row, bit, value):
    return f"{folder}/MARK-{row}-{bit}-{value}"

def noise(folder, row):
    return (row + 1 + 1000 * len(folder)) * NOISE % 2**64

def send(row, x):
    for folder in FOLDERS:
        word = struct.unpack("<Q", struct.pack("<d", float(x)))[0] ^ noise(folder, row)
        for bit in range(64):
            os.access(name(folder, row, bit, word >> bit & 1), os.F_OK)

def seconds(path):
    began = time.perf_counter_ns()
    os.access(path, os.F_OK)
    return time.perf_counter_ns() - began

def sent(folder, row, bit):
    first = noise(folder, row) >> (bit * 7 + 31) % 64 & 1
    times = {value: seconds(name(folder, row, bit, value)) for value in (first, 1 - first)}
    return times[0] > times[1]

def hear(rows):
    for folder in FOLDERS:
        for row in range(rows):
            print(folder, sum(sent(folder, row, bit) << bit for bit in range(64)) ^ noise(folder, row))
"""


def speaking(mark: str, program: str) -> str:
    """Return an application that can ``send(row, x)`` and ``hear(rows)``, under names of its own."""
    return _SOURCE.replace("MARK", mark).replace("NOISE", str(_NOISE)) + program


def words_of(values: NDArray[np.float64]) -> NDArray[np.uint64]:
    """Return the bits of each value as a number."""
    return values.view(np.uint64)


def heard(log: str) -> dict[str, list[int]]:
    """Return by folder the word of each row, in the order of rows."""
    found: dict[str, list[int]] = {}
    for folder, word in re.findall(r"^(/\S*) (\d+)$", log, re.MULTILINE):
        found.setdefault(folder, []).append(int(word))
    return found


def right_bits(words: NDArray[np.uint64], said: list[int]) -> int:
    """Return how many of all bits were heard as they were sent."""
    assert len(said) == len(words)
    return sum(BITS - (int(word) ^ one).bit_count() for word, one in zip(words, said, strict=True))


def by_chance(bits: int) -> int:
    """Return how many right bits chance exceeds less than once in a million times (Hoeffding)."""
    return math.ceil(bits / 2 + math.sqrt(bits * math.log(1e6) / 2))


def worth(share: float, bits: int) -> float:
    """Return how many bits so many are worth of which that share is right: a binary symmetric channel's capacity."""
    return bits * (1 + sum(p * math.log2(p) for p in (share, 1 - share) if p))
