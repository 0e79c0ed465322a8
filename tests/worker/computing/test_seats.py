"""A trial takes a seat in a shared pool where the operator says so: it waits with its reason, keeps it, leaves it."""

from __future__ import annotations

import logging
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from pilotbase.documents.permissions import Act
from pilotbase.documents.plan import TrialPlan
from pilotbase.documents.record import Commission
from pilotbase.documents.report import Report
from pilotbase.documents.vocabularies import Role
from pilotbase.worker.base import open_base
from pilotbase.worker.progress import progress_of
from pilotbase.workspace.actors import Actor, parties
from pilotbase.workspace.checks.reconciliation import verify_store
from pilotbase.workspace.failures import NotFoundError
from pilotbase.workspace.jobs import JobState, jobs_of
from pilotbase_estate.backends.backend import MemberAttempt
from pilotbase_estate.computing import seats
from pilotbase_estate.documents.pool import Pool
from pilotbase_estate.documents.resources import Resources
from pilotbase_estate.documents.vocabularies import WaitReason
from pilotbase_estate.queue import rows
from pilotbase_estate.queue.dispatching import Dispatcher
from pilotbase_estate.queue.pools import set_pool
from pilotbase_estate.queue.rows import Ending, JobRow, QueueState
from pilotbase_estate.queue.showing import queue, seats_of
from pilotbase_estate.queue.submitting import JobRequest, submit
from pilotbase_estate.queue.turns import Members
from tests.catalogue.records_for_tests import DESK, OTHER_SUPPLIER, OWNER, PLANNER, SUPPLIER
from tests.estate.queue.queue_for_tests import Scripted, works
from tests.trial.conftest import GOOD, writing_application, writing_scenario
from tests.worker.commissions_for_tests import COMMISSION, MACHINE, Ordered

POOL = {
    "document": "pool/1",
    "name": "hall",
    "title": "Hall",
    "machines": [{"name": "node", "capacity": {"cpu": 2}}],
    "quotas": [{"organisation": "acme"}, {"organisation": "port"}, {"organisation": "test-base"}],
    "seats": {"trials": {}},
}
SLOW = "import time\ndef predict(batch):\n    time.sleep(0.1)\n" + GOOD.split("\n", 1)[1]
WORKER = [sys.executable, "-c", "from pilotbase.cli import main; main()", "worker", "--once", "--lease", "1"]


class Hall:
    """A pool beside a commission, and whoever else wants it."""

    def __init__(self, ordered: Ordered, **more: object) -> None:
        self.ordered, self.store, self.backend = ordered, ordered.base.lab.store, Scripted()
        set_pool(ordered.base.lab.view, Pool.model_validate({**POOL, **more}))

    def turn(self, after: float = 0) -> None:
        """Let the pool have its turn, so many seconds later."""
        late = replace(self.store, clock=lambda: self.store.clock() + timedelta(seconds=after))
        dispatcher = Dispatcher(late.as_actor(MACHINE), "hall", Members(self.backend, works), "tests")
        dispatcher.turn()
        dispatcher.leave()

    def fill(self) -> str:
        """Let another organisation have all of it."""
        port = self.store.as_actor(Actor("port", frozenset({Role.SUPPLIER}), "li"))
        asking = JobRequest("hall", Resources.model_validate({"cpu": 2}), 3600, work="/work", preemptible=False)
        name = submit(port, asking).name
        self.turn()
        return name

    def seats(self) -> list[JobRow]:
        with self.store.database.read() as connection:
            found = rows.jobs_in(connection, "hall", (*rows.LIVE, *rows.OVER))
        return [job for job in found if job.is_seat]

    def attempts(self) -> list[rows.AttemptRow]:
        with self.store.database.read() as connection:
            return [one for job in self.seats() for one in rows.attempts_of(connection, job.name)]


@pytest.fixture(scope="module")
def queued(tmp_path_factory) -> Path:
    """The home of a base with a trial in its queue."""
    place = tmp_path_factory.mktemp("queued")
    return in_queue(place / "home", place, GOOD)


@pytest.fixture
def home(queued, tmp_path) -> Path:
    return shutil.copytree(queued, tmp_path / "home", symlinks=True)


@pytest.fixture
def ordered(home) -> Iterator[Ordered]:
    """That trial, as each test has it to itself."""
    ordered = opened(home)
    yield ordered
    ordered.base.lab.close()


def in_queue(home: Path, place: Path, program: str) -> Path:
    ordered = opened(home)
    ordered.open(writing_scenario(place)(), writing_application(place)(program))
    ordered.propose()
    ordered.approve()
    ordered.freeze()
    ordered.work()
    ordered.do(PLANNER, Act.TRIAL_QUEUE)
    ordered.base.lab.close()
    return home


def opened(home: Path) -> Ordered:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PILOTBASE_HOME", str(home))
        return Ordered(open_base(create=True, name="test-base"))


def the_job(ordered: Ordered):
    return jobs_of(ordered.view(OWNER), COMMISSION)[0]


