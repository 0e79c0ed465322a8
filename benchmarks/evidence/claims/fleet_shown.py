"""Corrections, row 13: e-BH covers the set that is shown at one time."""

from __future__ import annotations

import math

import numpy as np

from benchmarks.evidence.contract import AtMost, Beyond, Claim, Reading, Study, Words, column, each
from pilotbase.evidence import ELond, WeightedRestart, e_benjamini_hochberg

SERVICES, SICK, DAYS, A_DAY = 40, 4, 250, 200
R0, SICK_RISK = 0.10, 0.20


def log_e_of_a_day(counts: np.ndarray) -> np.ndarray:
    """Return log e-values of one day's error counts alone: the likelihood ratio of 0.20 to 0.10."""
    return counts * math.log(SICK_RISK / R0) + (A_DAY - counts) * math.log((1 - SICK_RISK) / (1 - R0))


def daily(rng: np.random.Generator) -> list[float]:
    """Return the false share of the set shown on a given day, and of all that was shown on any day."""
    risk = np.where(np.arange(SERVICES) < SICK, SICK_RISK, R0)
    counts = rng.binomial(A_DAY, risk, (DAYS, SERVICES))
    shown = np.array([e_benjamini_hochberg(log_e_of_a_day(today), 0.05) for today in counts])
    return [_false_share(shown[DAYS // 2]), _false_share(shown.any(axis=0))]


def restarted(rng: np.random.Generator) -> list[float]:
    """Return the false share at one time with the restart processes' current values, and of e-LOND over all."""
    risk = np.where(np.arange(SERVICES) < SICK, SICK_RISK, R0)
    values = np.array([WeightedRestart(R0).update((rng.random(2000) < each_).astype(float))[-1] for each_ in risk])
    arrival = rng.permutation(SERVICES)
    online = np.zeros(SERVICES, dtype=bool)
    online[arrival] = ELond(0.05).update(values[arrival])
    return [_false_share(e_benjamini_hochberg(values, 0.05)), _false_share(online)]


def _false_share(shown: np.ndarray) -> float:
    return float(shown[SICK:].sum() / max(int(shown.sum()), 1))


CLAIM = Claim(
    id="fleet-shown",
    source="corrections, row 13; statistics, §2.6",
    title=Words("e-BH covers the set shown at one time", "e-BH 只保证某一时刻所显示的集合"),
    sentence=Words(
        "Of the services marked on one day at most a share α is marked falsely on average; of all that were ever "
        "marked, day after day, far more.",
        "某一天被标记的服务中，误标比例的平均值至多为 α；而历次曾被标记的全部服务中，误标远多于此。",
    ),
    assumes=Words(
        "Each value is an e-value at the time it is read, of any dependence; e-SR values are none. Shares are means "
        "over runs: no single set is guaranteed.",
        "每个数值在读取时刻都是 e 值，可任意相关；e-SR 的数值不是。比例为多次运行的均值，不保证每一个集合。",
    ),
    studies=(
        Study(
            each(daily),
            (
                Reading("ever marked in 250 days: false share", "wrong", Beyond(0.05), None, column(1)),
                Reading("marked on one day: false share", "ours", AtMost(0.05), None, column(0)),
            ),
            1000, 40,
        ),
        Study(
            each(restarted),
            (
                Reading("restart processes, one time: false share", "ours", AtMost(0.05), None, column(0)),
                Reading("e-LOND, decided one by one: false share", "ours", AtMost(0.05), None, column(1)),
            ),
            300, 6, 10,
        ),
    ),
    note="40 services, 4 of them at risk 0.20 against r0 = 0.10; 200 cases a day. The reference has no rate here.",
)  # fmt: skip
