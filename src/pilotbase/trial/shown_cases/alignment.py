"""Which letters of a text were inserted, deleted or replaced in another: the fewest that do."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import groupby

import numpy as np

from pilotbase.documents.figures import TextPiece

LONGEST = 600
"""Characters of either text that are aligned; what is behind them is told as it is cut."""
_CUT = "…"


def pieces_of(truth: str, answer: str) -> tuple[TextPiece, ...]:
    """Return the texts in pieces, in order: equal ones, and what one has instead of what the other has.

    Joined, ``truth`` and ``answer`` of the pieces are the two texts; long ones are cut, and say so.
    """
    steps = groupby(_steps(_cut(truth), _cut(answer)), key=lambda step: step[0] == step[1])
    return tuple(
        TextPiece(truth="".join(one for one, _ in run), answer="".join(other for _, other in run))
        for run in (list(found) for _, found in steps)
    )


def _cut(content: str) -> str:
    return content if len(content) <= LONGEST else content[:LONGEST] + _CUT


def _steps(truth: str, answer: str) -> Iterator[tuple[str, str]]:
    """Yield pairs of letters, one of them empty where a letter was deleted or inserted.

    Source: Wagner & Fischer, "The string-to-string correction problem", JACM 21:168, 1974.
    """
    costs = _costs(truth, answer)
    row, column, found = len(truth), len(answer), []
    while row or column:
        here = costs[row, column]
        if row and column and here == costs[row - 1, column - 1] + (truth[row - 1] != answer[column - 1]):
            row, column = row - 1, column - 1
            found.append((truth[row], answer[column]))
        elif row and here == costs[row - 1, column] + 1:
            row -= 1
            found.append((truth[row], ""))
        else:
            column -= 1
            found.append(("", answer[column]))
    return reversed(found)


def _costs(truth: str, answer: str) -> np.typing.NDArray[np.int64]:
    """Return the fewest edits between all beginnings, shape (truth + 1, answer + 1)."""
    letters, columns = np.array([ord(one) for one in answer], dtype=np.int64), np.arange(len(answer) + 1)
    costs = np.empty((len(truth) + 1, len(answer) + 1), dtype=np.int64)
    costs[0] = columns
    for row, letter in enumerate(truth, start=1):
        above = costs[row - 1]
        best = above + 1
        best[1:] = np.minimum(best[1:], above[:-1] + (letters != ord(letter)))
        # An insertion costs one more than what stands left of it: a running minimum of cost less column.
        costs[row] = np.minimum.accumulate(best - columns) + columns
    return costs
