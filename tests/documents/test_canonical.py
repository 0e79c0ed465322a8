"""Canonical JSON by compiled code is what the library of RFC 8785 writes, byte for byte, or its error."""

import pytest
import rfc8785
from hypothesis import example, given, settings
from hypothesis import strategies as st

from pilotbase.documents.errors import InputError
from pilotbase.documents.hashes import canonical_json

CHARACTERS = st.characters(codec="utf-8") | st.sampled_from(
    '\x00\x1f\x7f"\\/\u2028\ud7ff\ue000\uffff\U00010000\U0010ffff'
)
TEXTS = st.text(CHARACTERS, max_size=6)
NUMBERS = st.integers(-(2**53) + 1, 2**53 - 1) | st.floats(allow_nan=False, allow_infinity=False)
VALUES = st.recursive(
    st.none() | st.booleans() | TEXTS | NUMBERS,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(TEXTS, inner, max_size=5) | st.tuples(inner, inner),
    max_leaves=12,
)


@pytest.mark.prove
@settings(max_examples=400)
@given(VALUES)
@example({"\U00010000": 1, "\uffff": 2, "b": [True, None, -0.0, 1e21, 0, "\x00\x1f\x7f"]})
def test_it_is_what_the_library_writes(value):
    assert canonical_json(value) == rfc8785.dumps(value)


@pytest.mark.parametrize("value", [1e-4, -9.999999999999999e-5, 0.1, 1e-7, 2**52 + 0.5, 2.0**53, 1e16, 1e21, -0.0, 3.0])
def test_numbers_are_spelled_as_the_library_spells_them(value):
    assert canonical_json([value]) == rfc8785.dumps([value])


@pytest.mark.parametrize("value", [2**53, -(2**53), [float("nan")], {"a": float("inf")}])
def test_numbers_out_of_range_are_told(value):
    with pytest.raises(InputError):
        canonical_json(value)


@pytest.mark.parametrize("value", ["\ud800", {"\udfff": 1}, {1: 2}, [b"x"]])
def test_what_json_cannot_hold_is_the_librarys_error(value):
    with pytest.raises((rfc8785.CanonicalizationError, UnicodeEncodeError)):
        canonical_json(value)
