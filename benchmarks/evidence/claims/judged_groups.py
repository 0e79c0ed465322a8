"""Judged answers of a population (statistics-2, §4): a judge saves labels, and cannot steer a verdict."""

from __future__ import annotations

import math
from collections.abc import Callable
from fractions import Fraction

import numpy as np

from benchmarks.evidence.contract import AtMost, Between, Claim, Draw, Floats, Reading, Shown, Study, Words, each
from pilotbase.documents.probes import MODEL, PANEL
from pilotbase.documents.scenario import Criterion
from pilotbase.documents.vocabularies import Estimand
from pilotbase.evidence import Design, Levels, exact, verdict_of
from pilotbase.evidence.prediction_powered import GroupedLabels
from pilotbase.measures.cases import JUDGED_GOOD, JUDGED_POOR, Cases
from pilotbase.trial.judge_models.in_trial import ModelScores
from pilotbase.trial.scoring import plan_criterion

ALPHA, GROUP, LABELS, LONG = 0.025, 9, 600, 3000
Judge = Callable[[np.random.Generator, Floats], Floats]
JUDGES: dict[str, Judge] = {
    "no judge": lambda rng, labels: np.zeros(len(labels)),
    "wrong in 5 %": lambda rng, labels: np.where(rng.random(len(labels)) < 0.05, 1 - labels, labels),
    "inverted": lambda rng, labels: 1 - labels,
    "flattering": lambda rng, labels: np.ones(len(labels)),
    "random": lambda rng, labels: rng.random(len(labels)),
    "perfect": lambda rng, labels: labels,
}


def path(rng: np.random.Generator, truth: float, judge: str, labels: int, horizon: int | None = None) -> Floats:
    """Return the log capital for *at least 0.90* after each label."""
    right = (rng.random(labels * (GROUP + 1)) < truth).astype(np.float64)
    scores = JUDGES[judge](rng, right)
    groups = scores[labels:].reshape(labels, GROUP).mean(axis=1)
    weight = Fraction(0) if judge == "no judge" else Fraction(3, 4)
    found = GroupedLabels(np.column_stack((right[:labels], scores[:labels], groups)), GROUP, weight, horizon)
    return found.above(0.9, ALPHA)


def of_trial(rng: np.random.Generator, truth: float, judge: str, labels: int, design: Design) -> tuple[str, int]:
    """Return verdict and verdicts used of a trial whose ``labels`` answers, a tenth of all, experts judge."""
    good = rng.random(labels * (GROUP + 1)) < truth
    scores, order = (
        ModelScores(GROUP, JUDGES[judge](rng, good.astype(np.float64)), len(good)),
        rng.permutation(len(good)),
    )
    said = np.full(len(good), "", dtype=object)
    said[order[:labels]] = np.where(good[order[:labels]], JUDGED_GOOD, JUDGED_POOR)
    words, above = np.full(len(good), "-", dtype=object), np.array(scores.corrections(order, labels), dtype=object)
    cases = Cases(words, words, kind="text", given={PANEL: said, MODEL: above})
    named = "" if judge == "no judge" else f", scores={MODEL}"
    criterion = Criterion(rule=f"judged(by={PANEL}{named}) >= 0.9", estimand=Estimand.POPULATION)
    return verdict_of([plan_criterion(criterion, cases, order)], order, Levels(exact(ALPHA), exact(ALPHA)), design)


def _trial_accepts(judge: str) -> Draw:
    return each(lambda rng: of_trial(rng, 0.9, judge, LABELS, Design("fixed", LABELS))[0] == "accept")


def _trial_saved(rng: np.random.Generator, size: int) -> Floats:
    """Return (runs, 2): verdicts until a trial accepts without a judge and with one."""
    judges = ("no judge", "wrong in 5 %")
    return np.array([[of_trial(rng, 0.93, judge, LONG, Design())[1] for judge in judges] for _ in range(size)], float)


def _accepts(truth: float, judge: str, horizon: int | None) -> Draw:
    return each(lambda rng: float(path(rng, truth, judge, LABELS, horizon).max()) >= math.log(1 / ALPHA))


def _stops(judge: str) -> Draw:
    def one(rng: np.random.Generator) -> float:
        crossed = np.flatnonzero(path(rng, 0.93, judge, LONG) >= math.log(1 / ALPHA))
        return float(crossed[0]) + 1 if len(crossed) else LONG

    return each(one)


def _saved(rng: np.random.Generator, size: int) -> Floats:
    """Return (runs, 2): labels until the verdict without a judge and with one."""
    return np.column_stack([np.asarray(_stops(judge)(rng, size)) for judge in ("no judge", "wrong in 5 %")])


CLAIM = Claim(
    id="judged-groups",
    source="statistics-2, §4",
    title=Words("A judge and a population: groups of their own", "评判模型与总体：每个标注有专属的对照组"),
    sentence=Words(
        "Compared with nine unlabelled answers of its own, each labelled one is an independent draw, so the weight of "
        "the judge may be learned: a judge that errs in 5 % saves two labels in five, and whatever the judge at most α "
        "of populations at the threshold are accepted. A trial keeps the weight that its plan states.",
        "每个已标注答案与九个专属的未标注答案比较，相当于一次独立抽样，因此评判模型的权重可以边标注边学："
        "错误率 5 % 的评判模型省去五分之二的标注；无论评判模型好坏，恰在阈值的总体被判为通过的至多为 α。"
        "测试中的权重由方案写定。",
    ),
    assumes=Words(
        "Answers are independent draws from the population; the judge is fixed before any label is seen. Threshold "
        "0.90.",
        "答案是总体的独立抽样；评判模型在看到任何标注之前已固定。阈值 0.90。",
    ),
    studies=(
        *(
            Study(
                _accepts(0.9, judge, horizon),
                (Reading(f"truth 0.90, {judge}, {way}: accepted", "ours", AtMost(ALPHA)),),
                2000,
                40,
            )
            for judge in JUDGES
            for horizon, way in ((None, "any time"), (LABELS, f"{LABELS} labels fixed"))
        ),
        Study(
            _accepts(0.93, "wrong in 5 %", LABELS),
            (Reading(f"truth 0.93, wrong in 5 %, {LABELS} labels fixed: accepted", "ours", Between(0.85, 1), 0.93),),
            1000,
            0,
        ),
        Study(
            _saved,
            (
                Reading("truth 0.93, no judge: median labels", "fact", Shown(), 835,
                        lambda values: float(np.median(values[:, 0])), False),
                Reading("truth 0.93, wrong in 5 %: median labels", "ours", Shown(), 490,
                        lambda values: float(np.median(values[:, 1])), False),
                Reading("share of labels saved", "ours", Between(0.4, 1), 0.41,
                        lambda values: float(1 - np.median(values[:, 1]) / np.median(values[:, 0])), False),
            ),
            400,
            0,
        ),
        *(
            Study(
                _trial_accepts(judge),
                (Reading(f"in a trial: truth 0.90, {judge}, {LABELS} verdicts: accepted", "ours", AtMost(ALPHA)),),
                1000,
                40 if judge in ("inverted", "random") else 0,
            )
            for judge in JUDGES
        ),
        Study(
            _trial_saved,
            (
                Reading("in a trial: share of verdicts saved, wrong in 5 %", "ours", Between(0.4, 1), None,
                        lambda values: float(1 - np.median(values[:, 1]) / np.median(values[:, 0])), False),
            ),
            200,
            0,
        ),
    ),
    level=ALPHA,
)  # fmt: skip
