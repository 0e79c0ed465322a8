"""Attacks by which a run on hidden cases leaves word for a box that prints: in the kernel's cache of names."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from pilotbase.compute.box.settings import BoxSettings, LogPolicy, Protection
from pilotbase.documents.limits import Limits
from pilotbase.protocols.frames import Batch
from tests.hostile.names_for_tests import BITS, by_chance, heard, right_bits, speaking, words_of, worth

SPY = """
def predict(batch):
    for row, x in enumerate(batch["x"]):
        send(row, x)
    return [0.5] * batch.rows
"""
READER = """
def predict(batch):
    hear(batch.rows)
    return [0.5] * batch.rows
"""


def patient(settings: BoxSettings, logs: LogPolicy) -> BoxSettings:
    limits = settings.limits.model_dump() | {"log_bytes": 4 << 20, "batch_seconds": 60, "wall_seconds": 120}
    return replace(settings, limits=Limits.model_validate(limits), logs=logs)


@pytest.fixture
def carried(start) -> Callable[[BoxSettings, int], dict[str, int]]:
    """Send so many rows from a run on hidden cases to one that prints; return by folder how many bits arrive."""

    def carry(settings: BoxSettings, rows: int) -> dict[str, int]:
        x, mark = np.random.default_rng(rows).normal(size=rows), os.urandom(8).hex()
        with start(speaking(mark, SPY), patient(settings, LogPolicy.WITHHELD)) as worker:
            worker.predict(Batch({"x": x}, rows))
        with start(speaking(mark, READER), patient(settings, LogPolicy.FULL)) as worker:
            worker.predict(Batch({"x": np.zeros(rows)}, rows))
            worker.close()
            said = heard(worker.logs().text)
        return {folder: right_bits(words_of(x), words) for folder, words in said.items()}

    return carry


def test_names_that_a_run_on_hidden_data_looked_up_are_unknown_to_a_box_that_prints(carried, settings, without):
    bits = 32 * BITS
    held = carried(settings, 32)
    assert len(held) >= 8 and max(held.values()) <= by_chance(bits), held
    leaking = carried(without(Protection.COPIES), 32)
    shared = ("/application", "/environment", "/usr/share/zoneinfo", str(Path(os.__file__).parent))
    assert min(leaking.get(folder, bits) for folder in shared) >= 0.9 * bits, leaking


@pytest.mark.prove
def test_of_six_hundred_rows_no_more_than_eight_bits_get_out(carried, settings, without):
    bits = 600 * BITS
    held = carried(settings, 600)
    assert max(held.values()) <= by_chance(bits), held
    assert worth(sum(held.values()) / (len(held) * bits), bits) <= 8, held
    assert max(carried(without(Protection.COPIES), 600).values()) >= 0.9 * bits
