"""A10: a bound from source labels plus tolerance, then labels of the target (Podkopaev & Ramdas, ICLR 2022)."""

from __future__ import annotations

import math
from fractions import Fraction

import numpy as np

from benchmarks.evidence.contract import AtMost, Between, Claim, Draw, Reading, Shown, Study, Words, column, each
from pilotbase.evidence import MeanMartingale
from pilotbase.evidence.distributions import clopper_pearson

SOURCE, TOLERANCE, HORIZON = 1000, 0.05, 20_000
TARGETS = {
    0.10: (0.003, None),
    0.14: (0.007, None),
    0.15: (0.013, None),
    0.20: (0.87, 1947),
    0.25: (1.0, 242),
    0.30: (1.0, 78),
}
"""Share of runs with an alarm, and its median time; reference figures with a linear grid of bets."""


def _draw(risk: float) -> Draw:
    def one(rng: np.random.Generator) -> list[float]:
        errors = int(rng.binomial(SOURCE, 0.10))
        bound = clopper_pearson(errors, SOURCE, 0.025, 0.025).upper + TOLERANCE
        losses = (rng.random(HORIZON) < risk).astype(np.int64)
        watch = MeanMartingale.with_replacement(Fraction(bound).limit_denominator(10**6), 0)
        at = watch.crossing(losses, math.log(40))
        return [float(at is not None), math.nan if at is None else at + 1.0]

    return each(one)


def _study(risk: float) -> Study:
    share, median = TARGETS[risk]
    within = risk <= 0.15
    condition = AtMost(0.05) if within else Between(share - 0.1, 1.0)
    found = [Reading(f"target risk {risk:.2f}: alarm", "ours", condition, share, column(0))]
    if median is not None:
        middle = column(1, lambda values: float(np.median(values)))
        found.append(Reading(f"target risk {risk:.2f}: median cases", "fact", Shown(), median, middle, share=False))
    return Study(_draw(risk), tuple(found), 400, 40 if within else 20)


CLAIM = Claim(
    id="shift-detection",
    source="A10; statistics, §2.5",
    title=Words("A10: an alarm beyond source bound plus tolerance", "A10：超出源域上界加容差时报警"),
    sentence=Words(
        "Within the tolerance the alarm is false with probability at most α = δ_S + δ_T; beyond it, it comes.",
        "在容差之内，误报概率至多为 α = δ_S + δ_T；超出容差则会报警。",
    ),
    assumes=Words(
        "Source labels are independent draws; given the past the target's risk does not exceed the source's risk "
        "plus 0.05 (for the false alarm). Podkopaev & Ramdas' own numbers could not be read; the reference's are set "
        "beside.",
        "源域标注为独立抽取；（对误报而言）给定过去，目标域风险不超过源域风险加 0.05。未能读到 Podkopaev 与 Ramdas "
        "的原始数字，故与参考文件的数字对照。",
    ),
    studies=tuple(_study(risk) for risk in TARGETS),
    note="1,000 source labels at risk 0.10, Clopper–Pearson upper bound at δ_S = 0.025, tolerance 0.05, δ_T = 0.025, "
    "20,000 target labels. The reference used a linear grid of bets, the product's is logarithmic.",
)
