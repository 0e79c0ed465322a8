"""Red with few labels: a random audit, not labels that come by themselves (statistics, second note, §5; issue 29)."""

from __future__ import annotations

import numpy as np

from benchmarks.evidence.claims.watch_blocks import (
    A_DAY,
    ALPHA,
    CHANGED,
    DAYS,
    LEVEL,
    R0,
    Daily,
    bad_days,
    days,
    even,
    median,
)
from benchmarks.evidence.contract import (
    AtMost,
    Between,
    Beyond,
    Claim,
    Draw,
    Floats,
    Reading,
    Study,
    Words,
    column,
    each,
)
from pilotbase.evidence import LifeRestart, WeightedRestart
from pilotbase.evidence.prediction_powered import spread_sample

ERRORS_LABELLED, RIGHT_LABELLED = 0.60, 0.26
"""Of labels that come by themselves: 30 % of all cases, and of errors more than twice as many."""
SHARPNESS = 0.3
"""Of the calibrated probabilities that answers state: most are near 0 or 1."""


def world(rng: np.random.Generator, daily: Daily, worse: float) -> tuple[Floats, Floats]:
    """Return for a year of cases the chance of an error that each answer states, and its loss, shape (days, cases)."""
    risk = np.minimum(0.10 * daily(rng) * np.where(np.arange(DAYS) < CHANGED, 1.0, worse), 0.9)
    stated = rng.beta((SHARPNESS * risk / (1 - risk))[:, None], SHARPNESS, (DAYS, A_DAY))
    return stated, (rng.random(stated.shape) < stated).astype(float)


def audited(rng: np.random.Generator, stated: Floats, losses: Floats, labels: int, come: float = 1.0) -> Floats:
    """Return the log of the evidence after each day of drawing ``labels`` cases, of which ``come`` get their label."""
    means = np.empty(DAYS)
    for day in range(DAYS):
        drawn = losses[day][spread_sample(stated[day], labels, rng)]
        means[day] = np.where(rng.random(labels) < come, drawn, 0.0).mean()
    return LifeRestart(R0, DAYS).update(means)


def by_themselves(rng: np.random.Generator, losses: Floats) -> tuple[Floats, Floats]:
    """Return the log of the evidence by case over the labels that came, and by day with missing ones as correct."""
    come = rng.random(losses.shape) < np.where(losses > 0, ERRORS_LABELLED, RIGHT_LABELLED)
    return WeightedRestart(R0).update(losses[come]), LifeRestart(R0, DAYS).update((losses * come).mean(axis=1))


def _draw(daily: Daily, worse: float) -> Draw:
    def one(rng: np.random.Generator) -> list[float]:
        stated, losses = world(rng, daily, worse)
        came, as_correct = by_themselves(rng, losses)
        unsorted = np.zeros_like(stated)
        paths = (
            audited(rng, unsorted, losses, 10),
            audited(rng, stated, losses, 10),
            audited(rng, unsorted, losses, 30),
            audited(rng, stated, losses, 30, 0.95),
        )
        if worse == 1:
            return [float((path >= LEVEL).any()) for path in (came, *paths)]
        return [float((as_correct >= LEVEL).any()), *(days(path[CHANGED:] >= LEVEL, 1) for path in paths)]

    return each(one)


def _world(name: str, daily: Daily) -> tuple[Study, Study]:
    false = (
        Reading(f"{name}: labels that come by themselves, falsely red", "wrong", Beyond(ALPHA), 1.0, column(0)),
        Reading("… 10 drawn a day, falsely red", "ours", AtMost(ALPHA), 0.0, column(1)),
        Reading("… 10 drawn by prediction, falsely red", "ours", AtMost(ALPHA), 0.0, column(2)),
        Reading("… 30 drawn a day, falsely red", "ours", AtMost(ALPHA), 0.0, column(3)),
        Reading("… 30 by prediction, 5 % missing, falsely red", "ours", AtMost(ALPHA), 0.0, column(4)),
    )
    delays = (
        Reading(f"{name}, risk doubled: missing as correct, ever red", "wrong", Between(0, 0.5), 0.0, column(0)),
        Reading("… days until red, 10 drawn a day, median", "ours", Between(1, 60), 32, column(1, median), False),
        Reading("… 10 drawn by prediction", "ours", Between(1, 40), None, column(2, median), False),
        Reading("… 30 drawn a day", "ours", Between(1, 40), 22, column(3, median), False),
        Reading("… 30 by prediction, 5 % missing", "ours", Between(1, 40), None, column(4, median), False),
    )
    healthy = Study(_draw(daily, 1.0), false, 300, 6, 10)
    return healthy, Study(_draw(daily, 2.0), delays, 100, 0, 10)


CLAIM = Claim(
    id="watch-audit",
    source="statistics, second note, §5; issue 29, item 2",
    title=Words("Ten labels a day, drawn at random, are enough for red", "每天随机抽取十个标签即可判断红色"),
    sentence=Words(
        "Where 30 % of cases are labelled by whoever likes to, and errors more often, the labels that come turn every "
        "healthy service red, and counting the others as correct hardly ever turns a broken one red. Ten or thirty "
        "labels a day of cases that the base draws keep the promise and find a doubled risk within weeks; a draw "
        "spread over what the answers predict needs fewer.",
        "若 30% 的案例由他人随意标注，且出错的更常被标注，则只看已有标签会使健康的服务全都变红，把其余按正确计又几乎"
        "发现不了已失效的服务。由系统抽取、每天标注十个或三十个案例则兑现承诺，数周内发现风险翻倍；"
        "按应答所预测的损失均匀抽取，需要的标签更少。",
    ),
    assumes=Words(
        "The mean of each day, given the days before it, is at most r0; every case of a day has the same chance of "
        "being drawn, after it was answered. A drawn case without a label counts as correct. The answers state "
        "calibrated probabilities; a wrong prediction costs its gain, and nothing of the promise.",
        "在给定此前各日的条件下，每日的均值不超过 r0；一日内每个案例在应答之后以相同概率被抽中。"
        "被抽中而没有标签的案例按正确计。应答给出校准的概率；预测不准只会失去其收益，不影响承诺。",
    ),
    studies=tuple(study for world in (("independent", even), ("2 % bad days", bad_days)) for study in _world(*world)),
    note="Risk 0.10, r0 0.12, 200 cases a day for 365 days, α 0.05; twice the risk from day 120.",
)
