"""The queue: who is next, who takes over, who may still write; on both databases."""

from itertools import product

import pytest
from sqlalchemy import update

from pilotbase.documents.base import Document
from pilotbase.documents.errors import InputError
from pilotbase.documents.progress import Progress
from pilotbase.documents.texts import text
from pilotbase.workspace import tables
from pilotbase.workspace.actors import PUBLIC, Role, actor, parties
from pilotbase.workspace.failures import NotFoundError, StaleLeaseError
from pilotbase.workspace.jobs import (
    JobState,
    beat,
    claim,
    enqueue,
    finish,
    jobs_of,
    live_jobs,
    ordered_jobs,
    queue_figures,
    stop,
)
from pilotbase.workspace.store import Store, View
from tests.quick_cases import covering
from tests.workspace.stores_for_tests import Clock


class Note(Document):
    document: str = "record/1"
    title: str


@pytest.fixture
def view(store: Store) -> View:
    return store.as_actor(actor("base", Role.OPERATOR, person="p1"))


def order(view: View, subject: str, kind: str = "trial") -> int:
    with view.transaction("test.ordered") as change:
        change.put(Note(title=subject), PUBLIC)
        if view.head(f"record:{subject}") is None:
            change.set_head(f"record:{subject}", Note(title=subject).digest(), expected=None)
        return enqueue(change, kind, subject, {"plan": "sha256:0"})


def test_jobs_are_done_in_order_and_each_says_how_many_come_first(view: View) -> None:
    numbers = [order(view, subject) for subject in ("a", "b", "c")]
    assert [job.ahead for job in live_jobs(view)] == [0, 1, 2]
    first = claim(view, "w1", 30)
    second = claim(view, "w2", 30)
    assert first is not None
    assert second is not None
    assert [first.job.identity, second.job.identity] == numbers[:2]
    assert jobs_of(view, "c")[0].ahead == 0
    assert jobs_of(view, "a")[0].person == "p1"


def test_the_same_work_is_queued_once_while_it_waits_or_runs_and_counts_attempts_after(view: View) -> None:
    assert order(view, "a") == order(view, "a")
    claimed = claim(view, "w1", 30)
    assert claimed is not None
    assert order(view, "a") == claimed.job.identity
    finish(view, claimed, JobState.FAILED, text("job.worker_stopped"))
    order(view, "a")
    assert [(job.attempt, job.state) for job in jobs_of(view, "a")] == [(2, "queued"), (1, "failed")]


def test_a_silent_worker_is_replaced_with_the_same_attempt_and_can_write_no_more(view: View, clock: Clock) -> None:
    order(view, "a")
    order(view, "b")
    dead = claim(view, "w1", 30)
    assert dead is not None
    clock.step(20)
    assert beat(view, dead, Progress(text("job.progress.certificate"), 1, 2)) is False
    clock.step(20)
    other = claim(view, "w2", 30)
    assert other is not None
    assert other.job.subject == "b"
    clock.step(11)
    again = claim(view, "w3", 30)
    assert again is not None
    assert (again.job.identity, again.job.attempt) == (dead.job.identity, 1)
    for write in (lambda: beat(view, dead), lambda: finish(view, dead, JobState.DONE)):
        with pytest.raises(StaleLeaseError):
            write()
    assert jobs_of(view, "a")[0].progress == Progress(text("job.progress.certificate"), 1, 2)


def test_what_is_put_back_does_not_hold_up_what_waits(view: View, clock: Clock) -> None:
    order(view, "a")
    order(view, "b")
    first = claim(view, "w1", 30)
    assert first is not None
    clock.step(1)
    finish(view, first, JobState.QUEUED, text("job.worker_stopped"))
    assert [(job.subject, job.ahead) for job in live_jobs(view)] == [("b", 0), ("a", 1)], "as they are taken"
    following = claim(view, "w1", 30)
    assert following is not None
    assert following.job.subject == "b"
    assert jobs_of(view, "a")[0].reason == text("job.worker_stopped")


def test_a_clock_that_was_set_back_lets_no_job_be_tried_again_and_again_before_the_others(
    view: View, clock: Clock
) -> None:
    order(view, "a")
    order(view, "b")
    clock.step(-3600)
    tried = []
    for _ in range(4):
        claimed = claim(view, "w1", 30)
        assert claimed is not None
        tried.append(claimed.job.subject)
        finish(view, claimed, JobState.QUEUED, text("job.worker_stopped"))
    assert tried == ["a", "b", "a", "b"]


