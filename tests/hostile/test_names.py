"""Attacks by which a run on hidden cases leaves them for a later box that prints: looked-up names, inodes, pages.

The spy sends every bit of every row by looking up one of two names that stand for it; the reader, in a box that may
print, times both and prints which was known. Neither opens, writes or waits for anything that a box refuses.
"""

from __future__ import annotations

import math
import os
import re
from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest

from pilotbase.compute.box.settings import BoxSettings, LogPolicy, Protection
from pilotbase.documents.limits import Limits
from pilotbase.protocols.frames import Batch

BITS = 64
CHANNEL = """
import os, struct, sys, time

LIBRARIES = [place for place in ("/usr/lib/x86_64-linux-gnu", "/usr/lib/aarch64-linux-gnu") if os.path.isdir(place)]
FOLDERS = [
    "/application", "/environment", "/etc", "/dev", "/tmp", "/usr/share/zoneinfo", "/pilotbase", "/",
    os.path.dirname(os.__file__), *LIBRARIES,
]
FOLDERS = [place for place in FOLDERS if os.path.isdir(place)]

def name(folder, row, bit, value):
    return f"{folder}/MARK-{row}-{bit}-{value}"

def send(rows):
    for row, x in enumerate(rows):
        (word,) = struct.unpack("<Q", struct.pack("<d", float(x)))
        for folder in FOLDERS:
            for bit in range(64):
                os.access(name(folder, row, bit, word >> bit & 1), os.F_OK)

def seconds(path):
    began = time.perf_counter_ns()
    os.access(path, os.F_OK)
    return time.perf_counter_ns() - began

def hear(rows):
    for folder in FOLDERS:
        for row in range(rows):
            slower = [seconds(name(folder, row, bit, 0)) > seconds(name(folder, row, bit, 1)) for bit in range(64)]
            print(folder, sum(heard << bit for bit, heard in enumerate(slower)))

def predict(batch):
    ACTION
    return [0.5] * batch.rows
"""


def told(settings: BoxSettings) -> BoxSettings:
    """Return the same box where it may print."""
    limits = Limits.model_validate(settings.limits.model_dump() | {"log_bytes": 4 << 20, "batch_seconds": 60})
    return replace(settings, limits=limits, logs=LogPolicy.FULL)


def hidden(rows: int) -> np.ndarray:
    return np.random.default_rng(rows).normal(size=rows)


def worth(right: int, bits: int) -> float:
    """Return how many bits so many right ones of ``bits`` are worth: the capacity of a binary symmetric channel."""
    share = right / bits
    return bits * (1 + sum(p * math.log2(p) for p in (share, 1 - share) if p))


def by_chance(bits: int) -> int:
    """Return how many right bits chance reaches once in a million times (Hoeffding)."""
    return math.ceil(bits / 2 + math.sqrt(bits * math.log(1e6) / 2))


@pytest.fixture
def carried(start: Callable[..., object]) -> Callable[[BoxSettings, int], dict[str, int]]:
    """Send so many rows from a hidden run to one that prints; return by folder how many bits arrive."""

    def carry(settings: BoxSettings, rows: int) -> dict[str, int]:
        x, mark = hidden(rows), os.urandom(8).hex()
        patient = Limits.model_validate(settings.limits.model_dump() | {"batch_seconds": 60})
        spy, reader = (
            CHANNEL.replace("MARK", mark).replace("ACTION", action)
            for action in ("send(batch['x'])", "hear(batch.rows)")
        )
        with start(spy, replace(settings, limits=patient)) as worker:
            worker.predict(Batch({"x": x}, rows))
        with start(reader, told(settings)) as worker:
            worker.predict(Batch({"x": np.zeros(rows)}, rows))
            worker.close()
            log = worker.logs().text
        words = x.view(np.uint64)
        heard: dict[str, list[int]] = {}
        for folder, word in re.findall(r"^(/\S*) (\d+)$", log, re.MULTILINE):
            heard.setdefault(folder, []).append(int(word))
        assert len(heard) >= 6 and all(len(said) == rows for said in heard.values())
        return {
            folder: sum(BITS - (int(word) ^ sent).bit_count() for word, sent in zip(words, said, strict=True))
            for folder, said in heard.items()
        }

    return carry


def test_names_that_a_hidden_run_looked_up_are_unknown_to_whoever_prints(carried, settings, without):
    rows, bits = 32, 32 * BITS
    held = carried(settings, rows)
    assert max(held.values()) <= by_chance(bits), held
    open_ = carried(without(Protection.COPIES), rows)
    assert max(open_.values()) >= 0.9 * bits, open_
