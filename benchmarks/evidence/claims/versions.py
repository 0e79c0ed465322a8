"""A later version is no worse than a certified one by a margin, on the same fresh cases (statistics-2, §8)."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from benchmarks.evidence.contract import AtMost, Between, Beyond, Claim, Reading, Study, Way, Words, column, each
from pilotbase.documents.scenario import Criterion
from pilotbase.documents.vocabularies import Estimand
from pilotbase.evidence import attempt_levels, exact, verdict_of
from pilotbase.measures import Cases
from pilotbase.trial.carried import compared
from pilotbase.trial.scoring import plan_criterion

LEVELS = attempt_levels(exact(0.05), 1)
ALONE = Criterion(rule="accuracy >= 0.9", estimand=Estimand.POPULATION, margin=0.02)
(PAIRED, WEAKER), MARGIN = compared(ALONE), 0.02
BOTH = compared(Criterion(rule="accuracy >= 0.5", estimand=Estimand.POPULATION, margin=0.02))
Answers = NDArray[np.int64]


def drawn(rng: np.random.Generator, lift: float, discordance: float, cases: int) -> tuple[Answers, Answers]:
    """Return which cases the later and the earlier version get right."""
    luck, hard = rng.random(cases), rng.random(cases) < 0.05
    ours, theirs = luck < (discordance + lift) / 2, luck > 1 - (discordance - lift) / 2
    both = ~(ours | theirs) & ~hard
    return (ours | both).astype(np.int64), (theirs | both).astype(np.int64)


def adapting(rng: np.random.Generator) -> tuple[Answers, Answers]:
    """Return answers whose difference is -δ on average given the past, with a spread chosen by how it went so far."""
    luck, differences, total = rng.random(2000), np.zeros(2000), 0.0
    for place, one in enumerate(luck):
        discordance = 0.5 if total < 0 else 0.021
        up, down = (discordance - MARGIN) / 2, (discordance + MARGIN) / 2
        differences[place] = 1 if one < up else -1 if one > 1 - down else 0
        total += differences[place] + MARGIN
    return (differences >= 0).astype(np.int64), (differences <= 0).astype(np.int64)


def decided(answers: tuple[Answers, Answers], *criteria: Criterion) -> tuple[bool, int]:
    """Return whether the product's trial meets ``criteria``, and after how many cases."""
    ours, theirs = answers
    cases = Cases(truth=np.ones_like(ours), answers=ours, baseline=theirs, classes=("no", "yes"), positive="yes")
    order = np.arange(len(ours))
    plans = [plan_criterion(criterion, cases, order) for criterion in criteria]
    verdict, scored = verdict_of(plans, order, LEVELS)
    return verdict == "accept", scored


def beside_one_that_got_worse(rng: np.random.Generator) -> list[bool]:
    """Return whether a version that just misses .48 passes beside one as good, which was certified at .50 before.

    By the comparison and the earlier one's own score, and as a trial decides.
    """
    luck = rng.random(1100)
    ours, theirs = luck < 0.4799, (luck >= 0.005) & (luck < 0.4849)
    answers = ours.astype(np.int64), theirs.astype(np.int64)
    return [decided(answers, BOTH[0])[0] and bool(theirs.mean() >= 0.5), decided(answers, *BOTH)[0]]


def no_difference_seen(rng: np.random.Generator) -> bool:
    """Return whether a version that is worse by twice the margin passes as *not significantly worse*."""
    ours, theirs = drawn(rng, -2 * MARGIN, 0.06, 200)
    gain = theirs - ours
    return bool(gain.mean() < 1.96 * max(gain.std(), 1e-9) / np.sqrt(len(gain)))


def cases_taken(rng: np.random.Generator) -> tuple[float, float]:
    """Return the cases of a comparison of equal versions, and of an absolute trial of .92 against .90."""
    later = decided(drawn(rng, 0.0, 0.04, 8000), PAIRED, WEAKER)
    right = (rng.random(16_000) < 0.92).astype(np.int64)
    alone = decided((right, right), ALONE)
    return tuple(scored if met else np.inf for met, scored in (later, alone))  # type: ignore[return-value]


def counted(label: str, way: Way, within: tuple[float, float], target: float, of: tuple[int, float]) -> Reading:
    """Return the reading of a quantile of cases; ``of``: column and share."""
    column, share = of
    return Reading(
        label, way, Between(*within), target, lambda values: float(np.quantile(values[:, column], share)), False
    )


CLAIM = Claim(
    id="versions",
    title=Words("A later version carries evidence", "后续版本沿用证据"),
    sentence=Words(
        "Two versions answer the same fresh cases. A version that is worse by the margin, or misses the threshold less "
        "the margin, passes with probability at most its attempt's level, whatever became of the earlier one. "
        "A small change needs about half the cases of an absolute trial.",
        "两个版本回答相同的新案例。恰好逊色一个差值界限、或达不到扣除该界限后阈值的版本，"
        "无论先前版本变得如何，获通过的概率都不超过该次验证的水平；小改动所需案例约为单独验证的一半。",
    ),
    assumes=Words(
        "Nothing of the earlier version. Answers of both are committed before the order is drawn.",
        "对先前版本不作任何假设；双方答案在抽取顺序之前均已提交。",
    ),
    studies=(
        Study(
            each(no_difference_seen),
            (Reading("worse by twice the margin, 200 cases: no significant difference", "wrong", Beyond(0.05)),),
            3000,
            50,
        ),
        Study(
            each(lambda rng: decided(drawn(rng, -MARGIN, 0.04, 2000), PAIRED)[0]),
            (Reading("worse by the margin: passes", "ours", AtMost(0.025), 0.007),),
            10_000,
            20,
        ),
        Study(
            each(lambda rng: decided(adapting(rng), PAIRED)[0]),
            (Reading("worse by the margin, errors follow the past: passes", "ours", AtMost(0.025)),),
            4000,
            10,
        ),
        Study(
            each(beside_one_that_got_worse),
            (
                Reading(
                    "earlier version got worse, only its own score is looked at: passes",
                    "wrong",
                    Beyond(0.025),
                    read=column(0),
                ),
                Reading("earlier version got worse: passes", "ours", AtMost(0.025), read=column(1)),
            ),
            4000,
            0,
        ),
        Study(
            each(cases_taken),
            (
                counted("equal, 4 % answered differently: median", "ours", (900, 1400), 1137, (0, 0.5)),
                counted("… nine in ten end by", "ours", (1800, 2700), 2274, (0, 0.9)),
                counted("an absolute trial, .92 against .90: median", "fact", (1700, 2500), 2027, (1, 0.5)),
            ),
            1000,
            0,
        ),
    ),
    note="Margin 0.02, attempt 1 of α 0.05, early stop.",
    source="statistics-2, §8",
)  # fmt: skip
