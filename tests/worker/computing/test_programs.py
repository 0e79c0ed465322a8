"""A supplier's own program, from its folder to what it left, on this machine's real boxes."""

from __future__ import annotations

import io
import time
import zipfile
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
from typer.testing import CliRunner

from pilotbase.cli import app
from pilotbase.documents.vocabularies import Role
from pilotbase.worker.base import Base, open_base
from pilotbase.workspace.actors import Actor
from pilotbase_estate.computing.orders import WorkOrder
from pilotbase_estate.computing.rounds import Dispatching
from pilotbase_estate.computing.told_pools import forget_old_attempts, local_backend
from pilotbase_estate.documents.pool import Pool
from pilotbase_estate.documents.resources import Resources
from pilotbase_estate.queue import rows
from pilotbase_estate.queue.pools import set_pool
from pilotbase_estate.queue.rows import JobRow, QueueState
from pilotbase_estate.queue.submitting import JobRequest, submit

POOL = {
    "document": "pool/1",
    "name": "hall",
    "title": "Hall",
    "machines": [{"name": "m", "count": 2, "capacity": {"cpu": 1, "memory": "2 GiB"}}],
    "quotas": [{"organisation": "mill", "guarantee": {"cpu": 1}}, {"organisation": "port", "guarantee": {"cpu": 1}}],
}
TRAIN = (
    "import os, sys\nprint('learning from', sys.argv[1])\n"
    "open(os.environ['PILOTBASE_OUTPUT'] + '/model.txt', 'w').write('weights')\n"
)


@pytest.fixture
def base(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Base:
    monkeypatch.setenv("PILOTBASE_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("PILOTBASE_LANGUAGE", "en")
    made = open_base(create=True, name="test-base")
    set_pool(made.lab.view, Pool.model_validate(POOL))
    return made


@pytest.fixture
def program(tmp_path: Path) -> Path:
    folder = tmp_path / "program"
    folder.mkdir()
    (folder / "train.py").write_text(TRAIN)
    return folder


def run(*words: object, exit_code: int = 0) -> str:
    result = CliRunner().invoke(app, ["compute", *map(str, words)])
    assert result.exit_code == exit_code, result.output
    return result.output


def test_a_program_is_handed_in_runs_and_its_output_is_fetched(base: Base, program: Path, tmp_path: Path) -> None:
    told = run("submit", "hall", program, "train.py", "nothing", "--as", "mill")
    job = told.split()[0]
    assert "starts at the next turn" in run("jobs", "hall")
    pools = Dispatching(base, local_backend(base), "test")
    ended(base, pools, job)
    assert "done" in run("show", job)
    assert run("logs", job) == "learning from nothing\n"
    run("fetch", job, "--out", tmp_path / "left.zip")
    assert zipfile.ZipFile(io.BytesIO((tmp_path / "left.zip").read_bytes())).read("model.txt") == b"weights"
    assert "0 running, 0 waiting" in run("pools")


def test_what_a_job_has_left_is_kept_for_thirty_days(base: Base, program: Path) -> None:
    job = run("submit", "hall", program, "train.py", "nothing", "--as", "mill").split()[0]
    ended(base, Dispatching(base, local_backend(base), "test"), job)
    now = base.lab.store.clock()
    for days, kept in ((29, 1), (31, 0)):
        later = replace(base.lab.store, clock=lambda days=days: now + timedelta(days=days))
        aged = replace(base, lab=replace(base.lab, store=later))
        assert forget_old_attempts(aged) == 1 - kept
        assert len(local_backend(base).attempts()) == kept
    assert "done" in run("show", job), "that it ran is not forgotten"
    assert "gone" in run("logs", job, exit_code=2)


def test_what_could_never_run_is_told_when_it_is_handed_in(base: Base, program: Path) -> None:
    assert "no machine of hall has that" in run(
        "submit", "hall", program, "train.py", "--as", "mill", "--of", "cpu=2", exit_code=5
    )
    assert "no Python file" in run("submit", "hall", program, "test.py", "--as", "mill", exit_code=2)
    assert "Pool other does not exist" in run("submit", "other", program, "train.py", "--as", "mill", exit_code=2)


def test_a_job_that_is_taken_back_leaves_the_line(base: Base, program: Path) -> None:
    job = run("submit", "hall", program, "train.py", "--as", "port").split()[0]
    assert "cancelled" in run("cancel", job)
    assert run("jobs", "hall") == ""


def ended(base: Base, pools: Dispatching, name: str) -> JobRow:
    until = time.monotonic() + 60
    while True:
        pools.round()
        with base.lab.view.reading() as connection:
            found = rows.find_job(connection, name)
        assert found is not None
        if found.state not in (QueueState.WAITING, QueueState.RUNNING):
            return found
        assert time.monotonic() < until, found


@pytest.mark.parametrize("file", ["../../pilotbase.db", "/etc/passwd", "..", "a/b.csv", ""])
def test_a_file_of_data_is_named_and_never_a_way_elsewhere(base: Base, program: Path, file: str) -> None:
    before = (base.home.path / "pilotbase.db").stat().st_size
    told = run("submit", "hall", program, "train.py", "--as", "mill", "--data", f"plant/milling:{file}", exit_code=2)
    assert "does not name a file of a dataset" in told
    asked = JobRequest("hall", Resources.model_validate({"cpu": 1}), 60.0)
    order = WorkOrder(folder="sha256:" + "0" * 64, entry=("train.py",), data=(("dataset:plant/milling", file),))
    view = base.lab.store.as_actor(Actor("mill", frozenset({Role.SUPPLIER})))
    job = submit(view, replace(asked, work=order.model_dump_json()))
    pools = Dispatching(base, local_backend(base), "test")
    assert ended(base, pools, job.name).state is QueueState.FAILED
    assert (base.home.path / "pilotbase.db").stat().st_size >= before
    assert not any((base.home.path / "job-data").iterdir())