def test_a_clock_that_was_set_back_neither_takes_a_job_from_its_worker_nor_leaves_a_dead_one_hanging(
    view: View, clock: Clock
) -> None:
    order(view, "a")
    running = claim(view, "w1", 30)
    assert running is not None
    clock.step(-3600)
    assert claim(view, "w2", 30) is None
    assert beat(view, running) is False
    clock.step(29)
    assert claim(view, "w2", 30) is None
    clock.step(2)
    taken = claim(view, "w2", 30)
    assert taken is not None
    assert taken.job.attempt == 1
    with pytest.raises(StaleLeaseError):
        finish(view, running, JobState.DONE)
    finish(view, taken, JobState.DONE)


def test_figures_of_the_queue_tell_how_long_the_oldest_waits_and_who_is_silent(view: View, clock: Clock) -> None:
    for subject in ("a", "b", "c"):
        order(view, subject)
        clock.step(10)
    claimed = claim(view, "w1", 30)
    assert claimed is not None
    clock.step(5)
    figures = queue_figures(view.store)
    assert (figures.by_state["queued"], figures.by_state["running"], figures.by_state["failed"]) == (2, 1, 0)
    assert (figures.oldest_seconds, figures.silent_seconds) == (25.0, 5.0)
    clock.step(-3600)
    assert queue_figures(view.store).oldest_seconds == 0.0


def test_stopping_ends_what_waits_and_tells_what_runs(view: View) -> None:
    order(view, "a")
    running = claim(view, "w1", 30)
    assert running is not None
    order(view, "a", "freeze")
    with view.transaction("test.stopped") as change:
        stop(change, "a", text("record.stopped", organisation="base"))
    assert [(job.kind, job.state) for job in jobs_of(view, "a")] == [("freeze", "cancelled"), ("trial", "running")]
    assert beat(view, running) is True
    finish(view, running, JobState.CANCELLED)
    assert jobs_of(view, "a")[1].reason == text("record.stopped", organisation="base")


def test_what_a_person_orders_for_themselves_is_theirs_alone_but_stands_in_line(store: Store, view: View) -> None:
    theirs = store.as_actor(actor("ministry", Role.REGULATOR, person="p2"))
    with theirs.transaction("test.ordered") as change:
        enqueue(change, "bundle", "bundle:x", {})
    order(view, "a")
    assert [job.kind for job in ordered_jobs(theirs, "bundle:x")] == ["bundle"]
    for other in (actor("ministry", Role.REGULATOR, person="p3"), actor("base", Role.OPERATOR, person="p2")):
        assert ordered_jobs(store.as_actor(other), "bundle:x") == []
    assert [(job.subject, job.ahead) for job in live_jobs(view)] == [("a", 1)]


def test_jobs_of_an_unseen_record_do_not_exist(store: Store, view: View) -> None:
    with view.transaction("test.ordered") as change:
        change.put(Note(title="secret"), parties("acme"), owner="plant")
        change.set_head("record:secret", Note(title="secret").digest(), expected=None)
        enqueue(change, "trial", "secret", {})
    assert jobs_of(store.as_actor(actor("acme", Role.SUPPLIER)), "secret")
    for who in (actor("globex", Role.SUPPLIER), actor("hospital", Role.DEMAND_OWNER)):
        with pytest.raises(NotFoundError):
            jobs_of(store.as_actor(who), "secret")
        assert live_jobs(store.as_actor(who)) == []


UNREADABLE = [b"no JSON", b"\xff\x00", b"[1]", b'{"plan": 1}', b"[" * 100_000]


@pytest.mark.parametrize(("column", "kept"), covering(product(["payload", "progress", "reason"], UNREADABLE)))
def test_a_row_that_cannot_be_read_is_claimed_shown_and_ended_as_any_other(
    view: View, column: str, kept: bytes
) -> None:
    order(view, "a")
    order(view, "b")
    with view.store.database.write() as connection:
        connection.execute(update(tables.work).where(tables.work.c.key == "a").values({column: kept}))
    claimed = claim(view, "w1", 30)
    assert claimed is not None
    assert (claimed.job.subject, claimed.job.readable) == ("a", column != "payload")
    assert [job.subject for job in live_jobs(view)] == ["a", "b"]
    with pytest.raises(InputError) as lacking:
        claimed.job.payload["order"]
    assert lacking.value.code == "job.unreadable"
    finish(view, claimed, JobState.FAILED, text("job.unreadable"))
    ended = jobs_of(view, "a")[0]
    assert (ended.state, ended.reason) == (JobState.FAILED, text("job.unreadable"))
    other = claim(view, "w1", 30)
    assert other is not None
    assert (other.job.subject, other.job.readable) == ("b", True)
