"""Rational numbers with small denominators: bounds are printed as such."""

from __future__ import annotations

from fractions import Fraction


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
    # The candidates lie on both sides of the value, at d/(q1·denominator) and what is left of 1/(q1·(q0 + k·q1)).
    nearer = 2 * d * (q0 + k * q1) <= value.denominator
    return Fraction(p1, q1) if nearer else Fraction(p0 + k * p1, q0 + k * q1)
