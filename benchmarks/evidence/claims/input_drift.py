"""Drift of the inputs: false alarms over all columns, with the error of the reference charged (issue 5, item 3)."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from benchmarks.evidence.contract import Between, Claim, Draw, Reading, Study, Words, column, each
from benchmarks.peers.programs.watch_stream import CATEGORIES, NUMBERS, rows
from pilotbase.documents.contract import DataType, Field
from pilotbase.documents.vocabularies import Colour
from pilotbase.documents.watch import CategoryColumn, NumericColumn, ReferenceProfile
from pilotbase.watch.detectors.drift import DriftDetector, DriftWatch
from pilotbase.watch.detectors.interface import DetectorChange
from pilotbase.watch.profiles import profile_of

CHUNK, SHIFTED = 1000, 12
FIELDS = [Field(name=name, data_type=DataType.FLOAT) for name in NUMBERS] + [
    Field(name=name, data_type=DataType.TEXT) for name in CATEGORIES
]


def _draw(reference: int, chunks: int) -> Draw:
    def one(rng: np.random.Generator) -> list[float]:
        profile = profile_of(rows(rng, reference), FIELDS)
        exact, charged = (DriftDetector(each, DriftWatch(CHUNK)) for each in (_taken_as_exact(profile), profile))
        found = [0, 0]
        for _ in range(chunks):
            batch = rows(rng, CHUNK)
            found[0] += _risen(exact.update(batch))
            found[1] += _risen(charged.update(batch))
        return [*found, _delay(profile, rng, 0.1), _delay(profile, rng, 0.2)]

    return each(one)


def _taken_as_exact(profile: ReferenceProfile) -> ReferenceProfile:
    """Return the profile as if the same shares had been counted in a thousand times as many rows."""
    columns: dict[str, NumericColumn | CategoryColumn] = {}
    for name, found in profile.columns.items():
        missing = found.missing * 1000
        if isinstance(found, NumericColumn):
            counts = tuple(count * 1000 for count in found.counts)
            columns[name] = NumericColumn(edges=found.edges, counts=counts, missing=missing)
        else:
            named = {word: count * 1000 for word, count in found.counts.items()}
            columns[name] = CategoryColumn(counts=named, other=found.other * 1000, missing=missing)
    return ReferenceProfile(rows=profile.rows * 1000, columns=columns)


def _risen(changes: Sequence[DetectorChange]) -> int:
    return sum(change.colour is not Colour.GREEN for change in changes)


def _delay(profile: ReferenceProfile, rng: np.random.Generator, shift: float) -> float:
    changes = DriftDetector(profile, DriftWatch(CHUNK)).update(rows(rng, SHIFTED * CHUNK, shift))
    return next((change.seen / CHUNK for change in changes if change.part in NUMBERS[:3]), math.inf)


def _median(values: np.ndarray) -> float:
    return float(np.median(values))


AT_MOST_ONE, MORE = Between(-math.inf, 1), Between(2, math.inf)
CLAIM = Claim(
    id="input-drift",
    source="monitoring, §4 and §6; issue 5, item 3",
    title=Words("Drift is quiet when nothing changes", "数据未变时，漂移检测保持安静"),
    sentence=Words(
        "Over all 20 columns together at most one false alarm is expected in 200 quiet chunks of 1,000 rows; a "
        "reference that is taken as exact alarms again and again, because it is wrong in the same way in every chunk.",
        "20 列合计，每 200 个平静数据块（每块 1,000 行）的误报期望不超过一次；若把参考样本当作精确值，"
        "它在每个数据块中都以同样的方式出错，就会反复误报。",
    ),
    assumes=Words(
        "Rows are independent of each other and drawn from what the reference was drawn from; seasons and bursts are "
        "changes. The reference may be off by as many of its standard errors as the promise says.",
        "各行相互独立，且与参考样本同源；季节性与成串出现的变化都算变化。参考样本的误差不超过承诺中所写的标准误倍数。",
    ),
    studies=(
        Study(
            _draw(10_000, 200),
            (
                Reading("10,000 rows taken as exact: false alarms", "wrong", MORE, None, column(0), share=False),
                Reading("10,000 rows, error charged: false alarms", "ours", AT_MOST_ONE, 1, column(1), share=False),
                Reading(
                    "… first chunk with an alarm, 0.2 SD in 3 columns, median", "ours", Between(1, 1), 1,
                    column(3, _median), share=False,
                ),
                Reading(
                    "… 0.1 SD, median", "ours", Between(1, 3), 3, column(2, _median), share=False,
                ),
            ),
            40, 0, 2,
        ),
        Study(
            _draw(2000, 20),
            (
                Reading("2,000 rows taken as exact: false alarms", "wrong", MORE, None, column(0), share=False),
                Reading("2,000 rows, error charged: false alarms", "ours", AT_MOST_ONE, None, column(1), share=False),
            ),
            100, 2, 5,
        ),
    ),
    note="14 columns of numbers, 6 of categories with 2 to 50 levels. The last two rows are over 20 chunks, also the "
    "short run of the test command. A false alarm is a colour that a column takes.",
    level=None,
)  # fmt: skip
