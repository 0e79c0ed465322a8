"""Confidence sequences hold at every time at once; a pointwise interval does not."""

from __future__ import annotations

import math
from collections.abc import Sequence
from fractions import Fraction

import numpy as np
from scipy import stats

from benchmarks.evidence.contract import AtMost, Beyond, Claim, Draw, Floats, Reading, Row, Study, Words, column, each
from benchmarks.evidence.figures import SERIES, Axis, Line, lines_figure
from benchmarks.evidence.ingredients import LEVELS, share_of
from pilotbase.evidence import MeanMartingale, decide

CASES = 20_000
TIMES = (30, 100, 300, 1000, 3000, 10_000, 20_000)
MEAN = Fraction(93, 100)
LEVEL = math.log(2 / 0.05)


def wald(rng: np.random.Generator) -> float:
    """Return the first time from 30 on at which the pointwise 95 % interval excludes the truth; inf if never."""
    times = np.arange(1, CASES + 1)
    share = np.cumsum(rng.random(CASES) < float(MEAN)) / times
    outside = np.abs(share - float(MEAN)) > stats.norm.isf(0.025) * np.sqrt(share * (1 - share) / times)
    return _first(outside[29:], 30)


def independent(rng: np.random.Generator) -> float:
    values = (rng.random(CASES) < float(MEAN)).astype(np.int64)
    above = MeanMartingale.with_replacement(MEAN, 0).crossing(values, LEVEL)
    below = MeanMartingale.with_replacement(-MEAN, -1).crossing(-values, LEVEL)
    return min(math.inf if index is None else index + 1 for index in (above, below))


def real_valued(rng: np.random.Generator) -> float:
    """Return the same for Beta(10, 30) values, on the lattice of nine digits that measures use."""
    values = np.rint(rng.beta(10, 30, CASES) * 10**9).astype(np.int64)
    above = MeanMartingale.with_replacement(Fraction(10**9, 4), 0).crossing(values, LEVEL)
    below = MeanMartingale.with_replacement(Fraction(-(10**9), 4), -(10**9)).crossing(-values, LEVEL)
    return min(math.inf if index is None else index + 1 for index in (above, below))


def without_replacement(rng: np.random.Generator) -> float:
    """Return the same for a finite set of 20,000 with 18,600 right; the truth is the last value not yet excluded."""
    right = int(MEAN * CASES)
    values = rng.permutation(np.repeat([1, 0], [right, CASES - right])).astype(np.int64)
    above = MeanMartingale.without_replacement(right, CASES, 0).crossing(values, LEVEL)
    below = MeanMartingale.without_replacement(-right, CASES, -1).crossing(-values, LEVEL)
    return min(math.inf if index is None else index + 1 for index in (above, below))


def printed(rng: np.random.Generator) -> list[bool]:
    """Return whether lower bound, upper bound and the mean at the stop lie on the wrong side of the truth."""
    rate = 0.93
    right = rng.random(3000) < rate
    decision = decide([share_of(right, "0.90", "population")], np.arange(3000), LEVELS)
    item = decision.criteria[0]
    assert item.lower is not None
    assert item.upper is not None
    return [item.lower > rate, item.upper < rate, bool(right[: decision.scored].mean() > rate)]


def _first(flags: np.ndarray, offset: int) -> float:
    hits = np.flatnonzero(flags)
    return float(hits[0] + offset) if len(hits) else math.inf


def _by(time: int) -> object:
    def share(values: Floats) -> float:
        return float((values <= time).mean())

    return share


def _study(draw: Draw, name: str, way: str, condition: object, runs: tuple[int, int]) -> Study:
    readings = tuple(
        Reading(
            f"{name}: missed the truth by case {time:,}", way, condition if time == CASES else AtMost(1.0),  # type: ignore[arg-type]
            None, _by(time), key=f"{name}|{time}",  # type: ignore[arg-type]
        )
        for time in TIMES
    )  # fmt: skip
    return Study(draw, readings, *runs)


def _draw(rows: Sequence[Row]) -> str:
    names = dict.fromkeys(row.key.split("|")[0] for row in rows if row.key)
    lines = [
        Line(name, tuple((time, _value(rows, f"{name}|{time}")) for time in TIMES), colour)
        for name, colour in zip(names, (SERIES[1], SERIES[0], SERIES[2], SERIES[3]), strict=True)
    ]
    across = Axis("cases scored (logarithmic)", TIMES[0], CASES, TIMES, True, tuple(f"{time:,}" for time in TIMES))
    up = Axis("share of runs whose interval has ever missed the truth", 0, 0.8, (0, 0.05, 0.2, 0.4, 0.6, 0.8))
    return lines_figure("Looked at after every case", lines, across, up, 0.05)


def _value(rows: Sequence[Row], key: str) -> float:
    return next(row.value for row in rows if row.key == key)


CLAIM = Claim(
    id="anytime-coverage",
    source="statistics, §2.1",
    title=Words("Intervals hold at every time at once", "区间在所有时刻同时成立"),
    sentence=Words(
        "A 95 % interval computed for one look misses the truth at some time in most runs when it is looked at after "
        "every case; the product's sequence misses it ever with probability at most α, and so do the bounds it "
        "prints when it stops early.",
        "为单次查看而算的 95 % 区间若逐例查看，在多数运行中总会在某一时刻漏掉真值；"
        "本系统的置信序列在任何时刻漏掉真值的概率至多为 α，提前停止时打印的上下界同样如此。",
    ),
    assumes=Words(
        "Independent draws with one mean, or a uniformly random order of a finite set. The printed lower bound holds "
        "at α_acc and the upper at α_rej/k; the mean at the stop has no bound of its own.",
        "均值相同的独立抽取，或有限集合的均匀随机排列。打印的下界水平为 α_acc，上界为 α_rej/k；"
        "停止时的均值本身没有误差界。",
    ),
    studies=(
        _study(each(wald), "pointwise 95 % interval", "wrong", Beyond(0.05), (4000, 25)),
        _study(each(independent), "independent draws", "ours", AtMost(0.05), (4000, 25)),
        _study(each(without_replacement), "finite set of 20,000", "ours", AtMost(0.05), (4000, 25)),
        _study(each(real_valued), "real values, Beta(10, 30)", "ours", AtMost(0.05), (2000, 10)),
        Study(
            each(printed),
            (
                Reading("printed lower bound above the truth", "ours", AtMost(0.05), None, column(0)),
                Reading("printed upper bound below the truth", "ours", AtMost(0.05), None, column(1)),
            ),
            2000, 15, 20,
        ),
        Study(
            each(printed),
            # Without bias it would be every second run.
            (Reading("mean at the early stop above the truth", "wrong", Beyond(0.5), None, column(2)),), 1000, 0, 20,
        ),
    ),
    figure=_draw,
    note="Success probability 0.93; α/2 a side. The printed bounds are those of `decide`, stopped early against 0.90.",
)  # fmt: skip
