"""Sums and comparisons of vectors in place, as the inner loops of admission need them.

In what is asked for or free, a dimension that is not named is none of it; in what is granted it is no limit.
"""

from __future__ import annotations

from pilotbase_estate.documents.resources import Vector

Tally = dict[str, int]
"""A vector that is kept up to date."""


def add(tally: Tally, amount: Vector, times: int = 1) -> None:
    """Add ``times · amount`` to ``tally``."""
    for name, value in amount.items():
        tally[name] = tally.get(name, 0) + times * value


def fits(asked: Vector, free: Vector) -> bool:
    """Tell whether ``asked`` is free."""
    for name, value in asked.items():  # noqa: SIM110 - a generator costs twice as much, and this is asked most
        if value and value > free.get(name, 0):
            return False
    return True


def times_fitting(asked: Vector, free: Vector, most: int) -> int:
    """Return how many times ``asked`` is free, ``most`` at most."""
    least = most
    for name, value in asked.items():
        if value and free.get(name, 0) < least * value:
            least = max(free.get(name, 0) // value, 0)
    return least


def allows(granted: Vector, used: Vector, asked: Vector) -> bool:
    """Tell whether ``asked`` may come on top of ``used``: only what is asked for is looked at."""
    return all(used.get(name, 0) + value <= granted[name] for name, value in asked.items() if value and name in granted)
