"""Ours: drift of the inputs: QUESTION SEED REFERENCE AMOUNT.

``quality``: in which of 200 quiet chunks, and of 12 shifted ones, there was an alarm. ``rows``: seconds and memory over
AMOUNT rows. ``check``: seconds of one check of a chunk, the mean of AMOUNT of them.
"""

from __future__ import annotations

import json
import resource
import sys
import time

import numpy as np
from watch_stream import CATEGORIES, NUMBERS, rows

from pilotbase.documents.contract import DataType, Field
from pilotbase.documents.vocabularies import Colour
from pilotbase.watch.detectors.drift import DriftDetector, DriftWatch
from pilotbase.watch.profiles import profile_of

QUESTION, SEED, REFERENCE, AMOUNT = sys.argv[1], int(sys.argv[2]), int(sys.argv[3]), int(sys.argv[4])
CHUNK, BATCH = 1000, 10_000
FIELDS = [Field(name=name, data_type=DataType.FLOAT) for name in NUMBERS] + [
    Field(name=name, data_type=DataType.TEXT) for name in CATEGORIES
]


def detector() -> DriftDetector:
    return DriftDetector(profile_of(rows(np.random.default_rng([SEED, 0]), REFERENCE), FIELDS), DriftWatch(CHUNK))


def quality() -> dict[str, list[int]]:
    """Return the chunks with an alarm: of the quiet stream, and by the shift of the others."""
    return {"0": chunks_with_alarm(200, 0.0), "0.1": chunks_with_alarm(12, 0.1), "0.2": chunks_with_alarm(12, 0.2)}


def chunks_with_alarm(chunks: int, shift: float) -> list[int]:
    """Return the numbers, from 1, of the chunks in which a column took a colour."""
    watch, rng = detector(), np.random.default_rng([SEED, 1])
    found = (watch.update(rows(rng, CHUNK, shift)) for _ in range(chunks))
    raised = [any(change.colour is not Colour.GREEN for change in changes) for changes in found]
    return [place + 1 for place, flag in enumerate(raised) if flag]


def seconds_and_memory(count: int) -> dict[str, float]:
    """Return processor seconds of the updates alone, and how much the peak memory grew over all of them."""
    watch, rng, spent = detector(), np.random.default_rng([SEED, 1]), 0.0
    watch.update(rows(rng, BATCH))
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    for _ in range(count // BATCH):
        batch = rows(rng, BATCH)
        began = time.process_time()
        watch.update(batch)
        spent += time.process_time() - began
    return {"cpu": spent, "megabytes": (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) / 1024}


def of_one_check(times: int) -> dict[str, float]:
    """Return processor seconds of one check of a chunk."""
    watch, batch = detector(), rows(np.random.default_rng([SEED, 1]), CHUNK)
    watch.update(batch)
    began = time.process_time()
    for _ in range(times):
        watch.update(batch)
    return {"cpu": (time.process_time() - began) / times}


ANSWERS = {"quality": quality, "rows": lambda: seconds_and_memory(AMOUNT), "check": lambda: of_one_check(AMOUNT)}
print(json.dumps({"answer": ANSWERS[QUESTION](), "versions": {}}))
