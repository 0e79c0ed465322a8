"""The boxes of a service on a seat in a shared pool: answered when it is let in, told why when not, given back."""

import shutil
import signal
import threading
import time
from contextlib import contextmanager
from dataclasses import replace
from datetime import timedelta

import pytest

from pilotbase.documents.texts import text
from pilotbase.documents.vocabularies import Role
from pilotbase.gateway.configuration import GatewayConfiguration
from pilotbase.gateway.upstreams import certified, registry, seated
from pilotbase.service.registry import services_of
from pilotbase.service.standing import take_offline
from pilotbase.workspace.actors import Actor
from pilotbase_estate.backends.backend import MemberAttempt
from pilotbase_estate.documents.pool import Pool
from pilotbase_estate.documents.resources import Resources
from pilotbase_estate.documents.vocabularies import JobKind, WaitReason
from pilotbase_estate.queue import rows
from pilotbase_estate.queue.dispatching import Dispatcher
from pilotbase_estate.queue.pools import set_pool
from pilotbase_estate.queue.rows import LIVE, OVER, Ending, QueueState
from pilotbase_estate.queue.showing import seats_of
from pilotbase_estate.queue.submitting import JobRequest, submit
from pilotbase_estate.queue.turns import Members
from tests.estate.queue.queue_for_tests import Scripted, works
from tests.gateway.gateways_for_tests import Place, listening, opened
from tests.gateway.test_calls import body, code, post, said
from tests.gateway.test_kills import Gateway

POOL = {
    "document": "pool/1",
    "name": "hall",
    "title": "Hall",
    "machines": [{"name": "node", "capacity": {"cpu": 2}}],
    "quotas": [{"organisation": "plant"}, {"organisation": "port"}, {"organisation": "test-base"}],
    "seats": {"services": {"cpu": 2}},
}


class Hall:
    """A pool that seats the services of a base, and has its turns all the time."""

    def __init__(self, place, name: str) -> None:
        self.name, self.view, self.backend = name, place.base.lab.view, Scripted()
        self.store = self.view.store
        self.set()

    def set(self, seats=POOL["seats"]) -> None:
        set_pool(self.view, Pool.model_validate({**POOL, "name": self.name, "seats": seats}))

    def turn(self, after: float = 0) -> None:
        late = replace(self.store, clock=lambda: self.store.clock() + timedelta(seconds=after))
        dispatcher = Dispatcher(late.as_actor(self.view.actor), self.name, Members(self.backend, works), "tests")
        dispatcher.turn()
        dispatcher.leave()

    @contextmanager
    def turning(self):
        ended = threading.Event()

        def turns() -> None:
            while not ended.wait(0.1):
                self.turn()

        thread = threading.Thread(target=turns)
        thread.start()
        try:
            yield
        finally:
            ended.set()
            thread.join()

    def fill(self) -> str:
        port = self.store.as_actor(Actor("port", frozenset({Role.SUPPLIER}), "li"))
        name = submit(port, JobRequest(self.name, Resources.model_validate({"cpu": 2}), 3600, work="/work")).name
        self.turn()
        return name

    def empty(self, name: str) -> None:
        self.backend.end(MemberAttempt(name, 1))
        self.turn()

    def seats(self, service: str) -> list[rows.JobRow]:
        with self.store.database.read() as connection:
            found = rows.jobs_in(connection, self.name, (*LIVE, *OVER))
        return [job for job in found if job.thing == f"service:{service}"]

    def attempts(self, service: str) -> list[rows.AttemptRow]:
        with self.store.database.read() as connection:
            return [one for job in self.seats(service) for one in rows.attempts_of(connection, job.name)]


@pytest.fixture(scope="module")
def apart(place, tmp_path_factory):
    """A copy of the proven base, whose services nobody else has opened boxes for."""
    home = shutil.copytree(place.base.home.path, tmp_path_factory.mktemp("apart") / "home", symlinks=True)
    apart = Place(opened(home), place.certificate)
    for service, _ in services_of(apart.base.lab.view):
        stop(apart, service.name)
    yield apart
    apart.base.lab.close()


@pytest.fixture
def hall(apart, name, monkeypatch):
    monkeypatch.setattr(seated, "PATIENCE_SECONDS", 0.3)
    monkeypatch.setattr(seated, "_ASK_SECONDS", 0.05)
    monkeypatch.setattr(registry, "TEND_SECONDS", 0.05)
    hall = Hall(apart, f"hall-of-{name}")
    yield hall
    hall.set(seats=None)
    stop(apart, name)


@pytest.fixture
def fresh(apart, hall):
    """A gateway that has opened no box yet."""
    with listening(apart.base, GatewayConfiguration()) as live:
        yield live


def stop(apart, service):
    take_offline(apart.base.lab.view, service, text("service.reason.by_hand", reason="line 3 is rebuilt"))


def wait_for(holds, seconds=60.0):
    deadline = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < deadline
        time.sleep(0.01)


