"""`make bench-roadmap`: 2,000 scenarios planned over three phases under five resources, planned again, and refused.

Values, needs, order (15 %), shares and goals are drawn with a fixed seed. The peer is the linear relaxation, solved by
HiGHS as well: no plan is worth more than it. Planned again after 3 % of the values changed and every limit fell by 5 %,
with a growing penalty for change: which tasks move, and what keeping the others costs. Differences below the gap are
noise. A demand for more than there is must be refused, with what would be needed beyond each limit.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import replace
from typing import TypeVar

import numpy as np

from benchmarks.publishing import Row, options_of, publish, row, show
from pilotbase.roadmap.program import Goal, MemberShare, PlanningProblem, Solution, prices, relaxations, solve, worth

SECONDS, GAP, PENALTIES = 30.0, 0.01, (0.0, 0.1, 0.3, 1.0)
PHASES, RESOURCES = 3, 5
Found = TypeVar("Found")


def main() -> None:
    """Measure, print, write; exit 1 if a target is missed."""
    parser = options_of(__doc__)
    parser.add_argument("--scenarios", type=int, default=2000)
    options = parser.parse_args()
    rows = measured(20, 3.0) if options.quick else measured(options.scenarios, SECONDS)
    if options.quick:
        show(rows)
    else:
        publish("roadmap", rows, 1, ("pilotbase", "numpy", "scipy"), {})


def measured(scenarios: int, most: float) -> list[Row]:
    """Return the rows of plans over so many scenarios, each in at most ``most`` seconds."""
    problem = drawn(scenarios)
    seconds, first = timed(lambda: planned(problem, most))
    relaxed, _ = timed(lambda: prices(problem))
    name = f"{scenarios:,} scenarios × {PHASES} phases × {RESOURCES} resources"
    rows = [
        row(f"{name}: planned in", seconds, "s", f"<= {SECONDS:g}", seconds <= SECONDS, "relaxation alone", relaxed),
        row(f"{name}: gap to the bound", 100 * first.gap, "%", f"<= {100 * GAP:g}", first.gap <= GAP),
    ]
    again = replace(changed(problem), present=first.phases)
    free = planned(again, most)
    for penalty in PENALTIES:
        found = planned(replace(again, keep=penalty * float(again.values.mean())), most)
        lost = 100 * (1 - worth(again, found.phases) / worth(again, free.phases))
        moved = int((found.phases != first.phases).sum())
        rows += [
            row(f"planned again, a change costs {penalty:g} of a mean value: moved", moved, "scenarios", None, True),
            row(f"planned again, a change costs {penalty:g} of a mean value: value lost", lost, "%", None, True),
        ]
    demanded = replace(problem, fixed=np.arange(scenarios) < scenarios * 2 // 5, allowed=first_phase_only(problem))
    demanded = replace(demanded, order=())
    seconds, refused = timed(lambda: solve(demanded, GAP, most))
    ways_seconds, ways = timed(lambda: list(relaxations(demanded, most)))
    rows += [
        row("more demanded than there is: refused in", seconds, "s", "refused", refused is None),
        row("more demanded than there is: ways out in", ways_seconds, "s", ">= 1 way", bool(ways)),
    ]
    return rows


def drawn(scenarios: int, seed: int = 1) -> PlanningProblem:
    """Return a problem in which a fifth of all needs fits into each phase."""
    chance = np.random.default_rng(seed)
    needs = chance.uniform(1, 10, (scenarios, RESOURCES))
    pairs = [sorted(chance.choice(scenarios, 2, replace=False).tolist()) for _ in range(scenarios * 15 // 100)]
    values = chance.uniform(0.2, 1, scenarios)
    return PlanningProblem(
        values=values / values.mean(),
        discounts=0.9 ** np.arange(PHASES),
        needs=needs,
        limits=np.tile(needs.sum(axis=0) / 5, (PHASES, 1)),
        allowed=np.ones((scenarios, PHASES), bool),
        fixed=np.zeros(scenarios, bool),
        order=tuple((first, last) for first, last in pairs),
        shares=(MemberShare(chance.random(scenarios) < 0.3, 0.2),),
        goals=(Goal(1, scenarios / 4, np.ones(scenarios), 0.5),),
    )


def changed(problem: PlanningProblem, seed: int = 2) -> PlanningProblem:
    """Return the problem after a year: three of a hundred values are others, and there is less of everything."""
    chance, values = np.random.default_rng(seed), problem.values.copy()
    which = chance.choice(len(values), max(1, len(values) * 3 // 100), replace=False)
    values[which] = chance.permutation(values[which]) * chance.uniform(0.5, 1.5, len(which))
    return replace(problem, values=values, limits=problem.limits * 0.95)


def first_phase_only(problem: PlanningProblem) -> np.ndarray:
    """Return that every scenario may be taken up in the first phase only."""
    allowed = np.zeros_like(problem.allowed)
    allowed[:, 0] = True
    return allowed


def planned(problem: PlanningProblem, most: float) -> Solution:
    """Return the plan; raises `RuntimeError` where there is none."""
    found = solve(problem, GAP, most)
    if found is None:
        raise RuntimeError("no plan")
    return found


def timed(act: Callable[[], Found]) -> tuple[float, Found]:
    """Return how many seconds ``act`` takes, and what it gives."""
    begun = time.perf_counter()
    found = act()
    return time.perf_counter() - begun, found


if __name__ == "__main__":
    main()
