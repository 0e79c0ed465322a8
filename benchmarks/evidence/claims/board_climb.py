"""A1, and statistics-2, §6: a board is attacked by votes (Blum & Hardt, ICML 2015) and by redrawing random subsets."""

from __future__ import annotations

import numpy as np

from benchmarks.evidence.contract import AtMost, Between, Claim, Floats, Reading, Shown, Study, Words, column, each
from pilotbase.evidence.ladder import MISS, Ladder

CASES, VOTES, CLIMBS = 4000, (100, 200, 300, 400), 2500
PLAIN = (0.4670, 0.4523, 0.4408, 0.4275)
"""The authors' figures, five repetitions each."""
SUBSETS = (30, 100, 300, 1000, CASES)
BUDGET, SMALL = Ladder(CASES, CLIMBS, 10), Ladder(400, 50, 5)


def vote(rng: np.random.Generator) -> list[float]:
    """Return a plain board's loss for the majority of entries below 1/2, after each number; the Ladder's; if it failed.

    Labels are coins: the true loss of every entry, and of every vote, is 1/2.
    """
    wrong = rng.random((VOTES[-1], CASES)) < 0.5
    liked = wrong.mean(axis=1) <= 0.5
    plain = [_majority(rng, wrong[:count][liked[:count]]).mean() for count in VOTES]
    ladder, shown, kept = Ladder(CASES, VOTES[-1] + 1, 10), (), []
    for entry in wrong:
        after = ladder.after(float(entry.mean()), shown)
        kept += [entry] if after != shown else []
        shown = after
    last = ladder.after(float(_majority(rng, np.array(kept)).mean()), shown)[-1]
    return [*plain, last, last < 0.5 - ladder.band]


def _majority(rng: np.random.Generator, wrong: np.ndarray) -> np.ndarray:
    """Return where the majority is wrong; ties are broken by a coin."""
    return wrong.mean(axis=0) + rng.uniform(-1e-6, 1e-6, CASES) > 0.5


def climb(rng: np.random.Generator) -> list[float]:
    """Return the best of five climbs on a parameter-free Ladder and on ours, and whether ours left its band."""
    free = min(_climbed_free(rng, size) for size in SUBSETS)
    ours = min(_climbed(rng, size) for size in SUBSETS)
    return [free, ours, ours < 0.5 - BUDGET.band]


def _redrawn(rng: np.random.Generator, wrong: np.ndarray, size: int) -> np.ndarray:
    cases = len(wrong)
    return np.where(rng.random(cases) < size / cases, rng.random(cases) < 0.5, wrong)


def small_climb(rng: np.random.Generator) -> bool:
    """Return whether the best of three climbs on a small board left its band."""
    return min(_climbed(rng, size, SMALL) for size in (20, 60, SMALL.cases)) < 0.5 - SMALL.band


def _climbed(rng: np.random.Generator, size: int, ladder: Ladder = BUDGET) -> float:
    best, shown = rng.random(ladder.cases) < 0.5, ()
    for _ in range(ladder.entries):
        entry = _redrawn(rng, best, size)
        after = ladder.after(float(entry.mean()), shown)
        best, shown = (entry, after) if after != shown else (best, shown)
    return shown[-1]


def _climbed_free(rng: np.random.Generator, size: int) -> float:
    """Algorithm 2 of the authors: an entry must win by the standard error of its difference to the best."""
    best = rng.random(CASES) < 0.5
    for _ in range(CLIMBS):
        entry = _redrawn(rng, best, size)
        gain = best.astype(np.float64) - entry
        best = entry if gain.mean() > gain.std(ddof=1) / np.sqrt(CASES) else best
    return float(best.mean())


def _band(rng: np.random.Generator) -> Floats:
    return np.array([Ladder(CASES, 100, 5).band, BUDGET.band])


CLAIM = Claim(
    id="board-climb",
    source="A1; statistics-2, §6",
    title=Words("A board is not climbed by adaptive entries", "自适应提交无法使排行榜虚高"),
    sentence=Words(
        "Entries that know nothing climb seven points on a board that shows every score, and fifteen on a "
        "parameter-free Ladder; the product's board shows few improvements in fixed steps, and its band holds.",
        "毫无信息的提交在公布全部得分的排行榜上可虚高七个百分点，在无参数 Ladder 上可虚高十五个百分点；"
        "本系统的排行榜按固定步长公布有限次改进，所印误差带成立。",
    ),
    assumes=Words(
        "Cases are independent draws (or clusters, counted by weight). The budget is fixed before the first entry, "
        "shared by all suppliers, and a team sees only which entries improved, and to which step.",
        "案例（或整群，按权重折算）为独立抽取。提交与改进次数事先固定、由各供给方共享；"
        "参与者只能看到哪次提交有改进以及改进到哪一步。",
    ),
    studies=(
        Study(
            each(vote),
            (
                *(
                    Reading(f"every score shown: the vote after {count} entries", "wrong",
                            Between(target - 0.012, target + 0.012), target, column(place), False)
                    for place, (count, target) in enumerate(zip(VOTES, PLAIN, strict=True))
                ),
                Reading("the product: the vote after 400 entries", "fact", Shown(), None, column(4), False),
                Reading("the product: the vote is outside the band", "ours", AtMost(MISS), None, column(5)),
            ),
            100, 3, 5,
        ),
        Study(
            each(climb),
            (
                Reading("parameter-free Ladder: 2,500 entries", "wrong", Between(0.33, 0.38), 0.354, column(0), False),
                Reading("the product: 2,500 entries", "fact", Between(0.46, 0.5), 0.48, column(1), False),
                Reading("the product: a climb is outside the band", "ours", AtMost(MISS), None, column(2)),
            ),
            40, 0, 2,
        ),
        Study(
            each(_band),
            (
                Reading("band, 100 entries, 5 improvements", "fact", Between(0.06, 0.069), 0.069, column(0), False),
                Reading("band, 2,500 entries, 10 improvements", "fact", Between(0.1, 0.111), 0.111, column(1), False),
            ),
            1, 1, 1,
        ),
        Study(
            each(small_climb),
            (Reading("400 cases, 50 entries, 5 improvements: outside the band", "ours", AtMost(MISS)),),
            2000, 20,
        ),
    ),
    level=MISS,
    note="4,000 cases whose labels are coins: the true loss is 0.5. The reference's bands are a little wider: it "
    "counts histories instead of entries.",
)  # fmt: skip
