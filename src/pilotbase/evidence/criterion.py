"""When a criterion is confirmed and when it is refuted, at any bound, while cases come in.

Times are counts of scored cases. A bound other than the threshold serves the interval: the lower confidence bound of a
``≥`` criterion is the largest bound that is confirmed, so interval and verdict can never disagree.

A quantile needs no assumption on the tail. With ``units`` its entries are time blocks, each a cluster of requests.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from fractions import Fraction
from functools import cached_property
from typing import Literal, Protocol

import numpy as np

from pilotbase.evidence.counted import CountedEntries, CountedPath, codes_of, counted, kinds_of
from pilotbase.evidence.distributions import binomial_head, binomial_tail, hypergeometric_head, hypergeometric_tail
from pilotbase.evidence.lattice import MeanClaim, Stream, claim_at_least, claim_at_most
from pilotbase.evidence.martingale import Floats
from pilotbase.evidence.observations import Comparison
from pilotbase.evidence.recalculated import PRIOR, RecalculatedBets

Method = Literal["anytime", "fixed"]
"""``fixed``: at a number fixed beforehand. Entries of two values then get the binomial or hypergeometric test, others
bets that aim at that number."""
AIMED = 0.9
"""Share of an error level for the bets that aim at a fixed number."""

_WORTH_COUNTING = 4096


class CriterionTest(Protocol):
    """One criterion under test."""

    def exact_fixed(self) -> bool:
        """Return whether the test is one for a number fixed beforehand (otherwise it holds at any time)."""

    @property
    def range(self) -> tuple[Fraction, Fraction]:
        """Smallest and largest value that the measure can take."""

    def measured(self) -> bool:
        """Return whether every part has at least one eligible case in the whole set."""

    def counts(self, horizon: int) -> tuple[int, int]:
        """Return eligible entries known at ``horizon``, and in all."""

    def estimate(self, horizon: int) -> float | None:
        """Return the measure over the cases scored by ``horizon``; None when 0/0."""

    def holds(self, bound: Fraction) -> bool:
        """Return, computed in integers, whether the criterion is true of the whole set at ``bound``."""

    def confirmed_at(self, bound: Fraction, alpha: float, horizon: int) -> int | None:
        """Return when the evidence for the criterion reached 1/alpha; None if it didn't by ``horizon``."""

    def refuted_at(self, bound: Fraction, alpha: float, horizon: int) -> int | None:
        """Return when the evidence against the criterion reached 1/alpha; None if it didn't by ``horizon``."""


