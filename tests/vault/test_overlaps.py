"""Cases that two sealed sets share are one budget: attempts on one are counted and seen on the other, at any time."""

import numpy as np
import polars as pl
import pytest

from pilotbase.documents.errors import RefusedError
from pilotbase.documents.hashes import digest_bytes
from pilotbase.vault.attempts import (
    AttemptRequest,
    VaultAttempt,
    cancel_attempt,
    close_attempt,
    commit_answers,
    mark_delivered,
    mark_scored,
    open_attempt,
    remaining,
    scored_cases,
)
from pilotbase.vault.carrying import past_of, same_cases, spend_published
from pilotbase.vault.overlaps import record_overlap, shared_cases
from pilotbase.vault.place import Vault
from pilotbase.vault.sealing import HiddenSet, SealTerms, seal


def asks(name: str, cases: int) -> AttemptRequest:
    plan = digest_bytes(name.encode())
    return AttemptRequest(plan, plan, plan[7:39], cases)


def run(vault: Vault, hidden_set: HiddenSet, name: str, cases: int, scored: int) -> VaultAttempt:
    attempt = open_attempt(vault, hidden_set, asks(name, cases))
    mark_delivered(vault, attempt)
    commit_answers(vault, attempt, attempt.plan)
    mark_scored(vault, attempt, attempt.cases[:scored])
    close_attempt(vault, attempt)
    return attempt


def sealed_after(vault: Vault, frame: pl.DataFrame, earlier: list[HiddenSet]) -> HiddenSet:
    past = past_of(vault, frame, earlier)
    hidden_set = seal(vault, frame, SealTerms(digest_bytes(b"s"), "plant", 0.05, 9, attempts_before=past.attempts))
    for other, shared in past.shared:
        record_overlap(vault, "plant", hidden_set.digest(), other.digest(), shared)
    return hidden_set


def rows_of(first: int, last: int) -> pl.DataFrame:
    return pl.DataFrame({"x": range(first, last), "y": [f"{number}号" for number in range(first, last)]})


def test_two_sets_sealed_before_any_attempt_do_not_offer_a_case_twice(any_vault: Vault) -> None:
    first = sealed_after(any_vault, rows_of(0, 100), [])
    second = sealed_after(any_vault, rows_of(20, 120), [first])
    on_first = run(any_vault, first, "a", cases=70, scored=60)
    given, scored = ({number for number in on_first.cases[:last].tolist() if number >= 20} for last in (70, 60))
    left = remaining(any_vault, second)
    assert (left.fresh, left.scored, left.reserved) == (100 - len(given), len(scored), len(given - scored))
    on_second = open_attempt(any_vault, second, asks("b", left.fresh))
    assert given.isdisjoint((on_second.cases + 20).tolist())
    assert (on_first.number, on_second.number) == (1, 2)
    held = remaining(any_vault, first)
    assert (held.fresh, held.next_number) == (100 - 70 - (80 - len(given)), 3)
    assert held.spent_alpha == pytest.approx(0.05 * (1 / 2 + 1 / 6))
    cancel_attempt(any_vault, on_second)
    assert remaining(any_vault, first).fresh == 30
    assert remaining(any_vault, first).next_number == 2


@pytest.mark.prove
def test_levels_over_any_number_of_versions_of_the_same_cases_stay_within_alpha(vault: Vault) -> None:
    sets: list[HiddenSet] = []
    for extra in range(6):
        sets.append(sealed_after(vault, rows_of(0, 100 + extra), sets))
    attempts = [run(vault, hidden_set, str(number), 15, 15) for number, hidden_set in enumerate(sets)]
    assert sorted(attempt.number for attempt in attempts) == [1, 2, 3, 4, 5, 6]
    assert sum(attempt.alpha for attempt in attempts) < 0.05
    scored = set(np.concatenate([attempt.cases[:15] for attempt in attempts]).tolist())
    assert len(scored) == 90
    with pytest.raises(RefusedError) as caught:
        open_attempt(vault, sets[0], asks("late", 16))
    assert caught.value.text.params["left"] == 100 - len([case for case in scored if case < 100])


def test_equal_rows_are_spent_together_in_the_other_set(vault: Vault) -> None:
    first = sealed_after(vault, pl.DataFrame({"x": [1, 1, None, 3]}), [])
    second = sealed_after(vault, pl.DataFrame({"x": [9, 1, None, 1, None]}), [first])
    attempt = open_attempt(vault, first, asks("a", 4))
    mark_delivered(vault, attempt)
    commit_answers(vault, attempt, attempt.plan)
    mark_scored(vault, attempt, np.array([1, 2]))
    close_attempt(vault, attempt)
    assert remaining(vault, second).fresh == 1
    assert open_attempt(vault, second, asks("b", 1)).cases.tolist() == [0]


def test_cases_that_a_later_public_sample_shows_can_prove_nothing_any_more(any_vault: Vault) -> None:
    first = sealed_after(any_vault, rows_of(0, 50), [])
    spend_published(any_vault, rows_of(40, 90), [first])
    spend_published(any_vault, rows_of(40, 90), [first])
    assert scored_cases(any_vault, first).tolist() == list(range(40, 50))
    assert remaining(any_vault, first).fresh == 40
    entries = [entry for entry in any_vault.view.log_entries() if entry.action == "vault.scored_before"]
    assert [entry.facts["cases"] for entry in entries] == [10]


def test_tables_of_other_columns_share_nothing_and_a_column_more_hides_no_case() -> None:
    wide = rows_of(0, 5).with_columns(z=pl.lit(1))
    assert same_cases(rows_of(0, 5), wide).all()
    assert not same_cases(rows_of(0, 5), pl.DataFrame({"other": range(5)})).any()
    assert not same_cases(rows_of(0, 5), rows_of(0, 5).cast({"x": pl.String})).any()
    assert shared_cases(rows_of(0, 3), rows_of(2, 9)).here.tolist() == [2]
