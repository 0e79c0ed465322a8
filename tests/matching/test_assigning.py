"""Who takes which demand: as brute force finds it, stable, and never against a constraint."""

from itertools import product

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import linear_sum_assignment

from pilotbase.documents.vocabularies import Constraint
from pilotbase.matching.assigning import NOBODY, assign_best, assign_stably, blocking_pairs, worth_of_one_more
from pilotbase.matching.assignment import field_of
from pilotbase.matching.concepts import CharacterComparer
from pilotbase.matching.judging import is_alike, match, refusals
from pilotbase.matching.pairing import pair_all
from tests.matching.pairs_for_tests import need, offer, proven

NOT = float("nan")


@st.composite
def markets(draw):
    demands, suppliers = draw(st.integers(0, 4)), draw(st.integers(1, 4))
    value = st.one_of(st.just(NOT), st.integers(1, 6).map(float))
    rows = st.lists(st.lists(value, min_size=suppliers, max_size=suppliers), min_size=demands, max_size=demands)
    values = np.array(draw(rows)).reshape(demands, suppliers)
    wishes = np.array(draw(rows)).reshape(demands, suppliers)
    places = draw(st.lists(st.integers(0, 3), min_size=suppliers, max_size=suppliers))
    return values, np.nan_to_num(wishes), np.array(places)


def every_assignment(values, places):
    """Yield each assignment of allowed pairs that keeps to the places."""
    choices = [[NOBODY, *np.flatnonzero(~np.isnan(row))] for row in values]
    for taken in product(*choices):
        taken = np.array(taken, dtype=int)
        if (np.bincount(taken[taken != NOBODY], minlength=len(places)) <= places).all():
            yield taken


def gained(values, taken):
    there = taken != NOBODY
    return np.where(there, values[np.arange(len(taken)), taken], 0.0)


@settings(max_examples=150, deadline=None)
@given(markets())
def test_both_ways_are_what_trying_all_finds(market):
    values, wishes, places = market
    every = list(every_assignment(values, places))
    best, stable = assign_best(values, places), assign_stably(values, wishes, places)
    for taken in (best, stable):
        assert any((taken == one).all() for one in every), "a pair that must not be, or too many at a supplier"
    assert gained(values, best).sum() == pytest.approx(max(gained(values, one).sum() for one in every))
    assert not blocking_pairs(values, wishes, places, stable).any()


@settings(max_examples=100, deadline=None)
@given(markets())
def test_no_demand_fares_better_in_another_stable_assignment(market):
    values, _, places = market
    wishes = np.arange(values.size, dtype=float).reshape(values.shape)  # no ties: what is best for all is then known
    values = values + 0.1 * np.arange(values.shape[1])
    own = gained(values, assign_stably(values, wishes, places))
    for taken in every_assignment(values, places):
        if not blocking_pairs(values, wishes, places, taken).any():
            assert (own >= gained(values, taken) - 1e-9).all()


@settings(max_examples=100, deadline=None)
@given(markets())
def test_one_more_place_adds_what_is_said(market):
    values, _, places = market
    best = assign_best(values, places)
    for supplier, worth in enumerate(worth_of_one_more(values, best)):
        more = places + (np.arange(len(places)) == supplier)
        both = [gained(values, one).sum() for one in (best, assign_best(values, more))]
        assert both[1] - both[0] == pytest.approx(worth, abs=1e-6)


def test_a_program_that_begins_with_few_pairs_still_finds_the_most_valuable():
    """All want the same suppliers first: the pairs that are left to them come into the program by its prices."""
    chance = np.random.default_rng(5)
    values = chance.random(120)[None, :] + 0.01 * chance.random((120, 120))
    rows, columns = linear_sum_assignment(values, maximize=True)
    found = assign_best(values, np.ones(120, int))
    assert gained(values, found).sum() == pytest.approx(values[rows, columns].sum())


@pytest.fixture
def base():
    """Two demands, of which one keeps its data; three applications, of which one sends data out."""
    mill = need(name="mill")
    press = need(name="press", title="Presses", problem="Presses crack.", conditions={"data_may_leave": False})
    offers = [
        offer(mill, name="forest"),
        offer(press, name="cloud", supplier="globex", offer={"sends_data": True}),
        offer(name="loans", supplier="bank", title="Loans", model_card={"summary": "Scores loans."}),
    ]
    return [mill, press], offers, [proven("application:acme/forest", tried=mill)]


def test_all_pairs_are_judged_as_one_match_judges_them(base):
    needs, offers, proofs = base
    by = CharacterComparer()
    pairs = pair_all(needs, offers, proofs, by)
    for row, asked in enumerate(needs):
        judged = {one.subject: one for one in match(asked, offers, proofs, by)}
        for column, offered in enumerate(offers):
            one = judged[offered.subject]
            assert pairs.shares[row, column] == (one.contract.share if one.contract else 0)
            assert pairs.evidence[row, column] == pytest.approx(one.evidence, abs=0.05)
            assert pairs.words[row, column] == pytest.approx(one.words or 0, abs=0.1)
            assert pairs.alike[row, column] == is_alike(one, by.method)
            if pairs.alike[row, column]:
                assert pairs.refusals(row, column) == tuple(check.constraint for check in refusals(one))
                assert pairs.refused[row, column] == bool(refusals(one))


def test_what_a_constraint_refuses_is_assigned_to_nobody(base):
    needs, offers, proofs = base
    pairs = pair_all(needs, offers, proofs, CharacterComparer())
    field = field_of(pairs, 5, {})
    assert pairs.alike[1, 1] and pairs.refusals(1, 1) == (Constraint.DATA,)
    assert field.suppliers == ["acme", "bank", "globex"] and field.places.tolist() == [5, 5, 5]
    assert np.isnan(field.values[1, 2]) and not np.isnan(field.values[0, 2]) and np.isnan(field.values[:, 1]).all()
    assert field.offers[0, 0] == 0 and field.values[0, 0] > field.wishes[0, 0], "evidence counts for the demand only"


def test_a_supplier_with_several_applications_sends_the_one_that_is_worth_most(base):
    needs, offers, proofs = base
    old = offer(need(name="other", fields=(("x", "sc:Float", None), ("y", "sc:Text", None))), name="old")
    field = field_of(pair_all(needs, [old, *offers], proofs, CharacterComparer()), 1, {"acme": 0})
    assert field.offers[0, 0] == 1 and field.places.tolist() == [0, 1, 1]
    assert (assign_best(field.values, field.places) != 0).all()


def test_an_application_with_more_evidence_against_than_for_it_is_assigned_to_nobody(base):
    needs, _, _ = base
    serials = "12345678"
    rejected = [proven("application:acme/forest", tried=needs[0], verdict="reject", serial=one) for one in serials]
    alike = offer(name="forest", title="Mill", model_card={"summary": "The mill breaks."})
    pairs = pair_all(needs, [alike], rejected, CharacterComparer())
    assert pairs.fitting[0, 0] and np.isnan(field_of(pairs, 1, {}).values[0, 0])
