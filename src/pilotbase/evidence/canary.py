"""A canary: whether a new version fails more often than the old one, or not more often by a margin, at any time.

Calls of the same hours are compared, because services have good and bad days. A block is one call of the new version
and ``old_per_new`` calls of the old one, in the order in which they ended; d is whether the new call failed, less the
share of the old ones that did. A call sent to both versions is a block by itself. Two bets run at once, each an
average over fixed stakes, so that each is a nonnegative martingale at most (Ville's inequality bounds the chance that
it ever reaches 1 / alpha):

* harm: 1 + λ·d, against "the new version fails no more often";
* promotion: 1 + λ·(margin − d) / (1 + margin), against "it fails more often by the margin, or by more".

Source: Waudby-Smith and Ramdas, "Estimating means of bounded random variables by betting" (2024), section 4.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

STAKES = (0.03, 0.1, 0.25, 0.5, 0.9)
_KEPT = 64
"""At most so many blocks' worth of calls wait for the other version."""


@dataclass
class CanaryEvidence:
    """The evidence of one release; `asdict` is its state.

    >>> canary = CanaryEvidence(old_per_new=1, margin=0.02)
    >>> for _ in range(20):
    ...     canary.see(new=False, failed=False)
    ...     canary.see(new=True, failed=True)
    >>> canary.harm > 1 / 0.05
    True
    """

    old_per_new: int
    margin: float
    old_calls: int = 0
    old_failed: int = 0
    new_calls: int = 0
    new_failed: int = 0
    shadow_calls: int = 0
    """Calls sent to both versions; they don't count above."""
    shadow_failed: int = 0
    shadow_alike: int = 0
    """Those to which both gave the same answer."""
    waiting_old: str = ""
    """Outcomes that belong to no block yet, oldest first: ``1`` failed, ``0`` did not."""
    waiting_new: str = ""
    harms: Sequence[float] = (0.0,) * len(STAKES)
    """Logarithms of the wealth of each stake."""
    gains: Sequence[float] = (0.0,) * len(STAKES)

    def see(self, new: bool, failed: bool) -> None:
        """Add the outcome of one call."""
        if new:
            self.new_calls, self.new_failed = self.new_calls + 1, self.new_failed + failed
            self.waiting_new = (self.waiting_new + str(int(failed)))[-_KEPT:]
        else:
            self.old_calls, self.old_failed = self.old_calls + 1, self.old_failed + failed
            self.waiting_old = (self.waiting_old + str(int(failed)))[-_KEPT * self.old_per_new :]
        while self.waiting_new and len(self.waiting_old) >= self.old_per_new:
            old = self.waiting_old[: self.old_per_new].count("1") / self.old_per_new
            self._bet(int(self.waiting_new[0]) - old)
            self.waiting_new, self.waiting_old = self.waiting_new[1:], self.waiting_old[self.old_per_new :]

    def see_both(self, old_failed: bool, failed: bool, alike: bool) -> None:
        """Add a call that was sent to both versions: a block of its own."""
        self.shadow_calls += 1
        self.shadow_failed += failed
        self.shadow_alike += alike
        self._bet(int(failed) - int(old_failed))

    @property
    def harm(self) -> float:
        """Return the evidence that the new version fails more often; harm is shown when it reaches 1 / alpha."""
        return _mean_wealth(self.harms)

    @property
    def gain(self) -> float:
        """Return the evidence that it does not fail more often by the margin, of the same kind."""
        return _mean_wealth(self.gains)

    def _bet(self, difference: float) -> None:
        relief = (self.margin - difference) / (1 + self.margin)
        self.harms = [log + math.log1p(stake * difference) for log, stake in zip(self.harms, STAKES, strict=True)]
        self.gains = [log + math.log1p(stake * relief) for log, stake in zip(self.gains, STAKES, strict=True)]


def _mean_wealth(logs: Sequence[float]) -> float:
    """Return the mean of the wealths, bounded where it would overflow."""
    return sum(math.exp(min(log, 700.0)) for log in logs) / len(logs)
