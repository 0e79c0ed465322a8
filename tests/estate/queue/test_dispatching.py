"""The dispatcher: what waits starts, what ends is followed by what its ending asks for, and no step is done twice."""

from __future__ import annotations

from contextlib import AbstractContextManager

import pytest
from queue_for_tests import POOL, USED, Hall, works
from sqlalchemy import Connection

from pilotbase.documents.errors import InputError, PilotbaseError, RefusedError
from pilotbase.documents.limits import EndReason
from pilotbase.workspace.engine import Database
from pilotbase.workspace.failures import BusyError, ConflictError, NotFoundError, StaleLeaseError
from pilotbase_estate.backends.backend import AttemptPhase, EndCause, MemberAttempt, Status
from pilotbase_estate.documents.pool import Pool
from pilotbase_estate.documents.resources import Resources
from pilotbase_estate.documents.vocabularies import WaitReason
from pilotbase_estate.queue import rows, sitting, turns
from pilotbase_estate.queue.dispatching import Dispatcher, Turned
from pilotbase_estate.queue.pools import set_pool
from pilotbase_estate.queue.rows import Ending, JobRow, QueueState
from pilotbase_estate.queue.submitting import PLACER, JobRequest, cancel
from pilotbase_estate.queue.turns import Members, Prepared
from pilotbase_estate.sharing.explaining import PoolScheduler, waits
from pilotbase_estate.sharing.jobs import SchedulingDecisions
from tests.workspace.stores_for_tests import Clock


def test_a_job_waits_runs_ends_and_is_metered(hall: Hall) -> None:
    name = hall.ask("mill", cpu=2)
    assert hall.job(name).state is QueueState.WAITING
    turned = hall.dispatcher.turn()
    assert turned is not None
    assert turned.started == (name,)
    assert hall.backend.starts == [MemberAttempt(name, 1)]
    hall.backend.end(MemberAttempt(name, 1))
    assert hall.dispatcher.turn().ended == (name,)
    assert hall.job(name).state is QueueState.DONE
    (attempt,) = hall.attempts(name)
    assert (attempt.ending, attempt.metered.cpu_ms, attempt.held) == (Ending.DONE, USED.cpu_ms, {"cpu": 2000})


def test_what_could_never_run_is_told_at_submission(here: Hall) -> None:
    for cpu, code in ((6, "pool.larger_than_machine"), (11, "pool.larger_than_pool")):
        with pytest.raises(RefusedError) as refused:
            here.ask("mill", cpu=cpu)
        assert refused.value.code == code
    with pytest.raises(RefusedError) as stranger:
        here.ask("bank", cpu=1)
    assert stranger.value.code == "pool.no_quota"
    assert here.view.store is here.store
    assert here.dispatcher.turn().started == ()


def test_one_borrows_what_is_idle_and_gives_it_back_when_the_other_returns(hall: Hall, clock: Clock) -> None:
    """The seventy and the thirty: mill is idle, port takes all, mill returns and has its seventy within a minute."""
    borrowed = [hall.ask("port", cpu=1) for _ in range(10)]
    assert len(hall.dispatcher.turn().started) == 10
    returned = [hall.ask("mill", cpu=1) for _ in range(7)]
    hall.dispatcher.turn()
    why = waits(hall.dispatcher.desk, clock().timestamp())
    assert {why[name].reason for name in returned} <= {WaitReason.RECLAIMING, WaitReason.BEHIND}
    assert WaitReason.RECLAIMING in {one.reason for one in why.values()}
    clock.step(61)
    turned = hall.dispatcher.turn()
    assert len(turned.evicted) == 7
    assert sorted(turned.started) == sorted(returned)
    assert [hall.job(name).state for name in returned] == [QueueState.RUNNING] * 7
    states = [hall.job(name).state for name in borrowed]
    assert (states.count(QueueState.RUNNING), states.count(QueueState.WAITING)) == (3, 7)
    evicted = next(name for name in borrowed if hall.job(name).state is QueueState.WAITING)
    assert hall.job(evicted).evictions == 1
    assert hall.attempts(evicted)[0].ending is Ending.EVICTED
    hall.backend.end(MemberAttempt(returned[0], 1))
    hall.dispatcher.turn()
    assert sum(hall.job(name).attempt == 2 for name in borrowed) == 1


def test_a_lost_attempt_is_tried_again_three_times_at_the_most(hall: Hall) -> None:
    name = hall.ask("mill")
    hall.dispatcher.turn()
    for number in (1, 2, 3):
        assert hall.job(name).state is QueueState.RUNNING
        hall.backend.end(MemberAttempt(name, number), EndCause.LOST, None)
        hall.dispatcher.turn()
    assert hall.job(name).state is QueueState.FAILED
    assert [attempt.ending for attempt in hall.attempts(name)] == [Ending.LOST] * 3
    assert "3" in hall.job(name).reason.render("en")


