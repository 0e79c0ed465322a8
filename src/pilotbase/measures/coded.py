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
    truth = _true(cases.truth, cases.kind, classes)

    def code(texts: Texts) -> NDArray[Any]:
        return _masks(texts, truth, classes) if cases.kind == "mask" else _code(texts, cases.kind, classes)

    others = {name: code(values) for name, values in cases.others.items()}
    return replace(
        cases,
        truth=truth,
        answers=code(cases.answers),
        baseline=others.get("baseline"),
        perturbed={name: code(values) for name, values in cases.perturbed.items()},
        classes=classes,
        people=others.get("people"),
    )


def _true(texts: Texts, kind: str, classes: Sequence[str]) -> NDArray[Any]:
    if kind == "mask":
        return _objects(texts, lambda one: _pixels(read_mask(one, classes)))
    return _code(texts, kind, classes, true=True)


def _code(texts: Texts, kind: str, classes: Sequence[str], true: bool = False) -> NDArray[Any]:
    if kind == "labels":
        return _label_rows(texts, classes)
    if kind == "ranking":
        return _ranked_rows(texts, {name: code for code, name in enumerate(classes)})
    read, width = (read_true_boxes, 5) if true else (read_boxes, 6)
    return _objects(texts, lambda one: _box_rows(read(one, classes), width))


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
    columns: Iterable[Texts] = (cases.truth, cases.answers, *cases.others.values(), *cases.perturbed.values())
    texts = (spelled for column in columns for spelled in column.tolist())
    return tuple(sorted({name for spelled in texts if spelled is not None for name in read_ranking(spelled)}))


def _objects(texts: Texts, read: Callable[[str], NDArray[Any]]) -> NDArray[Any]:
    found = np.empty(len(texts), dtype=object)
    for row, spelled in enumerate(texts.tolist()):
        found[row] = None if spelled is None else read(spelled)
    return found


def _box_rows(boxes: Boxes, width: int) -> NDArray[np.float64]:
    return np.array(boxes, dtype=np.float64).reshape(len(boxes), width)


def _masks(texts: Texts, truth: NDArray[Any], classes: Sequence[str]) -> NDArray[Any]:
    """Return the answered masks; one of another size than its truth, which is wrong anyway, without pixels.

    Fifty letters may claim 64 million pixels, and each case as many again. Where there is no truth, as in a watch
    before labels come, a mask stands for itself.
    """
    found = np.empty(len(texts), dtype=object)
    for row, (spelled, true) in enumerate(zip(texts.tolist(), truth, strict=True)):
        if spelled is not None:
            mask = read_mask(spelled, classes)
            fits = true is None or true.shape == mask[:2]
            found[row] = _pixels(mask) if fits else np.zeros((0, 0), dtype=np.uint8)
    return found


def _pixels(mask: Mask) -> NDArray[np.uint8]:
    height, width, runs = mask
    return np.repeat(np.array(runs[::2], dtype=np.uint8), runs[1::2]).reshape(height, width)
