"""The budget of unscored cases: no case is scored twice, the αs sum below α, a crash buys nothing."""

import dataclasses
import subprocess
import sys
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from sqlalchemy import delete, insert, select, update

from pilotbase.documents.errors import InvalidProofError, RefusedError
from pilotbase.documents.hashes import digest_bytes
from pilotbase.vault.attempts import (
    AttemptRequest,
    AttemptState,
    VaultAttempt,
    cancel_attempt,
    close_attempt,
    commit_answers,
    mark_delivered,
    mark_scored,
    mark_scored_before,
    open_attempt,
    order_commitment,
    remaining,
    reveal_order,
)
from pilotbase.vault.place import Vault
from pilotbase.vault.sealing import HiddenSet, SealTerms, seal
from pilotbase.workspace import tables
from pilotbase.workspace.actors import Role, actor
from pilotbase.workspace.checks.reconciliation import verify_store

SCENARIO, ANSWERS = digest_bytes(b"scenario"), digest_bytes(b"answers")


def asks(name: str, cases: int = 100) -> AttemptRequest:
    plan, application = digest_bytes(f"plan {name}".encode()), digest_bytes(f"application {name}".encode())
    return AttemptRequest(plan, application, nonce=plan[7:39], cases=cases)


def committed(vault: Vault, hidden_set: HiddenSet, name: str, cases: int = 100) -> VaultAttempt:
    attempt = open_attempt(vault, hidden_set, asks(name, cases))
    mark_delivered(vault, attempt)
    commit_answers(vault, attempt, ANSWERS)
    return attempt


def small_set(vault: Vault, rows: int = 1000, attempts: int = 5) -> HiddenSet:
    return seal(vault, pl.DataFrame({"x": range(rows)}), SealTerms(SCENARIO, "plant", 0.05, attempts))


def test_attempt_j_gets_alpha_over_j_times_j_plus_1_whoever_the_supplier(any_vault: Vault) -> None:
    hidden_set = small_set(any_vault)
    attempts = [open_attempt(any_vault, hidden_set, asks(name)) for name in ("acme", "globex", "initech")]
    assert [attempt.number for attempt in attempts] == [1, 2, 3]
    assert [attempt.alpha for attempt in attempts] == pytest.approx([0.05 / 2, 0.05 / 6, 0.05 / 12])
    drawn = np.concatenate([attempt.cases for attempt in attempts])
    assert len(set(drawn.tolist())) == 300
    left = remaining(any_vault, hidden_set)
    assert (left.fresh, left.reserved, left.scored, left.attempts) == (700, 300, 0, 2)
    assert (left.next_number, left.next_alpha) == (4, pytest.approx(0.05 / 20))


def test_alpha_split_among_suppliers_is_counted_for_each(vault: Vault) -> None:
    terms = SealTerms(SCENARIO, "plant", 0.05, 9, suppliers=("acme", "globex"))
    split = seal(vault, pl.DataFrame({"x": range(100)}), terms)

    def opened(name: str, supplier: str | None) -> VaultAttempt:
        return open_attempt(vault, split, dataclasses.replace(asks(name, 5), supplier=supplier))

    found = [
        opened("a", "acme"),
        opened("b", "acme"),
        opened("c", "globex"),
        opened("tender", None),
        opened("d", "acme"),
    ]
    assert [one.number for one in found] == [1, 4, 2, 3, 7]
    assert [one.alpha for one in found] == pytest.approx([0.025 / 2, 0.025 / 6, 0.025 / 2, 0, 0.025 / 12])
    assert remaining(vault, split, "globex").next_alpha == pytest.approx(0.025 / 6)
    assert remaining(vault, split).next_number == 5
    assert remaining(vault, split).spent_alpha == pytest.approx(sum(one.alpha for one in found))
    for ask in (lambda: opened("e", "initech"), lambda: remaining(vault, split, "initech")):
        with pytest.raises(RefusedError) as refused:
            ask()
        assert refused.value.code == "vault.not_admitted"


