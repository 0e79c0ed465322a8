"""kill -9 of gateway, worker and web at every step of the walk: no acknowledged observation lost, no action twice.

A service that was really certified lives some days of April twice: once undisturbed, once while the processes are
killed. Each is killed from outside at each step of the walk, then at random (PILOTBASE_WALK_KILLS times altogether,
PILOTBASE_WALK_SEED says which); and each ends itself just before and just after each of the writes that count.
"""

from __future__ import annotations

import json
import os
import random
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from itertools import product
from pathlib import Path
from typing import Any

import pytest

from pilotbase.worker.base import open_base
from pilotbase.workspace.backup.restoring import opened_backup, restore_store
from pilotbase.workspace.backup.writing import write_backup
from pilotbase.workspace.home import MARK, HomeSettings, open_home
from tests.protocols.receivers_for_tests import receiving
from tests.rounds.crew_for_tests import KINDS, Crew, still_alive
from tests.rounds.life_for_tests import STEPS, Kills, Life
from tests.rounds.machine_for_tests import ROOT, Postgres, reason_to_skip
from tests.rounds.outcome_for_tests import figures_of, require_sound

KILLS = int(os.environ.get("PILOTBASE_WALK_KILLS", "27"))
SEED = int(os.environ.get("PILOTBASE_WALK_SEED", "1"))
FUSES = {
    "gateway": ("journal.reserve", "journal.settle"),
    "worker": (
        "observation.taken",
        "watch.cohort_closed",
        "watch.warned",
        "reaction.decided",
        "reaction.measure",
        "service.fall_back",
        "reaction.incident",
        "reaction.suspension",
        "revocations.published",
        "reaction.retrial",
        "reaction.notice",
    ),
    "web": (
        "observation.taken",
        "incident.note",
        "service.take_offline",
        "service.restore",
        "warning.silenced",
        "watch.replayed",
        "watch.armed",
    ),
}
"""Kind of process → the writes around which it ends itself, once before and once after each."""
UNDISTURBED, DISTURBED = 2, 20
"""Seconds for which a cohort waits for labels."""


@dataclass
class Walked:
    """A base whose watch is armed: its home, and how people and programs get in."""

    home: Path
    entry: dict[str, Any]

    @contextmanager
    def living(self, folder: Path, kills: int, seconds: int, database: Postgres | None = None) -> Iterator[Life]:
        """Yield the life of a copy; ``seconds``: how long a cohort waits for labels."""
        home = folder / "home"
        shutil.copytree(self.home, home, symlinks=True)
        if database is not None:
            move_store(home, database.url)
        crew = Crew(home, FUSES if kills else {})
        with pytest.MonkeyPatch.context() as patch:
            patch.setenv("PILOTBASE_HOME", str(home))
            base = open_base()
            try:
                yield Life(base, crew, self.entry, Kills(crew, kills, random.Random(SEED)), seconds)
            finally:
                crew.close()
                base.lab.close()


def move_store(home: Path, url: str) -> None:
    """Let the base in ``home`` keep its store at ``url`` from now on."""
    before, settings = open_home(home), HomeSettings(store_url=url)
    write_backup(before, home.parent / "backup")
    with opened_backup(home.parent / "backup") as found:
        restore_store(found, replace(before, settings=settings))
    (home / MARK).write_bytes(settings.canonical())


@pytest.fixture(scope="module")
def walked(tmp_path_factory) -> Walked:
    home = tmp_path_factory.mktemp("walked") / "home"
    environment = {**os.environ, "PILOTBASE_HOME": str(home), "PILOTBASE_HUB_LOG": "plain"}
    words = [sys.executable, "-m", "tests.rounds.walked"]
    done = subprocess.run(words, cwd=ROOT, env=environment, capture_output=True, text=True, timeout=600)
    if "data.package.not_fetched" in done.stderr:
        pytest.skip("the package index cannot be reached")
    assert done.returncode == 0, done.stderr
    return Walked(home, json.loads(done.stdout))


@pytest.fixture(scope="module")
def undisturbed(walked, tmp_path_factory) -> tuple[int, dict[str, Any]]:
    """The day on which the watch says red, and all figures, where nobody is killed."""
    with walked.living(tmp_path_factory.mktemp("undisturbed"), 0, UNDISTURBED) as life:
        return live_on(life, len(life.days))


@pytest.fixture(params=["sqlite", "postgresql"])
def database(request) -> Iterator[Postgres | None]:
    if request.param == "sqlite":
        yield None
        return
    reason = reason_to_skip()
    if reason:
        pytest.skip(reason)
    server = Postgres()
    yield server
    server.remove()


def live_on(life: Life, days: int) -> tuple[int, dict[str, Any]]:
    """Let a service live until its watch says red and some days on; return the day of red, and all figures."""
    with receiving() as receiver:
        life.add_webhook(receiver.url)
        life.prepare()
        life.arm()
        lived = life.until_red(days)
        life.react()
        for _ in KINDS:
            life.handle()
        ledger = life.go_on(lived)
        life.crew.end()
    life.crew.run("worker", "--once")
    assert life.crew.run("log", "verify")
    require_sound(life, {headers["webhook-id"] for _, headers, _ in receiver.got})
    assert still_alive(life.crew.left_behind) == set()
    return lived, {**figures_of(life), "ledger": ledger}


@pytest.mark.prove
def test_killed_at_every_step_of_the_walk_it_ends_as_if_nobody_had_been(walked, undisturbed, database, tmp_path):
    (day, figures), began = undisturbed, time.monotonic()
    with walked.living(tmp_path, KILLS, DISTURBED, database) as life:
        _, same = live_on(life, day)
        kills, burnt = life.kills.done, {kind: len(life.crew.burnt(kind)) for kind in KINDS}
        print(f"red on day {day}; {kills.total()} kills from outside, {burnt} from inside")
        print(f"{life.retries.total()} requests sent again; {time.monotonic() - began:.0f} s")
        assert same == figures
        assert life.crew.unburnt() == set()
        assert all(kills[pair] for pair in product(KINDS, STEPS)) and kills.total() >= KILLS
