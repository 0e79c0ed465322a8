"""Policies side by side on small traces whose figures can be told by hand."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from pilotbase.documents.errors import InputError
from pilotbase_estate.documents.pool import Pool
from pilotbase_estate.documents.pool_replay import Policy, PoolReplay
from pilotbase_estate.replay.policies import ALONE, PolicyContext, scheduler_of
from pilotbase_estate.replay.reporting import MOST_LOOKS, play, replay, replay_inflated
from pilotbase_estate.replay.simulating import STRETCHES, simulate, used_over_time
from pilotbase_estate.replay.traces import Trace, TraceJob, hastened, read_jobs, read_trace, write_trace
from tests.estate.replay.traces_for_tests import gpus, morning


def _pool(**changes: object) -> Pool:
    pool = {
        "name": "hall",
        "title": "Hall",
        "machines": [{"name": "node", "count": 2, "capacity": {"cpu": 4}}],
        "quotas": [{"organisation": "plant", "guarantee": {"cpu": 8}}, {"organisation": "lab"}],
        "minimum_run": "10 min",
    }
    return Pool.model_validate({**pool, **changes})


def test_a_replay_is_a_document_that_reads_back(tmp_path: Path) -> None:
    found = replay(morning(tmp_path), tuple(Policy))
    assert PoolReplay.from_json_value(found.to_json_value()) == found
    assert [one.policy for one in found.policies] == list(Policy)
    assert (found.trace.jobs, found.trace.nodes, found.trace.span_seconds) == (12, 2, 9000)
    assert all(len(one.used) == STRETCHES for one in found.policies)


def test_whom_the_morning_lets_wait(tmp_path: Path) -> None:
    """As told on the page: lab waits for all of plant, for the first end, for its guarantee."""
    found = replay(morning(tmp_path), (Policy.FIFO, Policy.DRF, Policy.SHARED))
    lab = [one.organisations[0] for one in found.policies]
    assert [one.organisation for one in lab] == ["lab"] * 3
    assert [one.waits.median for one in lab] == [7140, 3540, 540]
    assert [one.evictions for one in found.policies] == [0, 0, 2]
    assert [one.lost_seconds for one in found.policies] == [0, 0, 1200]
    assert found.policies[0].jain < found.policies[1].jain < found.policies[2].jain


def test_the_pool_that_is_given_rules(tmp_path: Path) -> None:
    trace = morning(tmp_path)
    found = replay(trace, (Policy.SHARED,), PolicyContext(_pool()))
    lab = found.policies[0].organisations[0]
    assert found.policies[0].evictions == 0, "all is guaranteed to plant"
    assert lab.waits.longest is not None and lab.waits.longest > 540
    assert found.pool == _pool().digest()


def test_a_pool_that_does_not_name_an_organisation_is_refused(tmp_path: Path) -> None:
    trace, pool = morning(tmp_path), _pool(quotas=[{"organisation": "plant"}])
    with pytest.raises(InputError) as refused:
        replay(trace, (Policy.SHARED,), PolicyContext(pool))
    assert (refused.value.code, refused.value.text.params["found"]) == ("replay.no_quota", "lab")
    with pytest.raises(InputError) as made_up:
        replay(replace(trace, made_up_organisations=True), (Policy.SHARED,), PolicyContext(pool))
    assert made_up.value.code == "replay.made_up_no_quota"


def test_any_gpu_cannot_be_asked_of_a_pool_by_kind() -> None:
    jobs = (TraceJob("j", "plant", "", 0, 1, {"gpu/any": 1000}),)
    pool = _pool(machines=[{"name": "node", "capacity": {"cpu": 8, "gpu/t4": 1}}])
    with pytest.raises(InputError) as refused:
        replay(Trace(pool.capacities, jobs), (Policy.SHARED,), PolicyContext(pool))
    assert refused.value.code == "replay.any_gpu"


def test_maintenance_is_not_played(tmp_path: Path) -> None:
    window = {"starts": "1970-01-01T00:00:00Z", "ends": "2100-01-01T00:00:00Z"}
    found = replay(morning(tmp_path), (Policy.SHARED,), PolicyContext(_pool(maintenance=[window])))
    assert found.policies == replay(morning(tmp_path), (Policy.SHARED,), PolicyContext(_pool())).policies


NODES = {"a": {"cpu": 4000}, "b": {"cpu": 4000}}
BEGAN = datetime(2027, 3, 1, 8, tzinfo=UTC)


def _hour(name: str, **more: Any) -> TraceJob:
    return TraceJob(name, "plant", "", 0, 3600, {"cpu": 4000}, **more)


def _waits(trace: Trace, policy: Policy, pool: Pool | None = None) -> list[float]:
    counted, scheduler = scheduler_of(policy, trace, PolicyContext(pool))
    return [ran.waited for ran in simulate(counted, scheduler).ran]


def test_shared_heeds_labels_and_the_others_do_not() -> None:
    """Two jobs of an hour that want the one machine of zone a: the second waits for the first."""
    jobs = (_hour("first", labels={"zone": "a"}), _hour("second", labels={"zone": "a"}))
    trace = Trace(NODES, jobs, labels={"a": {"zone": "a"}})
    labelled = [{"name": "a", "capacity": {"cpu": 4}, "labels": {"zone": "a"}}, {"name": "b", "capacity": {"cpu": 4}}]
    for pool in (None, _pool(machines=labelled)):
        assert _waits(trace, Policy.SHARED, pool) == [0, 3600]
    assert {policy: _waits(trace, policy) for policy in Policy if policy is not Policy.SHARED} == {
        policy: [0, 0] for policy in Policy if policy is not Policy.SHARED
    }
    nowhere = replay(trace, (Policy.SHARED,), PolicyContext(_pool())).policies[0]
    assert (nowhere.impossible, nowhere.waits.jobs) == (2, 0), "no machine of that pool carries the label"


def test_shared_keeps_out_of_maintenance_and_the_others_do_not() -> None:
    """A window of one machine half an hour later, for an hour: what would run into it takes the other, or waits."""
    window = {"starts": "2027-03-01T08:30:00Z", "ends": "2027-03-01T09:30:00Z", "machines": ["a"]}
    machines = [{"name": name, "capacity": {"cpu": 4}} for name in NODES]
    pool = _pool(machines=machines, maintenance=[window], minimum_run=0)
    trace = Trace(NODES, (_hour("first"), _hour("second"), _hour("third")), began=BEGAN)
    assert _waits(trace, Policy.SHARED, pool) == [0, 3600, 5400]
    assert _waits(trace, Policy.FIFO, pool) == [0, 0, 3600]
    all_closed = pool.model_copy(update={"maintenance": (pool.maintenance[0].model_copy(update={"machines": ()}),)})
    assert _waits(trace, Policy.SHARED, all_closed) == [5400, 5400, 9000]
    assert _waits(replace(trace, began=None), Policy.SHARED, all_closed) == [0, 0, 3600], "nobody knows the day"
    told = replay(replace(trace, jobs=(*trace.jobs, replace(_hour("last"), submitted=7200))), (Policy.FIFO,),
                  PolicyContext(pool))  # fmt: skip
    assert (told.trace.windows, replay(trace, (Policy.FIFO,), PolicyContext(pool)).trace.windows) == (1, 0)


def test_what_may_not_be_evicted_is_not(tmp_path: Path) -> None:
    trace = morning(tmp_path)
    jobs = tuple(replace(job, preemptible=False) for job in trace.jobs)
    found = [replay(one, (Policy.SHARED,)).policies[0] for one in (trace, replace(trace, jobs=jobs))]
    assert [one.evictions for one in found] == [2, 0]
    assert [one.organisations[0].waits.longest for one in found] == [540, 0], "it never had what is lent"


def test_a_pool_that_is_considered_stands_beside_the_pool_as_it_is(tmp_path: Path) -> None:
    trace = morning(tmp_path)
    as_it_is = _pool()
    fair = _pool(quotas=[{"organisation": name, "guarantee": {"cpu": 4}} for name in ("plant", "lab")])
    larger = fair.model_copy(update={"machines": (fair.machines[0].model_copy(update={"count": 4}),)})
    for pool in (fair, larger):
        there = replace(trace, nodes=pool.capacities)
        found = replay(there, (Policy.FIFO, Policy.SHARED), PolicyContext(pool, before=as_it_is))
        assert (found.pool, found.pool_before) == (pool.digest(), as_it_is.digest())
        assert found.before == replay(trace, (Policy.SHARED,), PolicyContext(as_it_is)).policies[0]
        assert found.policies[1] == replay(there, (Policy.SHARED,), PolicyContext(pool)).policies[0] != found.before
        assert PoolReplay.from_json_value(found.to_json_value()) == found
    assert replay(trace, (Policy.FIFO,), PolicyContext(fair, before=as_it_is)).before is None


@pytest.mark.parametrize("policy", list(Policy))
def test_every_policy_gives_back_all_that_it_took(policy: Policy) -> None:
    counted, scheduler = scheduler_of(policy, gpus(), ALONE)
    before = scheduler.fleet.gpu_free.copy()
    course = simulate(counted, scheduler)
    assert all(ran.ended is not None for ran in course.ran)
    assert (scheduler.fleet.gpu_free == before).all()
    assert scheduler.fleet.amounts("cpu").tolist() == [8000, 8000]


def test_who_is_evicted_gives_back_at_once(tmp_path: Path) -> None:
    counted, scheduler = scheduler_of(Policy.SHARED, morning(tmp_path), ALONE)
    course = simulate(counted, scheduler)
    assert sum(ran.evictions for ran in course.ran) == 2
    assert scheduler.fleet.amounts("cpu").tolist() == [4000, 4000]


def test_shares_that_fit_a_machine_in_sum_alone_wait_for_a_card() -> None:
    """Three jobs of 0.6 on two GPUs: the third starts when one of the first has ended, and no GPU is cut in pieces."""
    jobs = tuple(TraceJob(name, "lab", "", 0, 10, {"cpu": 1, "gpu/t4": 600}) for name in "abc")
    counted, scheduler = scheduler_of(Policy.SHARED, Trace({"node": {"cpu": 8000, "gpu/t4": 2000}}, jobs), ALONE)
    free: list[list[int]] = []
    simulate(counted, scheduler, lambda _, fleet: free.append(sorted(fleet.gpu_free[0].tolist())))
    assert free == [[400, 400], [400, 1000], [1000, 1000]]


@pytest.mark.parametrize("policy", list(Policy))
def test_nobody_holds_more_than_there_is(policy: Policy) -> None:
    for moment in play(hastened(gpus(), 20), policy, ALONE).moments:
        assert sum(held.get("cpu", 0) for held in moment.held.values()) <= 16_000
        assert sum(held.get("gpu/t4", 0) for held in moment.held.values()) <= 4000


def test_chance_is_the_seeds() -> None:
    trace = hastened(gpus(), 10)
    runs = [replay(trace, (Policy.RANDOM,), PolicyContext(seed=seed)).policies for seed in (1, 1, 2, 3, 4)]
    assert runs[0] == runs[1]
    assert any(runs[0] != other for other in runs[2:])


def test_fragments_are_looked_at_while_jobs_come() -> None:
    """Halves and whole GPUs come as often: of one half that is free on a full machine only the half is of use."""
    nodes = {"node": {"cpu": 8000, "gpu/t4": 1000}}
    half, whole = {"cpu": 1000, "gpu/t4": 500}, {"cpu": 1000, "gpu/t4": 1000}
    jobs = (TraceJob("a", "lab", "", 0, 50, half), TraceJob("b", "lab", "", 100, 50, whole))
    course = play(Trace(nodes, jobs), Policy.FIFO, ALONE)
    assert course.fragments[0] == (0, pytest.approx(0.5))
    assert len(play(gpus(), Policy.FIFO, ALONE).fragments) <= MOST_LOOKS + 1
    assert (
        play(
            Trace({"node": {"cpu": 8000}}, (TraceJob("a", "lab", "", 0, 1, {"cpu": 1}),)), Policy.FIFO, ALONE
        ).fragments
        == []
    )


def test_use_over_time_is_what_was_held() -> None:
    nodes = {"node": {"cpu": 4000}}
    jobs = tuple(
        TraceJob(name, "lab", "", at, runs, {"cpu": cpu})
        for name, at, runs, cpu in (("a", 0, 30, 4000), ("b", 100, 1, 1))
    )
    course = play(Trace(nodes, jobs), Policy.FIFO, ALONE)
    assert used_over_time(course, "cpu", 4) == pytest.approx((1.0, 0.2, 0.0, 0.0))
    assert used_over_time(course, "gpu", 4) == ()


def test_load_moves_submissions_closer_and_nothing_else(tmp_path: Path) -> None:
    trace = morning(tmp_path)
    closer = hastened(trace, 2)
    assert [job.submitted for job in closer.jobs][-1] == 4500
    assert [job.runs for job in closer.jobs] == [job.runs for job in trace.jobs]


def test_a_trace_that_is_written_reads_back(tmp_path: Path) -> None:
    first = TraceJob("=j", "plant", "-li", 0.5, 2.25, {"cpu": 1500, "gpu/t4": 250, "memory": 1000}, 3, 2, 60.0)
    first = replace(first, labels={"zone": "a", "disk": "fast"}, preemptible=False)
    nodes = gpus().nodes
    trace = Trace(
        nodes, (first, *(replace(job, submitted=job.submitted + 1) for job in gpus().jobs)), labels={"a": {"zone": "a"}}
    )
    write_trace(trace, tmp_path / "trace")
    assert read_trace(tmp_path / "trace" / "jobs.csv", tmp_path / "trace" / "nodes.csv") == trace


def test_labels_and_answers_that_are_none_are_broken_rows(tmp_path: Path) -> None:
    (tmp_path / "nodes.csv").write_text("node,cpu,labels\nn,1,zone\n", "utf-8")
    (tmp_path / "jobs.csv").write_text(
        "job,submitted_seconds,runs_seconds,cpu,labels,preemptible\nj,1,1,1,=a,\nk,1,1,1,,perhaps\n", "utf-8"
    )
    for nodes, found in ((tmp_path / "nodes.csv", {2: "labels"}), (None, {2: "labels", 3: "preemptible"})):
        with pytest.raises(InputError) as refused:
            read_trace(tmp_path / "jobs.csv", nodes) if nodes else read_jobs(tmp_path / "jobs.csv", NODES)
        assert {issue.line: issue.path for issue in refused.value.issues} == found


def test_two_kinds_of_gpu_in_one_row_are_a_broken_row(tmp_path: Path) -> None:
    (tmp_path / "nodes.csv").write_text("node,cpu,gpu/a,gpu/b\nn,1,1,1\n", "utf-8")
    (tmp_path / "jobs.csv").write_text("job,submitted_seconds,runs_seconds,cpu,gpu/a,gpu/b\nj,1,1,1,1,1\n", "utf-8")
    with pytest.raises(InputError) as refused:
        read_trace(tmp_path / "jobs.csv", tmp_path / "nodes.csv")
    assert [issue.line for issue in refused.value.issues] == [2]


def test_what_is_allocated_as_ever_more_is_asked_for() -> None:
    found = replay_inflated(gpus(), (Policy.RANDOM, Policy.FGD), range(2))
    assert [(one.policy, one.asked) for one in found.inflated[:4]] == [
        (Policy.RANDOM, mark) for mark in (0.8, 0.95, 1.0, 1.3)
    ]
    assert all(0 < one.allocated <= 1 for one in found.inflated)
    assert PoolReplay.from_json_value(found.to_json_value()) == found


@pytest.mark.parametrize(("policy", "code"), [(Policy.DRF, "replay.no_placement"), (Policy.FGD, "replay.no_gpus")])
def test_what_cannot_be_inflated_is_refused(policy: Policy, code: str, tmp_path: Path) -> None:
    with pytest.raises(InputError) as refused:
        replay_inflated(morning(tmp_path), (policy,), range(1))
    assert refused.value.code == code
