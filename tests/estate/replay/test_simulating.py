"""A trace played against schedulers: small traces whose course can be told by hand."""

from __future__ import annotations

import pytest

from pilotbase_estate.documents.pool_replay import Policy
from pilotbase_estate.placing.fleet import BestFit
from pilotbase_estate.replay.policies import Drf, Fifo, SeatMap
from pilotbase_estate.replay.simulating import jain_index, policy_replay, simulate
from pilotbase_estate.replay.traces import Trace, TraceJob

NODES = {"node": {"cpu": 4000}}


def _job(name: str, organisation: str, at: float, runs: float, cpu: int, members: int = 1) -> TraceJob:
    return TraceJob(name, organisation, "", at, runs, {"cpu": cpu}, members)


def test_first_come_first_served_lets_nobody_pass() -> None:
    jobs = (_job("a", "mill", 0, 10, 3000), _job("b", "port", 1, 10, 2000), _job("c", "mill", 2, 1, 1000))
    course = simulate(Trace(NODES, jobs), Fifo(SeatMap(NODES, BestFit())))
    assert [ran.started for ran in course.ran] == [0, 10, 10]
    assert [ran.ended for ran in course.ran] == [10, 20, 11]


def test_whose_dominant_share_is_the_least_is_next() -> None:
    nodes = {"node": {"cpu": 9000, "memory": 18}}
    paper = [TraceJob(f"a{n}", "a", "", 0, 10, {"cpu": 1000, "memory": 4}) for n in range(9)]
    paper += [TraceJob(f"b{n}", "b", "", 0, 10, {"cpu": 3000, "memory": 1}) for n in range(9)]
    course = simulate(Trace(nodes, tuple(paper)), Drf(SeatMap(nodes, BestFit()), nodes))
    first = [ran.job.organisation for ran in course.ran if ran.started == 0]
    assert (first.count("a"), first.count("b")) == (3, 2), "Ghodsi et al., NSDI 2011, §4.1"


def test_what_no_node_could_hold_waits_for_nothing() -> None:
    jobs = (
        _job("large", "mill", 0, 1, 5000),
        _job("gang", "mill", 0, 1, 2000, members=3),
        _job("small", "mill", 0, 1, 1),
    )
    course = simulate(Trace(NODES, jobs), Fifo(SeatMap(NODES, BestFit())))
    assert [ran.impossible for ran in course.ran] == [True, True, False]
    assert course.ran[2].started == 0
    assert policy_replay(Policy.FIFO, course, "cpu").impossible == 2


def test_figures_of_a_course_that_can_be_told_by_hand() -> None:
    """mill holds all of the node for 10 s, port waits and then holds half of it until the last job comes at 20 s."""
    jobs = (_job("a", "mill", 0, 10, 4000), _job("b", "port", 0, 20, 2000), _job("c", "mill", 20, 1, 1000))
    course = simulate(Trace(NODES, jobs), Fifo(SeatMap(NODES, BestFit())))
    figures = policy_replay(Policy.FIFO, course, "cpu")
    shares = {one.organisation: one.share for one in figures.organisations}
    waits = {one.organisation: one.waits for one in figures.organisations}
    assert figures.utilisation == {"cpu": pytest.approx(0.75)}
    assert shares == {"mill": pytest.approx(1.0), "port": pytest.approx(0.25)}
    assert figures.jain == pytest.approx(1.25**2 / (2 * (1 + 0.0625)))
    assert (waits["port"].jobs, waits["port"].longest) == (1, 10)
    assert figures.fragmentation is None
    assert (figures.unfinished, figures.evictions) == (0, 0)


def test_jains_index() -> None:
    assert jain_index([0.5, 0.5]) == 1
    assert jain_index([1, 0, 0, 0]) == 0.25
    assert jain_index([0, 0]) == 1
