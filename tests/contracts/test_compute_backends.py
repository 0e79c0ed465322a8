"""The contract of compute backends, on this machine's processes and on a Ray cluster of several nodes."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from pilotbase_estate.backends.attempt_folder import AttemptFolder
from pilotbase_estate.backends.backend import AttemptPhase, EndCause, write_spec
from pilotbase_estate.backends.local import LocalBackend
from tests.contracts.compute_backend_cases import WAIT, BackendCases, Run, ended, folder, printing, spec

__all__ = ["folder", "spec"]
BACKEND, POOL = (Path(__file__).with_name(name) for name in ("ray_cluster_cases.py", "ray_pool_cases.py"))


class TestLocal(BackendCases):
    @pytest.fixture
    def backend(self, tmp_path: Path) -> LocalBackend:
        return LocalBackend(tmp_path / "attempts")

    def test_an_attempt_outlives_who_started_it(self, backend: LocalBackend, spec: Run) -> None:
        job = spec(WAIT)
        starter = (
            "import sys\nfrom pathlib import Path\nfrom pilotbase_estate.backends.local import LocalBackend\n"
            "from pilotbase_estate.backends.backend import read_spec\n"
            "LocalBackend(Path(sys.argv[1])).start(read_spec(sys.argv[2]))\nimport os\nos.kill(os.getpid(), 9)\n"
        )
        subprocess.run([sys.executable, "-c", starter, str(backend.folder), write_spec(job)], check=False)
        printing(backend, job.attempt)
        assert backend.poll(job.attempt).phase is AttemptPhase.RUNNING
        backend.stop(job.attempt, 10)
        assert backend.poll(job.attempt).cause is EndCause.STOPPED

    def test_a_log_that_is_gone_is_told_lost(self, backend: LocalBackend, spec: Run) -> None:
        job = spec("print('ran')\n")
        backend.start(job)
        ended(backend, job.attempt)
        (backend.folder / job.attempt.name / "log").unlink()
        assert backend.logs(job.attempt, 0).lost
        assert backend.poll(job.attempt).phase is AttemptPhase.ENDED

    def test_a_starter_that_died_before_the_process_began_is_made_good(self, backend: LocalBackend, spec: Run) -> None:
        job = spec("print('ran')\n")
        AttemptFolder(backend.folder / job.attempt.name).prepare(job)
        assert backend.poll(job.attempt).phase is AttemptPhase.RUNNING
        backend.start(job)
        assert ended(backend, job.attempt).exit_code == 0


def _namespace() -> list[str]:
    """Return the words before a command that runs it in a network of its own, where nothing else is reached."""
    own = ["unshare", "-n"] if os.getuid() == 0 else ["unshare", "-rn"]
    return [*own, "sh", "-c", 'ip link set lo up && exec "$@"', "sh"]


def _has_namespaces() -> bool:
    if shutil.which("unshare") is None or shutil.which("ip") is None:
        return False
    return subprocess.run([*_namespace(), "true"], capture_output=True, check=False).returncode == 0


needs_namespaces = pytest.mark.skipif(
    not _has_namespaces(), reason="this host lets us make no network of our own (unshare -n, ip)"
)


@needs_namespaces
@pytest.mark.prove
def test_a_cluster_keeps_the_whole_contract_and_a_killed_node_costs_neither_jobs_nor_verdicts() -> None:
    _run_on_a_cluster(BACKEND, POOL, "-k", "not box_that_prints")


@needs_namespaces
@pytest.mark.prove
def test_a_box_on_a_node_does_not_know_what_one_that_is_fed_hidden_data_looked_up() -> None:
    """On a cluster of its own: the cases above end with its head away."""
    _run_on_a_cluster(POOL, "-k", "box_that_prints")


def _run_on_a_cluster(*cases: Path | str) -> None:
    alone = ["-q", "-x", "-p", "no:cacheprovider", "--noconftest", "-p", "tests.contracts.ray_cluster"]
    command = [sys.executable, "-m", "pytest", *alone, *map(str, cases)]
    run = subprocess.run([*_namespace(), *command], capture_output=True, text=True, check=False, timeout=600)
    assert run.returncode == 0, run.stdout[-6000:]
    assert "passed" in run.stdout