def test_a_service_holds_a_seat_as_long_as_its_boxes_are_open_and_leaves_it_with_what_they_used(apart, hall, name):
    apart.serve(name, ask_human=False)
    with hall.turning(), listening(apart.base, GatewayConfiguration()) as live:
        wait_for(lambda: post(live, apart.key(name), body(name, 7.5))[0][0] == 200)
        assert [seat.state for seat in hall.seats(name)] == [QueueState.RUNNING]
    hall.turn()
    (seat,), (attempt,) = hall.seats(name), hall.attempts(name)
    assert (seat.asked.kind, seat.asked.organisation, seat.state) == (JobKind.SERVICE, "plant", QueueState.DONE)
    assert attempt.metered.wall_ms > 0 < attempt.metered.cpu_ms


def test_where_no_seat_is_to_be_had_a_caller_is_told_why_and_when_to_ask_again(apart, hall, fresh, name):
    apart.serve(name, ask_human=False)
    theirs, key = hall.fill(), apart.key(name)
    (refused,) = post(fresh, key, body(name, 7.5))
    assert (refused[0], code(refused), refused[2]["Retry-After"]) == (503, "gateway.no_seat", "10")
    assert "is waiting for computing power" in refused[1]["error"]["message"]
    assert theirs not in refused[1]["error"]["message"]
    (told,) = seats_of(hall.view, f"service:{name}")
    assert told.wait.reason in (WaitReason.PROMISED, WaitReason.POOL_FULL, WaitReason.TURN)
    hall.empty(theirs)
    wait_for(lambda: post(fresh, key, body(name, 7.5))[0][0] == 200)
    assert [seat.state for seat in hall.seats(name)] == [QueueState.RUNNING]


def test_what_could_never_be_had_is_told_as_that(apart, hall, fresh, name):
    hall.set(seats={"services": {"cpu": 3}})
    apart.serve(name, ask_human=False)
    (refused,) = post(fresh, apart.key(name), body(name, 7.5))
    assert (refused[0], code(refused)) == (503, "gateway.no_seat")
    assert hall.name in refused[1]["error"]["message"]


def test_a_person_takes_over_where_the_terms_say_so(apart, hall, fresh, name):
    apart.serve(name, ask_human=True)
    hall.fill()
    ((status, answer, _),) = post(fresh, apart.key(name), body(name, 7.5))
    assert (status, answer["pilotbase"]) == (200, {"handed_over": True})


def test_without_a_pool_that_seats_services_none_is_taken(apart, hall, fresh, name):
    hall.set(seats={"trials": {}})
    apart.serve(name)
    hall.fill()
    (answer,) = post(fresh, apart.key(name), body(name, 7.5))
    assert said(answer) == "broken"
    assert hall.seats(name) == []


def test_boxes_whose_seat_is_lost_are_ended_and_come_back_with_the_next(apart, hall, fresh, name, monkeypatch):
    monkeypatch.setattr("pilotbase_estate.queue.sitting.KEEP_SECONDS", 0.0)
    monkeypatch.setattr(seated, "GRACE_SECONDS", 0.0)
    apart.serve(name, ask_human=False)
    key = apart.key(name)
    with hall.turning():
        wait_for(lambda: post(fresh, key, body(name, 7.5))[0][0] == 200)
    hall.turn(after=7 * 24 * 3600)
    theirs = hall.fill()
    wait_for(lambda: code_of(post(fresh, key, body(name, 7.5))) == "gateway.no_seat")
    hall.empty(theirs)
    wait_for(lambda: post(fresh, key, body(name, 7.5))[0][0] == 200)
    assert [one.ending for one in hall.attempts(name)] == [Ending.LATE, None]


def test_a_service_that_was_stopped_gives_its_seat_back(apart, hall, fresh, name, monkeypatch):
    monkeypatch.setattr(certified, "IDLE_SECONDS", 0.2)
    apart.serve(name)
    with hall.turning():
        wait_for(lambda: post(fresh, apart.key(name), body(name, 7.5))[0][2].get("Pilotbase-Standing") == "serving")
        ((_, upstream),) = fresh.gateway.upstreams.made()
        wait_for(lambda: upstream.is_idle)
        assert said(post(fresh, apart.key(name), body(name, 7.5))[0]) == "broken"
        assert len(hall.attempts(name)) == 1, "idle, but it answers"
        stop(apart, name)
        wait_for(lambda: [seat.state for seat in hall.seats(name)] == [QueueState.DONE])


@pytest.mark.prove
def test_the_seat_of_a_gateway_that_was_killed_goes_to_others(apart, hall, name):
    apart.serve(name)
    with hall.turning():
        gateway = Gateway(apart.base.home.path)
        wait_for(lambda: post(gateway, apart.key(name), body(name, 7.5))[0][0] == 200, 60)
        gateway.process.send_signal(signal.SIGKILL)
        gateway.process.wait()
    hall.turn()
    assert [seat.state for seat in hall.seats(name)] == [QueueState.RUNNING]
    hall.turn(after=61)
    theirs = hall.fill()
    with hall.store.database.read() as connection:
        assert rows.find_job(connection, theirs).state is QueueState.RUNNING
    assert hall.attempts(name)[0].ending is Ending.LOST


def code_of(answers):
    return code(answers[0]) if answers[0][0] != 200 else ""