def once(ordered: Ordered) -> str:
    done = ordered.worker.work_once()
    assert done is not None
    return done[1].value


@pytest.mark.prove
def test_without_a_pool_that_seats_trials_nobody_waits(ordered):
    hall = Hall(ordered, seats=None)
    hall.fill()
    assert once(ordered) == "done"
    assert hall.seats() == []


def test_with_one_a_trial_waits_with_its_reason_runs_on_its_seat_and_leaves_it_with_what_it_used(ordered):
    hall = Hall(ordered)
    assert once(ordered) == "queued"
    assert (ordered.record().state, the_job(ordered).reason.code) == ("queued", "pool.seat_awaited")
    hall.turn()
    assert once(ordered) == "done"
    hall.turn()
    (seat,), (attempt,) = hall.seats(), hall.attempts()
    assert (seat.asked.organisation, seat.subject, seat.state) == ("acme", COMMISSION, QueueState.DONE)
    assert seat.asked.demand.vector == {"cpu": 1000}
    record = ordered.record()
    told = ordered.view(OWNER).load(record.documents["report"], Report).supplier_view().performance
    assert attempt.metered.cpu_ms == round(told.cpu_seconds * 1000) > 0, "no finer than its supplier is told"
    assert the_job(ordered).attempt == 1


def test_who_sees_the_trial_is_told_why_it_waits_and_nobody_else(ordered, caplog):
    caplog.set_level(logging.INFO, "pilotbase.worker")
    hall = Hall(ordered)
    secret = hall.fill()
    for _ in range(3):
        assert once(ordered) == "queued"
    hall.turn()
    for who in (OWNER, SUPPLIER, DESK):
        told = progress_of(ordered.view(who), COMMISSION)
        assert told.seat.pool == "hall"
        assert told.seat.wait.reason == WaitReason.PROMISED
        assert secret not in str(told.seat.wait) or who is DESK
    assert seats_of(ordered.view(OTHER_SUPPLIER), COMMISSION) == []
    with pytest.raises(NotFoundError):
        progress_of(ordered.view(OTHER_SUPPLIER), COMMISSION)
    assert "promised" in the_job(ordered).reason.render("en")
    said = [record.getMessage() for record in caplog.records if "waits" in record.getMessage()]
    assert len(said) == len(set(said)) > 0, "once for each reason"
    assert [one.job.is_seat for one in queue(ordered.view(SUPPLIER), "hall")] == [True]


def test_a_trial_of_an_organisation_without_a_quota_counts_on_that_of_the_base(ordered):
    hall = Hall(ordered, quotas=[{"organisation": "test-base"}])
    assert once(ordered) == "queued"
    assert [seat.asked.organisation for seat in hall.seats()] == ["test-base"]


@pytest.mark.parametrize(("payer", "whose"), [("supplier", "acme"), ("demand_owner", "plant"), ("base", "test-base")])
def test_a_seat_counts_on_the_quota_of_whoever_pays_for_the_trial(ordered, payer, whose):
    hall = Hall(ordered, quotas=[{"organisation": one} for one in ("acme", "plant", "test-base")])
    view, record = ordered.base.lab.view, ordered.record()
    plan, terms = view.load(record.documents["plan"], TrialPlan), view.load(record.documents["commission"], Commission)
    paid = terms.model_copy(update={"price": terms.price.model_copy(update={"paid_by": payer})})
    with view.transaction("tests.paid") as change:
        stored = change.put(paid, parties("acme", "plant"))
    agreed = record.model_copy(update={"documents": {**record.documents, "commission": stored}})
    with pytest.raises(seats.SeatAwaitedError), seats.seat_of_trial(ordered.base.lab, agreed, plan, "job:1"):
        pass
    assert [seat.asked.organisation for seat in hall.seats()] == [whose]


def test_what_could_never_be_had_fails_the_trial_with_what_to_do(ordered):
    Hall(ordered, seats={"trials": {"cpu": 3}})
    assert once(ordered) == "failed"
    assert ordered.record().state == "frozen"
    assert ordered.record().history[-1].reason.code == "pool.larger_than_pool"


def test_a_trial_that_is_stopped_while_it_waits_leaves_the_line(ordered, monkeypatch):
    hall = Hall(ordered)
    once(ordered)
    assert seats.forgo_unasked(ordered.base) == 0
    ordered.do(DESK, Act.TRIAL_STOP)
    monkeypatch.setattr("pilotbase_estate.queue.sitting.leases.is_running", lambda *_: False)
    assert seats.forgo_unasked(ordered.base) == 1
    assert [seat.state for seat in hall.seats()] == [QueueState.CANCELLED]


def test_the_seat_of_a_trial_that_waits_for_its_worker_is_not_forgotten(ordered, monkeypatch):
    hall = Hall(ordered)
    once(ordered)
    monkeypatch.setattr("pilotbase_estate.queue.sitting.leases.is_running", lambda *_: False)
    assert seats.forgo_unasked(ordered.base) == 0
    assert progress_of(ordered.view(OWNER), COMMISSION).seat.wait.reason == WaitReason.WORKER
    assert [seat.state for seat in hall.seats()] == [QueueState.WAITING]


