"""Run by `test_compute_backends` in a network of its own: three Ray nodes on this machine, some of them killed hard."""

from __future__ import annotations

import os
import secrets
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

os.environ.update(
    RAY_AUTH_MODE="token",
    RAY_AUTH_TOKEN=secrets.token_hex(32),
    RAY_USAGE_STATS_ENABLED="0",
    RAY_health_check_period_ms="1000",
    RAY_health_check_timeout_ms="1000",
    RAY_health_check_failure_threshold="3",
)

import ray
from ray.cluster_utils import Cluster

from pilotbase.compute.backends.backend import Attempt, Cause, JobSpec, Phase
from pilotbase.compute.backends.cluster import RayBackend
from pilotbase.compute.backends.ray_settings import RaySettings
from tests.contracts.compute_backend_cases import WAIT, BackendCases, Run, ended, folder, gone, printing, spec

__all__ = ["folder", "spec"]
STORE = 80 << 20


@pytest.fixture(scope="session")
def cluster() -> Iterator[Any]:
    made = Cluster(True, head_node_args={"num_cpus": 1, "include_dashboard": False, "object_store_memory": STORE})
    for _ in range(2):
        made.add_node(num_cpus=2, object_store_memory=STORE)
    yield made
    ray.shutdown()
    made.shutdown()


@pytest.fixture(scope="session")
def places() -> Iterator[Path]:
    with tempfile.TemporaryDirectory(prefix="pilotbase-nodes-") as name:
        Path(name).chmod(0o755)
        yield Path(name)


class TestCluster(BackendCases):
    @pytest.fixture
    def backend(self, cluster: Any, places: Path, tmp_path: Path) -> RayBackend:
        settings = RaySettings(cluster.address, os.environ["RAY_AUTH_TOKEN"])
        return RayBackend(tmp_path / "home", settings, str(places))

    def test_the_cluster_tells_its_nodes(self, backend: RayBackend) -> None:
        assert sorted(node.capacity["cpu"] for node in backend.capacity()) == [1000, 2000, 2000]

    def test_who_comes_anew_finds_what_runs(self, backend: RayBackend, places: Path, spec: Run) -> None:
        job = spec(WAIT)
        backend.start(job)
        printing(backend, job.attempt)
        again = RayBackend(backend._folder, backend._settings, str(places))
        assert again.poll(job.attempt).phase is Phase.RUNNING
        again.stop(job.attempt, 10)
        assert backend.poll(job.attempt).cause is Cause.STOPPED

    def test_no_file_of_the_base_is_needed_on_a_node(self, backend: RayBackend, spec: Run) -> None:
        job = spec("print(open('/data/open/rows.csv').read())\nimport time\ntime.sleep(2)\n", data={"open": "a,b"})
        backend.start(job)
        for place in (job.work.folder, job.work.data["open"]):
            for file in place.iterdir():
                file.unlink()
        assert ended(backend, job.attempt).exit_code == 0

    def test_a_node_that_is_killed_hard_loses_its_attempts_and_no_other(
        self, backend: RayBackend, cluster: Any, spec: Run
    ) -> None:
        dead, alive = cluster.add_node(num_cpus=1, object_store_memory=STORE), cluster.head_node
        by_node = {}
        for node in (dead, alive):
            job = spec(WAIT)
            by_node[node] = JobSpec(job.attempt, job.work, job.demand, limits=job.limits, node=node.node_id)
            backend.start(by_node[node])
            printing(backend, job.attempt)
        cluster.remove_node(dead, allow_graceful=False)
        status = ended(backend, by_node[dead].attempt)
        assert status.cause is Cause.LOST
        assert backend.logs(by_node[dead].attempt, 0).lost
        assert gone(by_node[dead])
        assert backend.poll(by_node[alive].attempt).phase is Phase.RUNNING
        again = JobSpec(Attempt(by_node[dead].attempt.job, 2), by_node[dead].work, {"cpu": 100})
        backend.start(again)
        printing(backend, again.attempt)
        for attempt in (again.attempt, by_node[alive].attempt):
            backend.stop(attempt, 10)
