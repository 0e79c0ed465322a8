"""A1 and A2: the boosting attack on a leaderboard (Blum & Hardt, ICML 2015), and the Ladder."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from benchmarks.evidence.contract import Between, Claim, Draw, Floats, Reading, Row, Study, Words, column, each
from benchmarks.evidence.figures import SERIES, Axis, Line, lines_figure
from pilotbase.evidence import Ladder

CASES = 4000
ENTRIES = (100, 200, 300, 400)
TARGETS = {
    "normal": {"board": (0.4670, 0.4523, 0.4408, 0.4275), "ladder": (0.4904, 0.4864, 0.4897, 0.4843)},
    "low": {"board": (0.4753, 0.4668, 0.4535, 0.4507), "ladder": (0.4893, 0.4782, 0.4872, 0.4878)},
}
"""The authors' figures, five repetitions each, by precision of what the board shows."""


def attack(rng: np.random.Generator, digits: int) -> Floats:
    """Return what board and Ladder show of the majority of kept entries, after each number of them: shape (8,)."""
    truth = rng.random(CASES) < 0.5
    entries = rng.random((max(ENTRIES), CASES)) < 0.5
    losses = (entries != truth).astype(np.float64)
    shown = losses.mean(axis=1).round(digits)
    ladder = Ladder(CASES)
    released, found, climbed, done = np.empty(len(entries)), [], [], 0
    for count in ENTRIES:
        released[done:count] = ladder.update(losses[done:count])
        done = count
        best = _majority(entries[:count][shown[:count] <= 0.5])
        found.append((best != truth).mean().round(digits))
        # The same attack sees only what the Ladder releases.
        guess = _majority(entries[:count][released[:count] <= 0.5])
        entry = (guess != truth).astype(np.float64)[None]
        climbed.append(Ladder(CASES, state=ladder.state).update(entry)[-1].round(digits))
    return np.array([*found, *climbed])


def _majority(kept: np.ndarray) -> np.ndarray:
    return kept.mean(axis=0) > 0.5 if len(kept) else np.zeros(CASES, dtype=bool)


def _draw(digits: int) -> Draw:
    return each(lambda rng: attack(rng, digits))


def _study(name: str, digits: int) -> Study:
    readings = []
    for place, (entries, target) in enumerate(zip(ENTRIES, TARGETS[name]["board"], strict=True)):
        # Far below what any honest entry can have: the board is climbed by chance.
        readings.append(
            Reading(f"{name} precision, board after {entries}", "wrong", Between(target - 0.012, target + 0.012),
                    target, column(place), False, f"{name}|board|{entries}")
        )  # fmt: skip
    for place, (entries, target) in enumerate(zip(ENTRIES, TARGETS[name]["ladder"], strict=True)):
        readings.append(
            Reading(f"{name} precision, Ladder after {entries}", "ours", Between(0.478, 0.5),
                    target, column(4 + place), False, f"{name}|ladder|{entries}")
        )  # fmt: skip
    return Study(_draw(digits), tuple(readings), 100, 3 if name == "normal" else 0, 5)


def _figure(rows: Sequence[Row]) -> str:
    value = {row.key: row.value for row in rows}
    lines = []
    for kind, words, colour in (("board", "board shows every score", SERIES[1]), ("ladder", "the Ladder", SERIES[0])):
        points = tuple((float(k), value[f"normal|{kind}|{k}"]) for k in ENTRIES)
        lines.append(Line(words, points, colour))
    lines.append(Line("coin: the truth", ((100.0, 0.5), (400.0, 0.5)), SERIES[4]))
    published = [
        (float(k), t) for kind in ("board", "ladder") for k, t in zip(ENTRIES, TARGETS["normal"][kind], strict=True)
    ]
    lines.append(Line("the authors' figures", tuple(published), SERIES[3], marks=True))
    across = Axis("entries submitted", 100, 400, (100, 200, 300, 400))
    up = Axis("loss shown for the attacker's entry", 0.42, 0.505, (0.42, 0.44, 0.46, 0.48, 0.5))
    return lines_figure("Climbing a leaderboard by chance", lines, across, up)


CLAIM = Claim(
    id="published-ladder",
    source="A1, A2",
    title=Words("A1, A2: the Ladder is not climbed by chance", "A1、A2：Ladder 排行榜无法靠运气攀升"),
    sentence=Words(
        "Coins that are kept when the board likes them seem to win by seven points after 400 entries; the product's "
        "Ladder shows them near a coin's loss.",
        "把排行榜“看好”的随机答案保留下来取多数，提交 400 次后看似领先七个百分点；本系统的 Ladder "
        "显示的仍接近随机水平。",
    ),
    assumes=Words(
        "4,000 cases with random labels; entries are coins. The Ladder protects the ranking, not an interval; its "
        "board is a slice of its own and never certifies. Two decimals for the low precision are inferred.",
        "4,000 个随机标签的案例，提交为随机答案。Ladder 保护的是排名而不是区间；排行榜使用独立切片，绝不用于认证。"
        "低精度取两位小数为推断。",
    ),
    studies=(_study("normal", 5), _study("low", 2)),
    figure=_figure,
    level=None,
    note="100 repetitions here, five in the paper (spread of one repetition about 0.006): a figure within 0.012 of the "
    "authors', the Ladder above 0.478.",
)
