"""Seats of the base's own work: who takes one where, who stands in the line, who is told why it waits."""

from __future__ import annotations

import pytest
from queue_for_tests import POOL, USED, Hall

from pilotbase.documents.errors import InputError, RefusedError
from pilotbase.documents.service import ServiceStatus
from pilotbase.documents.texts import text
from pilotbase.worker.providers import OwnWork
from pilotbase.workspace.actors import parties
from pilotbase.workspace.failures import ConflictError
from pilotbase_estate.backends.backend import MemberAttempt
from pilotbase_estate.documents.pool import Pool, Seats
from pilotbase_estate.documents.resources import Resources
from pilotbase_estate.documents.vocabularies import JobKind, WaitReason
from pilotbase_estate.queue import rows, sitting
from pilotbase_estate.queue.pools import set_pool
from pilotbase_estate.queue.rows import Ending, QueueState, require_own
from pilotbase_estate.queue.showing import job_seen, queue, seats_of, usage, why_waiting
from pilotbase_estate.queue.sitting import SeatHolder, place_for
from pilotbase_estate.queue.submitting import cancel
from tests.workspace.stores_for_tests import Clock

OWN_QUOTA = {"organisation": "base", "guarantee": {"cpu": 1}}
SEATED = Pool.model_validate(
    {
        **POOL.to_json_value(),
        "quotas": [
            {"organisation": "mill", "guarantee": {"cpu": 6}},
            {"organisation": "port", "guarantee": {"cpu": 3}},
            OWN_QUOTA,
        ],
        "seats": {"trials": {}, "services": {"cpu": 3}},
    }
)


def work(organisation: str = "mill", kind: JobKind = JobKind.TRIAL, **more: object) -> OwnWork:
    told = {"subject": "commission:7", "memory_bytes": 1 << 30, "threads": lambda: 2, **more}
    return OwnWork(kind=kind, organisation=organisation, **told)  # type: ignore[arg-type]


def sitter(hall: Hall, name: str = "job:1", **more: object) -> SeatHolder:
    return SeatHolder(lambda: place_for(hall.view, work(**more)), name)  # type: ignore[arg-type]


def seen_by(hall: Hall, head: str, organisation: str) -> None:
    thing = ServiceStatus(service="thing", state="serving", reason=text("pool.hub.next"), at=hall.store.clock())
    with hall.view.transaction("tests.seen") as change:
        change.set_head(head, change.put(thing, parties(organisation), owner="base"), expected=None)


def the_seat(hall: Hall) -> rows.JobRow:
    with hall.view.reading() as connection:
        (seat,) = rows.seats_about(connection, "commission:7")
    return seat


def test_work_of_the_base_takes_a_seat_only_where_the_operator_says_so(here: Hall) -> None:
    assert place_for(here.view, work()) is None
    assert sitter(here).tend() is None
    assert not sitter(here).holds_one
    set_pool(here.view, SEATED.model_copy(update={"seats": Seats(services=Resources.of({}))}))
    assert place_for(here.view, work()) is None
    set_pool(here.view, SEATED)
    assert place_for(here.view, work()) is not None


def test_a_seat_is_what_the_limits_say_of_what_the_machines_have_and_the_operators_word_counts_instead(
    here: Hall,
) -> None:
    set_pool(here.view, SEATED)
    trial, service = work(seconds=500.0), work(kind=JobKind.SERVICE, subject="service:x@1/1", boxes=2)
    asked = [place_for(here.view, one).asking for one in (trial, service)]  # type: ignore[union-attr]
    assert [one.demand.vector for one in asked] == [{"cpu": 2000}, {"cpu": 3000}], "the machines name no memory"
    assert [(one.members, one.max_seconds) for one in asked] == [(1, 500), (2, SEATED.longest_job)]


