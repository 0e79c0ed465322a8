"""The monitoring table (statistics §2.5): delay after a change, by the length of the healthy period before it."""

from __future__ import annotations

import math
from collections.abc import Sequence
from fractions import Fraction

import numpy as np

from benchmarks.evidence.contract import Beyond, Claim, Draw, Floats, Reading, Row, Study, Words, column, each, near
from benchmarks.evidence.figures import SERIES, Axis, Line, lines_figure
from pilotbase.evidence import MeanMartingale, ShiryaevRoberts, WeightedRestart

R0, HEALTHY = 0.15, 0.10
KINDS = ("plain e-process", "weighted restart", "e-SR, A = 10⁴")
TARGETS = {
    (0.25, 0): (117, 130, 182), (0.25, 1000): (1011, 329, 165), (0.25, 5000): (3537, 392, 177),
    (0.25, 20_000): (12_025, 433, 174),
    (0.20, 0): (437, 443, 513), (0.20, 1000): (2173, 1042, 464), (0.20, 5000): (7538, 1286, 471),
    (0.20, 20_000): (24_659, 1496, 457),
}  # fmt: skip
"""Median delay in cases by (risk after the change, healthy cases before it)."""


def _draw(after: float, healthy: int) -> Draw:
    room = int(1.6 * max(TARGETS[after, healthy])) + 3000

    def one(rng: np.random.Generator) -> list[float]:
        risk = np.repeat([HEALTHY, after], [healthy, room])
        losses = (rng.random(len(risk)) < risk).astype(np.int64)
        # An alarm before the change is no detection; the plain process continues from where it was.
        plain = MeanMartingale.with_replacement(Fraction(15, 100), 0).update(losses)
        restart = WeightedRestart(R0).update(losses)
        repeated = ShiryaevRoberts(R0).update(losses)
        return [
            _delay(path, healthy, level)
            for path, level in ((plain, math.log(20)), (restart, math.log(20)), (repeated, math.log(10_000)))
        ]

    return each(one)


def _delay(path: Floats, healthy: int, level: float) -> float:
    hits = np.flatnonzero(path[healthy:] >= level)
    return float(hits[0] + 1) if len(hits) else math.inf


def _study(after: float, healthy: int) -> Study:
    readings = tuple(
        Reading(
            f"risk {after} after {healthy:,} good: {kind}",
            "wrong" if number == 0 and healthy >= 5000 else "fact" if number == 0 else "ours",
            near(target, 0.15), target, column(number, lambda values: float(np.median(values))), False,
            f"{after}|{healthy}|{number}",
        )
        for number, (kind, target) in enumerate(zip(KINDS, TARGETS[after, healthy], strict=True))
    )  # fmt: skip
    return Study(_draw(after, healthy), readings, 400, 0, 10)


def _ratio(rng: np.random.Generator) -> bool:
    """Return whether the restart is the quicker one after 1,000 good cases."""
    risk = np.repeat([HEALTHY, 0.25], [1000, 3000])
    losses = (rng.random(len(risk)) < risk).astype(np.int64)
    plain = _delay(MeanMartingale.with_replacement(Fraction(15, 100), 0).update(losses), 1000, math.log(20))
    return _delay(WeightedRestart(R0).update(losses), 1000, math.log(20)) < plain


def _figure(rows: Sequence[Row]) -> str:
    value = {row.key: row.value for row in rows if row.key}
    healthy = (0, 1000, 5000, 20_000)
    colours = (SERIES[1], SERIES[0], SERIES[2])
    lines = [
        Line(
            f"{kind}: {value[f'0.25|20000|{number}']:,.0f}",
            tuple((place, value[f"0.25|{before}|{number}"]) for place, before in enumerate(healthy)),
            colours[number],
        )
        for number, kind in enumerate(KINDS)
    ]
    published = [(place, float(target)) for place, before in enumerate(healthy) for target in TARGETS[0.25, before]]
    lines.append(Line("the reference", tuple(published), SERIES[3], marks=True))
    across = Axis(
        "healthy cases before the change", 0, 3, (0, 1, 2, 3), labels=tuple(f"{before:,}" for before in healthy)
    )
    up = Axis("median cases until the alarm (logarithmic)", 100, 20_000, (100, 300, 1000, 3000, 10_000), True)
    return lines_figure("Risk rises from 0.10 to 0.25; r0 = 0.15", lines, across, up)


CLAIM = Claim(
    id="watch-delay",
    source="statistics, §2.5",
    title=Words("A watch does not grow lazy with good days", "监测不会因长期正常而迟钝"),
    sentence=Words(
        "A plain e-process needs the longer to see a change the longer all was well before; the weighted restart "
        "keeps its promise and needs hundreds, not thousands; e-SR is quicker still and promises a run length only.",
        "普通 e 过程在此前正常的时间越长，发现变化越慢；加权重启在保持承诺的同时只需数百例而非数千例；e-SR 更快，"
        "但只保证平均运行长度。",
    ),
    assumes=Words(
        "Losses are 0 or 1; given the past the risk is 0.10 before the change and 0.20 or 0.25 after it. Delays are "
        "medians of 400 runs, not guarantees.",
        "损失为 0 或 1；给定过去，变化前风险为 0.10，变化后为 0.20 或 0.25。延迟为 400 次运行的中位数，不是保证。",
    ),
    studies=(
        Study(each(_ratio), (Reading("restart quicker after 1,000 good cases", "ours", Beyond(0.5)),), 400, 60, 20),
        *(_study(after, healthy) for after, healthy in TARGETS),
    ),
    figure=_figure,
    level=None,
)
