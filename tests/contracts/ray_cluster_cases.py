"""Run by `test_compute_backends` in a network of its own: three Ray nodes on this machine, some of them killed hard."""

from __future__ import annotations

import os
import secrets
import tempfile
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
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
from pilotbase.compute.backends.ray_cluster import Cluster as RayCluster
from pilotbase.compute.ray_settings import ADDRESS, settings_of
from pilotbase.documents.plan import TrialPlan
from pilotbase.documents.progress import Progress
from pilotbase.documents.report import Report
from pilotbase.documents.vocabularies import Verdict
from pilotbase.trial.scorer_process import run_trial
from pilotbase.vault.attempts import AttemptState, attempts_of
from pilotbase.worker.base import open_base
from pilotbase.worker.trials.proving import freeze_in
from tests.contracts.compute_backend_cases import WAIT, BackendCases, Run, ended, folder, gone, printing, spec
from tests.trial.conftest import BAD, GOOD, writing_application, writing_scenario
from tests.trial.test_proving import hidden_set

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
def asked(cluster: Any) -> Iterator[RayCluster]:
    os.environ[ADDRESS] = cluster.address
    found = RayCluster(settings_of(os.environ))
    yield found
    found.close()


@pytest.fixture(scope="session")
def places() -> Iterator[Path]:
    with tempfile.TemporaryDirectory(prefix="pilotbase-nodes-") as name:
        Path(name).chmod(0o755)
        yield Path(name)


class TestCluster(BackendCases):
    @pytest.fixture
    def backend(self, asked: RayCluster, places: Path, tmp_path: Path) -> RayBackend:
        return RayBackend(tmp_path / "home", asked, str(places))

    def test_the_cluster_tells_its_nodes(self, backend: RayBackend) -> None:
        assert sorted(node.capacity["cpu"] for node in backend.capacity()) == [1000, 2000, 2000]

    def test_who_comes_anew_finds_what_runs(self, backend: RayBackend, places: Path, spec: Run) -> None:
        job = spec(WAIT)
        backend.start(job)
        printing(backend, job.attempt)
        again = RayBackend(backend.folder, RayCluster(settings_of(os.environ)), str(places))
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


SLOW = "import time\n{program}\n_answer = predict\ndef predict(batch):\n    time.sleep(0.5)\n    return _answer(batch)"


def test_every_trial_ends_with_one_verdict_though_a_node_is_killed_hard(
    cluster: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PILOTBASE_HOME", str(tmp_path / "home"))
    monkeypatch.setenv(ADDRESS, cluster.address)
    base = open_base(create=True, name="test-base", engine="ray")
    scenario = writing_scenario(tmp_path)()
    programs = {"sound": GOOD, "blind": BAD, "sound-too": GOOD}
    write = writing_application(tmp_path)
    plans = [freeze_in(base, scenario, write(SLOW.format(program=program), name)) for name, program in programs.items()]
    answering = threading.Barrier(len(plans) + 1)
    told: set[str] = set()

    def run(plan: TrialPlan) -> Report:
        def on_progress(progress: Progress) -> None:
            if progress.done and plan.digest() not in told:
                told.add(plan.digest())
                answering.wait(120)

        return run_trial(base.lab, plan, on_progress)

    with ThreadPoolExecutor(len(plans)) as threads:
        running = [threads.submit(run, plan) for plan in plans]
        answering.wait(120)
        cluster.remove_node(_a_node_with_a_box(cluster), allow_graceful=False)
        reports = [one.result(timeout=180) for one in running]
    assert [report.verdict for report in reports] == [Verdict.ACCEPT, Verdict.REJECT, Verdict.ACCEPT]
    assert [report.counts["answered"] for report in reports] == [100] * len(plans)
    states = [attempt.state for attempt in attempts_of(base.lab.vault, hidden_set(base, scenario))]
    assert states == [AttemptState.CLOSED] * len(plans), "none lost, none doubled"
    for plan, report in zip(plans, reports, strict=True):
        assert run_trial(base.lab, plan) == report
    base.lab.close()


def _a_node_with_a_box(cluster: Any) -> Any:
    """Return a node of the cluster, not its head, on which a box is open now."""
    parents = set()
    for process in Path("/proc").glob("[0-9]*"):
        try:
            if b"SessionHost" in (process / "cmdline").read_bytes():
                parents.add(int((process / "stat").read_text().rpartition(")")[2].split()[1]))
        except OSError:
            continue
    raylets = {node.all_processes["raylet"][0].process.pid: node for node in cluster.worker_nodes}
    return next(node for pid, node in raylets.items() if pid in parents)
