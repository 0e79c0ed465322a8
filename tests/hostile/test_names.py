"""Attacks by which a run on hidden cases leaves word for a box that prints: in the kernel's cache of names."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from pilotbase.documents.limits import Limits
from pilotbase.protocols.frames import FeatureBatch
from pilotbase.sandbox.box.command import emptied_of_the_host
from pilotbase.sandbox.box.copies import copy_tree
from pilotbase.sandbox.box.probe import readable_to_others
from pilotbase.sandbox.box.settings import BoxSettings, LogPolicy, Protection, running_interpreter
from tests.hostile.names_for_tests import BITS, by_chance, heard, right_bits, speaking, words_of, worth

ROOT = Path(__file__).parents[2]
NOBODY = 65_534
DROPPING = ["setpriv", f"--reuid={NOBODY}", f"--regid={NOBODY}", "--clear-groups", "--inh-caps=-all"]
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
    """Send so many rows from a run on hidden cases to a box that prints; return by folder how many bits arrive.

    Both are there at once: whatever waits for the end of a run, or clears up after it, would come too late.
    """

    def carry(settings: BoxSettings, rows: int) -> dict[str, int]:
        x, mark = np.random.default_rng(rows).normal(size=rows), os.urandom(8).hex()
        with start(speaking(mark, SPY), patient(settings, LogPolicy.WITHHELD)) as spy:
            spy.predict(FeatureBatch({"x": x}, rows))
            with start(speaking(mark, READER), patient(settings, LogPolicy.FULL)) as reader:
                reader.predict(FeatureBatch({"x": np.zeros(rows)}, rows))
                reader.close()
                said = heard(reader.logs().text)
        return {folder: right_bits(words_of(x), words) for folder, words in said.items()}

    return carry


@pytest.mark.one_in(4)
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
    # Another test may empty the host's caches in between, which spoils what is heard without copies, and that alone.
    assert any(max(carried(without(Protection.COPIES), 600).values()) >= 0.9 * bits for _ in range(3))


FILES = """
import os, time
FILES = sorted(f"{place}/{name}" for place, _, names in os.walk("/usr/share/zoneinfo") for name in names)

def seconds(path):
    began = time.perf_counter_ns()
    os.lstat(path)
    return time.perf_counter_ns() - began

def predict(batch):
    os.chdir("/tmp")
    DO
    return [0.5] * batch.rows
"""
LOADS = "[os.lstat(FILES[2 * row + int(x)]) for row, x in enumerate(batch['x'])]"
TIMES = "print('heard', *(int(seconds(FILES[2 * row]) > seconds(FILES[2 * row + 1])) for row in range(batch.rows)))"
DROPPED = Path("/proc/sys/vm/drop_caches")


@pytest.mark.prove
@pytest.mark.skipif(not os.access(DROPPED, os.W_OK), reason="only root makes inodes cold (vm.drop_caches)")
def test_files_whose_inodes_a_run_on_hidden_data_loaded_are_as_cold_as_others(start, settings, without):
    rows = 400
    bits = np.random.default_rng(1).integers(0, 2, rows)

    def arrive(settings: BoxSettings) -> int:
        loading, timing = (FILES.replace("DO", action) for action in (LOADS, TIMES))
        with start(timing, patient(settings, LogPolicy.FULL)) as reader:
            with start(loading, patient(settings, LogPolicy.WITHHELD)) as spy:
                DROPPED.write_text("2")
                spy.predict(FeatureBatch({"x": bits.astype(np.float64)}, rows))
            reader.predict(FeatureBatch({"x": np.zeros(rows)}, rows))
            reader.close()
            said = reader.logs().text.partition("heard")[2].split()
        return sum(int(one) == bit for one, bit in zip(said, bits, strict=True))

    assert arrive(settings) <= by_chance(rows)
    leaking = without(Protection.COPIES)
    assert any(arrive(leaking) >= 0.8 * rows for _ in range(5)), "whoever walks the folder meanwhile warms all of it"


@pytest.mark.prove
@pytest.mark.skipif(os.getuid() != 0, reason="who is an ordinary user runs the tests above as one")
def test_it_holds_for_an_ordinary_user(folder):
    interpreter, packages = running_interpreter(), Path(np.__file__).parents[1]
    if not (readable_to_others(packages) and readable_to_others(ROOT)):
        pytest.skip("checkout and packages stand in a folder that only root may enter")
    empty = {str(one) for one in emptied_of_the_host(interpreter)}
    copy_tree(interpreter.prefix, folder / "python", empty)
    home = folder / "home"
    home.mkdir()
    os.chown(home, NOBODY, NOBODY)
    python = folder / "python" / interpreter.executable.relative_to(interpreter.prefix)
    quick = ["-q", "-n", "0", "-p", "no:cacheprovider", "-m", "not prove", "tests/hostile/test_names.py"]
    ran = subprocess.run(
        [*DROPPING, str(python), "-B", "-m", "pytest", *quick, f"--basetemp={home / 'tests'}"],
        env={"HOME": str(home), "TMPDIR": str(home), "PYTHONPATH": f"{ROOT}:{ROOT / 'src'}:{packages}"},
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
        timeout=900,
    )
    assert ran.returncode == 0 and "passed" in ran.stdout, ran.stdout[-3000:] + ran.stderr[-3000:]