def test_attempts_on_earlier_versions_of_the_data_have_had_their_share(vault: Vault) -> None:
    terms = SealTerms(SCENARIO, "plant", 0.05, 5, attempts_before=3)
    hidden_set = seal(vault, pl.DataFrame({"x": range(100)}), terms)
    left = remaining(vault, hidden_set)
    assert (left.attempts, left.next_number, left.next_alpha) == (5, 4, pytest.approx(0.05 / 20))
    assert left.spent_alpha == pytest.approx(0.05 * (1 / 2 + 1 / 6 + 1 / 12))
    assert open_attempt(vault, hidden_set, asks("a", 10)).number == 4


def test_the_same_plan_and_application_find_their_attempt_again_in_any_state(any_vault: Vault) -> None:
    hidden_set = small_set(any_vault)
    first = open_attempt(any_vault, hidden_set, asks("a"))
    for step, state in (
        (lambda: None, AttemptState.OPEN),
        (lambda: mark_delivered(any_vault, first), AttemptState.DELIVERED),
        (lambda: commit_answers(any_vault, first, ANSWERS), AttemptState.COMMITTED),
        (lambda: close_attempt(any_vault, first), AttemptState.CLOSED),
    ):
        step()
        step()
        again = open_attempt(any_vault, hidden_set, asks("a"))
        assert (again.identity, again.number, again.state) == (first.identity, 1, state)
        assert again.cases.tolist() == first.cases.tolist()
    assert again.answers == ANSWERS
    assert remaining(any_vault, hidden_set).attempts == 4
    opened = [entry for entry in any_vault.view.log_entries() if entry.action == "vault.attempt_opened"]
    assert len(opened) == 1


def test_cases_that_a_box_has_seen_never_come_again_scored_or_not(any_vault: Vault) -> None:
    hidden_set = small_set(any_vault, rows=100, attempts=50)
    seen: set[int] = set()
    for number in range(4):
        attempt = committed(any_vault, hidden_set, str(number), cases=20)
        assert seen.isdisjoint(attempt.cases.tolist())
        mark_scored(any_vault, attempt, attempt.cases[:15])
        seen |= set(attempt.cases.tolist())
        close_attempt(any_vault, attempt)
    left = remaining(any_vault, hidden_set)
    assert (left.fresh, left.reserved, left.scored) == (20, 20, 60)
    last = committed(any_vault, hidden_set, "last", cases=20)
    assert set(last.cases.tolist()) == set(range(100)) - seen


def test_refusals_say_what_is_left(vault: Vault, sealed: HiddenSet) -> None:
    open_attempt(vault, sealed, asks("a", 900))
    with pytest.raises(RefusedError) as cases:
        open_attempt(vault, sealed, asks("b", 101))
    assert (cases.value.code, cases.value.text.params["left"]) == ("vault.no_fresh_cases", 100)
    for name in "bcde":
        open_attempt(vault, sealed, asks(name, 10))
    with pytest.raises(RefusedError) as attempts:
        open_attempt(vault, sealed, asks("f", 10))
    assert (attempts.value.code, attempts.value.text.params["allowed"]) == ("vault.no_attempts", 5)
    with pytest.raises(RefusedError):
        open_attempt(vault, sealed, asks("g", 0))


def test_cancelling_costs_an_attempt_once_a_batch_has_left_and_nothing_before(vault: Vault, sealed: HiddenSet) -> None:
    early = open_attempt(vault, sealed, asks("early"))
    cancel_attempt(vault, early)
    cancel_attempt(vault, early)
    left = remaining(vault, sealed)
    assert (left.attempts, left.next_number, left.fresh) == (5, 1, 1000)
    late = open_attempt(vault, sealed, asks("late"))
    assert late.number == 1
    mark_delivered(vault, late)
    cancel_attempt(vault, late)
    left = remaining(vault, sealed)
    assert (left.attempts, left.next_number, left.fresh) == (4, 2, 1000 - len(late.cases))
    assert open_attempt(vault, sealed, asks("late")).state == AttemptState.CANCELLED
    assert open_attempt(vault, sealed, asks("early")).number == 2


