"""What measures read: the truth and the answers of cases, with what the cases are grouped and clustered by."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

Kind = Literal["label", "probability", "value", "text", "ranking", "interval", "labels", "boxes", "mask", "scores"]
Ints = NDArray[np.int64]
Floats = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Cases:
    """Cases with known truth, in the order of the hidden set; every array has shape (cases,) but where said.

    ``truth``: codes of ``classes``, numbers or texts; -1 or None where the right answer is none (to be refused).
    ``answers``: codes (-1 = abstained), probabilities of ``positive`` or numbers (NaN = abstained), texts (None =
    abstained). Of other kinds, answers and truth alike:

    ``interval``  (cases, 2): lower and upper end; the truth is a number
    ``ranking``   (cases, k) codes of ids, best first, -1 = no more; of the truth all wanted ones, or (cases,) of one
    ``labels``    (cases, classes) of 0 and 1; a row of -1 abstains
    ``boxes``     objects: arrays (boxes, 6) of class code, x, y, width, height, score, the truth's without score
    ``mask``      objects: arrays (height, width) of class codes, 255 = none
    ``scores``    (cases, classes) numbers in [0, 1], NaN = none: of recorded runs, by the scorers that are the classes

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
        """Return the answered probabilities of the positive class; NaN where there is none in [0, 1]."""
        answers = self.answers.astype(np.float64)
        return np.where((answers >= 0) & (answers <= 1), answers, np.nan)

    def labels(self, answers: NDArray[Any], cut: float) -> Ints:
        """Return answered class codes, -1 where there is none; a probability ≥ ``cut`` answers the positive class."""
        if self.kind == "label":
            if answers.dtype.kind == "f":
                answers = np.where(np.isfinite(answers), answers, -1).astype(np.int64)
            known = (answers >= 0) & (answers < len(self.classes))
            return answers if bool(known.all()) else np.where(known, answers, -1)
        positive = self.code(self.positive or self.classes[-1])
        answered = answers.astype(np.float64)
        valid = (answered >= 0) & (answered <= 1)
        return np.where(valid, np.where(answered >= cut, positive, 1 - positive), -1).astype(np.int64)
