"""Shifts that are sealed."""

from __future__ import annotations

from typing import Any


def surge(draw: Any, demand: int, course: Any) -> Any:
    """For some minutes the town takes far more, as when there is a fire."""
    start = draw.between(8, 25)
    return course({0: demand, start: 2 * demand, start + draw.between(8, 15): demand * draw.between(80, 110) // 100})


def leaking_tank(draw: Any, demand: int, course: Any) -> Any:
    """The clean tank loses water."""
    supply = {0: 100}
    return course(
        {0: demand, draw.between(20, 40): demand * 3 // 4}, supply, {0: 0, draw.between(5, 20): draw.between(25, 60)}
    )


TEMPLATES = {function.__name__: function for function in (surge, leaking_tank)}
