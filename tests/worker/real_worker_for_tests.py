"""A plugin for pytest: whatever asks a `JobWorker` for its next job gets what the real process did with it.

Each job that it did is a line ``[kind, state]`` of the file that ``PILOTBASE_TEST_DONE`` names.
"""

import json
import os
import subprocess
import sys
from pathlib import Path

from sqlalchemy import select

from pilotbase.worker.jobs.worker import JobWorker
from pilotbase.workspace import jobs, tables
from pilotbase.workspace.jobs import JobState

COMMAND = [sys.executable, "-c", "from pilotbase.cli import main; main()", "worker", "--once"]
_done: dict[Path, list] = {}


def pytest_configure(config):
    """From here on, for fixtures of modules too."""
    JobWorker.work_once = work_once


def work_once(self: JobWorker):
    """Return the next job that the process has done with how it ended, or None; as `JobWorker.work_once`."""
    home = self.base.home.path
    known = _done.setdefault(home, [])
    if not known:
        before = _rows(self.base)
        waiting = {number for number, state in before.items() if state in ("queued", "running")}
        if not waiting:
            return None
        environment = {**os.environ, "PILOTBASE_HOME": str(home), "PILOTBASE_HUB_LOG": "plain"}
        ran = subprocess.run(COMMAND, env=environment, capture_output=True, text=True, timeout=300)
        assert ran.returncode == 0, ran.stdout + ran.stderr
        known += [number for number in _rows(self.base) if number in waiting or number not in before]
    with self.base.lab.store.database.read() as connection:
        row = connection.execute(select(tables.work).where(tables.work.c.identity == known.pop(0))).one()
    job = jobs._job(row, 0)
    with Path(os.environ["PILOTBASE_TEST_DONE"]).open("a") as kept:
        kept.write(json.dumps([job.kind, job.state.value]) + "\n")
    return job, JobState(job.state)


def _rows(base) -> dict[int, str]:
    rows = select(tables.work.c.identity, tables.work.c.state).where(tables.work.c.lane == jobs.LANE)
    rows = rows.order_by(tables.work.c.identity)
    with base.lab.store.database.read() as connection:
        return {row.identity: row.state for row in connection.execute(rows)}
