"""Which cases of a test the quick suite takes, where many go through the same code; the long proofs take the others."""

from collections.abc import Iterable, Sequence
from typing import Any

import pytest


def covering(cases: Iterable[Any]) -> list[Any]:
    """Return the cases, each a tuple; a case all of whose values stood in earlier ones is a proof."""
    met: set[tuple[int, Any]] = set()
    chosen = []
    for case in cases:
        values = set(enumerate(case))
        chosen.append(pytest.param(*case, marks=pytest.mark.prove if values <= met else ()))
        met |= values
    return chosen


def one_in(number: int, cases: Sequence[Any]) -> list[Any]:
    """Return the cases; but for the first of each so many, they are proofs."""
    return [pytest.param(case, marks=pytest.mark.prove if place % number else ()) for place, case in enumerate(cases)]
