"""From answers as they are kept to answers as they are measured: texts of a structure become arrays.

    labels    int8 (cases, classes), 1 = named; a row of −1 has no answer
    ranking   int32 (cases, longest) codes of all names that occur, best first; −1 = no more
    boxes     objects, each float64 (boxes, 6): code, x, y, width, height, score; of a truth (boxes, 5)
    mask      objects, each uint8 (height, width), 255 = no class

Other kinds are measured as they are kept.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pilotbase.documents.answer_texts import (
    Boxes,
    Mask,
    read_boxes,
    read_labels,
    read_mask,
    read_ranking,
    read_true_boxes,
)
from pilotbase.documents.tasks import STRUCTURED
from pilotbase.measures.cases import Cases

Texts = NDArray[Any]


def coded(cases: Cases) -> Cases:
    """Return cases as measures read them; the classes of a ranking are all names that occur.

    Raises:
        AnswerTextError: a text that is no answer of the kind; what a box answered has been checked.
    """
    if cases.kind not in STRUCTURED:
        return cases
    classes = _names_in(cases) if cases.kind == "ranking" else cases.classes
    kind = cases.kind
    return replace(
        cases,
        truth=_code(cases.truth, kind, classes, true=True),
        answers=_code(cases.answers, kind, classes),
        baseline=None if cases.baseline is None else _code(cases.baseline, kind, classes),
        perturbed={name: _code(values, kind, classes) for name, values in cases.perturbed.items()},
        classes=classes,
    )


def _code(texts: Texts, kind: str, classes: Sequence[str], true: bool = False) -> NDArray[Any]:
    if kind == "labels":
        return _label_rows(texts, classes)
    if kind == "ranking":
        return _ranked_rows(texts, {name: code for code, name in enumerate(classes)})
    if kind == "boxes":
        read, width = (read_true_boxes, 5) if true else (read_boxes, 6)
        return _objects(texts, lambda one: _box_rows(read(one, classes), width))
    return _objects(texts, lambda one: _pixels(read_mask(one, classes)))


def _label_rows(texts: Texts, classes: Sequence[str]) -> NDArray[np.int8]:
    rows = np.zeros((len(texts), len(classes)), dtype=np.int8)
    for row, spelled in enumerate(texts.tolist()):
        if spelled is None:
            rows[row] = -1
        else:
            rows[row, list(read_labels(spelled, classes))] = 1
    return rows


def _ranked_rows(texts: Texts, codes: dict[str, int]) -> NDArray[np.int32]:
    ranked = [() if spelled is None else read_ranking(spelled) for spelled in texts.tolist()]
    rows = np.full((len(texts), max([1, *map(len, ranked)])), -1, dtype=np.int32)
    for row, names in enumerate(ranked):
        rows[row, : len(names)] = [codes[name] for name in names]
    return rows


def _names_in(cases: Cases) -> tuple[str, ...]:
    columns: Iterable[Texts | None] = (cases.truth, cases.answers, cases.baseline, *cases.perturbed.values())
    texts = (spelled for column in columns if column is not None for spelled in column.tolist())
    return tuple(sorted({name for spelled in texts if spelled is not None for name in read_ranking(spelled)}))


def _objects(texts: Texts, read: Callable[[str], NDArray[Any]]) -> NDArray[Any]:
    found = np.empty(len(texts), dtype=object)
    for row, spelled in enumerate(texts.tolist()):
        found[row] = None if spelled is None else read(spelled)
    return found


def _box_rows(boxes: Boxes, width: int) -> NDArray[np.float64]:
    return np.array(boxes, dtype=np.float64).reshape(len(boxes), width)


def _pixels(mask: Mask) -> NDArray[np.uint8]:
    height, width, runs = mask
    return np.repeat(np.array(runs[::2], dtype=np.uint8), runs[1::2]).reshape(height, width)
