"""From texts to arrays: what an answer claims to be takes no more memory than its truth does."""

import tracemalloc

import numpy as np

from pilotbase.documents.criteria import parse_rule
from pilotbase.measures import Cases, score
from pilotbase.measures.cases import coded

SMALL = '{"size": [2, 2], "runs": [0, 2, 1, 2]}'
HUGE = '{"size": [8192, 8192], "runs": [1, 67108864]}'


def texts(*values):
    column = np.empty(len(values), dtype=object)
    column[:] = values
    return column


def masks(answers):
    others = {"perturbed": {"blur": answers}, "baseline": answers}
    return Cases(texts(*[SMALL] * len(answers)), answers, classes=("road", "tree"), kind="mask", **others)


def test_a_mask_of_another_size_than_its_truth_has_no_pixels():
    """Forty letters claim 64 MB: without this a few thousand cases fill any memory, outside of every box."""
    tracemalloc.start()
    try:
        found = coded(masks(texts(SMALL, *[HUGE] * 20, None)))
        assert tracemalloc.get_traced_memory()[1] < 16 << 20
    finally:
        tracemalloc.stop()
    assert found.answers[0].tolist() == [[0, 0], [1, 1]]
    assert found.answers[1].size == 0
    assert found.answers[-1] is None
    assert score(parse_rule("pixel_accuracy >= 0"), found) == 4 / 88


def test_a_mask_without_a_truth_keeps_its_pixels():
    unlabelled = Cases(texts(None), texts(SMALL), classes=("road", "tree"), kind="mask")
    assert coded(unlabelled).answers[0].tolist() == [[0, 0], [1, 1]]