def test_its_own_fault_is_not_tried_again(hall: Hall) -> None:
    name = hall.ask("mill")
    hall.dispatcher.turn()
    hall.backend.end(MemberAttempt(name, 1), EndCause.RAN, EndReason.MEMORY_LIMIT)
    hall.dispatcher.turn()
    assert hall.job(name).state is QueueState.FAILED
    assert hall.job(name).reason.code == "box.end.memory_limit"


def test_what_takes_longer_than_it_said_is_ended(here: Hall, clock: Clock) -> None:
    name = here.ask("mill", seconds=120)
    here.dispatcher.turn()
    clock.step(124)
    here.dispatcher.turn()
    assert here.job(name).state is QueueState.RUNNING, "its box ends it first"
    clock.step(2)
    here.dispatcher.turn()
    assert (here.job(name).state, here.attempts(name)[0].ending) == (QueueState.FAILED, Ending.LATE)


def test_a_start_that_fails_is_taken_for_lost(here: Hall) -> None:
    here.backend.refuses = True
    name = here.ask("mill")
    here.dispatcher.turn()
    assert (here.job(name).state, here.job(name).losses) == (QueueState.WAITING, 1)
    here.backend.refuses = False
    here.dispatcher.turn()
    assert here.backend.starts == [MemberAttempt(name, 2)]


def test_a_gang_starts_whole_and_ends_whole(here: Hall) -> None:
    name = here.ask("mill", cpu=2, members=3)
    here.dispatcher.turn()
    assert len(here.backend.starts) == 3
    here.backend.end(MemberAttempt(name, 1, 1), EndCause.RAN, EndReason.APPLICATION_ERROR)
    here.dispatcher.turn()
    assert here.job(name).state is QueueState.FAILED
    assert all(status.phase is AttemptPhase.ENDED for status in here.backend.standing.values())
    assert here.attempts(name)[0].metered.cpu_ms == 3 * USED.cpu_ms


def test_who_waits_is_cancelled_at_once_and_who_runs_at_the_next_turn(hall: Hall) -> None:
    first, second = hall.ask("mill"), hall.ask("mill")
    cancel(hall.person("mill"), second)
    assert hall.job(second).state is QueueState.CANCELLED
    hall.dispatcher.turn()
    assert hall.backend.starts == [MemberAttempt(first, 1)]
    cancel(hall.person("mill"), first)
    assert hall.job(first).state is QueueState.STOPPING
    hall.dispatcher.turn()
    assert hall.job(first).state is QueueState.CANCELLED
    with pytest.raises(ConflictError):
        cancel(hall.person("mill"), first)


def test_a_job_of_others_does_not_exist(here: Hall) -> None:
    name = here.ask("mill")
    with pytest.raises(NotFoundError) as other:
        cancel(here.person("port"), name)
    with pytest.raises(NotFoundError) as nobody:
        cancel(here.person("port"), "job-0000000000000000")
    assert other.value.code == nobody.value.code
    assert here.job(name).state is QueueState.WAITING


def test_one_dispatcher_at_a_time_and_the_next_goes_on(hall: Hall, clock: Clock) -> None:
    name = hall.ask("mill")
    hall.dispatcher.turn()
    other = hall.another("second")
    assert other.turn() is None, "the first holds the pool"
    clock.step(31)
    assert other.turn() is not None
    assert hall.backend.starts == [MemberAttempt(name, 1)], "what runs is not started again"
    hall.backend.end(MemberAttempt(name, 1))
    assert other.turn().ended == (name,)
    assert hall.dispatcher.turn() is None


def test_a_dispatcher_that_was_replaced_writes_nothing(here: Hall, clock: Clock) -> None:
    name = here.ask("mill")
    here.dispatcher.turn()
    here.backend.end(MemberAttempt(name, 1))
    poll, other = here.backend.poll, here.another("second")

    def poll_late(attempt: MemberAttempt) -> Status:
        """The first falls asleep over its question, and another takes the pool."""
        here.backend.poll = poll  # type: ignore[method-assign]
        clock.step(31)
        other.turn()
        return poll(attempt)

    here.backend.poll = poll_late  # type: ignore[method-assign]
    with pytest.raises(StaleLeaseError):
        here.dispatcher.turn()
    assert here.job(name).state is QueueState.DONE
    assert [attempt.ending for attempt in here.attempts(name)] == [Ending.DONE]
    assert here.dispatcher.turn() is None


