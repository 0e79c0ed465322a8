"""What a service saves, by a randomised hold-back: skewed costs, few units held back."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from scipy import stats

from benchmarks.evidence.contract import (
    AtMost,
    Beyond,
    Claim,
    Condition,
    Reading,
    Shown,
    Study,
    Way,
    Words,
    column,
    each,
)
from pilotbase.service.hold_back import benefit

HELD, ANSWERED, CAP, SAVED = 400, 7600, 1000.0, 0.2
Costs = np.ndarray


def rare(rng: np.random.Generator, units: int) -> Costs:
    """Return costs of which one in fifty is large: an error that somebody pays for."""
    return 20 + (rng.random(units) < 0.02) * rng.exponential(400, units)


def lognormal(rng: np.random.Generator, units: int) -> Costs:
    return np.exp(rng.normal(3, 1.5, units))


def drawn(costs: Callable[[np.random.Generator, int], Costs]) -> Callable[[np.random.Generator], list[bool]]:
    """Return whether intervals miss the true benefit (the usual, ours), and whether A/A shows a benefit (ours)."""
    many = costs(np.random.default_rng(20261202), 4_000_000)
    truth = float(np.minimum(many, CAP).mean() - np.minimum(many * (1 - SAVED), CAP).mean())

    def once(rng: np.random.Generator) -> list[bool]:
        held = np.minimum(costs(rng, HELD), CAP)
        answered = np.minimum(costs(rng, ANSWERED) * (1 - SAVED), CAP)
        mean = held.mean() - answered.mean()
        half = stats.norm.isf(0.025) * np.sqrt(held.var(ddof=1) / HELD + answered.var(ddof=1) / ANSWERED)
        _, low, high = benefit(held, answered)
        _, same, _ = benefit(held, np.minimum(costs(rng, ANSWERED), CAP))
        return [abs(mean - truth) > half, not low <= truth <= high, same > 0]

    return once


def _readings(name: str, usual: tuple[Way, Condition]) -> tuple[Reading, ...]:
    return (
        Reading(f"{name}: the usual interval misses", *usual, read=column(0)),
        Reading(f"{name}: ours misses", "ours", AtMost(0.05), read=column(1)),
        Reading(f"{name}: false benefit in A/A", "ours", AtMost(0.05), read=column(2)),
    )


CLAIM = Claim(
    id="hold_back",
    source="institution §7",
    title=Words("What a service saves is measured by holding back", "服务的节省由随机留置测得"),
    sentence=Words(
        "From 400 units held back on, the interval of what a unit saves misses the truth in at most 5 % of runs, also "
        "where one unit in fifty costs twenty times the others; without a benefit one is shown in at most 5 %.",
        "留置达400个单元起，每单元节省的区间至多5%不含真值，五十分之一的单元成本为其他的二十倍时亦然；并无效益时，显示有效益的至多5%。",
    ),
    assumes=Words(
        "Units are drawn independently, one unit stays on one side, costs are capped beforehand.",
        "单元独立抽取，每个单元只在一组，成本上限事先确定。",
    ),
    studies=(
        Study(each(drawn(rare)), _readings("rare large costs", ("wrong", Beyond(0.05))), 4000, 200),
        Study(each(drawn(lognormal)), _readings("lognormal costs", ("fact", Shown())), 4000, 200),
    ),
    note="400 held back, 7,600 answered, costs capped at 1,000, a fifth saved; the usual interval is the normal one.",
)
