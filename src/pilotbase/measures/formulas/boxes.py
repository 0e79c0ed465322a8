"""Measures of detected boxes. A case is an image; boxes are matched inside it, greedily by falling score (COCO).

Only the ``most`` best scored boxes of an image count, and as many of its true ones. An image without an answer counts
as if all its true boxes were missed, with as many false alarms, at least one: an application that finds nothing can
answer with an empty list.

Which detected boxes are which true ones: greedily by falling score, as COCO's evaluation matches them.

A box is (class code, x, y, width, height), a detected one with its score behind; pixels, x and y of the upper left
corner. Source: Lin et al., "Microsoft COCO: Common objects in context", ECCV 2014, and pycocotools' ``evaluateImg``.
"""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal

import numpy as np
from numpy.typing import NDArray

from pilotbase.documents.texts import text
from pilotbase.measures.cases import Floats, Ints
from pilotbase.measures.definition import DESCRIPTIVE, DETECTING, Measure, Parameter
from pilotbase.measures.observation import ALL_CLASSES, MeasureInput, MeasurePart, missing_arrays, whole_value


def of_class(boxes: Floats, code: int) -> Floats:
    """Return the boxes of a class; all where ``code`` is negative."""
    return boxes if code < 0 else boxes[boxes[:, 0] == code]


def by_score(boxes: Floats, most: int) -> Floats:
    """Return the ``most`` detected boxes with the highest scores, highest first; equal ones stay in their order."""
    return boxes[np.argsort(-boxes[:, 5], kind="stable")[:most]]


def overlaps(detected: Floats, true: Floats) -> Floats:
    """Return intersection over union of each detected with each true box, 0 between classes: shape (detected, true)."""
    low = np.maximum(detected[:, None, 1:3], true[None, :, 1:3])
    high = np.minimum((detected[:, 1:3] + detected[:, 3:5])[:, None], (true[:, 1:3] + true[:, 3:5])[None])
    common = np.maximum(high - low, 0.0).prod(axis=2)
    area = detected[:, 3:5].prod(axis=1)[:, None] + true[:, 3:5].prod(axis=1)[None] - common
    shares: Floats = common / np.where(area > 0, area, 1.0)
    return np.where((area > 0) & (detected[:, None, 0] == true[None, :, 0]), shares, 0.0)


def matches(shares: Floats, threshold: float) -> Ints:
    """Return the true box of each detected one, -1 for none: each takes the free one that it overlaps most.

    ``shares``: of `overlaps`, rows by falling score.
    """
    found = np.full(len(shares), -1, dtype=np.int64)
    close: NDArray[np.bool_] = shares >= threshold
    free = np.ones(shares.shape[1], dtype=np.bool_)
    for row in np.flatnonzero(close.any(axis=1)).tolist():
        open_to_it = np.flatnonzero(close[row] & free)
        if len(open_to_it):
            # Of equal overlaps COCO's evaluation takes the last.
            best = open_to_it[len(open_to_it) - 1 - int(shares[row, open_to_it][::-1].argmax())]
            found[row], free[best] = best, False
    return found


_STEPS = 10**9
"""An overlap is read to nine digits."""
_COCO_THRESHOLDS = tuple(round(0.5 + 0.05 * step, 2) for step in range(10))
_RECALLS = np.linspace(0, 1, 101)


def box_recall(question: MeasureInput) -> MeasurePart:
    """Return how many of an image's true boxes are found."""
    hits, _, true, most = _counts(question)
    return MeasurePart(hits, true, ((0, 1), (1, 1), (0, most), (most, most)))


def box_precision(question: MeasureInput) -> MeasurePart:
    """Return how many of an image's detected boxes are true."""
    hits, detected, _, most = _counts(question)
    return MeasurePart(hits, detected, ((0, 1), (1, 1), (0, most), (most, most)))


def box_f1(question: MeasureInput) -> MeasurePart:
    """Return 2 of 2 for each box found, 0 of 1 for each missed or false."""
    hits, detected, true, most = _counts(question)
    return MeasurePart(2 * hits, detected + true, ((0, 1), (2, 2), (0, 2 * most), (2 * most, 2 * most)))


def matched_iou(question: MeasureInput) -> MeasurePart:
    """Return the overlaps of an image's found boxes, out of their number; boxes that aren't found don't count."""
    eligible, most = ~missing_arrays(question.cases.truth), question.whole("most")
    absent = question.absent() & eligible
    gain, weight = np.zeros(len(absent), dtype=np.int64), np.zeros(len(absent), dtype=np.int64)
    for case, (detected, true) in _answered(question):
        shares = overlaps(detected, true)
        found = matches(shares, float(question.arguments["iou"]))
        hits = np.flatnonzero(found >= 0)
        gain[case] = np.floor(shares[hits, found[hits]] * _STEPS + 1e-3).sum()
        weight[case] = len(hits) * _STEPS
    weight[absent], gain[absent] = _STEPS, question.worst(0, _STEPS)
    ends = ((0, _STEPS), (1, _STEPS), (_STEPS, _STEPS), (0, most * _STEPS), (most * _STEPS, most * _STEPS))
    return MeasurePart(gain, weight, ends)


def box_average_precision(question: MeasureInput) -> MeasurePart:
    """Return the mean over classes of the precision at 101 recalls, a figure of the whole set."""
    return _mean_average_precision(question, (float(question.arguments["iou"]),))


def coco_average_precision(question: MeasureInput) -> MeasurePart:
    """Return the mean over ten overlaps, 0.50 to 0.95, of what `box_average_precision` is at each."""
    return _mean_average_precision(question, _COCO_THRESHOLDS)


