"""What holds of every compute backend; run on each by `test_compute_backends`, on a cluster inside its own network."""

from __future__ import annotations

import contextlib
import itertools
import os
import signal
import tempfile
import threading
import time
import zipfile
from collections.abc import Callable, Iterator
from io import BytesIO
from pathlib import Path

import pytest

from pilotbase.documents.errors import InputError, RefusedError
from pilotbase.documents.limits import EndReason, Limits
from pilotbase_estate.backends.backend import (
    AttemptPhase,
    ComputeBackend,
    EndCause,
    JobSpec,
    MemberAttempt,
    ProgramWork,
    Status,
)

LIMITS = Limits(memory_bytes=128 << 20, cpu_seconds=30, wall_seconds=60, scratch_bytes=4 << 20, file_bytes=2 << 20)
_NUMBERS = itertools.count(1)
Run = Callable[..., JobSpec]
WAIT = "import sys, time\nprint('begun', flush=True)\ntime.sleep(60)\n"


@pytest.fixture
def folder() -> Iterator[Path]:
    with tempfile.TemporaryDirectory(prefix="pilotbase-work-") as name:
        Path(name).chmod(0o755)
        yield Path(name)


@pytest.fixture
def spec(folder: Path) -> Run:
    def make(program: str, *arguments: str, data: dict[str, str] | None = None, limits: Limits = LIMITS) -> JobSpec:
        number = next(_NUMBERS)
        files = folder / f"program-{number}"
        files.mkdir()
        (files / "main.py").write_text(program, encoding="utf-8")
        opened = {}
        for name, content in (data or {}).items():
            opened[name] = folder / f"data-{number}-{name}"
            opened[name].mkdir()
            (opened[name] / "rows.csv").write_text(content, encoding="utf-8")
        work = ProgramWork(files, ("main.py", *arguments), data=opened)
        return JobSpec(MemberAttempt(f"job-{os.getpid()}-{number}", 1), work, {"cpu": 500}, limits=limits)

    return make


def until(
    backend: ComputeBackend, attempt: MemberAttempt, told: Callable[[Status], bool], seconds: float = 60
) -> Status:
    """Ask until the answer is as wanted; fails where it does not become so in time."""
    end = time.monotonic() + seconds
    while not told(status := backend.poll(attempt)):
        assert time.monotonic() < end, status
    return status


def ended(backend: ComputeBackend, attempt: MemberAttempt) -> Status:
    return until(backend, attempt, lambda status: status.phase is AttemptPhase.ENDED)


def printing(backend: ComputeBackend, attempt: MemberAttempt) -> None:
    end = time.monotonic() + 60
    while b"begun" not in backend.logs(attempt, 0).text:
        assert time.monotonic() < end, backend.poll(attempt)