def test_order_and_scores_wait_for_the_committed_answers(vault: Vault, sealed: HiddenSet) -> None:
    request = asks("a")
    published = order_commitment(vault, sealed, request.application, request.nonce)
    attempt = open_attempt(vault, sealed, request)
    assert attempt.order_commitment == published
    for step in (lambda: None, lambda: mark_delivered(vault, attempt)):
        step()
        with pytest.raises(RefusedError) as held:
            reveal_order(vault, sealed, attempt)
        assert held.value.code == "vault.order_held"
        with pytest.raises(RefusedError):
            mark_scored(vault, attempt, attempt.cases[:1])
        with pytest.raises(RefusedError):
            close_attempt(vault, attempt)
    commit_answers(vault, attempt, ANSWERS)
    with pytest.raises(RefusedError) as fixed:
        commit_answers(vault, attempt, digest_bytes(b"better answers"))
    assert fixed.value.code == "vault.answers_fixed"
    secret = reveal_order(vault, sealed, attempt)
    assert digest_bytes(secret) == published
    mark_scored(vault, attempt, attempt.cases[:10])
    mark_scored(vault, attempt, attempt.cases[:20])
    assert remaining(vault, sealed).scored == 20


def test_answers_cannot_be_committed_before_a_batch_was_delivered(vault: Vault, sealed: HiddenSet) -> None:
    attempt = open_attempt(vault, sealed, asks("a"))
    with pytest.raises(RefusedError) as caught:
        commit_answers(vault, attempt, ANSWERS)
    assert caught.value.text.params["state"] == "open"


def test_an_order_that_was_revealed_serves_no_second_plan(vault: Vault, sealed: HiddenSet) -> None:
    attempt = committed(vault, sealed, "a")
    reveal_order(vault, sealed, attempt)
    second = dataclasses.replace(asks("a"), plan=digest_bytes(b"changed plan"))
    with pytest.raises(RefusedError) as caught:
        open_attempt(vault, sealed, second)
    assert caught.value.code == "vault.nonce_used"
    assert open_attempt(vault, sealed, dataclasses.replace(second, nonce="0" * 32)).number == 2


def test_only_reserved_cases_can_be_scored(vault: Vault, sealed: HiddenSet) -> None:
    attempt = committed(vault, sealed, "a")
    foreign = np.setdiff1d(np.arange(1000), attempt.cases)[:1]
    for cases in (foreign, np.array([-1]), np.array([1000]), np.append(attempt.cases[:3], foreign)):
        with pytest.raises(RefusedError):
            mark_scored(vault, attempt, cases)
    assert remaining(vault, sealed).scored == 0


def test_the_log_keeps_the_history_but_no_case_numbers(vault: Vault, sealed: HiddenSet) -> None:
    attempt = committed(vault, sealed, "a")
    mark_scored(vault, attempt, attempt.cases[:7])
    close_attempt(vault, attempt)
    entries = [entry for entry in vault.view.log_entries() if entry.action.startswith("vault.")][1:]
    assert [entry.action.removeprefix("vault.") for entry in entries] == [
        "attempt_opened",
        "attempt_delivered",
        "attempt_committed",
        "scored",
        "attempt_closed",
    ]
    told = [entry.facts for entry in entries][::3]
    assert [(facts["attempt"], facts["cases"]) for facts in told] == [(1, 100), (1, 7)]
    assert [set(facts) - {"attempt", "cases"} for facts in told] == [{f"cases {sealed.digest()}"}] * 2


def test_strangers_learn_nothing_about_the_budget(vault: Vault, sealed: HiddenSet) -> None:
    stranger = dataclasses.replace(vault, view=vault.view.store.as_actor(actor("acme", Role.SUPPLIER)))
    for act in (lambda: remaining(stranger, sealed), lambda: open_attempt(stranger, sealed, asks("a"))):
        with pytest.raises(RefusedError):
            act()


