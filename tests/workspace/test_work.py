"""The queue below jobs and messages: what an upgrade takes over, how long a claim takes, one claim for many workers."""

import statistics
import time
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta
from uuid import uuid4

import pytest
from sqlalchemy import insert, text

from pilotbase.workspace import tables, work
from pilotbase.workspace.failures import StaleLeaseError
from pilotbase.workspace.store import Store
from tests.workspace.stores_for_tests import Clock

WAITING = 11_000
MOST_MS = 5.0


def put(store: Store, key: str, lane: str = "letters") -> int:
    with store.database.write() as connection:
        return work.put(connection, work.WorkRequest(lane, "letter", key, {}), store.clock())


def claimed(store: Store, lane: str = "letters"):
    """Claim for somebody who has claimed nothing yet: what one held before, one takes up again at once."""
    with store.database.write() as connection:
        return work.claim(connection, lane, work.Holder(uuid4().hex, 30), store.clock(), longest=600)


@pytest.mark.one_in(2)
def test_what_fails_is_tried_again_after_its_delays_and_then_ends(store: Store, clock: Clock) -> None:
    put(store, "a")
    waited, retry = [], work.Retry((5, 60))
    for _ in range(200):
        found = claimed(store)
        if found is not None:
            waited.append(clock.now)
            with store.database.write() as connection:
                work.fail(connection, found[1], None, retry, clock.now)
        clock.step(1)
    assert [(later - waited[0]).total_seconds() for later in waited] == [0, 5, 65]
    assert work.Retry((5, 60), forever=True).after(9) == timedelta(seconds=60)


def test_what_waits_for_later_is_due_at_once_where_the_clock_was_set_back(store: Store, clock: Clock) -> None:
    with store.database.write() as connection:
        work.put(
            connection, work.WorkRequest("letters", "letter", "a", {}), clock.now, clock.now + timedelta(seconds=500)
        )
    assert claimed(store) is None
    clock.step(-3600)
    assert claimed(store) is not None


def test_a_replaced_holder_can_neither_end_nor_put_back_nor_remove_a_row(store: Store, clock: Clock) -> None:
    put(store, "a")
    _, lost = claimed(store)
    clock.step(31)
    _, held = claimed(store)
    for write in (
        lambda connection: work.end(connection, lost, work.WorkState.DONE, None, clock.now),
        lambda connection: work.put_back(connection, lost, None, clock.now),
        lambda connection: work.drop(connection, lost),
    ):
        with pytest.raises(StaleLeaseError), store.database.write() as connection:
            write(connection)
    with store.database.write() as connection:
        work.drop(connection, held)
    assert claimed(store) is None


def test_who_claims_again_takes_up_what_they_held_at_once(store: Store, clock: Clock) -> None:
    """Such as a worker that was started again under its name."""
    number, holder = put(store, "a"), work.Holder("w1", 3600)
    put(store, "b")
    for token in (1, 2):
        with store.database.write() as connection:
            found = work.claim(connection, "letters", holder, clock.now)
        assert found is not None and (found[1].identity, found[1].token) == (number, token)


@pytest.mark.one_in(2)
def test_many_that_claim_at_once_get_each_row_once(store: Store) -> None:
    numbers = {put(store, str(number)) for number in range(60)}

    def all_of(_: int) -> list[int]:
        found = []
        while (one := claimed(store)) is not None:
            found.append(one[1].identity)
        return found

    with ThreadPoolExecutor(6) as pool:
        got = [identity for found in pool.map(all_of, range(6)) for identity in found]
    assert sorted(got) == sorted(numbers)


def _fill(store: Store, now: datetime) -> None:
    common = {"kind": "letter", "organisation": "", "person": "", "payload": b"{}", "attempt": 1, "queued_at": now}
    rows = [
        {**common, "lane": lane, "key": f"{lane}{number}", "state": state, "ready_at": ready}
        for lane, state, ready in (("letters", "queued", now), ("others", "queued", now), ("letters", "done", None))
        for number in range(WAITING)
    ]
    with store.database.write() as connection:
        connection.execute(insert(tables.work), rows)
        connection.execute(text("ANALYZE"))


@pytest.mark.prove
def test_a_claim_takes_no_longer_however_many_wait(store: Store) -> None:
    """At most `MOST_MS` at the median, the commit included; on a machine under load no more than from a short lane."""
    for number in range(100):
        put(store, f"{number}", "short")
    _fill(store, store.clock())
    took: dict[str, list[float]] = {"short": [], "letters": []}
    for lane in list(took) * 80:  # by turns: whatever else the machine does, it does to both
        start = time.perf_counter()
        assert claimed(store, lane) is not None
        took[lane].append((time.perf_counter() - start) * 1000)
    few, many = (statistics.median(took[lane]) for lane in ("short", "letters"))
    print(f"a claim of 100 takes {few:.2f} ms, of {WAITING} {many:.2f} ms")
    assert many <= max(MOST_MS, 1.5 * few)