def _counts(question: MeasureInput) -> tuple[Ints, Ints, Ints, int]:
    """Return each image's boxes found, detected and true, and how many there can be."""
    truth, most = question.cases.truth, question.whole("most")
    eligible = ~missing_arrays(truth)
    absent = question.absent() & eligible
    true = np.zeros(len(truth), dtype=np.int64)
    true[eligible] = [min(len(of_class(boxes, question.label)), most) for boxes in truth[eligible]]
    hits, detected = np.zeros(len(true), dtype=np.int64), np.zeros(len(true), dtype=np.int64)
    for case, (answer, boxes) in _answered(question):
        found = matches(overlaps(answer, boxes), float(question.arguments["iou"]))
        hits[case], detected[case] = int((found >= 0).sum()), len(answer)
    detected = np.where(absent, np.maximum(true, 1), detected)
    return np.where(absent, question.worst(0, 1) * true, hits), detected, true, most


def _answered(question: MeasureInput) -> Iterator[tuple[int, tuple[Floats, Floats]]]:
    """Yield the images with a truth that are answered: number, detected boxes by falling score, true ones."""
    most, code = question.whole("most"), question.label
    for case in np.flatnonzero(~question.absent() & ~missing_arrays(question.cases.truth)).tolist():
        detected = by_score(of_class(question.cases.answers[case], code), most)
        yield case, (detected, of_class(question.cases.truth[case], code))


def _mean_average_precision(question: MeasureInput, thresholds: tuple[float, ...]) -> MeasurePart:
    codes = range(len(question.cases.classes)) if question.label == ALL_CLASSES else [question.label]
    values = [value for code in codes for value in _average_precisions(question, code, thresholds)]
    return whole_value(float(np.mean(values)) if values else None, question)


def _average_precisions(question: MeasureInput, code: int, thresholds: tuple[float, ...]) -> list[float]:
    """Return the average precision of a class at each threshold; empty if it has no true box."""
    scores: list[Floats] = []
    hits: list[np.ndarray[tuple[int, int], np.dtype[np.bool_]]] = []
    total, absent, sure = 0, question.absent(), question.worst(0, 1) == 1
    for case in np.flatnonzero(~missing_arrays(question.cases.truth)).tolist():
        true = of_class(question.cases.truth[case], code)
        total += len(true)
        if absent[case]:
            scores.append(np.full(max(len(true), 0 if sure else 1), np.inf))
            hits.append(np.full((len(thresholds), len(scores[-1])), sure))
            continue
        # The cut is per class here, as in COCO's evaluation.
        detected = by_score(of_class(question.cases.answers[case], code), question.whole("most"))
        scores.append(detected[:, 5])
        shares = overlaps(detected, true)
        hits.append(np.array([matches(shares, threshold) >= 0 for threshold in thresholds], dtype=np.bool_))
    if not total:
        return []
    every = np.concatenate(scores)
    order = np.argsort(-every, kind="stable")
    falling = every[order]
    # Boxes of one score come in together: which image is the first must not matter.
    ends = np.flatnonzero(np.append(falling[1:] != falling[:-1], True)[: len(falling)])
    return [_area(np.cumsum(found[order])[ends], ends + 1, total) for found in np.concatenate(hits, axis=1)]


def _area(found: Ints, detected: Ints, total: int) -> float:
    """Return the mean, over 101 recalls, of the best precision at that recall or above; 0 beyond the last."""
    precision = np.maximum.accumulate((found / detected)[::-1])[::-1]
    at = np.searchsorted(found / total, _RECALLS, side="left")
    return float(np.append(precision, 0.0)[at].mean())


_COCO = "Lin et al., ECCV 2014 (COCO), greedy matching by score inside an image"
_IOU = Parameter("iou", Decimal("0.5"), Decimal(0), Decimal(1))
_MOST = Parameter("most", Decimal(100), Decimal(0), Decimal(10_000), whole=True)

MEASURES = (
    Measure(
        "box_recall", text("measure.box_recall"), "Σ boxes found / Σ true boxes, overlap at least iou", _COCO, "higher",
        DETECTING, box_recall, parameters=(_IOU, _MOST), of_class=True, or_of_all=True, paired=True, even=False,
    ),
    Measure(
        "box_precision", text("measure.box_precision"), "Σ boxes found / Σ boxes detected, overlap at least iou", _COCO,
        "higher", DETECTING, box_precision, parameters=(_IOU, _MOST), of_class=True, or_of_all=True,
    ),
    Measure(
        "box_f1", text("measure.box_f1"), "2 Σ boxes found / (Σ boxes detected + Σ true boxes), overlap at least iou",
        _COCO, "higher", DETECTING, box_f1, parameters=(_IOU, _MOST), of_class=True, or_of_all=True,
    ),
    Measure(
        "matched_iou", text("measure.matched_iou"), "Σ overlap of found boxes / Σ boxes found",
        "Kirillov et al., CVPR 2019 (segmentation quality, over boxes)", "higher", DETECTING, matched_iou,
        parameters=(_IOU, _MOST), of_class=True, or_of_all=True, beside=("box_recall", "box_f1"),
    ),
    Measure(
        "box_average_precision", text("measure.box_average_precision"),
        "mean over classes of the precision at 101 recalls, overlap at least iou", _COCO, "higher", DETECTING,
        box_average_precision, parameters=(_IOU, _MOST), of_class=True, or_of_all=True, pooled=True,
        guarantees=DESCRIPTIVE,
    ),
    Measure(
        "coco_average_precision", text("measure.coco_average_precision"),
        "mean over classes and overlaps 0.50, 0.55, … 0.95 of the precision at 101 recalls", _COCO, "higher",
        DETECTING, coco_average_precision, parameters=(_MOST,), of_class=True, or_of_all=True, pooled=True,
        guarantees=DESCRIPTIVE,
    ),
)  # fmt: skip
