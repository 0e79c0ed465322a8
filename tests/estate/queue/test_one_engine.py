"""Jobs that run on one engine are never called lost by a worker of another one."""

from __future__ import annotations

import pytest
from queue_for_tests import Hall, Scripted, works

from pilotbase_estate.backends.backend import MemberAttempt
from pilotbase_estate.queue.dispatching import Dispatcher
from pilotbase_estate.queue.rows import OtherEngineError, QueueState
from pilotbase_estate.queue.turns import Members
from tests.workspace.stores_for_tests import Clock


def of_engine(hall: Hall, engine: str, name: str) -> tuple[Scripted, Dispatcher]:
    backend = Scripted(engine=engine)
    return backend, Dispatcher(hall.view, "shared", Members(backend, works), name)


def test_a_worker_of_another_engine_leaves_a_pool_alone_until_its_jobs_have_ended(hall: Hall, clock: Clock) -> None:
    name, later = hall.ask("mill", cpu=5), hall.ask("mill", cpu=5)
    hall.ask("port", cpu=5)
    hall.dispatcher.turn()
    runs = [one for one in (name, later) if hall.job(one).state is QueueState.RUNNING]
    clock.step(3600)
    cluster, theirs = of_engine(hall, "ray", "second")
    with pytest.raises(OtherEngineError) as refused:
        theirs.turn()
    assert refused.value.exit_code == 5
    assert (
        "Jobs are running on the engine local" in refused.value.render("en")
        and "--engine local" in refused.value.render()
    )
    assert "引擎 local" in refused.value.render("zh")
    assert cluster.starts == [] and all(hall.job(one).state is QueueState.RUNNING for one in runs), "nothing is lost"
    for attempt in list(hall.backend.standing):
        hall.backend.end(attempt)
    assert set(runs) <= set(hall.another("third").turn().ended), "who has the engine is not kept waiting for the lease"


def test_once_they_have_ended_any_engine_will_do(here: Hall, clock: Clock) -> None:
    first = here.ask("mill", cpu=2)
    here.dispatcher.turn()
    here.backend.end(MemberAttempt(first, 1))
    here.dispatcher.turn()
    here.dispatcher.leave()
    second = here.ask("mill", cpu=2)
    cluster, theirs = of_engine(here, "ray", "second")
    assert theirs.turn().started == (second,) and cluster.starts == [MemberAttempt(second, 1)]
    theirs.leave()
    with pytest.raises(OtherEngineError):
        here.another("third").turn()