def test_draws_are_spread_over_the_set_and_differ_between_attempts_and_sets(vault: Vault) -> None:
    first, second = small_set(vault, 10_000, 50), small_set(vault, 10_000, 50)
    draws = [open_attempt(vault, one, asks("a", 1000)).cases for one in (first, second)]
    assert draws[0].tolist() != draws[1].tolist()
    for cases in draws:
        assert abs(cases.mean() - 5000) < 5 * 10_000 / np.sqrt(12 * 1000)


# The key stream of the zero key is known (GCM specification, test case 14): dc95c078a2408989 ad48a21492842087
# 530f8afbc74536b9 a963b4f1c4cb738b cea7403d4d606b6e 074ec5d3baf39d18 726003ca37a62a74 d1a2f58e7506358e; sorted:


RACER = """
import sys
from pathlib import Path
from cryptography.hazmat.primitives.serialization import load_pem_private_key
from pilotbase.documents.errors import RefusedError
from pilotbase.documents.hashes import digest_bytes
from pilotbase.vault.attempts import *
from pilotbase.vault.sealing import HiddenSet
from pilotbase.vault.place import Vault
from pilotbase.workspace.actors import Role, actor
from pilotbase.workspace.blobs import BlobStore
from pilotbase.workspace.keys import KeyFolder
from pilotbase.workspace.log.notes import LogKey
from pilotbase.workspace.store import Store
url, folder, digest, name = sys.argv[1], Path(sys.argv[2]), sys.argv[3], sys.argv[4]
store = Store.open(url, LogKey(load_pem_private_key((folder / "log.pem").read_bytes(), None)))
view = store.as_actor(actor("base", Role.OPERATOR))
vault = Vault(view, BlobStore(str(folder / "blobs")), KeyFolder(folder / "keys"))
hidden_set = view.load(digest, HiddenSet)
sys.stdin.readline()
for number in range(12):
    plan = digest_bytes(f"{name} {number}".encode())
    try:
        attempt = open_attempt(vault, hidden_set, AttemptRequest(plan, plan, plan[7:39], 60))
    except RefusedError as error:
        print("refused", error.code)
        continue
    mark_delivered(vault, attempt)
    commit_answers(vault, attempt, plan)
    mark_scored(vault, attempt, attempt.cases[:20])
    close_attempt(vault, attempt)
    print(attempt.number, *attempt.cases[:20])
"""


