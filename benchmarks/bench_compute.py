"""`make bench-compute`: deciding over 10,000 queued jobs, and what a job costs beside what it does.

Decisions: 20 organisations, 64 machines, 10,000 jobs that wait; one job ends, one comes, one decision is made, over and
over. Jobs: no-ops, each in a process and a box of its own on this machine's backend, beside a spawned process each
without any box (`ProcessPoolExecutor`, one task a child); on a Ray cluster of this machine's own, beside a bare Ray
actor each. The first of each are not counted.
"""

from __future__ import annotations

import argparse
import os

from benchmarks.compute import admission, tasks
from benchmarks.publishing import Row, publish, row


def main() -> None:
    """Measure, print, write; exit 1 when a target is missed."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--jobs", type=int, default=40, help="no-ops a run")
    parser.add_argument("--times", type=int, default=5, help="runs of each, in turn")
    parser.add_argument("--no-ray", action="store_true", help="leave the cluster out")
    options = parser.parse_args()
    rows = [*deciding(), *on_this_machine(options.jobs, options.times)]
    if not options.no_ray:
        rows += on_a_cluster(options.jobs // 2, options.times)
    publish("compute", rows, options.times, ("pilotbase", "numpy", "ray"), {})


def deciding() -> list[Row]:
    """Return how long decisions take, by the clock and by the processor's time."""
    print("  deciding over 10,000 queued jobs", flush=True)
    found = admission.measure()
    said = "10,000 queued jobs, an end, a submission and a decision"
    clock, processor = found.wall, found.processor
    return [
        row(f"admission: p95 by the clock ({said})", clock.p95, "ms", "<= 5 ms", clock.p95 <= 5),
        row("admission: p95 by the processor's time", processor.p95, "ms", "<= 5 ms", processor.p95 <= 5),
        row("admission: decisions a second by the clock", clock.per_second, "1/s", None, True),
        row(
            "admission: decisions a second of processor time", processor.per_second, "1/s", ">= 1,000",
            processor.per_second >= 1000,
        ),
    ]  # fmt: skip


def on_this_machine(jobs: int, times: int) -> list[Row]:
    """Return what a no-op costs in a box of its own, in turn with a spawned process."""
    print("  no-ops on this machine", flush=True)
    ours, peer = tasks.local(jobs, times)
    ratio = ours / peer
    return [
        row("local backend: a no-op job, boxed, two at a time", 1000 * ours, "ms", "<= 1.3x spawned process",
            ratio <= 1.3, "ProcessPoolExecutor, spawn, a process a task, no box", 1000 * peer, ratio)
    ]  # fmt: skip


def on_a_cluster(jobs: int, times: int) -> list[Row]:
    """Return what a no-op costs on a Ray cluster, in turn with a bare actor of Ray's own."""
    print("  no-ops on a Ray cluster", flush=True)
    os.environ.pop("PILOTBASE_RAY_ADDRESS", None)
    ours, peer = tasks.on_ray(jobs, times)
    return [
        row("Ray backend: a no-op job, boxed, two at a time", 1000 * ours, "ms", None, True,
            "Ray: a bare actor a task, no box", 1000 * peer, ours / peer)
    ]  # fmt: skip


if __name__ == "__main__":
    main()
