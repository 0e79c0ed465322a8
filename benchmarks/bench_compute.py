"""`make bench-compute`: deciding over 10,000 queued jobs, and the overhead of a job.

Decisions: 20 organisations, 64 machines, 10,000 waiting jobs; one job ends, one comes, one decision is made, over and
over. Jobs: no-ops, two at a time, each in its own process and box on this machine's backend. Tasks: no-ops given to a
box that is kept, as trials and services keep theirs. The peer is `ProcessPoolExecutor` with spawn and without any box,
like with like (docs/decisions/0033): a job is compared with a process spawned for each task, a task with processes that
are kept for all tasks; both comparisons have the target. A comparison without a target: a job that starts everything
and a pool that starts nothing. On a Ray cluster of this machine's own, each job is compared with a bare Ray actor. The
first of each are not counted.
"""

from __future__ import annotations

import os

from benchmarks.compute import admission, kept, tasks
from benchmarks.publishing import Row, options_of, publish, row, show


def main() -> None:
    """Measure, print, write; exit 1 if a target is missed."""
    parser = options_of(__doc__)
    parser.add_argument("--jobs", type=int, default=40, help="no-ops a run")
    parser.add_argument("--times", type=int, default=5, help="runs of each, in turn")
    parser.add_argument("--no-ray", action="store_true", help="leave the cluster out")
    options = parser.parse_args()
    jobs, times = (4, 1) if options.quick else (options.jobs, options.times)
    rows = [*deciding(1000 if options.quick else 10_000), *on_this_machine(jobs, times)]
    rows += on_what_is_kept(100 if options.quick else 10_000, times)
    if not options.no_ray:
        rows += on_a_cluster(jobs // 2, times)
    if options.quick:
        show(rows)
        return
    publish("compute", rows, options.times, ("pilotbase", "numpy", "ray"), {})


def deciding(queued: int) -> list[Row]:
    """Return how long decisions take, by the clock and in processor time."""
    print(f"  deciding over {queued:,} queued jobs", flush=True)
    found = admission.measure(queued, decisions=3 * queued // 10)
    said = f"{queued:,} queued jobs, an end, a submission and a decision"
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
    """Return the cost of a no-op in its own box, in turn with a spawn pool that starts a process a task or none."""
    print("  no-ops on this machine, each in a box of its own", flush=True)
    ours, fresh, warm = tasks.local(jobs, times)
    return [
        row("local backend: a no-op job, boxed, two at a time", 1000 * ours, "ms", "<= 1.3x a spawned process a task",
            ours / fresh <= 1.3, "ProcessPoolExecutor, spawn, a new process a task, no box",
            1000 * fresh, ours / fresh),
        row("local backend: the same, unlike with unlike: a box started beside processes that are kept", 1000 * ours,
            "ms", None, True,
            "ProcessPoolExecutor, spawn, processes kept and warm, no box, nothing cleared between tasks",
            1000 * warm, ours / warm),
    ]  # fmt: skip


def on_what_is_kept(count: int, times: int) -> list[Row]:
    """Return the cost of a no-op given to a kept box or a kept process."""
    print("  no-ops given to what is kept", flush=True)
    single, several = kept.measure(count, times)
    target = "<= 1.3x a kept process"
    return [
        row("local engine: a no-op task given to a kept box, there and back", 1000 * single.box, "ms", target,
            single.ratio <= 1.3, "ProcessPoolExecutor, spawn, a kept process, no box, submit and result",
            1000 * single.process, single.ratio),
        row("local engine: the same, two kept boxes at a time, time a task", 1000 * several.box, "ms", target,
            several.ratio <= 1.3, "ProcessPoolExecutor, spawn, two kept processes, no box, all tasks queued",
            1000 * several.process, several.ratio),
    ]  # fmt: skip


def on_a_cluster(jobs: int, times: int) -> list[Row]:
    """Return the cost of a no-op on a Ray cluster, in turn with a bare Ray actor."""
    print("  no-ops on a Ray cluster", flush=True)
    os.environ.pop("PILOTBASE_RAY_ADDRESS", None)
    ours, peer = tasks.on_ray(jobs, times)
    return [
        row("Ray backend: a no-op job, boxed, two at a time", 1000 * ours, "ms", None, True,
            "Ray: a bare actor a task, no box", 1000 * peer, ours / peer)
    ]  # fmt: skip


if __name__ == "__main__":
    main()
