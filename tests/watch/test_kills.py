"""kill -9 of who brings and of who watches, at any moment: nothing acknowledged is lost, nothing is twice."""

import random
import signal
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from pilotbase.watch.running import run
from pilotbase.watch.standings import detectors_of
from pilotbase.watch.warnings import warnings_of
from tests.watch.test_observations import stored
from tests.watch.worlds_for_tests import World

BATCHES, CASES = 60, 40
ROUNDS = 14
PROGRAM = """
import sys, time
from datetime import UTC, datetime, timedelta
from pathlib import Path
sys.path.insert(0, {root!r})
from cryptography.hazmat.primitives.serialization import load_pem_private_key
from pilotbase.watch.observations import ingest
from pilotbase.watch.running import close_all_cohorts, run_once
from pilotbase.workspace.log.notes import LogKey
from pilotbase.workspace.store import Store
from tests.watch.services_for_tests import BASE, labelled, observed

url, folder, part = sys.argv[1], Path(sys.argv[2]), sys.argv[3]
key = LogKey(load_pem_private_key((folder / "log.pem").read_bytes(), None))
at = datetime(2026, 5, 2, 12, tzinfo=UTC)
late = timedelta(days=3) if part == "watch" else timedelta()
view = Store.open(url, key, lambda: at + late).as_actor(BASE)
(folder / f"ready-{{part}}").touch()

def batches(number):
    ids = [f"b{{number}}-{{row}}" for row in range({cases})]
    inputs = {{"x": [3.0] * {cases}, "shift": ["day"] * {cases}}}
    yield observed(f"b{{number}}", at, dict.fromkeys(ids, "fine"), inputs=inputs)
    yield labelled(f"l{{number}}", dict.fromkeys(ids, "broken"))

if part == "bring":
    acknowledged = folder / "acknowledged"
    with acknowledged.open("a") as told:
        for number in range(len(acknowledged.read_text().split()), {batches}):
            ingest(view, list(batches(number)))
            told.write(f"{{number}}\\n")
            told.flush()
else:
    while True:
        if (folder / "brought").exists():
            close_all_cohorts(view)
        if not run_once(view, "milling"):
            time.sleep(0.005)
"""


def start(part, url, folder):
    ready = folder / f"ready-{part}"
    ready.unlink(missing_ok=True)
    program = PROGRAM.format(root=str(Path(__file__).parents[2]), cases=CASES, batches=BATCHES)
    child = subprocess.Popen([sys.executable, "-c", program, url, str(folder), part])
    while not ready.exists():
        assert child.poll() in (None, 0), "it did not start"
        time.sleep(0.01)
    return child


def kill(child):
    child.send_signal(signal.SIGKILL)
    child.wait()


@pytest.mark.prove
def test_killed_again_and_again_nothing_is_lost_and_nothing_is_twice(store, tmp_path, clock):
    pem = store.key.private.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    (tmp_path / "log.pem").write_bytes(pem)
    acknowledged, chance = tmp_path / "acknowledged", random.Random(5)
    acknowledged.touch()
    world = World(store, tmp_path)
    world.arm(tolerance=0.0)
    url = store.database.url
    watcher = start("watch", url, tmp_path)
    for _ in range(ROUNDS):
        bringer = start("bring", url, tmp_path)
        time.sleep(chance.uniform(0.0, 0.15))
        kill(bringer)
        if chance.random() < 0.5:
            kill(watcher)
            watcher = start("watch", url, tmp_path)
    assert start("bring", url, tmp_path).wait(60) == 0
    (tmp_path / "brought").touch()
    for _ in range(ROUNDS // 2):
        time.sleep(chance.uniform(0.0, 0.1))
        kill(watcher)
        watcher = start("watch", url, tmp_path)
    kill(watcher)
    clock.now = clock.now.replace(day=6)
    run(world.view, "milling")
    assert len(acknowledged.read_text().split()) >= BATCHES
    whole = BATCHES * CASES
    assert len(stored(world.view)) == whole
    with world.view.reading() as connection:
        seen = {one.detector: one.seen for one in detectors_of(connection, "milling")}
    del seen["silence"]  # whoever looks counts as having looked
    of_calls = dict.fromkeys(("latency", "availability", "errors", "hand_over"), BATCHES)
    assert seen == {"risk:accuracy >= 0.85": whole, "drift": whole, "contract": whole, **of_calls}
    told = Counter((one.detector, one.colour, one.seen_to) for _, one in warnings_of(world.view, "milling", 1000))
    assert told[("risk:accuracy >= 0.85", "red", next(s for d, c, s in told if c == "red"))] == 1
    assert max(told.values()) == 1, "no warning twice"