def test_a_pool_that_shrinks_gives_up_what_can_never_run_and_says_why(here: Hall) -> None:
    name = here.ask("mill", cpu=5)
    blocking = here.ask("port", cpu=1)
    smaller = {"machines": [{"name": "node", "count": 3, "capacity": {"cpu": 4}}]}
    set_pool(here.view, Pool.model_validate({**POOL.to_json_value(), **smaller}))
    here.dispatcher.turn()
    assert here.job(name).state is QueueState.FAILED
    assert here.job(name).reason.code == "pool.larger_than_machine"
    assert here.job(blocking).state is QueueState.RUNNING


def test_a_seat_is_let_in_kept_and_left(hall: Hall, clock: Clock) -> None:
    asking = JobRequest("shared", Resources.model_validate({"cpu": 2}), 600, subject="commission:7")
    mill = hall.person("mill")
    assert sitting.take_seat(mill, asking, "worker") is None
    hall.dispatcher.turn()
    lease = sitting.take_seat(mill, asking, "worker")
    assert lease is not None
    assert sitting.keep(mill, lease)
    clock.step(50)
    hall.dispatcher.turn()
    assert sitting.keep(mill, lease)
    sitting.leave(mill, lease, USED)
    turned = hall.dispatcher.turn()
    assert len(turned.ended) == 1
    job = hall.job(turned.ended[0])
    assert (job.state, hall.attempts(job.name)[0].metered.cpu_ms) == (QueueState.DONE, USED.cpu_ms)
    assert hall.backend.starts == []


def test_a_seat_that_falls_silent_is_given_to_others(here: Hall, clock: Clock) -> None:
    asking = JobRequest("shared", Resources.model_validate({"cpu": 2}), 600, subject="commission:7")
    mill = here.person("mill")
    sitting.take_seat(mill, asking, "worker")
    here.dispatcher.turn()
    lease = sitting.take_seat(mill, asking, "worker")
    clock.step(61)
    here.dispatcher.turn()
    assert sitting.take_seat(mill, asking, "other") is None
    here.dispatcher.turn()
    assert lease is not None
    assert not sitting.keep(mill, lease)
    with pytest.raises(StaleLeaseError):
        sitting.leave(mill, lease, USED)
    again = sitting.take_seat(mill, asking, "other")
    assert again is not None
    sitting.leave(mill, again, USED)
    assert len(here.dispatcher.turn().ended) == 1


class KilledError(BaseException):
    """What a process that is killed does not survive."""