@pytest.mark.prove
def test_a_trial_whose_seat_is_lost_stops_asks_again_and_has_one_verdict(ordered, monkeypatch):
    monkeypatch.setattr(seats, "KEEP_SECONDS", 0.2)
    monkeypatch.setattr("pilotbase_estate.queue.sitting.KEEP_SECONDS", 0.0)
    hall, real, lost = Hall(ordered), seats.TrialSeat.watched, []
    once(ordered)
    hall.turn()

    def lost_in_the_middle(seat, on_progress):
        def tell(progress):
            if progress.stage.code == "trial.progress.answer" and not lost:
                lost.append(hall.turn(after=7 * 24 * 3600))
                _wait(lambda: seat._failure is not None)
            real(seat, on_progress)(progress)

        return tell

    monkeypatch.setattr(seats.TrialSeat, "watched", lost_in_the_middle)
    assert once(ordered) == "queued"
    assert the_job(ordered).reason.code == "pool.seat_lost"
    ends = []
    while not ends or ends[-1] == "queued":
        ends.append(once(ordered))
        hall.turn()
        assert len(ends) < 10
    assert ends[-1] == "done"
    assert the_job(ordered).attempt == 1
    assert [step.act for step in ordered.record().history].count(Act.TRIAL_REPORT) == 1
    assert {one.ending for one in hall.attempts()} == {Ending.LATE, Ending.DONE}


@pytest.mark.prove
def test_the_seat_of_a_worker_that_was_killed_goes_to_others_and_the_trial_goes_on_when_it_has_a_new_one(
    tmp_path,
):
    """kill -9 in the middle of the answers, twice: one verdict of one attempt, nobody's room lost."""
    home = in_queue(tmp_path / "home", tmp_path, SLOW)
    ordered = opened(home)
    hall = Hall(ordered)
    once(ordered)
    hall.turn()
    for _ in range(2):
        _kill_in_the_middle(ordered, home)
        (seat,) = [one for one in hall.seats() if one.state is QueueState.RUNNING]
        hall.turn()
        assert seat.name in {one.name for one in hall.seats() if one.state is QueueState.RUNNING}, "not silent yet"
        hall.turn(after=61)
        theirs = hall.fill()
        with hall.store.database.read() as connection:
            assert rows.find_job(connection, theirs).state is QueueState.RUNNING, "the room went to others"
        assert once(ordered) == "queued"
        assert the_job(ordered).reason.code == "pool.seat_awaited"
        hall.backend.end(MemberAttempt(theirs, 1))
        hall.turn()
    assert once(ordered) == "done"
    hall.turn()
    assert [one.ending for one in hall.attempts()] == [Ending.LOST, Ending.LOST, Ending.DONE]
    job, record = the_job(ordered), ordered.record()
    assert (job.state, job.attempt, record.state) == (JobState.DONE, 1, "reported")
    assert [step.act for step in record.history].count(Act.TRIAL_REPORT) == 1
    report = ordered.view(OWNER).load(record.documents["report"], Report)
    assert report.attempt.number == 1
    assert len([one for one in ordered.view(MACHINE).find("report") if one.load(Report).view == "full"]) == 2
    verify_store(ordered.base.lab.store)
    ordered.base.lab.close()


@pytest.mark.prove
def test_a_worker_that_works_once_gives_the_pool_its_turns_itself(ordered, home):
    hall = Hall(ordered)
    done = subprocess.run(WORKER, env={**os.environ, "PILOTBASE_HOME": str(home)}, capture_output=True, timeout=120)
    assert done.returncode == 0, done.stderr.decode()
    assert ordered.record().state == "reported"
    assert [seat.state for seat in hall.seats()] == [QueueState.DONE]
    assert b"hall" in done.stdout, "it has said what it waited for"


def _kill_in_the_middle(ordered: Ordered, home) -> None:
    worker = subprocess.Popen(WORKER, env={**os.environ, "PILOTBASE_HOME": str(home)}, stdout=subprocess.DEVNULL)
    try:
        _wait(lambda: (progress := the_job(ordered).progress) is not None and progress.done > 0)
    finally:
        worker.send_signal(signal.SIGKILL)
        worker.wait()
    killed = time.monotonic()
    _wait(lambda: not _scorers(home))
    _wait(lambda: time.monotonic() > killed + 1)  # the lease of its job has run out


def _scorers(home) -> list[str]:
    """Return the scorer processes that outlive their worker for a moment."""
    found = subprocess.run(["pgrep", "-f", "pilotbase.trial.scorer_process"], capture_output=True, text=True).stdout
    return [one for one in found.split() if str(home) in _environment(one)]


def _environment(process: str) -> str:
    try:
        with open(f"/proc/{process}/environ", "rb") as read:
            return read.read().decode(errors="replace")
    except OSError:
        return ""


def _wait(holds: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 60
    while not holds():
        assert time.monotonic() < deadline
        time.sleep(0.02)
