"""Shifts that everybody may practise. Each takes the draw, the demand at first and `Course`, and returns the course."""

from __future__ import annotations

from typing import Any


def hold_level(draw: Any, demand: int, course: Any) -> Any:
    """The demand changes twice."""
    first, second = draw.between(3, 12), draw.between(25, 40)
    return course(
        {0: demand, first: demand * draw.between(130, 170) // 100, second: demand * draw.between(50, 80) // 100}
    )


def change_level(draw: Any, demand: int, course: Any) -> Any:
    """The band lies elsewhere than the level at first."""
    return course({0: demand, draw.between(20, 40): demand * draw.between(70, 130) // 100}, settle=15)


def supply_drop(draw: Any, demand: int, course: Any) -> Any:
    """The wells give less for a while."""
    start = draw.between(5, 15)
    supply = {0: 100, start: draw.between(50, 70), start + draw.between(20, 30): 100}
    return course({0: demand, draw.between(3, 12): demand * draw.between(115, 140) // 100}, supply)


TEMPLATES = {function.__name__: function for function in (hold_level, change_level, supply_drop)}
