"""The input of measures: the truth and the answers of cases, with their group and cluster columns.

    probabilities  float64 (cases, classes), NaN = abstained; the truth is a code
    labels    int8 (cases, classes), 1 = named; a row of −1 has no answer
    ranking   int32 (cases, longest) codes of all names that occur, best first; −1 = after the last
    boxes     objects, each float64 (boxes, 6): code, x, y, width, height, score; of a truth (boxes, 5)
    mask      objects, each uint8 (height, width), 255 = no class

Other kinds are measured in their stored form.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from decimal import Decimal
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from pilotbase.documents.answer_texts import (
    Boxes,
    Mask,
    read_boxes,
    read_labels,
    read_mask,
    read_probabilities,
    read_ranking,
    read_true_boxes,
)
from pilotbase.documents.contract import AS_WRITTEN, SPELLED, AnswerKind

JUDGED_GOOD, JUDGED_POOR = "good", "poor"
"""Experts' verdicts on an answer, in a column; any other value is none."""
JUDGE_WEIGHT = Decimal("0.6")
"""How much the scores of a judge model count where nothing is said."""
Kind = AnswerKind | Literal["scores"]
Ints = NDArray[np.int64]
Floats = NDArray[np.float64]
Texts = NDArray[Any]


@dataclass(frozen=True, eq=False)
class Cases:
    """Cases with known truth, in the order of the hidden set; every array has shape (cases,) unless stated otherwise.

    ``truth``: codes of ``classes``, numbers or texts; -1 or None if the right answer is none (to be refused).
    ``answers``: codes (-1 = abstained), probabilities of ``positive`` or numbers (NaN = abstained), texts (None =
    abstained). For other kinds, answers and truth alike:

    ``interval``  (cases, 2): lower and upper end; the truth is a number
    ``probabilities``  (cases, classes) numbers, NaN abstains; the truth is a code
    ``ranking``   (cases, k) codes of ids, best first, -1 = after the last; as truth all wanted ids, or (cases,) of one
    ``labels``    (cases, classes) of 0 and 1; a row of -1 abstains
    ``boxes``     objects: arrays (boxes, 6) of class code, x, y, width, height, score, the truth's without score
    ``mask``      objects: arrays (height, width) of class codes, 255 = none
    ``scores``    (cases, classes) numbers in [0, 1], NaN = none: of recorded runs; the classes are the scorers

    ``baseline``: answers of the baseline, in the same form. ``units``: cluster codes.
    """

    truth: NDArray[Any]
    answers: NDArray[Any]
    groups: Mapping[str, NDArray[Any]] = field(default_factory=dict)
    units: NDArray[Any] | None = None
    baseline: NDArray[Any] | None = None
    classes: tuple[str, ...] = ()
    positive: str | None = None
    kind: Kind = "label"
    perturbed: Mapping[str, NDArray[Any]] = field(default_factory=dict)
    """Answers to the same cases under a perturbation, by its spelling in the rule."""
    given: Mapping[str, NDArray[Any]] = field(default_factory=dict)
    """Columns that a measure reads, by name: the context that an answer must stand on."""
    times: NDArray[Any] | None = None
    """When each case was, in words ("" = unknown), where the hidden ones are the later ones; no measure reads it."""
    people: NDArray[Any] | None = None
    """What people decided, in the form of answers; no measure reads it."""

    def __len__(self) -> int:
        return len(self.truth)

    @property
    def others(self) -> dict[str, NDArray[Any]]:
        """Return whose answers to these cases are there beside the application's: ``baseline``, ``people``."""
        answers = {"baseline": self.baseline, "people": self.people}
        return {name: values for name, values in answers.items() if values is not None}

    def code(self, label: str) -> int:
        """Return the code of a class."""
        return self.classes.index(label)

    def among(self, chosen: Ints) -> Cases:
        """Return the cases with indices ``chosen``."""
        others = {name: answers[chosen] for name, answers in self.others.items()}
        return replace(
            self,
            truth=self.truth[chosen],
            answers=self.answers[chosen],
            groups={name: values[chosen] for name, values in self.groups.items()},
            units=None if self.units is None else self.units[chosen],
            baseline=others.get("baseline"),
            perturbed={name: answers[chosen] for name, answers in self.perturbed.items()},
            given={name: values[chosen] for name, values in self.given.items()},
            times=None if self.times is None else self.times[chosen],
            people=others.get("people"),
        )

    def probabilities(self) -> Floats:
        """Return the answered probabilities of the positive class; NaN if there is none in [0, 1]."""
        answers = self.answers.astype(np.float64)
        return np.where((answers >= 0) & (answers <= 1), answers, np.nan)

    def labels(self, answers: NDArray[Any], cut: float) -> Ints:
        """Return answered class codes, -1 if there is none; a probability ≥ ``cut`` answers the positive class.

        Of probabilities of each class the first of the largest answers its class.
        """
        if self.kind == "label":
            if answers.dtype.kind == "f":
                answers = np.where(np.isfinite(answers), answers, -1).astype(np.int64)
            known = (answers >= 0) & (answers < len(self.classes))
            return answers if bool(known.all()) else np.where(known, answers, -1)
        if self.kind == "probabilities":
            return np.where(np.isnan(answers).any(axis=1), -1, np.nan_to_num(answers).argmax(axis=1))
        positive = self.code(self.positive or self.classes[-1])
        answered = answers.astype(np.float64, copy=False)
        labels = np.where(answered >= cut, positive, 1 - positive)
        valid = (answered >= 0) & (answered <= 1)
        return labels if bool(valid.all()) else np.where(valid, labels, -1)


def coded(cases: Cases) -> Cases:
    """Return cases in the form that measures read; the classes of a ranking are all names that occur.

    Raises:
        AnswerTextError: a text isn't an answer of the kind; answers from a box have already been checked.
    """
    if cases.kind not in SPELLED - AS_WRITTEN:
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
    if kind == "probabilities":
        return texts
    if kind == "mask":
        return _objects(texts, lambda one: _pixels(read_mask(one, classes)))
    return _code(texts, kind, classes, true=True)


def _code(texts: Texts, kind: str, classes: Sequence[str], true: bool = False) -> NDArray[Any]:
    if kind == "probabilities":
        return probability_rows(texts, classes)
    if kind == "labels":
        return _label_rows(texts, classes)
    if kind == "ranking":
        return _ranked_rows(texts, {name: code for code, name in enumerate(classes)})
    read, width = (read_true_boxes, 5) if true else (read_boxes, 6)
    return _objects(texts, lambda one: _box_rows(read(one, classes), width))


def probability_rows(texts: Texts, classes: Sequence[str]) -> Floats:
    """Return the probability of each class, shape (cases, classes), NaN = abstained; raises `AnswerTextError`."""
    none = (np.nan,) * len(classes)
    rows = [none if spelled is None else read_probabilities(spelled, classes) for spelled in texts.tolist()]
    return np.array(rows, dtype=np.float64).reshape(len(rows), len(classes))


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
    """Return the answered masks; a mask of another size than its truth, which is wrong anyway, has no pixels.

    Fifty letters may claim 64 million pixels, and every case as many again. If there is no truth, as in a watch before
    labels arrive, a mask is kept as it is.
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
