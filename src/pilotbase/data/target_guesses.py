"""What the texts of a target seem to spell: boxes, masks, sets of classes, rankings, or words. Guesses for a draft."""

from __future__ import annotations

from collections.abc import Sequence

from pilotbase.documents.answer_texts import SEPARATOR, AnswerTextError, classes_in, read_ranking
from pilotbase.documents.contract import AnswerKind, Task

_LISTED = 0.05
"""A column with names between bars in so many cells, and no words, holds lists of names."""
_LONGEST_NAME = 60


def guess_structure(cells: Sequence[str | None], most_classes: int) -> Task | None:
    """Return which task is answered with what these cells spell; None for words and classes.

    A missing cell is an empty list of boxes or labels. Lists of more than ``most_classes`` names are rankings.
    """
    told = [cell.strip() for cell in cells if cell is not None and cell.strip()]
    if _all_read(told, "boxes"):
        return "detection"
    if _all_read(told, "mask"):
        return "segmentation"
    names = _listed_names(told)
    if names is None:
        return None
    return "multilabel" if len(names) <= most_classes else "ranking"


def _all_read(told: Sequence[str], kind: AnswerKind) -> bool:
    """Tell whether each cell is of ``kind``, and one of them names something."""
    try:
        return any([classes_in(cell, kind) for cell in told])  # a list: each is read
    except AnswerTextError:
        return False


def _listed_names(told: Sequence[str]) -> set[str] | None:
    """Return the names in cells that are lists of names; None where they are none."""
    lists = [cell for cell in told if SEPARATOR in cell or cell.startswith("[")]
    if not lists or len(lists) < _LISTED * len(told):
        return None
    try:
        names = {name for cell in told for name in read_ranking(cell)}
    except AnswerTextError:
        return None
    return names if all(len(name) <= _LONGEST_NAME for name in names) else None
