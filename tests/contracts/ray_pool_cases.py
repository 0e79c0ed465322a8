"""Run by `test_compute_backends` in a network of its own: a pool and trials on a cluster, parts of it killed hard."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from pilotbase.documents.application import Form
from pilotbase.documents.contract import Contract, Field, Prediction
from pilotbase.documents.limits import Limits
from pilotbase.documents.plan import TrialPlan
from pilotbase.documents.progress import Progress
from pilotbase.documents.report import Report
from pilotbase.documents.vocabularies import Role, Verdict
from pilotbase.protocols.frames import FeatureBatch
from pilotbase.sandbox.box.environments import build_environment
from pilotbase.sandbox.box.settings import BoxSettings, LogPolicy
from pilotbase.sandbox.engines import open_engine
from pilotbase.trial.scorer_process import run_trial
from pilotbase.vault.attempts import AttemptState, attempts_of
from pilotbase.worker.base import Base, open_base
from pilotbase.worker.trials.proving import freeze_in
from pilotbase.workspace.actors import Actor
from pilotbase_estate.backends.backend import MemberAttempt
from pilotbase_estate.backends.ray_cluster import Cluster as RayCluster
from pilotbase_estate.computing.orders import SubmittedProgram, submit_order
from pilotbase_estate.computing.rounds import dispatching
from pilotbase_estate.computing.told_pools import backend_of
from pilotbase_estate.documents.pool import Pool
from pilotbase_estate.documents.resources import Resources
from pilotbase_estate.documents.vocabularies import WaitReason
from pilotbase_estate.queue import rows
from pilotbase_estate.queue.pools import set_pool
from pilotbase_estate.queue.rows import Ending, QueueState
from pilotbase_estate.queue.showing import job_seen, standing
from pilotbase_estate.queue.submitting import JobRequest
from tests.contracts.compute_backend_cases import WAIT
from tests.contracts.ray_cluster import Grown
from tests.hostile.names_for_tests import BITS, by_chance, heard, right_bits, speaking, words_of
from tests.trial.conftest import BAD, GOOD, writing_application, writing_scenario
from tests.trial.test_proving import hidden_set

SLOW = "import time\n{program}\n_answer = predict\ndef predict(batch):\n    time.sleep(0.5)\n    return _answer(batch)"
TRAIN = (
    "import os, sys, time\nprint('begun', flush=True)\ntime.sleep(4)\n"
    "open(os.environ['PILOTBASE_OUTPUT'] + '/model.txt', 'w').write(sys.argv[1])\n"
)
SEND = "def predict(batch):\n    [send(row, x) for row, x in enumerate(batch['x'])]\n    return batch['x']"
HEAR = "def predict(batch):\n    hear(batch.rows)\n    return batch['x']"
HALL = {
    "document": "pool/1",
    "name": "hall",
    "title": "Hall",
    "machines": [{"name": name, "capacity": {"cpu": 1, "memory": "1 GiB"}} for name in ("hall-1", "hall-2", "hall-3")],
    "quotas": [{"organisation": "mill", "guarantee": {"cpu": 1}}, {"organisation": "port", "guarantee": {"cpu": 1}}],
}


@pytest.fixture
def base(asked: RayCluster, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Base]:
    monkeypatch.setenv("PILOTBASE_HOME", str(tmp_path / "home"))
    made = open_base(create=True, name="test-base", engine=open_engine("ray"))
    set_pool(made.lab.view, Pool.model_validate(HALL))
    yield made
    made.lab.close()


def test_jobs_and_trials_each_end_once_though_a_node_of_their_pool_is_killed_hard(
    base: Base, grown: Grown, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    grown.with_nodes("hall-1", "hall-2")
    names = [handed_in(base, tmp_path, f"{whose}-{number}", whose) for number in range(3) for whose in ("mill", "port")]
    scenario, write = writing_scenario(tmp_path)(), writing_application(tmp_path)
    programs = {"sound": GOOD, "blind": BAD, "sound-too": GOOD}
    plans = [freeze_in(base, scenario, write(SLOW.format(program=program), name)) for name, program in programs.items()]
    answering, told = threading.Barrier(len(plans) + 1), set[str]()

    def run(plan: TrialPlan) -> Report:
        def on_progress(progress: Progress) -> None:
            if progress.done and plan.digest() not in told:
                told.add(plan.digest())
                answering.wait(180)

        try:
            return run_trial(base.lab, plan, on_progress)
        except BaseException:
            answering.abort()
            raise

    with ThreadPoolExecutor(len(plans)) as threads, dispatching(base, backend_of(base), "test"):
        running = [threads.submit(run, plan) for plan in plans]
        with suppress(threading.BrokenBarrierError):
            answering.wait(180)
        until(lambda: any("hall-2" in job_of(base, name).nodes for name in names))
        grown.kill("hall-2")
        reports = [one.result(timeout=240) for one in running]
        until(lambda: all(job_of(base, name).ended_at is not None for name in names))
        wide = handed_in(base, tmp_path, "wide", "mill", cpu=1000, members=2)
        until(lambda: job_seen(base.lab.view, wide).wait is not None)
    assert [report.verdict for report in reports] == [Verdict.ACCEPT, Verdict.REJECT, Verdict.ACCEPT]
    assert [report.counts["answered"] for report in reports] == [100] * len(plans)
    states = [attempt.state for attempt in attempts_of(base.lab.vault, hidden_set(base, scenario))]
    assert states == [AttemptState.CLOSED] * len(plans), "none lost, none doubled"
    for plan, report in zip(plans, reports, strict=True):
        assert run_trial(base.lab, plan) == report
    assert {job_of(base, name).state for name in names} == {QueueState.DONE}
    endings = {name: [one.ending for one in job_seen(base.lab.view, name).attempts] for name in names}
    assert all(found.count(Ending.DONE) == 1 and found[-1] is Ending.DONE for found in endings.values()), endings
    assert {one for found in endings.values() for one in found[:-1]} == {Ending.LOST}, "who was on the node that went"
    assert all(backend_of(base).output(MemberAttempt(name, len(found))) is not None for name, found in endings.items())
    for machine in ("hall-2", "hall-3"):
        assert f"machine {machine} of pool hall does not respond" in caplog.text
    wait = job_seen(base.lab.view, wide).wait
    assert wait is not None
    assert (wait.reason, wait.blocker, wait.starts) == (WaitReason.MACHINES, "hall-2, hall-3", None)


def test_while_the_cluster_is_away_jobs_wait_and_nothing_is_called_lost(
    base: Base, grown: Grown, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    grown.with_nodes("hall-1")
    runs = handed_in(base, tmp_path, "runs", "mill", WAIT)
    with dispatching(base, backend_of(base), "test"):
        until(lambda: job_of(base, runs).state is QueueState.RUNNING)
        grown.cluster.head_node.kill_gcs_server(check_alive=False)  # type: ignore[attr-defined]
        waits = handed_in(base, tmp_path, "waits", "port")
        until(lambda: standing(base.lab.view, "hall").there.away)
    assert "the compute cluster does not respond; jobs wait, and none of them is called lost" in caplog.text
    assert "Traceback" not in caplog.text
    assert job_of(base, runs).state is QueueState.RUNNING
    assert [one.ending for one in job_seen(base.lab.view, runs).attempts] == [None]
    seen = job_seen(base.lab.view, waits)
    assert (seen.job.state, seen.attempts) == (QueueState.WAITING, ())
    assert seen.wait is not None
    assert seen.wait.reason is WaitReason.MACHINES


def handed_in(
    base: Base, place: Path, name: str, whose: str, program: str = TRAIN, cpu: int = 500, members: int = 1
) -> str:
    """Hand a program in as an organisation and return the name of its job."""
    files = place / f"program-{name}"
    files.mkdir()
    (files / "main.py").write_text(program)
    demand = Resources.of({"cpu": cpu, "memory": 128 << 20})
    view = base.lab.store.as_actor(Actor(whose, frozenset({Role.SUPPLIER})))
    return submit_order(
        base, view, SubmittedProgram(files, ("main.py", name)), JobRequest("hall", demand, 600, members=members)
    ).name


def job_of(base: Base, name: str) -> rows.JobRow:
    return job_seen(base.lab.view, name).job


def until(holds: Callable[[], bool], seconds: float = 180) -> None:
    """Wait until something holds; what works does so in threads of its own."""
    end = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < end
        threading.Event().wait(0.2)


def test_on_a_node_no_box_that_prints_knows_what_one_that_is_fed_hidden_data_looked_up(
    base: Base, tmp_path: Path
) -> None:
    rows = 64
    contract = Contract(features=(Field(name="x", dataType="sc:Float"),), prediction=Prediction(kind="value"))
    environment = build_environment(b"", "requirements.lock", tmp_path / "environments")
    x = np.random.default_rng(rows).normal(size=rows)

    def answered(mark: str, program: str, logs: LogPolicy, values: NDArray[np.float64]) -> str:
        folder = writing_application(tmp_path / mark)(speaking(mark, program), name=f"box-{len(program)}")
        settings = BoxSettings(Limits(log_bytes=1 << 20, batch_seconds=60), logs=logs)
        with base.lab.engine.start_worker(folder, Form(), contract, environment, settings) as worker:
            worker.predict(FeatureBatch({"x": values}, rows))
            worker.close()
            return worker.logs().text

    def right(mark: str, logs: LogPolicy) -> int:
        (tmp_path / mark).mkdir()
        answered(mark, SEND, logs, x)
        said = heard(answered(mark, HEAR, LogPolicy.FULL, np.zeros(rows)))
        return max(right_bits(words_of(x), words) for words in said.values())

    def is_heard(number: int) -> bool:
        assert right(f"hidden-{number}", LogPolicy.WITHHELD) <= by_chance(rows * BITS)
        return right(f"shown-{number}", LogPolicy.FULL) >= 0.9 * rows * BITS

    # What prints itself may be known, where the cluster opens both boxes in one place: some three times in ten.
    assert any(map(is_heard, range(24)))
