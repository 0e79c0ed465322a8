"""What is not there of a pool's machines is let to nobody, and nobody is refused or called lost for it."""

from __future__ import annotations

import pytest
from queue_for_tests import Hall

from pilotbase_estate.backends.backend import BackendAwayError, BackendNode, MemberAttempt
from pilotbase_estate.backends.ray_cluster import OWN_NODE
from pilotbase_estate.documents.pool import Pool
from pilotbase_estate.documents.vocabularies import WaitReason
from pilotbase_estate.queue.rows import Ending, QueueState
from pilotbase_estate.queue.showing import job_seen, queue, standing
from pilotbase_estate.queue.turns import There, held_against, keep_there, there_of
from tests.workspace.stores_for_tests import Clock

POOL = Pool.model_validate(
    {
        "document": "pool/1",
        "name": "hall",
        "title": "Hall",
        "machines": [
            {"name": "m", "count": 3, "capacity": {"cpu": 2, "memory": "1 GiB", "disk": "1024 GiB"}},
            {"name": "g", "capacity": {"cpu": 1, "gpu/t4": 1}},
        ],
    }
)
GIB = 1 << 30


def test_each_machine_is_held_against_the_node_of_its_name() -> None:
    nodes = [
        BackendNode("m-1", {"cpu": 64_000, "memory": 64 * GIB}),
        BackendNode("m-3", {"cpu": 1500, "memory": GIB}),
        BackendNode("g", {"cpu": 1000, "gpu/a10": 1000}),
        BackendNode("5f2c", {"cpu": 2000, "memory": GIB}),
    ]
    there = held_against(POOL, nodes)
    assert there.missing == ("m-2",)
    assert there.smaller == {"m-3": {"cpu": 1500}, "g": {"gpu/t4": 0}}, (
        "disk is what the document says: no node tells it"
    )
    found = there.capacities(POOL)
    assert found["m-1"] == POOL.capacities["m-1"], "no more than the document gives"
    assert found["m-2"] == {"cpu": 0, "memory": 0, "disk": 0}
    assert found["m-3"] == {"cpu": 1500, "memory": GIB, "disk": 1 << 40}


def test_one_machine_stands_for_all_as_far_as_it_goes() -> None:
    found = held_against(POOL, [BackendNode(OWN_NODE, {"cpu": 3000, "memory": 8 * GIB})]).capacities(POOL)
    assert [capacity["cpu"] for capacity in found.values()] == [2000, 1000, 0, 0]
    assert found["m-3"]["memory"] == GIB


def test_what_needs_a_machine_that_is_not_there_waits_for_it_and_is_not_refused(here: Hall) -> None:
    wide, small = here.ask("mill", cpu=5, members=2), here.ask("port", cpu=3)
    there = held_against(here.pool, [BackendNode("node-2", {"cpu": 4000})])
    turned = here.dispatcher.turn(there)
    assert turned is not None
    assert turned.started == (small,)
    assert here.job(small).nodes == ("node-2",)
    with here.view.store.database.write() as connection:
        keep_there(connection, "shared", there)
    wait = job_seen(here.view, wide).wait
    assert wait is not None
    assert (wait.reason, wait.blocker, wait.starts) == (WaitReason.MACHINES, "node-1, node-2", None)
    told = standing(here.view, "shared")
    assert (told.there.missing, told.free) == (("node-1",), {"cpu": 1000})
    here.backend.end(MemberAttempt(small, 1))
    back = here.dispatcher.turn()
    assert back is not None
    assert back.started == (wide,), "a machine that is back is let again"


def test_what_is_kept_of_machines_outlives_a_turn(here: Hall) -> None:
    there = There(away=True, missing=("node-1",), smaller={"node-2": {"cpu": 1}})
    with here.view.store.database.write() as connection:
        keep_there(connection, "shared", there)
    here.ask("mill")
    assert here.dispatcher.turn() is not None
    with here.view.reading() as connection:
        assert there_of(connection, "shared") == there


def test_while_nothing_answers_that_is_why_everything_waits(here: Hall) -> None:
    names = [here.ask("mill"), here.ask("port", cpu=5)]
    with here.view.store.database.write() as connection:
        keep_there(connection, "shared", There(away=True))
    for name in names:
        wait = job_seen(here.view, name).wait
        assert wait is not None
        assert (wait.reason, wait.starts) == (WaitReason.MACHINES, None)


def test_who_is_about_to_be_evicted_runs_still_and_waits_for_nothing(here: Hall, clock: Clock) -> None:
    borrowed = [here.ask("port") for _ in range(10)]
    here.dispatcher.turn()
    clock.step(61)
    here.ask("mill", cpu=5)
    shown = {one.job.name: one for one in queue(here.view, "shared")}
    assert [(shown[name].job.state, shown[name].wait) for name in borrowed] == [(QueueState.RUNNING, None)] * 10


def test_while_the_backend_is_away_nothing_is_called_lost(here: Hall) -> None:
    runs = here.ask("mill")
    here.dispatcher.turn()
    here.backend.away = True
    waits = here.ask("port")
    with pytest.raises(BackendAwayError):
        here.dispatcher.turn()
    assert (here.job(runs).state, here.job(waits).state) == (QueueState.RUNNING, QueueState.WAITING)
    here.backend.away = False
    here.dispatcher.turn()
    assert [one.ending for one in here.attempts(runs)] == [None]
    assert here.backend.starts == [MemberAttempt(runs, 1), MemberAttempt(waits, 1)]


def test_a_start_over_which_the_backend_went_away_is_made_good_under_its_number(here: Hall) -> None:
    name = here.ask("mill")
    here.backend.goes_at_start = True
    with pytest.raises(BackendAwayError):
        here.dispatcher.turn()
    here.backend.away = False
    here.dispatcher.turn()
    assert here.backend.starts == [MemberAttempt(name, 1)]
    here.backend.end(MemberAttempt(name, 1))
    here.dispatcher.turn()
    assert [one.ending for one in here.attempts(name)] == [Ending.DONE]
