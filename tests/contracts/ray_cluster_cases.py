"""Run by `test_compute_backends` in a network of its own: the backend on nodes of this machine, one killed hard."""

from __future__ import annotations

import os
import zipfile
from dataclasses import replace
from io import BytesIO
from pathlib import Path

import pytest

from pilotbase_estate.backends.backend import AttemptPhase, EndCause, MemberAttempt
from pilotbase_estate.backends.cluster import RayBackend
from pilotbase_estate.backends.ray_cluster import ADDRESS, LOCAL, OWN_NODE, Host, RaySettings, settings_of
from pilotbase_estate.backends.ray_cluster import Cluster as RayCluster
from pilotbase_estate.documents.resources import MILLI
from tests.contracts.compute_backend_cases import WAIT, BackendCases, Run, ended, folder, gone, printing, spec
from tests.contracts.ray_cluster import Grown

__all__ = ["folder", "spec"]
CORES = len(os.sched_getaffinity(0)) * MILLI
COPY = "import os\nopen(os.environ['PILOTBASE_OUTPUT'] + '/model.txt', 'w').write(open('/data/open/rows.csv').read())\n"


@pytest.fixture
def backend(asked: RayCluster, places: Path, tmp_path: Path) -> RayBackend:
    return RayBackend(tmp_path / "home", asked, str(places))


def test_what_ran_comes_home_and_what_a_killed_node_had_is_lost_and_goes_on_elsewhere(
    backend: RayBackend, grown: Grown, spec: Run
) -> None:
    there = {node.name: node.capacity["cpu"] for node in backend.capacity()}
    assert there.pop("hall-1") == min(4 * MILLI, CORES), "no more than the machine has, whatever it says"
    assert list(there.values()) == [1 * MILLI], "a node that nobody has named goes by its number"
    done, held = (replace(one, node="hall-1") for one in (spec(COPY, data={"open": "a,b"}), spec(WAIT)))
    for job in (done, held):
        backend.start(job)
    assert ended(backend, done.attempt).exit_code == 0
    left = backend.output(done.attempt)
    assert left is not None
    assert zipfile.ZipFile(BytesIO(left)).read("model.txt") == b"a,b"
    printing(backend, held.attempt)
    backend.poll(held.attempt)
    grown.kill("hall-1")
    assert ended(backend, held.attempt).cause is EndCause.LOST
    assert gone(held)
    assert backend.logs(held.attempt, 0).text == b"begun\n", "what had come home before stays"
    assert [node.name for node in backend.capacity()] == list(there)
    again = replace(held, attempt=MemberAttempt(held.attempt.job, 2), node=None)
    backend.start(again)
    printing(backend, again.attempt)
    assert backend.poll(again.attempt).phase is AttemptPhase.RUNNING
    backend.stop(again.attempt, 10)
    assert backend.poll(again.attempt).cause is EndCause.STOPPED


class TestCluster(BackendCases):
    @pytest.fixture(autouse=True)
    def nodes(self, grown: Grown) -> None:
        grown.with_nodes("hall-1", "hall-2")

    def test_who_comes_anew_finds_what_runs(self, backend: RayBackend, places: Path, spec: Run) -> None:
        job = spec(WAIT)
        backend.start(job)
        printing(backend, job.attempt)
        again = RayBackend(backend.folder, RayCluster(settings_of(os.environ)), str(places))
        assert again.poll(job.attempt).phase is AttemptPhase.RUNNING
        again.stop(job.attempt, 10)
        assert backend.poll(job.attempt).cause is EndCause.STOPPED

    def test_no_file_of_the_base_is_needed_on_a_node(self, backend: RayBackend, spec: Run) -> None:
        job = spec("print(open('/data/open/rows.csv').read())\nimport time\ntime.sleep(2)\n", data={"open": "a,b"})
        backend.start(job)
        for place in (job.work.folder, job.work.data["open"]):
            for file in place.iterdir():
                file.unlink()
        assert ended(backend, job.attempt).exit_code == 0


def test_a_cluster_of_ones_own_stays_as_long_as_who_started_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(ADDRESS, "")
    own = RayCluster(RaySettings(LOCAL, os.environ["RAY_AUTH_TOKEN"]))
    try:
        own.connect()
        assert os.environ[ADDRESS].startswith("127.0.0.1:"), "who is started by us finds it"
        (node,) = own.nodes(measured=True)
        assert (node.name, node.capacity["cpu"]) == (OWN_NODE, CORES)
        host = own.make(Host("pilotbase_estate.backends.sessions:SessionHost", ("",), {"cpu": 100}))
        assert own.ask(host, "__ray_ready__", seconds=60)
    finally:
        own.close()
