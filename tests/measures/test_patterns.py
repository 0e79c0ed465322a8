"""Regular expressions in bounded time find what Python's ``re`` finds."""

from __future__ import annotations

import random
import re
import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pilotbase.documents.criteria import parse_rule
from pilotbase.documents.errors import InputError
from pilotbase.measures.patterns import compiled
from tests.measures.test_reading import value

MIXED = "".join(random.Random(1).choices("ab", k=10_000))
ATOMS = st.sampled_from(["a", "b", "字", ".", "[ab]", "[^a]", r"\d", "[a-c]", r"\W", r"\.", "[]a-]"])
PATTERNS = st.recursive(
    ATOMS,
    lambda inner: st.one_of(
        st.tuples(inner, inner).map("".join),
        st.tuples(inner, inner).map(lambda two: f"({two[0]}|{two[1]})"),
        st.tuples(inner, st.sampled_from(["*", "+", "?", "{2}", "{1,2}", "{0,1}", "{2,}", "{0}"])).map(
            lambda two: f"(?:{two[0]}){two[1]}"
        ),
    ),
    max_leaves=8,
)


@pytest.mark.prove
@settings(max_examples=400, deadline=None, derandomize=True)
@given(
    PATTERNS,
    st.sampled_from(["", "^", "(^|b)"]),
    st.sampled_from(["", "$", "(a|$)"]),
    st.text("ab字1.-]\n", max_size=9),
)
def test_it_finds_what_python_finds(middle: str, before: str, after: str, text: str) -> None:
    source = f"{before}{middle}{after}"
    assert compiled(source).found_in(text) == bool(re.search(source.replace("$", r"\Z"), text, re.DOTALL))


def test_case_is_ignored_where_it_is_said() -> None:
    assert compiled("(?i)Answer: [A-D]").found_in("ANSWER: b")
    assert not compiled("Answer").found_in("answer")


@pytest.mark.parametrize(
    ("source", "place"),
    [("(?=a)", 3), ("a**", 4), (r"\1", 3), (r"\bA", 3), ("[a", 3), ("(a", 3), ("a{2", 3), ("a)", 2), ("[z-a]", 5)],
)
def test_what_is_not_understood_is_refused_with_its_place(source: str, place: int) -> None:
    with pytest.raises(InputError) as caught:
        value("matches >= 0", [source], ["a"])
    assert caught.value.code == "measure.pattern"
    assert f"character {place}" in str(caught.value)
    assert caught.value.hint.render("en") != caught.value.hint.render("zh")


def test_a_pattern_that_would_need_too_many_steps_is_refused() -> None:
    with pytest.raises(InputError):
        compiled("(a{99}){99}")
    with pytest.raises(InputError):
        compiled("(" * 5_000)


@pytest.mark.one_in(3)
@pytest.mark.parametrize("source", ["(a+)+c", "(a*)*(a*)*(.*)*c", "(a|b)*a[ab]{200}c"])
def test_no_answer_makes_it_slow(source: str) -> None:
    started = time.process_time()
    assert value("matches >= 0", [source] * 2, ["a" * 10_000, MIXED]) == 0
    assert time.process_time() - started < 3


def test_the_truth_of_a_rule_is_searched_for_unless_it_is_anchored() -> None:
    assert parse_rule("matches >= 0.5").measure == "matches"
    assert value("matches >= 0", ["[Bb]ar$", "^Bar"], ["fifty bar", "fifty bar"]) == 0.5
