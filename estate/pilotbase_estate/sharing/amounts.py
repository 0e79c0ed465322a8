"""Sums and comparisons of vectors in place, as the inner loops of admission need them.

A dimension that is not named means zero in a request or in what is free, and no limit in a grant.
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
    """Return whether ``asked`` is free."""
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
    """Return whether ``asked`` may come on top of ``used``; only the requested dimensions are checked."""
    return all(used.get(name, 0) + value <= granted[name] for name, value in asked.items() if value and name in granted)
