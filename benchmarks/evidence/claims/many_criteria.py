"""Corrections, row 9, and statistics §2.3: the overall verdict carries α, single passes do not."""

from __future__ import annotations

from typing import Any

import numpy as np

from benchmarks.evidence.contract import AtMost, Beyond, Claim, Reading, Study, Words, each
from benchmarks.evidence.ingredients import accepted, rejected, share_of

CASES, CRITERIA = 800, 10


def boundary(rng: np.random.Generator) -> Any:
    return share_of(rng.random(CASES) < 0.9, "0.90", "population")


def printed_passes(rng: np.random.Generator) -> bool:
    """Return whether any of ten criteria, each at its boundary, is confirmed when looked at alone."""
    return any([accepted(boundary(rng)) for _ in range(CRITERIA)])


def overall(rng: np.random.Generator) -> bool:
    return accepted([boundary(rng) for _ in range(CRITERIA)])


def one_fails(rng: np.random.Generator) -> bool:
    good = [share_of(rng.random(CASES) < 0.99, "0.90", "population") for _ in range(CRITERIA - 1)]
    return accepted([*good, boundary(rng)])


def all_hold(rng: np.random.Generator) -> bool:
    return rejected([boundary(rng) for _ in range(CRITERIA)])


CLAIM = Claim(
    id="many-criteria",
    source="corrections, row 9; statistics, §2.3",
    title=Words("The overall verdict carries α, a single pass does not", "误差水平属于总结论，不属于单项通过"),
    sentence=Words(
        "Ten criteria at their boundaries, each printed as passed when it crosses, show some false pass far more "
        "often than α; the overall accept needs all and errs with at most α, without any correction; a reject shares "
        "α among the criteria.",
        "十条准则都处在边界时，若每条一越界就单独印为“通过”，出现误判的频率远超 α；总体通过要求全部满足，"
        "无需校正即至多为 α；“不通过”由各准则分担 α。",
    ),
    assumes=Words(
        "Each criterion's own evidence is valid; the criteria may depend on each other in any way (here independent, "
        "the worst case for a union).",
        "每条准则自身的证据有效；准则之间可任意相关（此处取独立，对“任一误判”最不利）。",
    ),
    studies=(
        Study(
            each(printed_passes),
            (Reading("ten at the boundary: some single “pass”", "wrong", Beyond(0.05), 0.18),),
            4000,
            150,
        ),
        Study(each(overall), (Reading("ten at the boundary: overall accept", "ours", AtMost(0.05), 0.0),), 2000, 20),
        Study(
            each(one_fails), (Reading("nine met, one at the boundary: accept", "ours", AtMost(0.05), 0.017),), 4000, 100
        ),
        Study(each(all_hold), (Reading("all met, exactly at the boundary: reject", "ours", AtMost(0.05)),), 4000, 30),
    ),
    note="Population estimand, 800 cases, thresholds 0.90.",
)
