"""The planner's program: which scenarios, in which phase, so that the plan is worth most within its limits.

A mixed-integer linear program (HiGHS, one thread): the same problem gives the same plan. Scenario ``i`` is taken up in
phase ``k`` or not at all; the relaxation bounds what any plan can be worth.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Literal

import numpy as np
import numpy.typing as npt
import scipy  # loads each of its parts when it is first used

NOWHERE = -1
"""The phase of a scenario that is not taken up."""
_TINY = 1e-6
Numbers = npt.NDArray[np.float64]
Phases = npt.NDArray[np.int64]
Mask = npt.NDArray[np.bool_]
Kind = Literal["limits", "fixed", "shares"]
"""What can be let go so that there is a plan at all."""


@dataclass(frozen=True)
class Goal:
    """A number to reach by the end of a phase; each missing unit costs ``penalty``: a goal never stops a plan."""

    by: int
    number: float
    gains: Numbers
    """What each scenario adds to it once it is taken up; not negative."""
    penalty: float


@dataclass(frozen=True)
class MemberShare:
    """At least ``least`` of all scenarios taken up are ``members``."""

    members: Mask
    least: float


@dataclass(frozen=True)
class PlanningProblem:
    """What there is to choose from; ``n`` scenarios, ``K`` phases, ``Q`` resources."""

    values: Numbers
    """(n,) What each scenario is worth; not negative."""
    discounts: Numbers
    """(K,) What one unit of value is worth in each phase."""
    needs: Numbers
    """(n, Q) What each scenario uses of each resource, in the phase in which it is taken up."""
    limits: Numbers
    """(K, Q) What there is; inf: no limit."""
    allowed: Mask
    """(n, K)"""
    fixed: Mask
    """(n,) Must be taken up, in a phase that is allowed."""
    order: tuple[tuple[int, int], ...] = ()
    """(before, after): after is taken up no earlier than before, and not without it."""
    shares: tuple[MemberShare, ...] = ()
    goals: tuple[Goal, ...] = ()
    present: Phases = field(default_factory=lambda: np.empty(0, np.int64))
    """(n,) The plan in force, empty where there is none."""
    keep: float = 0.0
    """What it costs to move or drop a scenario of the plan in force."""


@dataclass(frozen=True)
class Solution:
    """A plan, and how good it is."""

    phases: Phases
    """(n,) The phase of each scenario, or `NOWHERE`."""
    value: float
    """Value less what missed goals and changes cost."""
    bound: float
    """No plan is worth more."""
    short: tuple[float, ...]
    """What each goal misses."""
    is_present: bool = False
    """The plan in force stays: nothing better was found."""

    @property
    def gap(self) -> float:
        """Return how far above ``value`` the bound lies, as a share of it."""
        return max(0.0, self.bound - self.value) / max(abs(self.value), _TINY)


@dataclass(frozen=True)
class Relaxation:
    """One way to let a plan exist: what is let go, and by how much."""

    kind: Kind
    limits: Numbers
    """(K, Q) What is needed beyond each limit."""
    released: tuple[int, ...] = ()
    """Fixed scenarios, or shares, that are given up."""


def solve(problem: PlanningProblem, gap: float = 0.01, seconds: float = 30.0) -> Solution | None:
    """Return a plan whose value is within ``gap`` of the best, or the best found in ``seconds``; None: there is none.

    Raises:
        TimeoutError: the time ended before any plan was found.
    """
    program = _Program(problem)
    found = program.solved(gap, seconds)
    if found.status == 2:
        return None
    if found.x is None:
        raise TimeoutError
    bound = program.offset - found.mip_dual_bound
    chosen = _measured(problem, program.phases(found.x), bound)
    kept = _measured(problem, problem.present, bound) if _is_plan(problem, problem.present) else None
    return replace(kept, is_present=True) if kept is not None and kept.value >= chosen.value - _TINY else chosen


def worth(problem: PlanningProblem, phases: Phases) -> float:
    """Return the value of a plan, less what missed goals and changes of the plan in force cost."""
    taken = phases != NOWHERE
    value = float((problem.values[taken] * problem.discounts[phases[taken]]).sum())
    value -= sum(goal.penalty * missed for goal, missed in zip(problem.goals, shortfalls(problem, phases), strict=True))
    if len(problem.present):
        value -= problem.keep * int(((problem.present != NOWHERE) & (problem.present != phases)).sum())
    return value


def shortfalls(problem: PlanningProblem, phases: Phases) -> tuple[float, ...]:
    """Return what a plan misses of each goal."""
    reached = [float(goal.gains[(phases != NOWHERE) & (phases <= goal.by)].sum()) for goal in problem.goals]
    return tuple(max(0.0, goal.number - got) for goal, got in zip(problem.goals, reached, strict=True))


def used(problem: PlanningProblem, phases: Phases) -> Numbers:
    """Return (K, Q) what a plan uses in each phase."""
    shape = problem.limits.shape
    return np.stack([problem.needs[phases == k].sum(axis=0) for k in range(shape[0])]) if shape[0] else problem.limits


def prices(problem: PlanningProblem) -> Numbers:
    """Return (K, Q) what one more unit of each limit would add, by the relaxation; 0 where there is no plan."""
    program = _Program(problem)
    rows, upper = program.one_sided()
    found = scipy.optimize.linprog(program.costs, A_ub=rows, b_ub=upper, bounds=program.spans(), method="highs")
    duals = np.zeros(problem.limits.size)
    if found.status == 0:
        duals[program.bounded] = -found.ineqlin.marginals[: len(program.bounded)]
    return np.maximum(duals, 0.0).reshape(problem.limits.shape)


def relaxations(problem: PlanningProblem, seconds: float = 10.0) -> Iterator[Relaxation]:
    """Yield the smallest ways to let a plan exist, each of one kind; none where only several together would do."""
    kinds: Sequence[Kind] = ("limits", "fixed", "shares")
    for kind in kinds:
        program = _Program(problem, kind)
        if not program.slacks:
            continue
        found = program.solved(0.01, seconds)
        if found.x is None:
            continue
        slack = found.x[-program.slacks :]
        beyond = np.zeros(problem.limits.size)
        if kind == "limits":
            beyond[program.bounded] = slack * program.scales
            yield Relaxation(kind, beyond.reshape(problem.limits.shape))
        else:
            places = np.flatnonzero(problem.fixed) if kind == "fixed" else np.arange(len(problem.shares))
            yield Relaxation(kind, beyond.reshape(problem.limits.shape), tuple(places[slack > 0.5].tolist()))


class _Program:
    """The problem as costs, rows and bounds: x (n·K, whole), what each goal misses, then slacks of one kind."""

    def __init__(self, problem: PlanningProblem, elastic: Kind | None = None) -> None:
        self.problem, self.elastic = problem, elastic
        self.scenarios, self.periods = problem.allowed.shape
        self.places = self.scenarios * self.periods
        self.bounded = np.flatnonzero(np.isfinite(problem.limits.ravel()))
        limits = problem.limits.ravel()[self.bounded]
        self.scales = np.where(
            limits > 0,
            limits,
            np.maximum(problem.needs.mean(axis=0)[self.bounded % max(problem.limits.shape[1], 1)], 1.0),
        )
        self.slacks = {
            "limits": len(self.bounded),
            "fixed": int(problem.fixed.sum()),
            "shares": len(problem.shares),
        }.get(elastic or "", 0)
        self.width = self.places + len(problem.goals) + self.slacks
        self.offset = 0.0
        self.costs = self._costs()

    def solved(self, gap: float, seconds: float) -> Any:
        """Return what HiGHS found."""
        rows, lower, upper = self._rows()
        whole = np.zeros(self.width)
        whole[: self.places] = 1
        if self.elastic in ("fixed", "shares"):
            whole[-self.slacks :] = 1
        spans = self.spans()
        return scipy.optimize.milp(
            self.costs,
            integrality=whole,
            bounds=scipy.optimize.Bounds(spans[:, 0], spans[:, 1]),
            constraints=scipy.optimize.LinearConstraint(rows, lower, upper),
            options={"mip_rel_gap": gap, "time_limit": seconds},
        )

    def phases(self, found: Numbers) -> Phases:
        """Return the phase of each scenario in a solution."""
        taken = found[: self.places].reshape(self.scenarios, self.periods) > 0.5
        return np.where(taken.any(axis=1), taken.argmax(axis=1), NOWHERE)

    def spans(self) -> Numbers:
        """Return (width, 2) the least and most of every variable."""
        most = np.ones(self.width)
        most[: self.places] = self.problem.allowed.ravel()
        most[self.places : self.places + len(self.problem.goals)] = np.inf
        if self.elastic == "limits":
            most[self.width - self.slacks :] = np.inf
        return np.stack([np.zeros(self.width), most], axis=1)

    def one_sided(self) -> tuple[scipy.sparse.csr_array, Numbers]:
        """Return the rows as ``rows @ x <= upper``, those of the limits first."""
        rows, lower, upper = self._rows()
        above = np.flatnonzero(np.isfinite(lower))
        turned = scipy.sparse.csr_array(rows[above] * -1.0)
        limited = np.isfinite(upper)
        stacked = _stacked([scipy.sparse.csr_array(rows[np.flatnonzero(limited)]), turned], self.width)
        return stacked, np.concatenate([upper[limited], -lower[above]])

    def _costs(self) -> Numbers:
        problem, costs = self.problem, np.zeros(self.width)
        if self.elastic is not None:
            costs[-self.slacks :] = 1.0
            return costs
        worth = problem.values[:, None] * problem.discounts
        if len(problem.present):
            there = np.flatnonzero(problem.present != NOWHERE)
            worth[there, problem.present[there]] += problem.keep
            self.offset = -problem.keep * len(there)
        costs[: self.places] = -worth.ravel()
        costs[self.places : self.places + len(problem.goals)] = [goal.penalty for goal in problem.goals]
        return costs

    def _rows(self) -> tuple[scipy.sparse.csr_array, Numbers, Numbers]:
        """Return rows with their least and most: limits, once each, fixed, order, shares, goals."""
        blocks = [*self._limits(), *self._once(), *self._ordered(), *self._shared(), *self._reached()]
        rows = _stacked([one for one, _, _ in blocks], self.width)
        return rows, np.concatenate([one for _, one, _ in blocks]), np.concatenate([one for _, _, one in blocks])

    def _limits(self) -> Iterator[tuple[scipy.sparse.csr_array, Numbers, Numbers]]:
        problem, resources = self.problem, self.problem.limits.shape[1]
        if not len(self.bounded):
            return
        where = {int(cell): row for row, cell in enumerate(self.bounded)}
        entries = [
            (row, i * self.periods + cell // resources, problem.needs[i, cell % resources])
            for cell, row in where.items()
            for i in np.flatnonzero(problem.needs[:, cell % resources]).tolist()
        ]
        if self.elastic == "limits":
            entries += [(row, self.width - self.slacks + row, -float(self.scales[row])) for row in where.values()]
        yield self._block(entries, np.full(len(where), -np.inf), problem.limits.ravel()[self.bounded])

    def _once(self) -> Iterator[tuple[scipy.sparse.csr_array, Numbers, Numbers]]:
        fixed = self.problem.fixed
        entries = [(i, i * self.periods + k, 1.0) for i in range(self.scenarios) for k in range(self.periods)]
        if self.elastic == "fixed":
            entries += [(int(i), self.width - self.slacks + at, 1.0) for at, i in enumerate(np.flatnonzero(fixed))]
        yield self._block(entries, np.where(fixed, 1.0, -np.inf), np.ones(self.scenarios))

    def _ordered(self) -> Iterator[tuple[scipy.sparse.csr_array, Numbers, Numbers]]:
        entries, row = [], 0
        for before, after in self.problem.order:
            for last in range(self.periods):
                entries += [(row, after * self.periods + k, 1.0) for k in range(last + 1)]
                entries += [(row, before * self.periods + k, -1.0) for k in range(last + 1)]
                row += 1
        if row:
            yield self._block(entries, np.full(row, -np.inf), np.zeros(row))

    def _shared(self) -> Iterator[tuple[scipy.sparse.csr_array, Numbers, Numbers]]:
        entries = []
        for row, share in enumerate(self.problem.shares):
            parts = np.where(share.members, 1.0, 0.0) - share.least
            entries += [
                (row, i * self.periods + k, part) for i, part in enumerate(parts.tolist()) for k in range(self.periods)
            ]
            if self.elastic == "shares":
                entries.append((row, self.width - self.slacks + row, float(self.scenarios)))
        if self.problem.shares:
            number = len(self.problem.shares)
            yield self._block(entries, np.zeros(number), np.full(number, np.inf))

    def _reached(self) -> Iterator[tuple[scipy.sparse.csr_array, Numbers, Numbers]]:
        goals, entries = self.problem.goals, []
        for row, goal in enumerate(goals):
            gaining = np.flatnonzero(goal.gains).tolist()
            entries += [(row, i * self.periods + k, float(goal.gains[i])) for i in gaining for k in range(goal.by + 1)]
            entries.append((row, self.places + row, 1.0))
        if goals:
            yield self._block(entries, np.array([goal.number for goal in goals]), np.full(len(goals), np.inf))

    def _block(
        self, entries: Sequence[tuple[int, int, float]], lower: Numbers, upper: Numbers
    ) -> tuple[scipy.sparse.csr_array, Numbers, Numbers]:
        rows, columns, numbers = zip(*entries, strict=True) if entries else ((), (), ())
        found = scipy.sparse.coo_array((numbers, (rows, columns)), shape=(len(lower), self.width))
        return scipy.sparse.csr_array(found), lower, upper


def _stacked(blocks: Sequence[scipy.sparse.csr_array], width: int) -> scipy.sparse.csr_array:
    return scipy.sparse.csr_array(scipy.sparse.vstack(blocks)) if blocks else scipy.sparse.csr_array((0, width))


def _measured(problem: PlanningProblem, phases: Phases, bound: float) -> Solution:
    value = worth(problem, phases)
    return Solution(phases, value, max(bound, value), shortfalls(problem, phases))


def _is_plan(problem: PlanningProblem, phases: Phases) -> bool:
    """Return whether ``phases`` keeps every rule of ``problem``; no plan in force is none."""
    if not len(phases):
        return False
    taken = phases != NOWHERE
    late = np.where(taken, phases, problem.allowed.shape[1])
    return bool(
        problem.allowed[np.flatnonzero(taken), phases[taken]].all()
        and taken[problem.fixed].all()
        and (used(problem, phases) <= problem.limits + _TINY).all()
        and all(late[before] <= late[after] or not taken[after] for before, after in problem.order)
        and all(taken[one.members].sum() >= one.least * taken.sum() - _TINY for one in problem.shares)
    )
