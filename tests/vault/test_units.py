"""Whole units: an attempt draws so many of them in a secret order, tears none, and its draw can be checked."""

from fractions import Fraction

import numpy as np
import polars as pl
import pytest
from sqlalchemy import update

from pilotbase.documents.errors import InvalidProofError, RefusedError
from pilotbase.documents.hashes import digest_bytes
from pilotbase.evidence import CriterionPlan, Design, attempt_levels, draw_order, verdict_of
from pilotbase.measures import MeasurePart, Observation
from pilotbase.vault.attempts import (
    AttemptRequest,
    VaultAttempt,
    cancel_attempt,
    mark_scored_before,
    open_attempt,
    remaining,
    require_drawn,
)
from pilotbase.vault.place import Vault
from pilotbase.vault.sealing import HiddenSet, SealTerms, seal
from pilotbase.vault.units import DrawnUnits, HiddenUnits, draw_units, keep_units, unit_of_each, units_kept
from pilotbase.workspace import tables

SCENARIO = digest_bytes(b"scenario")
SIZES = [60, *([10] * 3), *([2] * 30)]
CODES = np.random.default_rng(4).permutation(np.repeat(np.arange(len(SIZES)), SIZES))


@pytest.fixture
def drawn(vault: Vault):
    """Return a hidden set whose largest unit has two fifths of its cases, and its units."""
    hidden = seal(vault, pl.DataFrame({"x": range(len(CODES))}), SealTerms(SCENARIO, "plant", 0.05, 9))
    return hidden, keep_units(vault, hidden, "patient", CODES)


def opened(vault: Vault, hidden: HiddenSet, units: DrawnUnits, name: str) -> VaultAttempt:
    plan, application = digest_bytes(f"plan {name}".encode()), digest_bytes(f"application {name}".encode())
    request = AttemptRequest(plan, application, plan[7:39], len(CODES), units=units)
    return open_attempt(vault, hidden, request)


def test_attempts_share_no_unit_and_tear_none(vault: Vault, drawn) -> None:
    hidden, units = drawn
    found = [opened(vault, hidden, DrawnUnits(units, 10), name).cases for name in "abc"]
    taken = [set(CODES[cases].tolist()) for cases in found]
    assert [len(one) for one in taken] == [10, 10, 10] and len(set().union(*taken)) == 30
    for cases, own in zip(found, taken, strict=True):
        assert cases.tolist() == np.flatnonzero(np.isin(CODES, [*own])).tolist()
    left = remaining(vault, hidden, units=units).units
    assert left is not None and (left.fresh, left.torn) == (4, 0)
    with pytest.raises(RefusedError) as caught:
        opened(vault, hidden, DrawnUnits(units, 5), "d")
    assert caught.value.code == "vault.no_fresh_units" and caught.value.text.params["left"] == 4


def test_a_unit_is_drawn_as_often_whatever_its_size(vault: Vault, drawn) -> None:
    hidden, units = drawn
    codes, fresh = unit_of_each(vault, hidden, units), np.ones(len(CODES), dtype=bool)
    largest = codes[np.flatnonzero(CODES == 0)[0]]
    drawn_with = [draw_units(codes, units, fresh, 10, f"{seed}".encode()) for seed in range(2000)]
    share = np.mean([bits[codes == largest].all() for bits in drawn_with])
    assert abs(share - 10 / 34) < 4 * np.sqrt(10 / 34 * 24 / 34 / 2000)


def test_what_is_kept_names_no_unit_and_no_size(vault: Vault, drawn) -> None:
    hidden, units = drawn
    codes = unit_of_each(vault, hidden, units)
    assert len(np.unique(np.stack([codes, CODES]), axis=1).T) == len(SIZES)  # one to one
    kept = vault.blobs.get(units.members)
    assert CODES.astype("<i4").tobytes() not in kept and codes.astype("<i4").tobytes() not in kept
    assert set(units.to_json_value()) == {"document", "hidden_set", "owner", "column", "units", "rows", "members"}
    assert keep_units(vault, hidden, "patient", CODES).digest() == units.digest()
    assert units_kept(vault, hidden, "ward") is None
    with pytest.raises(InvalidProofError) as caught:  # the blob of another set's units
        other = seal(vault, pl.DataFrame({"x": range(len(CODES))}), SealTerms(SCENARIO, "plant", 0.05, 9))
        unit_of_each(vault, other, units)
    assert caught.value.code == "vault.units_altered"


