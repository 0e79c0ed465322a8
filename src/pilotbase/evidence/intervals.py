"""Interval and path of a criterion by inverting its own test: a bound is the last value that the test still rules out.

The capital falls as the bound comes nearer (bets are fractions of the largest safe bet), so bisection is legal; every
printed bound has itself been tested, so rounding goes outwards.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from fractions import Fraction
from functools import cache

from pilotbase.evidence.criterion import CriterionTest
from pilotbase.evidence.observations import Comparison

RESOLUTION = 100_000
"""Bounds are multiples of the measure's range divided by this."""
PATH_POINTS = 200

_FAR = 16
_LEVELS = 32
_HALVINGS = 8
"""How close the last of the levels gets to the final bound: 2⁻⁸ of the way."""
Crossing = Callable[[Fraction], int | None]


@dataclass(frozen=True)
class BoundsPoint:
    """Bounds as they stood once ``cases`` cases had been scored."""

    cases: int
    lower: float
    upper: float


@dataclass(frozen=True)
class Interval:
    """Bounds at the end and how they got there: the confirming side is at α_acc, the other at its share of α_rej."""

    lower: float
    upper: float
    path: tuple[BoundsPoint, ...]


def invert(
    test: CriterionTest,
    comparison: Comparison,
    alphas: tuple[float, float],
    horizon: int,
    threshold: Fraction,
    levels: int = _LEVELS,
) -> Interval:
    """Return the interval of ``test`` at ``horizon`` with ``alphas`` = (confirming, refuting)."""
    low, high = test.range

    def confirmed(bound: Fraction) -> int | None:
        return test.confirmed_at(bound, alphas[0], horizon)

    def refuted(bound: Fraction) -> int | None:
        return test.refuted_at(bound, alphas[1], horizon)

    from_below, from_above = (confirmed, refuted) if comparison == ">=" else (refuted, confirmed)
    middle = test.estimate(horizon)
    start = Fraction(middle) if middle is not None else (low + high) / 2
    lower = staircase(from_below, low, min(max(start, low), high), threshold, levels)
    upper = staircase(from_above, high, min(max(start, low), high), threshold, levels)
    return Interval(float(lower[-1][1]), float(upper[-1][1]), _merge(lower, upper))


def staircase(
    crossing: Crossing, edge: Fraction, centre: Fraction, threshold: Fraction, levels: int
) -> list[tuple[int, Fraction]]:
    """Return (cases, bound) each time one side's bound moved inwards from ``edge``, first at 0 cases.

    The path is followed at ``levels`` bounds, denser towards the last one; of several crossed at the same time, the
    last one counts.
    """
    crossing = cache(crossing)
    points = [(0, edge)]
    edge = _reachable(crossing, edge, centre, threshold)
    final = _innermost(crossing, edge, centre, threshold)
    if final == points[0][1]:
        return points
    last = crossing(final)
    # Checked once: nothing in between was crossed at any other time.
    if crossing(_grid(final + (edge - final) * Fraction(9, 10), edge, final)) != last:

        @cache
        def at(level: int) -> Fraction:
            return final if level == levels else _grid(final + (edge - final) * _shares(levels)[level], edge, final)

        outermost = 1 if at(0) == points[0][1] else 0
        for level in (outermost, *_between(lambda level: crossing(at(level)), outermost, levels)):
            time = crossing(at(level))
            if time is not None:
                points.append((max(time, points[-1][0]), at(level)))
    points.append((max(last or 0, points[-1][0]), final))
    return points


@cache
def _shares(levels: int) -> tuple[Fraction, ...]:
    """Return how much of the way out from the final bound to the edge each level lies, the outermost first."""
    return tuple(Fraction(0.5 ** (_HALVINGS * level / levels)).limit_denominator(10**6) for level in range(levels))


def _between(time: Callable[[int], int | None], outer: int, inner: int) -> Iterator[int]:
    """Yield the levels between two that may be crossed at a time of their own: none between two crossed at once."""
    if inner - outer > 1 and time(outer) != time(inner):
        middle = (outer + inner) // 2
        yield from _between(time, outer, middle)
        yield middle
        yield from _between(time, middle, inner)


def _reachable(crossing: Crossing, edge: Fraction, centre: Fraction, threshold: Fraction) -> Fraction:
    """Return a bound that is crossed, for an ``edge`` so far out that steps towards it would be coarse."""
    distance, span = _FAR * max(abs(centre), abs(threshold)), abs(edge - centre)
    sign = 1 if edge > centre else -1
    while 0 < distance < span / _FAR:
        if crossing(centre + sign * distance) is not None:
            return centre + sign * distance
        distance *= _FAR
    return edge


def _innermost(crossing: Crossing, edge: Fraction, centre: Fraction, threshold: Fraction) -> Fraction:
    """Return the bound nearest ``centre`` that is crossed, by galloping out from it and then bisecting."""
    unit = abs(centre - edge) / RESOLUTION
    if unit == 0:
        return edge
    sign = 1 if edge > centre else -1
    gap = RESOLUTION // 256
    inside, outside = 0, RESOLUTION
    while gap < RESOLUTION:
        if crossing(_at(centre, sign * gap * unit)) is not None:
            outside = gap
            break
        inside, gap = gap, gap * 2
    while outside - inside > max(1, inside // 512):
        middle = (inside + outside) // 2
        if crossing(_at(centre, sign * middle * unit)) is not None:
            outside = middle
        else:
            inside = middle
    best = _at(centre, sign * outside * unit) if outside < RESOLUTION else edge
    # The threshold is tried too: interval and verdict must agree to the last digit.
    between = min(best, centre) <= threshold <= max(best, centre)
    return threshold if between and threshold != best and crossing(threshold) is not None else best


def _at(centre: Fraction, offset: Fraction) -> Fraction:
    return nearest(centre + offset, RESOLUTION * 10)


def _grid(bound: Fraction, edge: Fraction, final: Fraction) -> Fraction:
    rounded = nearest(bound, RESOLUTION * 10)
    return min(max(rounded, min(edge, final)), max(edge, final))


def _merge(lower: list[tuple[int, Fraction]], upper: list[tuple[int, Fraction]]) -> tuple[BoundsPoint, ...]:
    times = sorted({time for time, _ in lower} | {time for time, _ in upper})
    points = [BoundsPoint(time, float(_last(lower, time)), float(_last(upper, time))) for time in times]
    return tuple(points[-PATH_POINTS:])


def _last(points: list[tuple[int, Fraction]], time: int) -> Fraction:
    return next(bound for when, bound in reversed(points) if when <= time)


def nearest(value: Fraction, largest: int) -> Fraction:
    """Return the fraction nearest ``value`` with a denominator up to ``largest``, as `Fraction.limit_denominator` does.

    By integers alone: before Python 3.12 it compares the two candidates as fractions, which is most of its time.
    """
    if value.denominator <= largest:
        return value
    n, d = value.numerator, value.denominator
    p0, q0, p1, q1 = 0, 1, 1, 0
    while True:
        whole = n // d
        q2 = q0 + whole * q1
        if q2 > largest:
            break
        p0, q0, p1, q1 = p1, q1, p0 + whole * p1, q2
        n, d = d, n - whole * d
    k = (largest - q0) // q1
    # The candidates are on both sides of the value, at d/(q1·denominator) and the rest of 1/(q1·(q0 + k·q1)).
    nearer = 2 * d * (q0 + k * q1) <= value.denominator
    return Fraction(p1, q1) if nearer else Fraction(p0 + k * p1, q0 + k * q1)
