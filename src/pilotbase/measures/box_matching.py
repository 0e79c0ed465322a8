"""Which detected boxes are which true ones: greedily by falling score, as COCO's evaluation matches them.

A box is (class code, x, y, width, height), a detected one with its score behind; pixels, x and y of the upper left
corner. Source: Lin et al., "Microsoft COCO: Common objects in context", ECCV 2014, and pycocotools' ``evaluateImg``.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from pilotbase.measures.cases import Floats, Ints


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
