"""Measures of rankings, label sets, boxes and masks once more, case by case, or by scikit-learn."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from typing import Any

import numpy as np
from sklearn import metrics

from pilotbase.measures import Cases

FAILURE = 1
Formula = Callable[[Cases, dict[str, float]], float]


def multilabel(metric: Callable[..., Any], **how: Any) -> Formula:
    def of(cases: Cases, _: dict[str, float]) -> float:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return float(metric(cases.truth, cases.answers, **how))

    return of


def over_queries(score: Callable[[list[int], set[int], dict[str, float]], float]) -> Formula:
    """Return the mean over cases of ``score(answer, wanted, arguments)``."""

    def mean(cases: Cases, given: dict[str, float]) -> float:
        pairs = zip(cases.answers.tolist(), cases.truth.tolist(), strict=True)
        return float(np.mean([score(a, {code for code in t if code >= 0}, given) for a, t in pairs]))

    return mean


def reciprocal(answer: list[int], wanted: set[int], _: dict[str, float]) -> float:
    return max([1 / place for place, code in enumerate(answer, 1) if code in wanted], default=0.0)


def ndcg(cases: Cases, _: dict[str, float]) -> float:
    """By scikit-learn: scores fall with the place, and what is not named is behind all that is."""
    gains, scores = np.zeros((len(cases), 12)), np.zeros((len(cases), 12))
    for row, (answer, truth) in enumerate(zip(cases.answers, cases.truth, strict=True)):
        gains[row, truth[truth >= 0]] = 1
        scores[row, answer] = [10 - place for place in range(len(answer))]
        unnamed = [code for code in range(12) if code not in answer and gains[row, code] == 0]
        scores[row, unnamed] = 1
    # Wanted ids that are not named come after 12 - 4 - 2 unwanted ones there, at 0 here: take their gain away.
    total = 0.0
    for row in range(len(cases)):
        found = np.isin(np.arange(12), cases.answers[row])
        ideal = metrics.dcg_score(gains[row : row + 1], gains[row : row + 1])
        total += metrics.dcg_score((gains[row] * found)[None], scores[row : row + 1]) / ideal
    return total / len(cases)


def average_precision(answer: list[int], wanted: set[int], _: dict[str, float]) -> float:
    hits, total = 0, 0.0
    for place, code in enumerate(answer, 1):
        if code in wanted:
            hits += 1
            total += hits / place
    return total / len(wanted)


def overlap(one: Any, two: Any) -> float:
    width = min(one[1] + one[3], two[1] + two[3]) - max(one[1], two[1])
    height = min(one[2] + one[4], two[2] + two[4]) - max(one[2], two[2])
    common = max(width, 0) * max(height, 0)
    return float(common / (one[3] * one[4] + two[3] * two[4] - common))


def found_boxes(answer: Any, truth: Any, threshold: float) -> list[tuple[float, float]]:
    """Return (score, overlap) of each detected box of the class, 0 where it is a false alarm, by falling score."""
    free = [box for box in truth if box[0] == FAILURE]
    found = []
    for box in sorted((box for box in answer if box[0] == FAILURE), key=lambda box: -box[5]):
        best = max(free, key=lambda other: overlap(box, other), default=None)
        if best is not None and overlap(box, best) >= threshold:
            found.append((box[5], overlap(box, best)))
            free = [other for other in free if other is not best]
        else:
            found.append((box[5], 0.0))
    return found


def detection(formula: Callable[[int, int, int, float], float]) -> Formula:
    """Return ``formula(found, detected, true, sum of overlaps)`` over all images."""

    def of(cases: Cases, given: dict[str, float]) -> float:
        boxes = [
            box for a, t in zip(cases.answers, cases.truth, strict=True) for box in found_boxes(a, t, given["iou"])
        ]
        true = sum(int((t[:, 0] == FAILURE).sum()) for t in cases.truth)
        return formula(sum(o > 0 for _, o in boxes), len(boxes), true, sum(o for _, o in boxes))

    return of


def area(cases: Cases, threshold: float) -> float:
    """Return COCO's average precision of the class at one overlap, point by point."""
    boxes = [box for a, t in zip(cases.answers, cases.truth, strict=True) for box in found_boxes(a, t, threshold)]
    boxes = [boxes[i] for i in np.argsort([-score for score, _ in boxes], kind="stable")]
    true = sum(int((t[:, 0] == FAILURE).sum()) for t in cases.truth)
    curve = []
    for count in range(1, len(boxes) + 1):
        if count < len(boxes) and boxes[count][0] == boxes[count - 1][0]:
            continue  # equal scores come in together
        hits = sum(o > 0 for _, o in boxes[:count])
        curve.append((hits / true, hits / count))
    best = [max([p for r, p in curve if r >= step / 100], default=0.0) for step in range(101)]
    return sum(best) / 101


def pixels(formula: Callable[[Any, Any], float]) -> Formula:
    return lambda cases, _: formula(
        np.concatenate([t.ravel() for t in cases.truth]), np.concatenate([a.ravel() for a in cases.answers])
    )


FORMULAS: dict[str, Formula] = {
    "subset_accuracy": multilabel(metrics.accuracy_score),
    "hamming_loss": multilabel(metrics.hamming_loss),
    "label_precision": multilabel(metrics.precision_score, average="micro"),
    "label_recall": multilabel(metrics.recall_score, average="micro"),
    "label_f1": multilabel(metrics.f1_score, average="micro"),
    "example_f1": multilabel(metrics.f1_score, average="samples", zero_division=1),
    "example_jaccard": multilabel(metrics.jaccard_score, average="samples", zero_division=1),
    "top_k": over_queries(lambda a, wanted, given: bool(wanted & set(a[: int(given["k"])]))),
    "recall_at_k": over_queries(lambda a, wanted, given: len(wanted & set(a[: int(given["k"])])) / len(wanted)),
    "precision_at_k": over_queries(lambda a, wanted, given: len(wanted & set(a[: int(given["k"])])) / given["k"]),
    "reciprocal_rank": over_queries(reciprocal),
    "ndcg": ndcg,
    "mean_average_precision": over_queries(average_precision),
    "box_recall": detection(lambda hits, detected, true, _: hits / true),
    "box_precision": detection(lambda hits, detected, true, _: hits / detected),
    "box_f1": detection(lambda hits, detected, true, _: 2 * hits / (detected + true)),
    "matched_iou": detection(lambda hits, detected, true, overlaps: overlaps / hits),
    "box_average_precision": lambda c, given: area(c, given["iou"]),
    "coco_average_precision": lambda c, _: float(np.mean([area(c, 0.5 + 0.05 * step) for step in range(10)])),
    "pixel_accuracy": pixels(metrics.accuracy_score),
    "iou": pixels(lambda t, a: float(metrics.jaccard_score(t, a, labels=[FAILURE], average="macro"))),
    "dice": pixels(lambda t, a: float(metrics.f1_score(t, a, labels=[FAILURE], average="macro"))),
    "mean_iou": pixels(lambda t, a: float(metrics.jaccard_score(t, a, labels=[0, 1, 2], average="macro"))),
}