@dataclass(frozen=True)
class SingleTest:
    """A measure that is one ratio of sums."""

    stream: Stream
    census: Stream
    """The same cases one by one: what an exact count is made of when ``stream`` is of clusters."""
    comparison: Comparison
    root: Literal[1, 2]
    unit: int
    finite: bool
    method: Method
    target: Fraction | None = None
    """The bound at which a fixed number is to decide; None for a part, of which only bounds are asked."""
    from_below: bool = False
    """The ratio is never above the measure: it shows only that the measure is above a bound, of 0 or more."""
    _aimed: dict[tuple[float, int, int], int | None] = field(
        default_factory=dict, init=False, repr=False, compare=False
    )
    _entries: dict[int, CountedEntries] = field(default_factory=dict, init=False, repr=False, compare=False)

    @property
    def range(self) -> tuple[Fraction, Fraction]:
        ratios = [Fraction(gain, weight) for gain, weight in self.stream.outcomes if weight]
        return self._value(min(ratios)), self._value(max(ratios))

    def measured(self) -> bool:
        return bool(self.stream.weight.any())

    def counts(self, horizon: int) -> tuple[int, int]:
        return self.stream.until(horizon), len(self.stream)

    def estimate(self, horizon: int) -> float | None:
        ratio = self.census.ratio(self.census.until(horizon))
        return None if ratio is None else float(self.unit * ratio) ** (1 / self.root)

    def holds(self, bound: Fraction) -> bool:
        ratio = self.census.ratio()
        if ratio is None:
            return False
        limit = self.ratio_at(bound)
        return ratio >= limit if self.comparison == ">=" else ratio <= limit

    def confirmed_at(self, bound: Fraction, alpha: float, horizon: int) -> int | None:
        return self._crossed(bound, alpha, self.stream.until(horizon), 1)

    def refuted_at(self, bound: Fraction, alpha: float, horizon: int) -> int | None:
        return self._crossed(bound, alpha, self.stream.until(horizon), -1)

    def _crossed(self, bound: Fraction, alpha: float, known: int, sign: int) -> int | None:
        """Return when the evidence for (1) or against (-1) the claim at ``bound`` reached 1/alpha.

        At a fixed number most of alpha aims at the target, which also speaks for easier bounds; the mixture has the
        rest, and gives the interval beyond it. By the union bound both err with probability at most alpha.
        """
        if self.from_below:
            if (sign > 0) != (self.comparison == ">="):
                return None
            bound = max(bound, Fraction(0))
        if self.method == "fixed" and self.binary:
            test = _confirming_p if sign > 0 else _refuting_p
            return self._once(known, self._two_valued(test, bound, known) <= alpha)
        if self.method != "fixed" or self.target is None:
            return self._mixed(bound, alpha, known, sign)
        found = self._mixed(bound, (1 - AIMED) * alpha, known, sign)
        side = sign if self.comparison == ">=" else -sign
        if found is not None or side * (bound - self.target) > 0:
            return found
        key = alpha, known, sign
        if key not in self._aimed:
            self._aimed[key] = self._at(aimed(self.claim(self.target, known), self.finite, alpha, sign))
        return self._aimed[key]

    def _mixed(self, bound: Fraction, alpha: float, known: int, sign: int) -> int | None:
        level = math.log(1 / alpha)
        if self.method == "fixed" and not self.finite:
            counts = self._counted(known)
            reached = (counts.confirms if sign > 0 else counts.refutes)(self.ratio_at(bound), self.comparison, level)
            return self._once(known, reached)
        if self._path is not None and (gains := self._gains(bound, sign)) is not None:
            return self._at(self._path.crossing(gains, level, known))
        claim = self.claim(bound, known)
        martingale = claim.confirming(self.finite) if sign > 0 else claim.refuting(self.finite)
        return self._at(martingale.crossing(sign * claim.values, level))

    def _two_valued(self, test: Callable[[MeanClaim, int, bool, int], float], bound: Fraction, known: int) -> float:
        make = claim_at_least if self.comparison == ">=" else claim_at_most
        kinds = make(kinds_of(self.stream), self.ratio_at(bound)).values
        low, high = int(kinds.min()), int(kinds.max())
        claim = self.claim(bound, known)
        successes = (int(claim.values.sum()) - low * known) // max(high - low, 1)
        return test(replace(claim, low=low, high=high), known, self.finite, successes) if high > low else 1.0

    def claim(self, bound: Fraction, known: int | None = None) -> MeanClaim:
        """Return the criterion linearised at ``bound``, with the values of the first ``known`` entries (or all)."""
        make = claim_at_least if self.comparison == ">=" else claim_at_most
        return make(self.stream, self.ratio_at(bound), known)

    def exact_fixed(self) -> bool:
        return self.method == "fixed" and (self.binary or not self.finite or self.target is not None)

    @property
    def binary(self) -> bool:
        """True when an entry is one of two, such as a hit among hits, misses and false alarms (F1)."""
        return not self.stream.largest_unit and len(set(self.stream.outcomes)) == 2

    def _counted(self, known: int) -> CountedEntries:
        if known not in self._entries:
            self._entries[known] = counted(self.stream, known)
        return self._entries[known]

    def value_per_unit(self, bound: Fraction) -> float:
        """Return the value in the measure of one unit of the claim's mean at ``bound``, at the mean weight seen."""
        slope = 1.0 if self.root == 1 else 1 / (2 * max(float(bound), 1e-9))
        weight = float(self.stream.weight.mean()) if len(self.stream) else 1.0
        return slope * self.unit / (float(self.claim(bound, 0).scale) * weight)

    @cached_property
    def _path(self) -> CountedPath | None:
        """The counts along the way, where many independent entries are of few kinds."""
        if self.method == "fixed" or self.finite or len(self.stream) < _WORTH_COUNTING:
            return None
        codes = codes_of(self.stream)
        return None if codes is None else CountedPath.of(codes, len(kinds_of(self.stream)))

    def _gains(self, bound: Fraction, sign: int) -> Floats | None:
        """Return the gain of a bet of one on (or against) the claim for each kind; None at the end of the range."""
        make = claim_at_least if self.comparison == ">=" else claim_at_most
        claim = make(kinds_of(self.stream), self.ratio_at(bound))
        low, mean = (claim.low, claim.mean) if sign > 0 else (-claim.high, -claim.mean)
        room = float(mean - low)
        return (sign * claim.values - low) / room - 1.0 if room > 0 and not claim.rounding else None

    def _at(self, index: int | None) -> int | None:
        return None if index is None else int(self.stream.positions[index])

    def _once(self, known: int, reached: bool) -> int | None:
        return int(self.stream.positions[known - 1]) if known and reached else None

    def ratio_at(self, bound: Fraction) -> Fraction:
        """Return the ratio of sums at which the measure is ``bound``."""
        power = bound if self.root == 1 else bound**self.root
        return power if self.unit == 1 else power / self.unit

    def _value(self, ratio: Fraction) -> Fraction:
        value = self.unit * ratio
        return value if self.root == 1 else Fraction(math.sqrt(value)).limit_denominator(10**6)


