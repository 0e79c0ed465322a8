"""The answers of neighbours in the owner's file, where a column reveals the place in it: row numbers, log times.

The nearest neighbour, and the most common answer among several, in case single ones err.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from pilotbase.documents.texts import text
from pilotbase.trial.blind_baselines.program import (
    BlindInput,
    BlindProgram,
    Numbering,
    ProgramOutput,
    codes_of,
    numberings,
)
from pilotbase.trial.delivering import Column, Ints

_SEVERAL = (10, 50)
"""Public cases in a row, half of them before the case and half after."""
_MOST_CODES = 50


def _answers(asked: BlindInput) -> Iterator[ProgramOutput]:
    for found in numberings(asked):
        told = text("trial.blind.file_order", column=found.column)
        yield ProgramOutput(told, _neighbours(asked, found))
        for several in _SEVERAL:
            for answers in _usual_among(asked, found, several):
                yield ProgramOutput(told, answers)


def _usual_among(asked: BlindInput, found: Numbering, several: int) -> Iterator[Column]:
    order = np.argsort(found.public, kind="stable")
    order = order[np.isfinite(found.public[order])]
    codes = np.empty(0, dtype=np.int64) if asked.of_numbers else codes_of(asked.truths)[order]
    if several > len(order) or len(np.unique(codes)) > _MOST_CODES:
        return
    start = np.searchsorted(found.public[order], np.nan_to_num(found.hidden)) - several // 2
    start = np.clip(start, 0, len(order) - several)
    if asked.of_numbers:
        sums = np.append(0.0, np.cumsum(np.nan_to_num(asked.truths[order])))
        counts = np.append(0, np.cumsum(np.isfinite(asked.truths[order])))
        yield asked.as_answers(
            (sums[start + several] - sums[start]) / np.maximum(counts[start + several] - counts[start], 1)
        )
        return
    kinds, first = np.unique(codes, return_index=True)
    seen = np.vstack([np.zeros((1, len(kinds)), dtype=np.int64), np.cumsum(codes[:, None] == kinds, axis=0)])
    yield asked.picked(order[first[(seen[start + several] - seen[start]).argmax(axis=1)]])


def _neighbours(asked: BlindInput, found: Numbering) -> Column:
    public, hidden = found.public, found.hidden
    order = np.argsort(public, kind="stable")
    order = order[np.isfinite(public[order])]
    along, at = public[order], np.nan_to_num(hidden)
    if asked.of_numbers:
        truths = asked.truths[order]
        known = np.isfinite(truths)
        if known.any():
            return asked.as_answers(np.interp(at, along[known], truths[known]))
    after = np.clip(np.searchsorted(along, at), 1, max(len(along) - 1, 1))
    nearer: Ints = np.where(at - along[after - 1] <= along[np.minimum(after, len(along) - 1)] - at, after - 1, after)
    return asked.picked(order[np.minimum(nearer, len(along) - 1)])


PROGRAM = BlindProgram("file_order", _answers)
