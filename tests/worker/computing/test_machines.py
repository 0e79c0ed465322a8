"""What a worker tells of the machines of its pools: once for each change, in its log and for the pages."""

from __future__ import annotations

from pathlib import Path

import pytest
from typer.testing import CliRunner

from pilotbase.cli import app
from pilotbase.documents.vocabularies import Role
from pilotbase.worker.base import Base, open_base
from pilotbase.workspace.actors import Actor
from pilotbase_estate.backends.backend import BackendAwayError, BackendNode
from pilotbase_estate.backends.local import LocalBackend
from pilotbase_estate.backends.ray_cluster import ADDRESS
from pilotbase_estate.computing.rounds import Dispatching
from pilotbase_estate.documents.pool import Pool
from pilotbase_estate.documents.resources import Resources
from pilotbase_estate.queue import rows
from pilotbase_estate.queue.pools import set_pool
from pilotbase_estate.queue.rows import QueueState
from pilotbase_estate.queue.showing import standing
from pilotbase_estate.queue.submitting import JobRequest, submit

POOL = {
    "document": "pool/1",
    "name": "hall",
    "title": "Hall",
    "machines": [{"name": "m", "count": 2, "capacity": {"cpu": 2}}],
}


class Told(LocalBackend):
    """A backend that has the nodes that a test says; None: it is away."""

    holds_room = True
    nodes: list[BackendNode] | None = None

    def capacity(self) -> list[BackendNode]:
        if Told.nodes is None:
            raise BackendAwayError
        return Told.nodes


@pytest.fixture
def base(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Base:
    monkeypatch.setenv("PILOTBASE_HOME", str(tmp_path / "home"))
    made = open_base(create=True, name="test-base")
    set_pool(made.lab.view, Pool.model_validate(POOL))
    return made


def test_each_change_of_the_machines_is_told_once(
    base: Base, tmp_path: Path, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    pools = Dispatching(base, Told(tmp_path / "attempts"), "test")

    def said(nodes: list[BackendNode] | None) -> list[str]:
        monkeypatch.setattr(Told, "nodes", nodes)
        caplog.clear()
        for _ in range(3):
            assert not pools.round()
        return [record.getMessage() for record in caplog.records]

    first, second, small = (
        BackendNode(name, {"cpu": cpu}) for name, cpu in (("m-1", 2000), ("m-2", 64_000), ("m-2", 500))
    )
    assert said([first, second]) == []
    assert said([first]) == ["machine m-2 of pool hall does not respond: the cluster has no node with its name"]
    assert said(None) == ["the compute cluster does not respond; jobs wait, and none of them is called lost"]
    there = standing(base.lab.view, "hall").there
    assert (there.away, there.missing) == (True, ("m-2",))
    assert said([first, small]) == ["machine m-2 of pool hall has cpu 0.5, but the pool document says cpu 2"]
    assert said([first, second]) == ["all machines of pool hall are available"]
    pools.leave()


def test_what_the_engine_needs_is_told_before_anything_is_served(base: Base, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(ADDRESS, "head:6379")
    monkeypatch.delenv("RAY_AUTH_TOKEN", raising=False)
    for words, told in (
        (["serve", "--engine", "ray"], "without a token"),
        (["worker", "--once", "--engine", "ray"], "without a token"),
        (["serve", "--engine", "rey"], "did you mean ray?"),
    ):
        ended = CliRunner().invoke(app, words)
        assert ended.exit_code == 2, ended.output
        assert told in ended.output


def test_a_worker_of_another_engine_than_the_jobs_that_run_does_not_start(
    base: Base, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """The job runs on a cluster: who starts is refused; who has started before says so, once, and lets it run."""
    quotas = [{"organisation": "mill", "guarantee": {"cpu": 2}}]
    set_pool(base.lab.view, Pool.model_validate({**POOL, "quotas": quotas}))
    view = base.lab.store.as_actor(Actor("mill", frozenset({Role.SUPPLIER})))
    name = submit(view, JobRequest("hall", Resources.model_validate({"cpu": 1}), 600, work="{}")).name
    with base.lab.store.database.write() as connection:
        job, now = rows.find_job(connection, name), base.lab.store.clock()
        assert job is not None
        rows.insert_attempt(connection, job, ("m-1",), now, "ray")
        rows.update_job(connection, name, state=QueueState.RUNNING.value, attempt=1, started_at=now)
    pools = Dispatching(base, LocalBackend(tmp_path / "attempts"), "test")
    for _ in range(3):
        assert not pools.round()
    assert [record.getMessage().count("Jobs are running on the engine ray") for record in caplog.records] == [1]
    with base.lab.view.reading() as connection:
        found = rows.find_job(connection, name)
    assert found is not None and found.state is QueueState.RUNNING
    ended = CliRunner().invoke(app, ["worker", "--once"])
    assert ended.exit_code == 5 and "--engine ray" in ended.output, ended.output
