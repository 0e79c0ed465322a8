"""Ids are addresses: whatever people call things, each has its own, and a tool that resolves it finds it again."""

from urllib.parse import urljoin

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pilotbase.data.croissant.vocabulary import id_of, id_within, name_of, short_name

NAMES = st.text(st.characters(exclude_categories=("Cs",)), min_size=1, max_size=6) | st.sampled_from(
    ["..", ".", "a/b", "a:b", "//x", "a%2Fb", "#", "?q", "a b", "@id", "温度 (℃)"]
)


@settings(max_examples=200, deadline=None)
@given(NAMES, NAMES, NAMES, NAMES)
def test_two_fields_never_share_an_id(one, other, set_of_one, set_of_other):
    same = (set_of_one, one) == (set_of_other, other)
    assert (id_within(set_of_one, one) == id_within(set_of_other, other)) == same


@settings(max_examples=200, deadline=None)
@given(NAMES)
def test_an_id_spells_its_name_and_stays_below_the_address_of_the_file(name):
    for identity in (id_of(name), id_within("r", name)):
        assert not any(letter.isspace() for letter in identity)
    assert name_of(id_of(name)) == name
    base = "https://example.org/folder/croissant.json"
    assert urljoin(base, id_within("r", name)) == f"https://example.org/folder/{id_within('r', name)}"


@pytest.mark.parametrize(
    ("title", "name"),
    [("Movielens 25M", "movielens-25m"), ("水泵", None), ("--", None), ("A" * 90, "a" * 63), ("_x_", "x")],
)
def test_a_title_makes_a_short_name_where_it_can(title, name):
    assert short_name(title) == name