def test_it_counts_on_the_quota_of_whose_it_is_and_else_on_that_of_the_base(here: Hall) -> None:
    set_pool(here.view, SEATED)
    hall_2 = {"name": "a-hall", "quotas": [{"organisation": "lab"}, OWN_QUOTA]}
    set_pool(here.view, Pool.model_validate({**SEATED.to_json_value(), **hall_2}))
    found = {one: place_for(here.view, work(one)) for one in ("mill", "lab", "stranger")}
    told = {one: (place.asking.pool, place.view.actor.organisation) for one, place in found.items() if place}
    assert told == {"mill": ("shared", "mill"), "lab": ("a-hall", "lab"), "stranger": ("a-hall", "base")}


def test_a_pool_with_seats_in_which_the_base_has_no_quota_is_refused(here: Hall) -> None:
    with pytest.raises(InputError) as refused:
        set_pool(here.view, SEATED.model_copy(update={"quotas": POOL.quotas}))
    assert refused.value.code == "pool.no_seat_quota"


def test_what_could_never_be_had_is_told_at_once(here: Hall) -> None:
    set_pool(here.view, SEATED)
    with pytest.raises(RefusedError) as refused:
        sitter(here, organisation="port", threads=lambda: 4).tend()
    assert refused.value.code == "pool.never_firm"


def test_nobody_is_let_in_who_has_gone_and_who_comes_back_has_kept_the_place(here: Hall, clock: Clock) -> None:
    set_pool(here.view, SEATED)
    first = here.ask("mill", cpu=5, preemptible=False)
    here.dispatcher.turn()
    waiting = sitter(here)
    assert waiting.tend() is not None
    clock.step(1)
    later = here.ask("mill", cpu=2, preemptible=False)
    here.dispatcher.turn()
    why = [one.wait.reason for one in queue(here.person("mill"), "shared") if one.wait]
    assert why == [WaitReason.PROMISED] * 2
    clock.step(sitting.ASKED_SECONDS + 1)
    (told,) = [one for one in queue(here.person("mill"), "shared") if one.job.is_seat]
    assert told.wait is not None
    assert (told.wait.reason, told.wait.position, told.wait.starts) == (WaitReason.WORKER, 0, None)
    here.dispatcher.turn()
    assert waiting.tend() is not None, "asked for again"
    here.backend.end(MemberAttempt(first, 1))
    here.dispatcher.turn()
    assert {here.job(later).state, the_seat(here).state} == {QueueState.RUNNING}
    assert waiting.tend() is None
    assert waiting.holds_one


def test_a_seat_keeps_no_worker_of_another_engine_away(here: Hall) -> None:
    """Its boxes are held by whoever does the work, and nobody looks for them elsewhere."""
    set_pool(here.view, SEATED)
    sitter(here).tend()
    here.dispatcher.turn()
    assert the_seat(here).state is QueueState.RUNNING
    with here.view.reading() as connection:
        require_own(connection, "ray")


def test_room_goes_to_others_while_nobody_asks_for_the_seat(here: Hall, clock: Clock) -> None:
    set_pool(here.view, SEATED)
    waiting = sitter(here)
    waiting.tend()
    clock.step(sitting.ASKED_SECONDS + 1)
    here.dispatcher.turn()
    assert the_seat(here).state is QueueState.WAITING
    assert here.attempts(the_seat(here).name) == []


def test_a_seat_is_lost_by_silence_and_asked_for_anew(hall: Hall, clock: Clock) -> None:
    set_pool(hall.view, SEATED)
    ours = sitter(hall)
    ours.tend()
    hall.dispatcher.turn()
    assert ours.tend() is None
    for _ in range(5):
        clock.step(sitting.SILENT_SECONDS - 1)
        assert ours.tend() is None
        hall.dispatcher.turn()
    clock.step(sitting.SILENT_SECONDS + 1)
    hall.dispatcher.turn()
    assert ours.tend() is not None, "given to others"
    assert not ours.holds_one
    hall.dispatcher.turn()
    assert ours.tend() is None
    assert [one.ending for one in hall.attempts(the_seat(hall).name)] == [Ending.LOST, None]


