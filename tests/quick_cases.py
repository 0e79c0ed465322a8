"""Which cases of a test the quick suite takes, where many go through the same code; the long proofs take the others."""

from collections import Counter
from collections.abc import Callable, Iterable
from typing import Any

import pytest

_seen: Counter[Callable[..., object]] = Counter()


def pytest_itemcollected(item: pytest.Item) -> None:
    """Of a test that is marked ``one_in(7)``, all cases but each seventh are proofs."""
    number = next((mark.args[0] for mark in item.iter_markers("one_in")), None)
    if number is not None and not item.get_closest_marker("prove"):
        function = item.function  # type: ignore[attr-defined]
        if _seen[function] % number:
            item.add_marker(pytest.mark.prove)
        _seen[function] += 1


def covering(cases: Iterable[Any]) -> list[Any]:
    """Return the cases, each a tuple; a case all of whose values stood in earlier ones is a proof."""
    met: set[tuple[int, Any]] = set()
    chosen = []
    for case in cases:
        values = set(enumerate(case))
        chosen.append(pytest.param(*case, marks=pytest.mark.prove if values <= met else ()))
        met |= values
    return chosen