class BackendCases:
    """Cases of every backend; a subclass brings the fixture ``backend``."""

    def test_a_job_runs_prints_leaves_output_and_is_metered(self, backend: ComputeBackend, spec: Run) -> None:
        program = (
            "import os, sys\nprint('read', open('/data/open/rows.csv').read(), sys.argv[1])\n"
            "sum(range(10**7))\nopen(os.environ['PILOTBASE_OUTPUT'] + '/model.txt', 'w').write('weights')\n"
        )
        job = spec(program, "again", data={"open": "a,b"})
        backend.start(job)
        status = ended(backend, job.attempt)
        assert (status.cause, status.box, status.exit_code) == (EndCause.RAN, EndReason.FINISHED, 0)
        assert backend.logs(job.attempt, 0).text == b"read a,b again\n"
        assert backend.logs(job.attempt, 5).text == b"a,b again\n"
        archive = backend.output(job.attempt)
        assert archive is not None
        assert zipfile.ZipFile(BytesIO(archive)).read("model.txt") == b"weights"
        assert status.metered.cpu_ms >= 30
        assert status.metered.wall_ms >= status.metered.cpu_ms / 2
        assert status.metered.memory_mib_ms > 0

    def test_a_job_that_fails_says_so_in_its_own_words(self, backend: ComputeBackend, spec: Run) -> None:
        job = spec("raise ValueError('no such column')")
        backend.start(job)
        status = ended(backend, job.attempt)
        assert (status.cause, status.box, status.exit_code) == (EndCause.RAN, EndReason.APPLICATION_ERROR, 1)
        assert b"no such column" in backend.logs(job.attempt, 0).text
        assert backend.output(job.attempt) is None

    def test_the_box_bounds_the_job(self, backend: ComputeBackend, spec: Run) -> None:
        job = spec("blocks = []\nwhile True: blocks.append(bytearray(16 << 20))\n")
        backend.start(job)
        assert ended(backend, job.attempt).box is EndReason.MEMORY_LIMIT

    def test_a_job_that_takes_too_long_is_ended(self, backend: ComputeBackend, spec: Run) -> None:
        job = spec(WAIT, limits=LIMITS.model_copy(update={"wall_seconds": 1.0}))
        backend.start(job)
        assert ended(backend, job.attempt).box is EndReason.WALL_LIMIT

    def test_starting_twice_starts_once(self, backend: ComputeBackend, spec: Run) -> None:
        job = spec("print('ran')\n")
        threads = [threading.Thread(target=backend.start, args=(job,)) for _ in range(3)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        first = ended(backend, job.attempt)
        backend.start(job)
        assert backend.poll(job.attempt) == first
        assert backend.logs(job.attempt, 0).text == b"ran\n"

    def test_what_was_never_started_is_unknown(self, backend: ComputeBackend, spec: Run) -> None:
        assert backend.poll(MemberAttempt("never", 1)).phase is AttemptPhase.UNKNOWN
        backend.stop(MemberAttempt("never", 1), 0.1)
        assert backend.output(MemberAttempt("never", 1)) is None

    def test_a_stopped_job_has_ended_and_holds_nothing(self, backend: ComputeBackend, spec: Run) -> None:
        job = spec(WAIT)
        backend.start(job)
        printing(backend, job.attempt)
        backend.stop(job.attempt, 10)
        status = backend.poll(job.attempt)
        assert (status.phase, status.cause) == (AttemptPhase.ENDED, EndCause.STOPPED)
        assert gone(job)
        backend.stop(job.attempt, 1)
        assert backend.poll(job.attempt) == status

    def test_a_killed_worker_is_told_lost_and_its_box_goes_with_it(self, backend: ComputeBackend, spec: Run) -> None:
        job = spec(WAIT)
        backend.start(job)
        printing(backend, job.attempt)
        for process in running(job):
            os.kill(process, signal.SIGKILL)
        status = ended(backend, job.attempt)
        assert status.cause is EndCause.LOST
        assert gone(job)
        backend.start(job)
        assert backend.poll(job.attempt) == status, "a lost attempt is never run again: the next has another number"

    def test_the_next_attempt_is_another(self, backend: ComputeBackend, spec: Run) -> None:
        job = spec("print('ran')\n")
        backend.start(job)
        ended(backend, job.attempt)
        second = MemberAttempt(job.attempt.job, 2)
        assert backend.poll(second).phase is AttemptPhase.UNKNOWN
        backend.start(JobSpec(second, job.work, job.demand, limits=job.limits))
        assert ended(backend, second).exit_code == 0

    def test_what_no_node_could_hold_is_refused_at_once(self, backend: ComputeBackend, spec: Run) -> None:
        job = spec("print('ran')\n")
        for demand, code in (({"cpu": 10**9}, "compute.beyond_node"), ({"gpu/h100": 1000}, "compute.beyond_node")):
            with pytest.raises(RefusedError) as refused:
                backend.start(JobSpec(job.attempt, job.work, demand))
            assert refused.value.code == code
        with pytest.raises(RefusedError) as nowhere:
            backend.start(JobSpec(job.attempt, job.work, job.demand, node="elsewhere"))
        assert nowhere.value.code == "compute.no_such_node"
        with pytest.raises(InputError):
            backend.start(JobSpec(job.attempt, job.work, {"gpu/a": 1000, "gpu/b": 1000}))

    def test_a_step_of_the_clock_changes_nothing(
        self, backend: ComputeBackend, spec: Run, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        job = spec(WAIT)
        backend.start(job)
        printing(backend, job.attempt)
        for step in (-86_400.0, 86_400.0):
            monkeypatch.setattr(time, "time", lambda step=step, now=time.time: now() + step)
            assert backend.poll(job.attempt).phase is AttemptPhase.RUNNING
        monkeypatch.undo()
        backend.stop(job.attempt, 10)

    def test_what_is_forgotten_is_unknown_and_what_runs_is_not_forgotten(
        self, backend: ComputeBackend, spec: Run
    ) -> None:
        job = spec(WAIT)
        backend.start(job)
        backend.forget(job.attempt)
        assert backend.poll(job.attempt).phase is AttemptPhase.RUNNING
        backend.stop(job.attempt, 10)
        backend.forget(job.attempt)
        assert backend.poll(job.attempt).phase is AttemptPhase.UNKNOWN


def running(job: JobSpec) -> list[int]:
    """Return the processes that hold the lock of an attempt, wherever they are."""
    return sorted(int(process.name) for process in Path("/proc").glob("[0-9]*") if _holds_lock(process, job))


def _holds_lock(process: Path, job: JobSpec) -> bool:
    try:
        descriptors = list((process / "fd").iterdir())
    except OSError:
        return False  # it has ended since it was listed
    for descriptor in descriptors:
        with contextlib.suppress(OSError):
            if str(descriptor.readlink()).endswith(f"{job.attempt.name}/running.lock"):
                return True
    return False


def gone(job: JobSpec) -> bool:
    """Tell whether every process of an attempt has gone, or goes within seconds."""
    end = time.monotonic() + 60
    while running(job):
        if time.monotonic() > end:
            return False
    return True
