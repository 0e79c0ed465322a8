"""What the kernel counts of all boxes alike carries nothing from a run on hidden cases to a box that prints."""

from __future__ import annotations

import os
import re
from dataclasses import replace
from pathlib import Path

import pytest

from pilotbase.documents.limits import Limits
from pilotbase.sandbox.box import counts
from pilotbase.sandbox.box.settings import BoxSettings, Protection
from tests.hostile.channels_for_tests import CHANNELS, OPEN, carried

NUMBERED = ("inodes of pipes", "inodes of memory files")
"""No filter hides these: what was moved is rounded up."""


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


@pytest.fixture
def counted(monkeypatch, tmp_path):
    """A machine whose numbers nobody else moves: maker -> the number it gives next."""
    monkeypatch.setenv("CACHE_DIRECTORY", str(tmp_path / "cache"))
    given = {"pipes": 5 * 1024 + 9, "files": (1 << 32) - 2 * 1024 + 700}

    def number(make, first):
        make()
        return given[make.__name__] - 1

    def maker(name):
        def make():
            given[name] += 1
            return ()

        make.__name__ = name
        return make

    monkeypatch.setattr(counts, "_MAKERS", tuple((maker(name), 0) for name in given))
    monkeypatch.setattr(counts, "_number", number)
    monkeypatch.setattr(counts, "_processors", lambda: iter([(1, 0), (0, 1)]))
    monkeypatch.setattr(counts.os, "sched_getaffinity", lambda _: {0, 1})
    return given


def batches_after(given, moved):
    """Return the batches that a reader sees beyond the one before a hidden run that moved them by ``moved``."""
    before = {name: (number - 1) // 1024 for name, number in given.items()}
    run = counts.note_hidden_run()
    for name in given:
        given[name] += moved * 1024
    run.close()
    counts.settle()
    return {(number - 1) // 1024 - before[name] for name, number in given.items()}


@pytest.mark.parametrize("moved", [0, 1, 2, 3, 6, 7, 30, 63])
def test_of_what_a_hidden_run_moved_a_reader_sees_the_next_power_of_two(counted, moved):
    assert batches_after(counted, moved) == {max(2, 1 << (moved + 1).bit_length())}, "two are for the processors"
    assert counts.settle() is None, "nothing was moved since"


def test_what_a_run_moves_is_one_of_sixteen_levels_up_to_33_million_inodes():
    most = (33 << 20) // 1024
    assert len({counts._padded(moved) for moved in range(2, most - 1024)}) <= 16
    assert all(counts._padded(moved) >= moved for moved in range(0, 1 << 16, 7))


def test_what_moves_while_no_hidden_run_lives_is_not_rounded_up(counted):
    counts.note_hidden_run().close()
    counted["pipes"] += 5_000 * 1024
    assert counts.settle() == 4


def test_a_run_whose_process_died_counts_until_it_is_found(counted):
    run = counts.note_hidden_run()
    os.close(run.descriptor)
    counted["pipes"] += 3 * 1024
    assert counts.settle() == (8 - 3) + 2
    assert counts.settle() is None


def test_while_a_hidden_run_lives_each_box_that_prints_settles(counted):
    run = counts.note_hidden_run()
    assert counts.settle() == 4 and counts.settle() == 4
    run.close()
    assert counts.settle() == 4 and counts.settle() is None


def test_what_was_noted_before_the_machine_started_again_is_forgotten(counted, monkeypatch):
    counts.note_hidden_run().close()
    monkeypatch.setattr(counts, "_boot", lambda: "another")
    counted["pipes"] = 1
    assert counts.settle() == 4


def test_the_kernel_gives_numbers_in_batches_which_are_moved_on_one_processor_after_another(monkeypatch, tmp_path):
    monkeypatch.setenv("CACHE_DIRECTORY", str(tmp_path / "cache"))
    before = counts._counts()
    counts._move_on([batch + 3 for batch in before])
    assert all(counts._ahead(now, of=then) >= 3 for now, then in zip(counts._counts(), before, strict=True))


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
