"""Counters and postings are never overspent, whoever races."""

import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pilotbase.documents.errors import RefusedError
from pilotbase.workspace.actors import Role, actor
from pilotbase.workspace.failures import ConflictError
from pilotbase.workspace.store import Store, View
from tests.workspace.stores_for_tests import POSTGRES_LATER

RACER = """
import sys
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from pilotbase.documents.errors import RefusedError
from pilotbase.workspace.actors import Role, actor
from pilotbase.workspace.log.notes import LogKey
from pilotbase.workspace.store import Store
view = Store.open(sys.argv[1], LogKey(Ed25519PrivateKey.generate())).as_actor(actor("base", Role.OPERATOR))
sys.stdin.readline()
won = 0
for _ in range(20):
    try:
        with view.transaction("race") as change:
            change.add("gpu", 1, at_most=30)
        won += 1
    except RefusedError:
        pass
print(won)
"""


@pytest.fixture
def operator(store: Store) -> View:
    return store.as_actor(actor("base", Role.OPERATOR))


def test_fifty_threads_never_overspend_a_counter(operator: View) -> None:
    def spend(_: int) -> bool:
        try:
            with operator.transaction("race") as change:
                change.add("gpu", 3, at_most=100)
        except RefusedError:
            return False
        return True

    with ThreadPoolExecutor(50) as pool:
        won = sum(pool.map(spend, range(50)))
    assert won == 33
    assert operator.counter("gpu") == 99
    assert len(operator.log_entries()) == 33


@pytest.mark.prove
@POSTGRES_LATER
def test_processes_never_overspend_a_counter(store: Store, every_url: str, operator: View) -> None:
    racers = [
        subprocess.Popen(
            [sys.executable, "-c", RACER, every_url], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        for _ in range(3)
    ]
    won = [int(out) for out, _ in (racer.communicate("go\n", timeout=50) for racer in racers)]
    assert sum(won) == 30
    assert operator.counter("gpu") == 30


def test_a_refusal_says_how_much_is_left_and_counts_nothing(operator: View) -> None:
    with operator.transaction("count") as change:
        change.add("gpu", 7, at_most=10)
    with pytest.raises(RefusedError) as caught, operator.transaction("count") as change:
        change.add("gpu", 4, at_most=10)
    assert caught.value.text.params["left"] == 3
    assert operator.counter("gpu") == 7
    with operator.transaction("count") as change:
        assert change.add("gpu", -2) == 5


def test_a_transfer_is_posted_once_and_balances_are_guarded(operator: View) -> None:
    def pay(transfer: str, amount: int) -> None:
        with operator.transaction("voucher.paid") as change:
            change.post(transfer, {"acme/voucher": -amount, "pool": amount}, at_least={"acme/voucher": 0})

    with operator.transaction("voucher.issued") as change:
        change.post("issue", {"acme/voucher": 100, "fund": -100})
    pay("job-1", 60)
    pay("job-1", 60)
    assert operator.balance("acme/voucher") == 40
    with pytest.raises(ConflictError):
        pay("job-1", 61)
    with pytest.raises(RefusedError) as caught:
        pay("job-2", 41)
    assert caught.value.text.params["balance"] == 40
    assert operator.balance("pool") == 60
    with pytest.raises(ValueError, match="zero"), operator.transaction("forged") as change:
        change.post("forged", {"acme/voucher": 1})


@pytest.mark.one_in(2)
@settings(max_examples=20, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.tuples(st.sampled_from("abc"), st.sampled_from("abc"), st.integers(1, 60)), max_size=8))
def test_money_is_neither_made_nor_lost(operator: View, moves: list[tuple[str, str, int]]) -> None:
    prefix = f"round-{len(operator.log_entries(limit=10**6))}"
    for number, (source, target, amount) in enumerate(moves):
        if source == target:
            continue
        try:
            with operator.transaction("moved") as change:
                change.post(f"{prefix}-{number}", {source: -amount, target: amount}, at_least={source: -100})
        except RefusedError:
            pass
        balances = [operator.balance(account) for account in "abc"]
        assert sum(balances) == 0
        assert min(balances) >= -100
