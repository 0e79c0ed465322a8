"""Corrections, row 12: labels enter a watch in closed cohorts, not as they arrive."""

from __future__ import annotations

import numpy as np

from benchmarks.evidence.contract import AtMost, Beyond, Claim, Reading, Study, Words, each
from pilotbase.evidence import WeightedRestart

RISK, R0, DAYS, A_DAY = 0.10, 0.15, 120, 50
WINDOW = 30
"""Errors are reported on the day; that a case was right is known only when the label window closes."""


def losses(rng: np.random.Generator) -> np.ndarray:
    return (rng.random((DAYS, A_DAY)) < RISK).astype(float)


def as_they_arrive(rng: np.random.Generator) -> bool:
    by_day, watch = losses(rng), WeightedRestart(R0)
    for today in range(DAYS):
        watch.update(by_day[today][by_day[today] == 1])
        if today >= WINDOW:
            closed = by_day[today - WINDOW]
            watch.update(closed[closed == 0])
    return watch.ever_reached(20)


def closed_cohorts(rng: np.random.Generator) -> bool:
    """Return the same when a day enters whole, in the order of its cases; one label in ten never comes: no loss."""
    by_day, watch = losses(rng), WeightedRestart(R0)
    missing = rng.random(by_day.shape) < 0.1
    for today in range(WINDOW, DAYS):
        watch.update(np.where(missing, 0.0, by_day)[today - WINDOW])
    return watch.ever_reached(20)


CLAIM = Claim(
    id="late-labels",
    source="corrections, row 12",
    title=Words("Labels enter in closed cohorts", "标注按封闭批次进入"),
    sentence=Words(
        "Errors are reported at once and successes late: labels that enter as they arrive turn every healthy service "
        "red; a cohort that enters whole when its label window closes does not.",
        "错误当天就会上报，正确与否却要很久才知道：若标注随到随入，健康的服务全都会变红；"
        "等标注窗口关闭后整批进入则不会。",
    ),
    assumes=Words(
        "A label missing at the close counts as correct for red (and as an error where a certificate is at stake); "
        "slow labels within the window do not matter. The price is a delay of one window.",
        "窗口关闭时仍缺失的标注，对“变红”按正确计（涉及认证时按错误计）；窗口内标注的快慢不影响结果，"
        "代价是一个窗口的延迟。",
    ),
    studies=(
        Study(
            each(as_they_arrive), (Reading("as they arrive: healthy service red", "wrong", Beyond(0.05), 1.0),), 500, 15
        ),
        Study(
            each(closed_cohorts), (Reading("closed cohorts: healthy service red", "ours", AtMost(0.05), 0.0),), 1000, 15
        ),
    ),
    note="Risk 0.10 against r0 = 0.15, 50 cases a day for 120 days, window 30 days.",
)
