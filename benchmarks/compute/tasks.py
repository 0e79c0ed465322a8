"""The overhead of a job: no-ops on a backend, and on the usual alternatives."""

from __future__ import annotations

import os
import statistics
import tempfile
import time
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from importlib import import_module
from multiprocessing import get_context
from pathlib import Path

from pilotbase.documents.limits import Limits
from pilotbase_estate.backends.backend import AttemptPhase, ComputeBackend, JobSpec, MemberAttempt, ProgramWork
from pilotbase_estate.backends.local import LocalBackend
from pilotbase_estate.backends.ray_cluster import ADDRESS, Cluster, prepare, settings_of

LIMITS = Limits(memory_bytes=128 << 20, wall_seconds=60)


def noop() -> None:
    """Do nothing."""


def ours(backend: ComputeBackend, program: Path, jobs: int, run: str, at_once: int = 2) -> float:
    """Return the seconds that so many no-ops take on a backend, ``at_once`` at a time, each in a box of its own."""
    waiting = [
        JobSpec(MemberAttempt(f"{run}-{number}", 1), ProgramWork(program, ("main.py",)), {"cpu": 100}, limits=LIMITS)
        for number in range(jobs)
    ]
    running: list[MemberAttempt] = []
    began = time.perf_counter()
    while waiting or running:
        while waiting and len(running) < at_once:
            spec = waiting.pop()
            backend.start(spec)
            running.append(spec.attempt)
        running = [attempt for attempt in running if backend.poll(attempt).phase is AttemptPhase.RUNNING]
        time.sleep(0.002)
    return time.perf_counter() - began


def pool(jobs: int, at_once: int = 2) -> float:
    """Return the seconds that so many no-ops take in a spawned process each, without any box."""
    began = time.perf_counter()
    with ProcessPoolExecutor(at_once, mp_context=get_context("spawn"), max_tasks_per_child=1) as processes:
        for done in [processes.submit(noop) for _ in range(jobs)]:
            done.result()
    return time.perf_counter() - began


def warm_pool(jobs: int, at_once: int = 2) -> float:
    """Return the seconds that so many no-ops take in kept processes: started and used before."""
    with ProcessPoolExecutor(at_once, mp_context=get_context("spawn")) as processes:
        list(processes.map(time.sleep, [0.05] * 2 * at_once))  # so that each of them has started and had a task
        began = time.perf_counter()
        for done in [processes.submit(noop) for _ in range(jobs)]:
            done.result()
        return time.perf_counter() - began


def in_turn(times: int, *measures: Callable[[int], float]) -> list[float]:
    """Return the median of each of several measurements, taken in turn."""
    rounds = [[measure(number) for measure in measures] for number in range(times)]
    return [statistics.median(found) for found in zip(*rounds, strict=True)]


def local(jobs: int, times: int) -> list[float]:
    """Return seconds per no-op: on this machine's backend, in a process spawned for it, in kept processes.

    The first of ours are not counted. Ours starts a process and a box for each job; the second starts a process without
    a box; the third starts nothing, so a task finds whatever the one before left behind.
    """
    with tempfile.TemporaryDirectory(prefix="pb-bench-") as name:
        folder = Path(name)
        folder.chmod(0o755)
        (folder / "program").mkdir()
        (folder / "program" / "main.py").write_text("pass\n")
        backend = LocalBackend(folder / "attempts")
        ours(backend, folder / "program", 2, "warm")
        found = in_turn(
            times,
            lambda number: ours(backend, folder / "program", jobs, f"run{number}"),
            lambda _: pool(jobs),
            lambda _: warm_pool(jobs),
        )
    return [seconds / jobs for seconds in found]


def on_ray(jobs: int, times: int) -> list[float]:
    """Return seconds per no-op on the backend of a cluster of this machine's own, and in a bare Ray actor."""
    settings = settings_of(os.environ)
    prepare(settings)
    backends, ray = import_module("pilotbase_estate.backends.cluster"), import_module("ray")
    cluster = Cluster(settings)
    cluster.connect()
    ray.init(address=os.environ[ADDRESS], log_to_driver=False, logging_level="ERROR")
    with tempfile.TemporaryDirectory(prefix="pb-bench-") as name:
        folder = Path(name)
        folder.chmod(0o755)
        (folder / "program").mkdir()
        (folder / "program" / "main.py").write_text("pass\n")
        backend = backends.RayBackend(folder / "home", cluster, name)
        actor = ray.remote(num_cpus=0.1)(_Bare)

        def bare(_: int) -> float:
            began = time.perf_counter()
            for start in range(0, jobs, 2):
                hosts = [actor.remote() for _ in range(min(2, jobs - start))]
                ray.get([host.noop.remote() for host in hosts])
                for host in hosts:
                    ray.kill(host)
            return time.perf_counter() - began

        ours(backend, folder / "program", 2, "warm")
        found = in_turn(times, lambda number: ours(backend, folder / "program", jobs, f"run{number}"), bare)
        ray.shutdown()
    cluster.close()
    return [seconds / jobs for seconds in found]


class _Bare:
    """An actor that does nothing."""

    def noop(self) -> None:
        """Do nothing."""
