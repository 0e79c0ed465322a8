"""Driving effect 带动作用 by records: what finishing a scenario supplies to others that need the same things.

A scenario needs a dataset, a world, a model, profiles of standards, skill in a task of its sector. Finishing ``i``
supplies the share ``W[i, j]`` of what ``j`` needs. With ``v`` what each scenario still has to gain, the effect is
``D = (I - λW)⁻¹ v - v``: what it supplies directly, and through those again. ``λ`` is at most half of
what makes the sum diverge, so cycles do no harm.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import numpy.typing as npt
import scipy  # loads each of its parts when it is first used

Numbers = npt.NDArray[np.float64]
_STEPS = 60
"""Each halves what is left of the sum, so that 60 leave nothing of a double."""
_TINY = 1e-12
ANCHORS = (0.25, 0.5, 1.0, 2.0)
"""Where the grades 2 to 5 begin, in grades of potential that are still to be gained; the same on every base."""


def needs_of(scenario: Mapping[str, Any]) -> frozenset[str]:
    """Return what ``scenario`` (a document as JSON) needs that others may need too, as ``kind:name``."""
    world = scenario.get("world") or {}
    found = [
        scenario["data"].get("dataset"),
        world.get("name") and f"world:{world['name']}",
        world.get("door") and "model:language",
        f"capability:{scenario['sector']}/{scenario['task']}",
        *(f"standard:{one['profile'] if isinstance(one, dict) else one}" for one in scenario.get("standards") or ()),
    ]
    return frozenset(one for one in found if one)


def left_to_gain(potential: int, maturity: int) -> float:
    """Return what is still to be gained of a potential: all of it fades as a scenario comes into use."""
    return potential * (1 - maturity / 5)


@dataclass(frozen=True)
class DrivenScenario:
    """What a scenario supplies to another one, and the things that both need; none where others lie between."""

    scenario: str
    amount: float
    shared: tuple[str, ...]


class DrivingGraph:
    """Scenarios that need the same things; each needs at least one."""

    def __init__(self, needs: Mapping[str, frozenset[str]], gains: Mapping[str, float]) -> None:
        self.scenarios: Sequence[str] = sorted(needs)
        self.needs = needs
        self._place = {scenario: at for at, scenario in enumerate(self.scenarios)}
        self._gains = np.array([gains.get(one, 0.0) for one in self.scenarios], np.float64)
        things = {thing: at for at, thing in enumerate(sorted(frozenset().union(*needs.values())))}
        pairs = [(at, things[thing]) for at, one in enumerate(self.scenarios) for thing in needs[one]]
        rows, columns = (np.array([pair[side] for pair in pairs], np.int64) for side in (0, 1))
        shape = (len(self.scenarios), len(things))
        self._incidence = scipy.sparse.csr_array((np.ones(len(pairs)), (rows, columns)), shape=shape)
        self._number = np.array([len(needs[one]) for one in self.scenarios], np.float64)

    @cached_property
    def effects(self) -> dict[str, float]:
        """Return scenario → its driving effect."""
        return dict(
            zip(self.scenarios, (self._summed(self._supplied, self._gains) - self._gains).tolist(), strict=True)
        )

    def largest(self, scenario: str, most: int = 3) -> list[DrivenScenario]:
        """Return what ``scenario`` supplies most to, beside what comes back to itself."""
        here = self._place[scenario]
        start = np.zeros(len(self.scenarios))
        start[here] = 1.0
        parts = self._summed(self._supplying, start) * self._gains
        parts[here] = 0.0
        first = [at for at in np.argsort(-parts, kind="stable").tolist() if parts[at] > _TINY][:most]
        return [
            DrivenScenario(other, float(parts[at]), tuple(sorted(self.needs[scenario] & self.needs[other])))
            for at in first
            for other in [self.scenarios[at]]
        ]

    def _summed(self, step: Any, start: Numbers) -> Numbers:
        total, term = start.copy(), start
        for _ in range(_STEPS):
            term = self._damping * step(term)
            total += term
        return total

    def _supplied(self, values: Numbers) -> Numbers:
        """Return ``W @ values``."""
        shared: Numbers = self._incidence @ (self._incidence.T @ (values / self._number))
        return shared - values

    def _supplying(self, values: Numbers) -> Numbers:
        """Return ``W.T @ values``."""
        shared: Numbers = self._incidence @ (self._incidence.T @ values)
        return shared / self._number - values

    @cached_property
    def _damping(self) -> float:
        """Return half of what makes the sum diverge, at most one half; the bound is Collatz's."""
        values, bound = np.ones(len(self.scenarios)), 0.0
        for _ in range(_STEPS):
            after = self._supplied(values) + values
            bound = float((after / values).max(initial=1.0)) - 1
            values = after / max(float(after.max(initial=0.0)), _TINY)
        return 0.5 / max(bound, 1.0)


def grade_of(effect: float) -> int:
    """Return an effect as a grade of 1 to 5."""
    return 1 + bisect_right(ANCHORS, effect)


def shares_in_top(
    scores: Iterable[Sequence[int]], counts: Sequence[int], top: int, draws: int = 10_000, seed: int = 1
) -> list[float]:
    """Return for each rung the share of all weights under which it is in the top, weights drawn evenly.

    ``scores``: the grades of a rung by each criterion; ``counts``: its scenarios.
    """
    grades = np.array([*scores], np.float64)
    if not grades.size:
        return []
    weights = np.random.default_rng(seed).dirichlet(np.ones(grades.shape[1]), draws)
    values = weights @ grades.T
    order = np.argsort(-values, axis=1, kind="stable")
    before = np.cumsum(np.array(counts)[order], axis=1) - np.array(counts)[order]
    within = np.empty(values.shape, bool)
    np.put_along_axis(within, order, before < top, axis=1)
    return [float(share) for share in within.mean(axis=0)]
