"""Deciding does not slow down with the queue."""

import pytest

from benchmarks.compute.admission import measure
from tests.estate.sharing.pools_for_tests import Play, machines, pool, quota


def test_the_measured_load_is_one_in_which_something_happens():
    measured = measure(queued=300, decisions=40, organisations=4, machines=8)
    assert measured.starts > 10 and measured.running > 10
    assert measured.processor.median < 5


@pytest.mark.prove
def test_ten_thousand_queued_jobs():
    """By the processor's time: other work on the machine does not count."""
    measured = measure()
    assert measured.processor.p95 <= 5 and measured.starts > 1000


def test_a_job_that_is_handed_in_twice_is_one_job():
    play = Play(pool(quota("a"), nodes=(machines(cpu=4),)))
    for _ in range(2):
        play.submit("a", name="once", max_seconds=100, cpu=1)
        play.settle()
        play.submit("a", name="waits", max_seconds=100, cpu=4)
    assert play.used("a") == 1 and play.desk.waiting == 1