@pytest.mark.one_in(4)
@pytest.mark.parametrize("step", range(1, 9))
def test_killed_at_any_write_the_next_dispatcher_goes_on(
    here: Hall, clock: Clock, step: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Two jobs, one is lost once; the dispatcher dies at its n-th write; each ends once, none is doubled."""
    names = [here.ask("mill"), here.ask("port")]
    writes = {"left": step}
    write = type(here.store.database).write

    def counted(database: object) -> object:
        writes["left"] -= 1
        if writes["left"] == 0:
            raise KilledError
        return write(database)

    monkeypatch.setattr(type(here.store.database), "write", counted)
    with pytest.raises(KilledError):
        for turn in range(20):
            here.dispatcher.turn()
            if turn == 0:
                here.backend.end(MemberAttempt(names[0], 1), EndCause.LOST, None)
            for attempt, status in list(here.backend.standing.items()):
                if turn and status.phase is AttemptPhase.RUNNING:
                    here.backend.end(attempt)
    monkeypatch.undo()
    clock.step(31)
    after = here.another("second")
    for _ in range(6):
        after.turn()
        for attempt, status in list(here.backend.standing.items()):
            if status.phase is AttemptPhase.RUNNING:
                here.backend.end(attempt)
    assert [here.job(name).state for name in names] == [QueueState.DONE] * 2
    assert len(here.backend.starts) == len(set(here.backend.starts))
    for name in names:
        endings = [attempt.ending for attempt in here.attempts(name)]
        assert endings.count(Ending.DONE) == 1
        assert None not in endings


def test_the_next_dispatcher_decides_as_the_first_would(here: Hall, clock: Clock) -> None:
    """What organisations had lately, whom machines are kept for and who is protected goes on with the pool."""
    for number in range(8):
        here.ask(("mill", "port")[number % 2], cpu=1 + number % 2, seconds=600)
    here.ask("port", cpu=5, seconds=600)
    here.dispatcher.turn()
    clock.step(40)
    here.dispatcher.turn()
    first = here.dispatcher.desk
    assert first is not None
    clock.step(31)
    now = clock().timestamp()
    with here.view.reading() as connection:
        kept = turns.standing_of(connection, "shared", rows.jobs_in(connection, "shared"))
    second = PoolScheduler(first.pool, PLACER, kept, now)
    before, after = first.state(now), second.state(now)
    by_name = [
        {one.job.name: (one.nodes, one.protected, one.evictions) for one in state.running} for state in (before, after)
    ]
    assert by_name[0] == by_name[1]
    assert any(protected is not None for _, protected, _ in by_name[0].values())
    assert [one.job.name for one in before.pending] == [one.job.name for one in after.pending]
    assert before.kept == after.kept is not None
    assert all(after.recent[name].share > 0 for name, recent in before.recent.items() if recent.share > 0)
    assert first.decide(now) == second.decide(now)


def test_who_takes_a_job_back_while_it_is_let_in_is_heard(here: Hall) -> None:
    """Between the decision and its writing the job is taken back: it does not run, and its room is free."""
    name = here.ask("mill", cpu=5)
    decide = PoolScheduler.decide

    def decide_and_be_overtaken(desk: PoolScheduler, now: float) -> SchedulingDecisions:
        decided = decide(desk, now)
        cancel(here.person("mill"), name)
        return decided

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(PoolScheduler, "decide", decide_and_be_overtaken)
        assert here.dispatcher.turn() == Turned()
    assert here.job(name).state is QueueState.CANCELLED
    assert here.backend.starts == []
    others = [here.ask("mill", cpu=5), here.ask("mill", cpu=2)]
    assert sorted(here.dispatcher.turn().started) == sorted(others)


@pytest.mark.parametrize("cause", [EndCause.LOST, EndCause.STOPPED])
def test_a_job_that_was_taken_back_is_not_tried_again_whatever_became_of_it(here: Hall, cause: EndCause) -> None:
    name = here.ask("mill")
    here.dispatcher.turn()
    cancel(here.person("mill"), name)
    here.backend.end(MemberAttempt(name, 1), cause, None)
    here.dispatcher.turn()
    assert here.job(name).state is QueueState.CANCELLED
    here.dispatcher.turn()
    assert here.backend.starts == [MemberAttempt(name, 1)]


def test_an_eviction_over_which_a_dispatcher_died_is_none_of_the_jobs_fault(here: Hall, clock: Clock) -> None:
    name = here.ask("mill")
    here.dispatcher.turn()
    here.backend.stop(MemberAttempt(name, 1), 0)
    clock.step(31)
    here.another("second").turn()
    assert here.attempts(name)[0].ending is Ending.EVICTED
    assert here.job(name).state in (QueueState.WAITING, QueueState.RUNNING)


@pytest.mark.parametrize("error", [InputError("compute.bad_data", found="x"), RefusedError("pool.no_quota")])
def test_what_is_wrong_with_a_job_itself_is_told_and_not_tried_again(here: Hall, error: PilotbaseError) -> None:
    def refuse(job: JobRow) -> Prepared:
        raise error

    dispatcher = Dispatcher(here.view, "shared", Members(here.backend, refuse), "other")
    name = here.ask("mill")
    dispatcher.turn()
    assert (here.job(name).state, here.job(name).losses) == (QueueState.FAILED, 0)
    assert here.job(name).reason == error.text


def test_a_turn_that_breaks_off_leaves_no_room_taken(here: Hall) -> None:
    """A write fails in the middle of a turn: the next turn decides from the rows, and everything starts once."""
    here.dispatcher.turn()
    names = [here.ask("mill") for _ in range(5)]
    write, left = type(here.store.database).write, iter([False, False, True])

    def busy_once(database: Database) -> AbstractContextManager[Connection]:
        if next(left, False):
            raise BusyError("workspace.busy")
        return write(database)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(type(here.store.database), "write", busy_once)
        with pytest.raises(BusyError):
            here.dispatcher.turn()
        here.dispatcher.turn()
    assert [here.job(name).state for name in names] == [QueueState.RUNNING] * 5
    assert sorted(here.backend.starts, key=str) == sorted((MemberAttempt(name, 1) for name in names), key=str)


def test_another_version_of_the_pool_makes_nothing_ready_again_that_runs(here: Hall) -> None:
    made_ready: list[str] = []

    def count(job: JobRow) -> Prepared:
        made_ready.append(job.name)
        return works(job)

    dispatcher = Dispatcher(here.view, "shared", Members(here.backend, count), "other")
    name = here.ask("mill")
    dispatcher.turn()
    set_pool(here.view, POOL.model_copy(update={"minimum_run": 120.0}))
    dispatcher.turn()
    assert made_ready == [name]


def test_a_seat_does_not_outlive_its_time(here: Hall, clock: Clock) -> None:
    mill = here.person("mill")
    asking = JobRequest("shared", Resources.model_validate({"cpu": 2}), 100, subject="commission:7")
    sitting.take_seat(mill, asking, "worker")
    here.dispatcher.turn()
    lease = sitting.take_seat(mill, asking, "worker")
    assert lease is not None
    for _ in range(3):
        clock.step(36)
        sitting.keep(mill, lease)
    (name,) = here.dispatcher.turn().ended
    assert (here.job(name).state, here.attempts(name)[0].ending) == (QueueState.FAILED, Ending.LATE)
    assert not sitting.keep(mill, lease)
