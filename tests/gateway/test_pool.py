"""A pool of boxes, with boxes that do as they are told: restarts, pauses, and the change before a box is spent."""

import asyncio
import threading
import time

import numpy as np
import pytest

from pilotbase.documents.errors import PilotbaseError
from pilotbase.documents.limits import EndReason, Limits
from pilotbase.gateway.upstreams import pool as pools
from pilotbase.gateway.upstreams.pool import BoxPool
from pilotbase.protocols.frames import AnswerBatch, FeatureBatch
from pilotbase.protocols.upstream import QueueFullError, UpstreamDownError, UpstreamFailedError
from pilotbase.sandbox.box.ends import BoxEnd, BoxEnded
from pilotbase.sandbox.box.supervisor import BoxUsage

LIMITS = Limits(wall_seconds=100, cpu_seconds=10)
ONE = FeatureBatch({"x": np.zeros(1)}, 1)


class Box:
    """Answers with its number; told to end, it does."""

    def __init__(self, number: int) -> None:
        self.number, self.running, self.closed = number, True, False
        self.ends = False
        self.used = BoxUsage(0, 0, 0)
        self.gate = threading.Event()
        self.gate.set()

    def predict(self, batch, following=None):
        self.gate.wait(60)
        if self.ends:
            self.running = False
            raise BoxEnded(BoxEnd(EndReason.APPLICATION_EXIT, 1, ""))
        return AnswerBatch(np.full(batch.rows, float(self.number)))

    def usage(self):
        return self.used

    def cancel(self):
        self.gate.set()

    def close(self, reason=EndReason.FINISHED):
        self.closed = True


class Shop:
    """Starts boxes and remembers them; empty, it starts none."""

    def __init__(self) -> None:
        self.boxes, self.empty = [], False

    def start(self):
        if self.empty:
            raise PilotbaseError("gateway.no_box")
        self.boxes.append(Box(len(self.boxes)))
        return self.boxes[-1]


@pytest.fixture
def shop(monkeypatch):
    monkeypatch.setattr(pools, "FIRST_PAUSE_SECONDS", 0.01)
    monkeypatch.setattr(pools, "_LOOK_SECONDS", 0.02)
    return Shop()


@pytest.fixture
def make(shop):
    made = []

    def build(boxes=1, waiting=4):
        made.append(BoxPool(shop.start, LIMITS, boxes, waiting))
        wait_for(lambda: made[-1].running == boxes or shop.empty)
        return made[-1]

    yield build
    for pool in made:
        pool.close()
    assert all(box.closed for box in shop.boxes)


def wait_for(holds):
    deadline = time.monotonic() + 60
    while not holds() and time.monotonic() < deadline:
        time.sleep(0.002)
    assert holds()


def ask(pool, *batches):
    return [answers.values.tolist() for answers in asyncio.run(pool.predict(batches or [ONE]))]


def test_all_batches_of_a_call_are_answered_by_one_box(make):
    assert ask(make(), ONE, FeatureBatch({"x": np.zeros(2)}, 2)) == [[0.0], [0.0, 0.0]]


def test_a_box_that_ends_fails_its_call_and_the_next_is_answered_by_another(make, shop):
    pool = make()
    shop.boxes[0].ends = True
    with pytest.raises(UpstreamFailedError):
        ask(pool)
    assert ask(pool) == [[1.0]]


def test_a_box_that_ended_in_between_fails_no_call(make, shop):
    pool = make()
    shop.boxes[0].running = False
    assert ask(pool) == [[1.0]]


def test_nobody_waits_where_no_box_comes_up_and_one_that_does_is_asked_again(make, shop):
    shop.empty = True
    pool = make()
    wait_for(lambda: all(keeper.down for keeper in pool._keepers))
    with pytest.raises(UpstreamDownError):
        ask(pool)
    shop.empty = False
    wait_for(lambda: pool.running == 1)
    assert ask(pool) == [[0.0]]


def test_one_call_more_than_may_wait_is_refused(make, shop):
    pool = make(waiting=1)
    shop.boxes[0].gate.clear()

    async def crowd():
        first, second = (asyncio.ensure_future(pool.predict([ONE])) for _ in range(2))
        await asyncio.sleep(0)
        with pytest.raises(QueueFullError):
            await pool.predict([ONE])
        shop.boxes[0].gate.set()
        return [await first, await second]

    assert len(asyncio.run(crowd())) == 2
    assert pool.pending == 0


def test_what_a_caller_who_has_gone_waited_for_is_never_begun(make, shop):
    pool, asked = make(), []
    box = shop.boxes[0]
    answer = box.predict
    box.predict = lambda batch, following=None: asked.append(batch) or answer(batch)
    box.gate.clear()

    async def leave():
        first = asyncio.ensure_future(pool.predict([ONE]))
        gone = [asyncio.ensure_future(pool.predict([ONE])) for _ in range(3)]
        await asyncio.sleep(0)
        for one in gone:
            one.cancel()
        await asyncio.wait(gone)
        box.gate.set()
        await first

    asyncio.run(leave())
    assert ask(pool) == [[0.0]] and len(asked) == 2


@pytest.mark.parametrize("usage", [BoxUsage(90, 0, 0), BoxUsage(0, 9, 0)])
def test_a_box_is_changed_for_another_before_it_is_spent(make, shop, usage):
    pool = make()
    shop.boxes[0].used = usage
    wait_for(lambda: len(shop.boxes) == 2 and shop.boxes[0].closed)
    assert ask(pool) == [[1.0]]
    assert pool.running == 1
