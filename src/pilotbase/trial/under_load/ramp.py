"""How many requests a second are served within a target: the rate is doubled until it is missed, then narrowed.

Each step is an open-loop load of its own. What is found is a rate at which the 99th percentile of that step stayed
within the target; the next higher step that did not stands beside it.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence

from pilotbase.documents.probes import MOST_RATE, LoadStep

NARROWED = 3
"""Steps between the last rate that was held and the first that was not: within a tenth of each other then."""


def climb(rate: float, step: Callable[[float], LoadStep | None]) -> tuple[LoadStep, ...]:
    """Return every step that was taken; ``step(rate)`` returns None where nobody answers any more."""
    steps: list[LoadStep] = []
    while True:
        taken = step(rate)
        if taken is None:
            return tuple(steps)
        steps.append(taken)
        if not taken.held or rate >= MOST_RATE:
            break
        rate = min(2 * rate, MOST_RATE)
    held, missed = held_rate(steps), rate
    for _ in range(NARROWED if held and not taken.held else 0):
        between = step(math.sqrt(held * missed))
        if between is None:
            break
        steps.append(between)
        held, missed = (between.rate, missed) if between.held else (held, between.rate)
    return tuple(steps)


def most_steps(rate: float) -> int:
    """Return how many steps `climb` takes from ``rate`` at most."""
    return 1 + max(0, math.ceil(math.log2(MOST_RATE / rate))) + NARROWED


def held_rate(steps: Sequence[LoadStep]) -> float:
    """Return the largest rate that was held; 0 where none was."""
    return max((one.rate for one in steps if one.held), default=0.0)