def test_parts_of_units_are_refused(vault: Vault, drawn) -> None:
    hidden, units = drawn
    mark_scored_before(vault, hidden, np.flatnonzero(CODES == 0)[:1])
    left = remaining(vault, hidden, units=units).units
    assert left is not None and (left.fresh, left.torn) == (33, 1)
    with pytest.raises(RefusedError) as caught:
        opened(vault, hidden, DrawnUnits(units, 5), "a")
    assert caught.value.code == "vault.units_torn"
    mark_scored_before(vault, hidden, np.flatnonzero(CODES == 0))
    assert 0 not in CODES[opened(vault, hidden, DrawnUnits(units, 33), "a").cases]


def test_the_check_of_draws_finds_chosen_units(vault: Vault, drawn) -> None:
    hidden, units = drawn
    mark_scored_before(vault, hidden, np.flatnonzero(CODES == 5))
    first, second = (opened(vault, hidden, DrawnUnits(units, 8), name) for name in "ab")
    cancel_attempt(vault, first)  # its units are fresh again, and explain what the second one passed over
    third = opened(vault, hidden, DrawnUnits(units, 8), "c")
    for attempt in (first, second, third):
        require_drawn(vault, hidden, attempt.plan, DrawnUnits(units, 8))

    def altered(chosen: np.ndarray) -> str:
        bits = np.packbits(chosen, bitorder="little").tobytes()
        row = tables.attempts.c
        with vault.view.transaction("test.altered") as change:
            change.connection.execute(
                update(tables.attempts).where(row.identity == third.identity).values(reserved=bits)
            )
        with pytest.raises(InvalidProofError) as caught:
            require_drawn(vault, hidden, third.plan, DrawnUnits(units, 8))
        return caught.value.code

    mine = np.isin(np.arange(len(CODES)), third.cases)
    torn, fewer = mine.copy(), mine.copy()
    # What the first one had drawn may have been passed over: it was not free for a while.
    large = np.setdiff1d(CODES[third.cases], CODES[first.cases])[0]
    torn[np.flatnonzero(large == CODES)[0]] = False
    fewer[large == CODES] = False
    free = np.setdiff1d(CODES, [*CODES[mine], *CODES[second.cases], 5])
    swapped = [fewer | (other == CODES) for other in free]  # any other unit in its place
    assert {altered(torn), altered(fewer), *map(altered, swapped)} == {"vault.other_units"}


@pytest.mark.prove
@pytest.mark.parametrize("design", [Design(), Design("full")], ids=["early", "full"])
def test_rare_large_units_and_adaptive_attempts_accept_falsely_at_most_alpha(design: Design) -> None:
    """Six attempts on one set, each version exactly at *the mean of units is at least .8*, chosen by the last verdict.

    One unit in ten has thirty cases, all others one: a version fails on large units and one small one in nine, or on
    small ones alone. Drawn by cases, or until there are enough of them, the large units would come far too often.
    """
    rng, alpha, runs, false = np.random.default_rng(7), 0.05, 1000, 0
    for run in range(runs):
        large = rng.random(400) < 0.1
        codes = np.repeat(np.arange(400), np.where(large, 30, 1))
        units = HiddenUnits(hidden_set=SCENARIO, owner="o", column="u", units=400, rows=len(codes), members=SCENARIO)
        fresh, fails_on_large = np.ones(len(codes), dtype=bool), bool(rng.random() < 0.5)
        for number in range(1, 7):
            mine = draw_units(codes, units, fresh, 60, f"{run} {number}".encode())
            fresh &= ~mine
            wrong = np.where(large, fails_on_large, rng.random(400) < (1 / 9 if fails_on_large else 2 / 9))
            right = (~wrong)[codes[mine]].astype(np.int64)
            seen = Observation("single", (MeasurePart(right, np.ones(len(right), dtype=np.int64), ((0, 1), (1, 1))),))
            plan = CriterionPlan("accuracy", seen, ">=", Fraction(4, 5), "population", "u", codes[mine])
            order = draw_order(len(right), f"order {run} {number}".encode(), codes[mine])
            verdict, _ = verdict_of([plan], order, attempt_levels(Fraction(1, 20), number), design)
            false += verdict == "accept"
            if verdict == "accept":
                break
            fails_on_large = not fails_on_large
    assert false / runs <= alpha + 3 * np.sqrt(alpha * (1 - alpha) / runs)