@pytest.mark.prove
def test_two_processes_racing_share_no_number_and_no_scored_case(
    any_vault: Vault, every_url: str, tmp_path: Path
) -> None:
    hidden_set = small_set(any_vault, rows=400, attempts=20)
    private = any_vault.view.store.key.private.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    (tmp_path / "log.pem").write_bytes(private)
    racers = [
        subprocess.Popen(
            [sys.executable, "-c", RACER, every_url, str(tmp_path), hidden_set.digest(), name],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        for name in ("acme", "globex")
    ]
    lines = [line.split() for racer in racers for line in racer.communicate("go\n", timeout=50)[0].splitlines()]
    assert [racer.returncode for racer in racers] == [0, 0]
    won = [list(map(int, line)) for line in lines if line[0] != "refused"]
    refused = [line for line in lines if line[0] == "refused"]
    numbers, scored = [line[0] for line in won], [case for line in won for case in line[1:]]
    assert len(won) + len(refused) == 24
    assert sorted(numbers) == list(range(1, len(won) + 1))
    assert len(scored) == len(set(scored))
    left = remaining(any_vault, hidden_set)
    assert left.scored == len(scored)
    assert left.fresh == 400 - 60 * len(won)
    assert left.fresh < 60 + 60 or left.attempts == 0


def altered(vault: Vault, **bits: bytes) -> None:
    """Write other cases into the rows of the store, as somebody who has the database and no key would."""
    with vault.view.store.database.write() as connection:
        if "scored" in bits:
            connection.execute(update(tables.hidden_sets).values(scored=bits["scored"]))
        if "reserved" in bits:
            connection.execute(update(tables.attempts).values(reserved=bits["reserved"]))


def bitmaps(vault: Vault) -> tuple[bytes, bytes]:
    with vault.view.store.database.read() as connection:
        scored = connection.scalars(select(tables.hidden_sets.c.scored)).one()
        return scored, connection.scalars(select(tables.attempts.c.reserved)).first() or b""


def test_other_cases_in_as_great_a_number_are_found_before_any_is_given_or_scored(any_vault: Vault) -> None:
    hidden_set = small_set(any_vault, rows=80, attempts=9)
    first = committed(any_vault, hidden_set, "first", cases=40)
    mark_scored(any_vault, first, first.cases[:20])
    scored, reserved = bitmaps(any_vault)
    verify_store(any_vault.view.store)
    moved = {"scored": scored[::-1]}, {"reserved": reserved[::-1]}
    for bits in moved:
        altered(any_vault, **bits)
        draws = [
            lambda: verify_store(any_vault.view.store),
            lambda: open_attempt(any_vault, hidden_set, asks("next", 10)),
            lambda: open_attempt(any_vault, hidden_set, asks("first", 40)),
            lambda: mark_scored(any_vault, first, first.cases[:20]),
            lambda: mark_scored_before(any_vault, hidden_set, first.cases[20:]),
        ]
        for draw in draws:
            with pytest.raises(InvalidProofError) as found:
                draw()
            assert found.value.code == "log.cases_altered"
        altered(any_vault, scored=scored, reserved=reserved)
    close_attempt(any_vault, first)
    second = open_attempt(any_vault, hidden_set, asks("next", 40))
    assert not set(second.cases.tolist()) & set(first.cases.tolist())


def test_a_row_of_an_attempt_put_in_the_place_of_another_is_found(vault: Vault) -> None:
    hidden_set = small_set(vault, rows=80)
    open_attempt(vault, hidden_set, asks("a", 40))
    with vault.view.store.database.write() as connection:
        (row,) = connection.execute(select(tables.attempts)).mappings().all()
        connection.execute(delete(tables.attempts))
        reserved = bytes(row["reserved"])[::-1]
        connection.execute(insert(tables.attempts).values({**row, "identity": 99, "reserved": reserved}))
    with pytest.raises(InvalidProofError):
        open_attempt(vault, hidden_set, asks("a", 40))


def test_a_set_of_an_earlier_version_is_counted_until_an_attempt_commits_to_its_cases(
    vault: Vault, monkeypatch: pytest.MonkeyPatch
) -> None:
    for room in ("attempts", "sealing"):
        monkeypatch.setattr(f"pilotbase.vault.{room}.case_fact", lambda *_: {})
    hidden_set = small_set(vault, rows=80, attempts=9)
    first = committed(vault, hidden_set, "first", cases=40)
    mark_scored(vault, first, first.cases[:20])
    close_attempt(vault, first)
    monkeypatch.undo()
    assert verify_store(vault.view.store).only_counted == 1
    open_attempt(vault, hidden_set, asks("next", 10))
    assert verify_store(vault.view.store).only_counted == 0
    altered(vault, scored=bitmaps(vault)[0][::-1])
    with pytest.raises(InvalidProofError):
        verify_store(vault.view.store)


def test_the_log_tells_nobody_which_cases_were_scored(vault: Vault) -> None:
    """Two sets with the same cases scored: what is stated differs, and no bitmap fits it without the secrets."""
    stated = []
    for name in "ab":
        hidden_set = small_set(vault, rows=8)
        attempt = committed(vault, hidden_set, name, cases=8)
        mark_scored(vault, attempt, attempt.cases)
        (fact,) = (value for key, value in vault.view.log_entries()[-1].facts.items() if key.startswith("cases "))
        stated.append(fact)
    assert stated[0] != stated[1]
    assert not {digest_bytes(b"\xff"), digest_bytes(hidden_set.digest().encode() + b"\xff")} & set(stated)
