"""What the kernel counts of all boxes alike carries nothing from a run on hidden cases to a box that prints."""

from __future__ import annotations

import os
import re
from dataclasses import replace
from pathlib import Path

import pytest

from pilotbase.documents.limits import Limits
from pilotbase.sandbox.box import copies
from pilotbase.sandbox.box.settings import BoxSettings, Protection
from tests.hostile.channels_for_tests import CHANNELS, OPEN, carried

NUMBERED = ("inodes of pipes", "inodes of memory files")
"""No filter hides these: they are moved on at random."""


def patient(settings: BoxSettings) -> BoxSettings:
    limits = settings.limits.model_dump() | {"batch_seconds": 60, "wall_seconds": 120, "cpu_seconds": 60}
    return replace(settings, limits=Limits.model_validate(limits))


CLOSED = [name for name in CHANNELS if name not in NUMBERED]


@pytest.mark.one_in(4)
@pytest.mark.parametrize("name", CLOSED)
def test_a_box_that_prints_cannot_read_how_far_a_count_was_moved(start, settings, name):
    assert carried(start, patient(settings), CHANNELS[name], 3) == 0.0


@pytest.mark.prove
@pytest.mark.parametrize("name", ["numbers of sessions", "numbers of processes"])
def test_without_the_filter_a_count_tells_the_number(start, default, name):
    # Another program of the machine may move the count in between, which spoils what is heard, and that alone.
    assert any(carried(start, replace(patient(default), removed=OPEN), CHANNELS[name], 6) > 1.0 for _ in range(5))


def test_before_a_box_prints_counts_are_moved_on_at_random_and_only_after_hidden_cases(monkeypatch, tmp_path):
    monkeypatch.setenv("CACHE_DIRECTORY", str(tmp_path / "cache"))
    assert copies.settle() is None, "no hidden case was delivered"
    living = copies.note_hidden_run()
    drawn = []
    monkeypatch.setattr(copies.secrets, "randbelow", lambda below: drawn.append(below) or 7)
    assert copies.settle() == 7 * 2 * len(os.sched_getaffinity(0))
    assert copies.settle() is not None, "one that still lives moves counts again"
    os.close(living)
    assert copies.settle() is not None and copies.settle() is None
    assert all(below >= 1024 and below % 1024 == 0 for below in drawn)


@pytest.mark.parametrize(("moved", "below"), [(0, 1024), (14 * 1024, 2048), (14 << 16, 66_560), (1 << 32, 1 << 18)])
def test_what_is_random_grows_with_what_was_moved(moved, below):
    assert copies._range_of(moved) == below


@pytest.mark.parametrize("logs", ["full", "answers"])
def test_each_box_whose_words_or_answers_leave_settles_first(start, default, monkeypatch, logs):
    settled = []
    monkeypatch.setattr("pilotbase.sandbox.box.box.settle", lambda: settled.append(True))
    source = "def predict(batch):\n    return [0.5] * batch.rows\n"
    with start(source, replace(default, logs=type(default.logs)(logs))):
        assert settled
    settled.clear()
    with start(source, default), start(source, replace(default, removed=frozenset({Protection.SETTLING}))):
        assert not settled


def test_the_table_of_threats_has_a_measurement_of_every_channel():
    table = (Path(__file__).parents[2] / "docs" / "threats.md").read_text("utf-8")
    measured = dict(re.findall(r"^\| ([^|]+) \| ([\d.]+) \| [\d.]+ \|", table, re.MULTILINE))
    assert set(CHANNELS) <= set(measured)
    assert [name for name in CLOSED if float(measured[name])] == []
