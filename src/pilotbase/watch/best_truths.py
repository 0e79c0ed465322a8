"""The truths that could speak best for an answer, for cases whose label never came.

Of a class all are looked at. Of other kinds it is what was answered, said by the label, too; where less or nothing may
be wanted (a ranking, a question to be refused, an abstention), also that.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pilotbase.measures import Cases

Truths = NDArray[Any]


def possible_truths(cases: Cases) -> Sequence[Truths]:
    """Return arrays of truths, each of as many cases, coded as measures read them."""
    kind, answers = cases.kind, cases.answers
    if kind in ("label", "probability"):
        return [np.full(len(cases), code, dtype=np.int64) for code in range(len(cases.classes))]
    if kind in ("value", "interval"):
        numbers = answers.astype(np.float64)
        middle = numbers if kind == "value" else numbers.mean(axis=1)
        return [np.where(np.isfinite(middle), middle, 0.0)]
    if kind == "labels":
        return [np.maximum(answers, 0)]
    if kind == "ranking":
        return [answers, answers[:, :1]]
    if kind == "text":
        return [_each(answers, lambda text: text, ""), np.full(len(cases), None, dtype=object)]
    if kind == "boxes":
        return [_each(answers, lambda boxes: boxes[:, :5], np.zeros((0, 5)))]
    return [_each(answers, lambda mask: mask, np.zeros((0, 0), dtype=np.uint8))]


def _each(answers: Truths, truth: Any, nothing: Any) -> Truths:
    found = np.empty(len(answers), dtype=object)
    for row, answer in enumerate(answers.tolist()):
        found[row] = nothing if answer is None else truth(answer)
    return found
