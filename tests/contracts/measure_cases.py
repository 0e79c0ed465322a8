"""Random cases of every kind of answer, and the arguments that measures need in tests."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal
from typing import Any

import numpy as np

from pilotbase.documents.criteria import Rule
from pilotbase.measures import Cases, Measure, measures
from tests.contracts import episode_cases
from tests.contracts.text_cases import COLUMN, TRUTHS, read_in_its_way, rights_and_wrongs, with_passage, with_refusals

CLASSES = ("ok", "failure", "other")
GIVEN = {
    "beta": Decimal(2),
    "cap": Decimal(3),
    "tolerance": Decimal("0.5"),
    "miss": Decimal(5),
    "false_alarm": Decimal("0.5"),
    "k": Decimal(2),
    "q": Decimal("0.9"),
    "below": Decimal("0.8"),
    "error": Decimal("0.05"),
    "minutes": Decimal(3),
    "cases": Decimal(1000),
    "positives": Decimal(2),
    "others": Decimal(3),
    "recall": Decimal("0.6"),
}
REFUSING = ("refusal_rate", "over_refusal_rate", "declined", "answered")
KINDS = [(name, kind) for name, measure in sorted(measures().items()) for kind in sorted(measure.kinds)]


def arguments_of(measure: Measure) -> dict[str, Decimal]:
    """Return a value for every parameter: its default, else the one above."""
    return {p.name: GIVEN[p.name] if p.default is None else p.default for p in measure.parameters if not p.of_columns}


def rule_of(measure: Measure, threshold: Any = "0.5", **changes: Any) -> Rule:
    asked = [p for p in measure.parameters if p.needed and p.default is None]
    given = {p.name: COLUMN if p.of_columns else GIVEN[p.name] for p in asked}
    label = "failure" if measure.or_of_all and "boxes" in measure.kinds else None
    comparison: Any = "<=" if measure.better == "lower" else ">="
    return replace(Rule(measure.name, comparison, Decimal(threshold), label, arguments=given), **changes)


def random_cases(kind: Any, seed: int, n: int = 60, absent: float = 0.0) -> Cases:
    """Return cases with some right, some wrong answers; a share ``absent`` of them missing."""
    rng = np.random.default_rng(seed)
    missing = rng.random(n) < absent
    groups = {"site": rng.choice(["a", "b"], n)}
    if kind in ("value", "interval"):
        return _numbers(kind, rng, missing, groups)
    if kind == "text":
        return _texts(rng, missing, groups)
    if kind == "episode":
        return episode_cases.episodes(rng, missing, groups, CLASSES)
    if kind == "scores":
        answers = np.where(missing[:, None], np.nan, rng.random((n, 3)).round(2))
        return Cases(np.ones((n, 3)), answers, groups, classes=CLASSES, positive="failure", kind=kind)
    if kind in ("boxes", "mask"):
        return images(kind, rng, missing, groups)
    classes = CLASSES[:2] if kind == "probability" else CLASSES
    truth = rng.integers(0, len(classes), n)
    baseline: Any = rng.integers(0, len(classes), n)
    if kind == "probability":
        answers: Any = np.where(missing, np.nan, np.clip(truth * 0.4 + rng.random(n) * 0.6, 0, 1).round(2))
        baseline = rng.random(n).round(2)
    elif kind == "probabilities":
        answers, baseline = np.eye(3)[truth] * 0.4 + rng.dirichlet(np.ones(3), n) * 0.6, np.eye(3)[baseline]
        answers[missing] = np.nan
    elif kind == "ranking":
        truth = rng.permuted(np.tile(np.arange(6), (n, 1)), axis=1)[:, :2]
        truth[:, 1] = np.where(rng.random(n) < 0.3, -1, truth[:, 1])
        answers = rng.permuted(np.tile(np.arange(6), (n, 1)), axis=1)[:, :4]
        answers = np.where(missing[:, None], -1, answers)
    elif kind == "labels":
        truth = (rng.random((n, 3)) < 0.5).astype(np.int8)
        answers = np.where(rng.random((n, 3)) < 0.3, 1 - truth, truth)
        answers = np.where(missing[:, None], -1, answers).astype(np.int8)
    else:
        wrong = rng.random(n) < 0.3
        answers = np.where(missing, -1, np.where(wrong, rng.integers(0, len(classes), n), truth))
    return Cases(truth, answers, groups, baseline=baseline, classes=classes, positive="failure", kind=kind)


def against_the_others(cases: Cases) -> Cases:
    """Return the same cases with the probability of the positive class alone."""
    place = cases.code("failure")
    truth, answers = (cases.truth == place).astype(np.int64), cases.answers[:, place]
    return replace(cases, truth=truth, answers=answers, baseline=None, classes=CLASSES[:2], kind="probability")


def cases_for(name: str, kind: Any, seed: int, n: int = 60, absent: float = 0.0) -> Cases:
    """Return `random_cases`, some of them without truth where the measure is about refusing."""
    cases = random_cases(kind, seed, n, absent)
    if name == "precision_at_k":  # with as many wanted ids as places it can be 1
        return replace(cases, truth=np.where(cases.truth < 0, (cases.truth[:, :1] + 1) % 6, cases.truth))
    if name == "judged":
        return with_passage(cases, name)
    if name in TRUTHS:
        return with_passage(read_in_its_way(name, cases, seed), name)
    if name not in REFUSING:
        return cases
    cases = with_refusals(cases, seed) if name in ("declined", "answered") else cases
    none = np.random.default_rng(seed).random(n) < 0.4
    return replace(cases, truth=np.where(none, None if kind == "text" else -1, cases.truth))


def right_and_wrong(name: str, cases: Cases) -> tuple[Any, Any]:
    """Return answers that are all right, and answers that are all wrong."""
    truth, kind = cases.truth, cases.kind
    if name in REFUSING:
        known = np.array([isinstance(t, str) or (not isinstance(t, str | None) and t >= 0) for t in truth.tolist()])
        none, some = (None, "x") if kind == "text" else (-1, 0)
        return np.where(known, truth, none), np.where(known, none, some)
    if name in TRUTHS:
        return rights_and_wrongs(name, truth)
    if kind in RIGHT_AND_WRONG:
        return RIGHT_AND_WRONG[kind](truth)
    if kind == "text":
        return truth, np.array(["#" * (len(t) + 1) for t in truth], dtype=object)
    if kind in ("probability", "probabilities"):
        return (truth.astype(float), 1.0 - truth) if kind == "probability" else (np.eye(3)[truth], np.eye(3)[truth - 1])
    if kind == "ranking":
        return truth, np.where(truth < 0, 6, truth + 10)
    if kind in ("labels", "scores"):
        return truth, 1 - truth
    if name == "matched_iou":  # of boxes that are found
        return objects([scored(t) for t in truth]), objects([scored(t + np.array([0, 5, 0, 0, 0])) for t in truth])
    if kind == "boxes":
        return objects([scored(t) for t in truth]), objects([scored(t + np.array([0, 500, 0, 0, 0])) for t in truth])
    if kind == "mask":
        return truth, objects([(t + 1) % 3 for t in truth])
    return truth, (truth + 1) % 3


RIGHT_AND_WRONG: dict[str, Any] = {
    "episode": episode_cases.right_and_wrong,
    "value": lambda truth: (truth, truth + 100),
    "interval": lambda truth: (np.stack([truth, truth], axis=1), np.stack([truth + 100, truth + 101], axis=1)),
}


def with_answer(cases: Cases, answer: Any) -> Cases:
    """Return the cases with the first one answered so; None = abstained."""
    if cases.kind in ("text", "boxes", "mask", "episode"):
        answers = cases.answers.copy()
        answer = answer[: cases.truth[0].shape[0]] if cases.kind == "mask" and answer is not None else answer
    else:
        answers = cases.answers.astype(float)
        answer = (
            (np.nan if cases.kind in ("value", "probability", "probabilities", "interval", "scores") else -1)
            if answer is None
            else answer
        )
    answers[0] = answer
    return replace(cases, answers=answers.astype(int) if cases.kind in ("label", "ranking", "labels") else answers)


CANDIDATES: dict[str, list[Any]] = {
    "probability": [0, 0.35, 1],
    "probabilities": [[0.0, 1.0, 0.0], [0.3, 0.3, 0.4]],
    "label": [0, 1, 2],
    "value": [0.0, 3.0, -1e6],
    "ranking": [[0, 1, 2, 3], [1, 2, 0, 5], [5, 4, 3, -1]],
    "labels": [[0, 0, 0], [1, 1, 1], [0, 1, 0]],
    "boxes": [np.zeros((0, 6)), np.array([[1, 10, 10, 20, 20, 0.9]]), np.array([[1.0, 900, 900, 5, 5, 0.1]])],
    "mask": [np.full((9, 4), code, dtype=np.uint8) for code in (0, 1, 255)],
    "interval": [[0.0, 1.0], [-1e6, 1e6]],
    "episode": episode_cases.CANDIDATES,
    "text": ["", "ab", "zzzzzzzzzzzz", '["AB"]'],
    "scores": [[0.0, 0.0, 0.0], [1.0, 1.0, 1.0]],
}


def _numbers(kind: Any, rng: np.random.Generator, missing: Any, groups: Any) -> Cases:
    n = len(missing)
    truth = rng.normal(0, 2, n).round(1)
    baseline = truth + rng.normal(0, 1, n).round(1)
    answers: Any = np.where(missing, np.nan, truth + rng.normal(0, 1, n).round(1))
    if kind == "interval":
        answers = np.stack([answers - rng.random(n).round(1), answers + rng.random(n).round(1)], axis=1)
    return Cases(truth, answers, groups, baseline=baseline, kind=kind)


def _texts(rng: np.random.Generator, missing: Any, groups: Any) -> Cases:
    truth, answers = [], []
    for absent in missing:
        text = "".join(rng.choice(list("abcé字"), rng.integers(1, 9)))
        truth.append(text)
        changed = text if rng.random() < 0.5 else "".join(rng.permutation(list(text))) + "x" * int(rng.integers(0, 3))
        answers.append(None if absent else changed)
    return Cases(np.array(truth, dtype=object), np.array(answers, dtype=object), groups, kind="text")


def objects(values: list[Any]) -> Any:
    """Return an array of objects, shape (cases,)."""
    found = np.empty(len(values), dtype=object)
    found[:] = values
    return found


def scored(boxes: Any, score: float = 1.0) -> Any:
    """Return true boxes as detected ones."""
    return np.column_stack([boxes, np.full(len(boxes), score)])


def images(kind: Any, rng: np.random.Generator, missing: Any, groups: Any) -> Cases:
    truth, answers = [], []
    for absent in missing:
        if kind == "boxes":
            true = np.column_stack(
                [rng.integers(0, 3, (k := int(rng.integers(1, 4)))), rng.integers(0, 40, (k, 2)), np.full((k, 2), 20)]
            ).astype(float)
            moved = true + np.column_stack([np.zeros(k), rng.integers(-4, 5, (k, 2)), np.zeros((k, 2))])
            noise = np.array([[int(rng.integers(0, 3)), 90, 90, 10, 10]] * int(rng.integers(0, 3))).reshape(-1, 5)
            found = np.concatenate([moved[rng.random(k) < 0.8], noise])
            answer = np.column_stack([found, rng.random(len(found)).round(1)])
        else:
            true = rng.integers(0, 3, (int(rng.integers(3, 7)), 4)).astype(np.uint8)
            true[rng.random(true.shape) < 0.1] = 255
            answer = np.where(rng.random(true.shape) < 0.3, rng.integers(0, 3, true.shape), true).astype(np.uint8)
        truth.append(true)
        answers.append(None if absent else answer)
    return Cases(objects(truth), objects(answers), groups, classes=CLASSES, positive="failure", kind=kind)