@dataclass(frozen=True)
class WorstTest:
    """A criterion that every group must meet: each is confirmed at α, any one refutes at α/G."""

    groups: Sequence[SingleTest]

    @property
    def range(self) -> tuple[Fraction, Fraction]:
        ranges = [group.range for group in self.groups]
        return min(low for low, _ in ranges), max(high for _, high in ranges)

    def measured(self) -> bool:
        return len(self.groups) > 0 and all(group.measured() for group in self.groups)

    def counts(self, horizon: int) -> tuple[int, int]:
        counts = [group.counts(horizon) for group in self.groups]
        return sum(known for known, _ in counts), sum(total for _, total in counts)

    def estimate(self, horizon: int) -> float | None:
        values = [group.estimate(horizon) for group in self.groups]
        found = [value for value in values if value is not None]
        if len(found) < len(values) or not found:
            return None
        return min(found) if self.groups[0].comparison == ">=" else max(found)

    def exact_fixed(self) -> bool:
        return all(group.exact_fixed() for group in self.groups)

    def holds(self, bound: Fraction) -> bool:
        return all(group.holds(bound) for group in self.groups)

    def confirmed_at(self, bound: Fraction, alpha: float, horizon: int) -> int | None:
        latest = 0
        for group in self.groups:
            time = group.confirmed_at(bound, alpha, horizon)
            if time is None:
                return None
            latest = max(latest, time)
        return latest

    def refuted_at(self, bound: Fraction, alpha: float, horizon: int) -> int | None:
        share = alpha / len(self.groups)
        times = [group.refuted_at(bound, share, horizon) for group in self.groups]
        return min((time for time in times if time is not None), default=None)


def aimed(claim: MeanClaim, finite: bool, alpha: float, sign: int = 1) -> int | None:
    """Return the index at which bets recalculated towards all of ``claim.values`` reached their share of alpha."""
    martingale = claim.confirming(finite) if sign > 0 else claim.refuting(finite)
    gains, impossible = martingale.gains(sign * claim.values)
    broken = np.flatnonzero(impossible)
    if len(broken) or gains.sum() <= 0:
        return int(broken[0]) if len(broken) else None
    ahead, behind = (float(end) for end in (claim.high - claim.mean, claim.mean - claim.low)[::sign])
    prior = min(PRIOR, ahead / behind) if ahead > 0 and behind > 0 else PRIOR
    return RecalculatedBets(AIMED * alpha, len(gains), prior=prior).crossing(gains)


