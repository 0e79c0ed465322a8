"""A lease has one holder; a holder that was replaced cannot write, whatever the clock does."""

import pytest
from stores_for_tests import Clock

from pilotbase.documents.base import Document
from pilotbase.workspace.actors import PUBLIC, Role, actor
from pilotbase.workspace.failures import StaleLeaseError
from pilotbase.workspace.leases import Lease
from pilotbase.workspace.store import Store, View


class Note(Document):
    document: str = "note/1"
    title: str


@pytest.fixture
def operator(store: Store) -> View:
    return store.as_actor(actor("base", Role.OPERATOR))


def taken(lease: Lease | None) -> Lease:
    assert lease is not None
    return lease


def write(view: View, lease: Lease, title: str) -> None:
    with view.transaction("note.stored") as change:
        change.put(Note(title=title), PUBLIC)
        change.require_lease(lease)


def test_a_running_lease_keeps_others_out_until_it_ends(operator: View, clock: Clock) -> None:
    first = taken(operator.acquire("job:1", "a", 30))
    assert operator.acquire("job:1", "b", 30) is None
    clock.step(29)
    operator.renew(first)
    clock.step(29)
    assert operator.acquire("job:1", "b", 30) is None
    clock.step(1)
    second = taken(operator.acquire("job:1", "b", 30))
    assert second.token > first.token
    operator.release(second)
    assert operator.acquire("job:1", "c", 30)


def test_a_stale_holder_can_neither_write_nor_renew_nor_release(operator: View, clock: Clock) -> None:
    stale = taken(operator.acquire("job:1", "a", 30))
    clock.step(31)
    fresh = taken(operator.acquire("job:1", "b", 30))
    with pytest.raises(StaleLeaseError):
        write(operator, stale, "too late")
    assert operator.find("note") == []
    with pytest.raises(StaleLeaseError):
        operator.renew(stale)
    with pytest.raises(StaleLeaseError):
        operator.release(stale)
    write(operator, fresh, "in time")
    assert len(operator.find("note")) == 1


def test_an_expired_lease_that_nobody_took_still_writes(operator: View, clock: Clock) -> None:
    lease = taken(operator.acquire("job:1", "a", 30))
    clock.step(3600)
    write(operator, lease, "slow but alone")
    operator.renew(lease)


def test_a_restarted_holder_of_the_same_name_fences_its_former_self(operator: View) -> None:
    before = taken(operator.acquire("job:1", "a", 30))
    after = taken(operator.acquire("job:1", "a", 30))
    with pytest.raises(StaleLeaseError):
        write(operator, before, "ghost")
    write(operator, after, "alive")


def test_a_clock_that_jumps_back_blocks_nobody_longer_than_the_lease_lasts(operator: View, clock: Clock) -> None:
    stale = taken(operator.acquire("job:1", "a", 30))
    clock.step(-86_400)
    assert operator.acquire("job:1", "b", 30) is None
    clock.step(30)
    fresh = taken(operator.acquire("job:1", "b", 30))
    with pytest.raises(StaleLeaseError):
        write(operator, stale, "ghost")
    write(operator, fresh, "alive")


def test_a_clock_that_jumps_forward_moves_the_lease_but_never_lets_two_write(operator: View, clock: Clock) -> None:
    stale = taken(operator.acquire("job:1", "a", 30))
    clock.step(86_400)
    fresh = taken(operator.acquire("job:1", "b", 30))
    clock.step(-86_400)
    with pytest.raises(StaleLeaseError):
        write(operator, stale, "ghost")
    write(operator, fresh, "alive")


def test_a_released_lease_is_stale(operator: View) -> None:
    lease = taken(operator.acquire("job:1", "a", 30))
    operator.release(lease)
    with pytest.raises(StaleLeaseError):
        write(operator, lease, "after the end")
