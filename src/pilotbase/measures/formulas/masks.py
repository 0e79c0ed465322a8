"""Measures of segmented images: pixels as they are answered, counted over all images.

A pixel of no class (255) is one like any other: an answer that names a class there is a false alarm. An image without
an answer, or with one of another size, is wrong in each pixel. Images with more than ``largest`` pixels count as if
they had so many: a bound on cases to come needs to know how large they can be.
"""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal

import numpy as np
from numpy.typing import NDArray

from pilotbase.documents.texts import text
from pilotbase.measures.cases import Ints
from pilotbase.measures.definition import SEGMENTING, Measure, Parameter
from pilotbase.measures.observation import MeasureInput, MeasurePart, Observation, missing_arrays, whole_of


def pixel_accuracy(question: MeasureInput) -> MeasurePart:
    """Return how many of an image's pixels are right."""
    right, pixels = _right(question)
    return _ratio(question, right, pixels, pixels)


def iou(question: MeasureInput) -> MeasurePart:
    """Return the pixels of the class that are found, of those that are of the class or taken for it."""
    both, true, named, pixels = _counts(question, question.label)
    return _ratio(question, both, true + named - both, pixels)


def dice(question: MeasureInput) -> MeasurePart:
    """Return twice the found pixels of the class, out of the pixels of the class plus those answered as it."""
    both, true, named, pixels = _counts(question, question.label)
    return _ratio(question, 2 * both, true + named, pixels, twice=2)


def _each_iou(question: MeasureInput) -> Observation:
    """Return one part a class; a class that occurs in no truth and no answer of a hidden set does not count."""
    parts = []
    for code, name in enumerate(question.cases.classes):
        both, true, named, pixels = _counts(question, code)
        union = true + named - both
        if question.estimand == "population" or union.any():
            parts.append(replace(_ratio(question, both, union, pixels), name=name))
    return Observation("mean", tuple(parts))


def _right(question: MeasureInput) -> tuple[Ints, Ints]:
    pixels = _sizes(question)
    right = np.full(len(pixels), question.worst(0, 1), dtype=np.int64) * pixels
    for case, answer, truth in _answered(question):
        right[case] = int((answer == truth).sum())
    return right, pixels


def _counts(question: MeasureInput, code: int) -> tuple[Ints, Ints, Ints, Ints]:
    """Return each image's pixels of a class that are right, true, named, and all that it has, shape (cases,)."""
    pixels, best = _sizes(question), question.worst(0, 1) == 1
    masks = zip(pixels.tolist(), question.cases.truth, strict=True)
    true = np.array([np.count_nonzero(mask == code) if size else 0 for size, mask in masks], dtype=np.int64)
    both, named = (true.copy(), true.copy()) if best else (np.zeros_like(true), pixels - true)
    for case, answer, truth in _answered(question):
        named_here = answer == code
        both[case], named[case] = np.count_nonzero(named_here & (truth == code)), np.count_nonzero(named_here)
    return both, true, named, pixels


def _answered(question: MeasureInput) -> list[tuple[int, NDArray[np.uint8], NDArray[np.uint8]]]:
    """Return the images that are answered in the right size: number, answer, truth."""
    cases, there = question.cases, ~question.absent() & ~missing_arrays(question.cases.truth)
    pairs = ((case, cases.answers[case], cases.truth[case]) for case in np.flatnonzero(there).tolist())
    return [(case, answer, truth) for case, answer, truth in pairs if answer.shape == truth.shape]


def _sizes(question: MeasureInput) -> Ints:
    """Return how many pixels each image has, 0 without a truth."""
    truth = question.cases.truth
    return np.array([mask.size if isinstance(mask, np.ndarray) else 0 for mask in truth], dtype=np.int64)


def _ratio(question: MeasureInput, gain: Ints, weight: Ints, pixels: Ints, twice: int = 1) -> MeasurePart:
    """Return ``gain`` of ``weight`` of images that have so many ``pixels``, at most ``largest``."""
    largest = question.whole("largest")
    if pixels.max(initial=0) > largest:
        share = np.minimum(largest / np.maximum(pixels, 1), 1.0)
        gain, weight = (np.rint(counts * share).astype(np.int64) for counts in (gain, weight))
    # The sizes of a hidden set's images are known; those of future cases aren't.
    most = twice * min(largest, largest if question.estimand == "population" else int(pixels.max(initial=1)))
    return MeasurePart(gain, weight, ((0, 1), (1, 1), (0, most), (most, most)))


_LARGEST = Parameter("largest", Decimal(10**6), Decimal(0), Decimal(10**8), whole=True)

MEASURES = (
    Measure(
        "pixel_accuracy", text("measure.pixel_accuracy"), "Σ right pixels / Σ pixels",
        "Long, Shelhamer & Darrell, CVPR 2015, section 5", "higher", SEGMENTING, pixel_accuracy,
        parameters=(_LARGEST,), paired=True, even=False,
    ),
    Measure(
        "iou", text("measure.iou"), "Σ |T ∩ A| / Σ |T ∪ A|, pixels of the class",
        "Everingham et al., IJCV 88:303, 2010 (Pascal VOC), section 4.1.3 (segmentation)", "higher", SEGMENTING, iou,
        parameters=(_LARGEST,), of_class=True,
    ),
    Measure(
        "dice", text("measure.dice"), "2 Σ |T ∩ A| / Σ (|T| + |A|), pixels of the class", "Dice, Ecology 26:297, 1945",
        "higher", SEGMENTING, dice, parameters=(_LARGEST,), of_class=True,
    ),
    Measure(
        "mean_iou", text("measure.mean_iou"), "Σ_c IoU_c / C", "Long, Shelhamer & Darrell, CVPR 2015, section 5",
        "higher", SEGMENTING, whole_of(_each_iou), parameters=(_LARGEST,), pooled=True, compose=_each_iou,
    ),
)  # fmt: skip