def test_whoever_goes_on_with_the_work_sits_down_at_once_where_nobody_was_let_in_between(here: Hall) -> None:
    set_pool(here.view, SEATED)
    killed, other, next_one = sitter(here), sitter(here, name="job:2"), sitter(here)
    killed.tend()
    here.dispatcher.turn()
    killed.tend()
    assert other.tend() is not None, "the work of another"
    assert next_one.tend() is None
    next_one.leave(USED)
    killed.leave(USED)
    assert len(here.attempts(the_seat(here).name)) == 1


def test_a_seat_that_was_left_is_not_sat_on_again(hall: Hall) -> None:
    set_pool(hall.view, SEATED)
    ours, name = sitter(hall), ""
    ours.tend()
    hall.dispatcher.turn()
    ours.tend()
    name = the_seat(hall).name
    ours.leave(USED, Ending.CANCELLED)
    assert ours.tend() is not None
    hall.dispatcher.turn()
    assert (hall.job(name).state, hall.attempts(name)[0].metered.cpu_ms) == (QueueState.CANCELLED, USED.cpu_ms)
    assert ours.tend() is not None
    hall.dispatcher.turn()
    assert ours.tend() is None
    assert the_seat(hall).name != name


def test_a_seat_whose_pool_seats_such_work_no_more_is_given_back(here: Hall, clock: Clock) -> None:
    set_pool(here.view, SEATED)
    ours = sitter(here)
    ours.tend()
    here.dispatcher.turn()
    ours.tend()
    set_pool(here.view, SEATED.model_copy(update={"seats": None}))
    clock.step(30)
    assert ours.tend() is None
    assert not ours.holds_one
    assert len(here.dispatcher.turn().ended) == 1  # type: ignore[union-attr]


def test_the_time_of_a_seat_comes_to_its_end(here: Hall, clock: Clock) -> None:
    set_pool(here.view, SEATED)
    ours = sitter(here, seconds=1000.0)
    ours.tend()
    here.dispatcher.turn()
    ours.tend()
    clock.step(890)
    assert not ours.is_nearly_over
    clock.step(30)
    assert ours.is_nearly_over


def test_nobody_takes_a_seat_back_on_the_page_of_the_pool(hall: Hall) -> None:
    set_pool(hall.view, SEATED)
    sitter(hall).tend()
    for view in (hall.person("mill"), hall.view):
        with pytest.raises(ConflictError) as refused:
            cancel(view, the_seat(hall).name)
        assert refused.value.code == "pool.seat_not_taken_back"
    assert sitting.forgo(hall.view, the_seat(hall).name)
    assert queue(hall.view, "shared") == []


def test_why_it_waits_is_told_who_sees_the_work_and_nobody_else(hall: Hall) -> None:
    set_pool(hall.view, SEATED)
    secret = hall.ask("mill", cpu=5)
    hall.ask("mill", cpu=5)
    hall.dispatcher.turn()
    seen_by(hall, "record:commission:7", "reader")
    sitter(hall, organisation="stranger", threads=lambda: 1).tend()
    hall.dispatcher.turn()
    (told,) = seats_of(hall.person("reader"), "commission:7")
    assert told.wait is not None
    assert told.wait.reason is WaitReason.RECLAIMING
    assert secret not in str(told.wait)
    assert "guarantee" in why_waiting(told).render("en")
    for other in ("mill", "port"):
        assert seats_of(hall.person(other), "commission:7") == []
    with pytest.raises(InputError):
        job_seen(hall.person("reader"), told.job.name)


def test_a_seat_is_in_the_usage_of_the_pool(here: Hall, clock: Clock) -> None:
    set_pool(here.view, SEATED)
    since = clock()
    ours = sitter(here)
    ours.tend()
    here.dispatcher.turn()
    ours.tend()
    clock.step(50)
    ours.leave(USED)
    here.dispatcher.turn()
    assert usage(here.person("port"), "shared", since, clock(), 1)["mill"][0] == pytest.approx(0.2, abs=0.01)
