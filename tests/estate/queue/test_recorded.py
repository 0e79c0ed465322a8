"""What a pool has run becomes a trace, and a change of its rules is played on it."""

from __future__ import annotations

from datetime import timedelta

import pytest
from queue_for_tests import POOL, Hall

from pilotbase.documents.errors import InputError, RefusedError
from pilotbase_estate.backends.backend import EndCause, MemberAttempt
from pilotbase_estate.documents.pool_replay import Policy
from pilotbase_estate.queue.pools import trace_of
from pilotbase_estate.replay.policies import PolicyContext
from pilotbase_estate.replay.reporting import replay
from tests.workspace.stores_for_tests import Clock

DAY = timedelta(days=1)


def test_what_has_ended_is_the_trace(here: Hall, clock: Clock) -> None:
    begins = clock()
    first, lost = here.ask("mill", cpu=2, seconds=900), here.ask("port", cpu=1)
    here.dispatcher.turn()
    clock.step(40)
    here.backend.end(MemberAttempt(lost, 1), EndCause.LOST, None)
    here.dispatcher.turn()
    clock.step(60)
    for attempt in (MemberAttempt(first, 1), MemberAttempt(lost, 2)):
        here.backend.end(attempt)
    here.dispatcher.turn()
    here.ask("mill", cpu=1)
    trace = trace_of(here.view, "shared", begins, begins + DAY)
    told = {job.name: (job.organisation, job.submitted, job.runs, job.demand, job.longest) for job in trace.jobs}
    assert told[first] == ("mill", 0, 100, {"cpu": 2000}, 900)
    assert told[lost][2] == 60, "the attempt that ended by itself counts"
    assert (len(told), trace.rows_left_out, trace.recorded_of) == (2, 1, "shared")
    assert trace.nodes == {"node-1": {"cpu": 5000}, "node-2": {"cpu": 5000}}
    found = replay(trace, (Policy.FIFO, Policy.SHARED), PolicyContext(POOL))
    assert [one.waits.ended for one in found.policies] == [2, 2]


def test_a_job_whose_machines_all_went_is_left_out(here: Hall, clock: Clock) -> None:
    begins = clock()
    lost, done = here.ask("mill"), here.ask("port")
    here.dispatcher.turn()
    for number in (1, 2, 3):
        clock.step(10)
        here.backend.end(MemberAttempt(lost, number), EndCause.LOST, None)
        here.dispatcher.turn()
    here.backend.end(MemberAttempt(done, 1))
    here.dispatcher.turn()
    trace = trace_of(here.view, "shared", begins, begins + DAY)
    assert ([job.name for job in trace.jobs], trace.rows_left_out) == ([done], 1)


def test_nothing_recorded_is_told(here: Hall, clock: Clock) -> None:
    here.ask("mill")
    with pytest.raises(InputError) as refused:
        trace_of(here.view, "shared", clock() - DAY, clock() + DAY)
    assert refused.value.code == "replay.nothing_recorded"


def test_only_who_sees_all_may_have_it(here: Hall, clock: Clock) -> None:
    with pytest.raises(RefusedError):
        trace_of(here.person("mill"), "shared", clock() - DAY, clock() + DAY)