def _confirming_p(claim: MeanClaim, known: int, finite: bool, successes: int) -> float:
    step, size = claim.high - claim.low, claim.size
    if finite:
        return hypergeometric_tail(successes, known, size, (claim.total - 1 - claim.low * size) // step)
    return binomial_tail(successes, known, (claim.mean - claim.low) / step)


def _refuting_p(claim: MeanClaim, known: int, finite: bool, successes: int) -> float:
    step, size = claim.high - claim.low, claim.size
    if finite:
        return hypergeometric_head(successes, known, size, -((claim.low * size - claim.total) // step))
    return binomial_head(successes, known, (claim.mean - claim.low) / step)


@dataclass(frozen=True)
class QuantileTest:
    """The criterion *quantile ≤ bound* over ``single``'s values gain / weight (all of one weight)."""

    single: SingleTest
    quantile: Fraction
    target: Fraction | None = None
    """The bound at which a fixed number of blocks is to decide."""

    @property
    def range(self) -> tuple[Fraction, Fraction]:
        values = self._values
        return Fraction(0), Fraction(int(values.gain.max(initial=0)), self._weight)

    def exact_fixed(self) -> bool:
        single = self.single
        return single.method == "fixed" and not (single.finite and single.stream.largest_unit)

    def measured(self) -> bool:
        return self.single.measured()

    def counts(self, horizon: int) -> tuple[int, int]:
        return self.single.counts(horizon)

    def estimate(self, horizon: int) -> float | None:
        known = self._values.until(horizon)
        if known == 0:
            return None
        rank = -(-self.quantile.numerator * known // self.quantile.denominator)
        return float(np.partition(self._values.gain[:known], rank - 1)[rank - 1]) / self._weight

    def holds(self, bound: Fraction) -> bool:
        within = int((self._values.gain <= int(bound * self._weight)).sum())
        return within >= self.quantile * len(self._values)

    def confirmed_at(self, bound: Fraction, alpha: float, horizon: int) -> int | None:
        return self._crossed(bound, alpha, horizon, 1)

    def refuted_at(self, bound: Fraction, alpha: float, horizon: int) -> int | None:
        return self._crossed(bound, alpha, horizon, -1)

    def _crossed(self, bound: Fraction, alpha: float, horizon: int, sign: int) -> int | None:
        """Return when the evidence reached 1/alpha; of blocks, most of alpha aims at the target, as in `SingleTest`."""
        shares = self.shares_within(bound)
        if self.target is None or shares.method != "fixed" or shares.binary:
            return (shares.confirmed_at if sign > 0 else shares.refuted_at)(self.quantile, alpha, horizon)
        found = (shares.confirmed_at if sign > 0 else shares.refuted_at)(self.quantile, (1 - AIMED) * alpha, horizon)
        if found is not None or sign * (bound - self.target) < 0:
            return found
        aiming = self.aiming(self.target)
        return (aiming.confirmed_at if sign > 0 else aiming.refuted_at)(self.quantile, alpha, horizon)

    def aiming(self, bound: Fraction) -> SingleTest:
        """Return the test of the share within ``bound``; of blocks, with bets that aim at it."""
        return replace(self.shares_within(bound), target=None if self.target is None else self.quantile)

    @property
    def _values(self) -> Stream:
        return self.single.census

    @property
    def _weight(self) -> int:
        return self._values.outcomes[0][1]

    def shares_within(self, bound: Fraction) -> SingleTest:
        """Return the test of the share of values that do not exceed ``bound``."""
        within = (self._values.gain <= int(bound * self._weight)).astype(np.int64)
        each = replace(
            self._values, gain=within, weight=np.ones(len(within), dtype=np.int64), outcomes=((0, 1), (1, 1))
        )
        stream = each
        if self.single.stream.largest_unit:
            ends = np.searchsorted(self._values.positions, self.single.stream.positions, side="right")
            starts = np.concatenate(([0], ends[:-1]))
            stream = replace(
                self.single.stream,
                gain=np.add.reduceat(within, starts),
                weight=ends - starts,
                outcomes=each.outcomes,
            )
        return replace(self.single, stream=stream, census=each, comparison=">=", root=1, unit=1)
