"""Rounds go on whatever goes wrong in one of them, and end with their block."""

import threading
import time
from datetime import UTC, datetime, timedelta

import pytest

from pilotbase.certificate.status import read_revocations
from pilotbase.worker.jobs.retention import sweeping
from pilotbase.worker.rounds import OnceADay, Pace, in_rounds
from pilotbase.workspace.failures import BusyError

PACE = Pace(idle=0.001, rest=0.001)


@pytest.mark.parametrize("error", [BusyError("workspace.busy"), ValueError("a bug")])
def test_a_round_that_goes_wrong_is_followed_by_the_next(error, caplog):
    went_on, seen = threading.Event(), []

    def once():
        seen.append(len(seen))
        if len(seen) == 1:
            raise error
        went_on.set()
        return False

    with in_rounds("tests", once, PACE):
        assert went_on.wait(10)
    (record,) = caplog.records
    assert "tests" in record.getMessage()
    assert (record.exc_info is not None) == isinstance(error, ValueError), "what passes by itself needs no traceback"


def test_there_is_no_pause_while_there_may_be_more_and_none_after_the_block():
    third, seen = threading.Event(), []

    def once():
        seen.append(None)
        if len(seen) == 3:
            third.set()
        return len(seen) < 3

    with in_rounds("tests", once, Pace(idle=3600, rest=3600)):
        assert third.wait(10)
    assert len(seen) == 3
    assert "tests" not in {thread.name for thread in threading.enumerate()}


def test_once_a_day_is_tried_again_until_it_was_done():
    days, done = iter([1, 1, 1, 2]), []

    def act():
        done.append(None)
        if len(done) == 1:
            raise BusyError("workspace.busy")

    daily = OnceADay(lambda: datetime(2026, 11, next(days), tzinfo=UTC), act)
    with pytest.raises(BusyError):
        daily()
    for _ in range(3):
        daily()
    assert len(done) == 3, "again after it failed, not again on the same day, and again on the next"


def test_a_running_worker_keeps_the_public_list_of_revocations_fresh(base):
    """A list speaks for a day: a hub that runs for weeks would let every certificate become unknown."""
    first, before = base.revocations.read_bytes(), base.lab.store.clock
    object.__setattr__(base.lab.store, "clock", lambda: before() + timedelta(hours=13))
    with sweeping(base, 10):
        deadline = time.monotonic() + 60
        while base.revocations.read_bytes() == first and time.monotonic() < deadline:
            time.sleep(0.05)
    listed = read_revocations(base.revocations.read_bytes(), base.trust.roots())
    assert (listed.number, listed.fresh(before() + timedelta(hours=36))) == (2, True)
