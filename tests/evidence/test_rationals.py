"""Small denominators: the same fraction as Python's own, ties included."""

from __future__ import annotations

from fractions import Fraction

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from pilotbase.evidence.intervals import nearest


@pytest.mark.prove
@settings(max_examples=300, deadline=None, derandomize=True)
@given(value=st.fractions(-3, 3), largest=st.integers(1, 2000))
@example(value=Fraction(1, 2), largest=1)
@example(value=Fraction(-3, 2), largest=1)
@example(value=Fraction(5, 6), largest=3)
def test_is_the_fraction_that_python_finds(value: Fraction, largest: int) -> None:
    assert nearest(value, largest) == value.limit_denominator(largest)
