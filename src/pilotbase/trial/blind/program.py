"""What a blind baseline is given, which is what an application has, and what it gives."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np

from pilotbase.data.baselines import as_answered
from pilotbase.documents.answer_texts import right_answer
from pilotbase.documents.contract import Contract, Prediction
from pilotbase.documents.texts import Text
from pilotbase.trial.delivering import Column, Features, Ints


@dataclass(frozen=True, eq=False)
class BlindInput:
    """The public sample with its answers, and the cases as they reach the box; features as `feature_columns` gives.

    ``truths``: of the public cases, in their order: codes of the classes, numbers or texts. ``rows``: the place of each
    hidden case in the run, rising; ``total``: how many there are in the run.
    """

    contract: Contract
    public: Features
    truths: Column
    hidden: Features
    rows: Ints
    total: int
    batch_rows: int

    @property
    def prediction(self) -> Prediction:
        """Return what is answered."""
        return self.contract.prediction

    @property
    def size(self) -> int:
        """Return how many cases are to be answered."""
        return len(self.rows)

    @property
    def of_numbers(self) -> bool:
        """Tell whether the truths are numbers."""
        return self.prediction.kind in ("value", "interval")

    def repeated(self, truth: object) -> Column:
        """Return ``truth`` as the answer to every case."""
        kind = object if self.prediction.is_spelled else np.float64 if self.of_numbers else np.int64
        return self.as_answers(np.full(self.size, truth, dtype=kind))

    def picked(self, cases: Ints) -> Column:
        """Return as answers the truths of public ``cases``, shape (cases,); of −1 what is usual among all."""
        return self.as_answers(self.truths[np.where(cases < 0, usual_case(self.truths), cases)])

    def as_answers(self, truths: Column) -> Column:
        """Return the answers that say what ``truths`` do, coded like an application's."""
        if self.prediction.is_spelled:
            kind = self.prediction.kind
            return np.array([None if one is None else right_answer(one, kind) for one in truths.tolist()], dtype=object)
        return as_answered(truths, self.prediction)


@dataclass(frozen=True, eq=False)
class ProgramOutput:
    """What a program answers to every case, in one of its ways, and which way that is."""

    way: Text
    values: Column


@dataclass(frozen=True)
class BlindProgram:
    """A blind baseline; it gives nothing where it has no meaning for a contract.

    ``reads``: it looks features up in the public sample, as a learner does, so that what it reaches proves blindness
    only where hidden cases are copies of public ones.
    """

    name: str
    answer: Callable[[BlindInput], Iterator[ProgramOutput]]
    reads: bool = False


def codes_of(truths: Column) -> Ints:
    """Return a code per truth, equal for equal ones, shape (rows,); a missing one is a truth too."""
    if truths.dtype == object:
        truths = np.array(["\x00" if one is None else one for one in truths.tolist()], dtype=str)
    return np.unique(truths, return_inverse=True)[1].astype(np.int64)


def usual_case(truths: Column) -> int:
    """Return a case whose truth is the most frequent one, or of numbers nearest to the median."""
    if truths.dtype.kind == "f":
        middle = np.nanmedian(truths) if np.isfinite(truths).any() else 0.0
        return int(np.argmin(np.where(np.isfinite(truths), np.abs(truths - middle), np.inf)))
    codes = codes_of(truths)
    return int(np.flatnonzero(codes == np.bincount(codes).argmax())[0])


def counts_by(groups: Ints, width: int, codes: Ints) -> Ints:
    """Return how often each code stands in each of ``width`` groups, shape (width, codes); ``groups``: one a case."""
    kinds = int(codes.max()) + 1
    return np.bincount(groups * kinds + codes, minlength=width * kinds).reshape(width, kinds).astype(np.int64)


def usual_by(groups: Ints, width: int, codes: Ints) -> Ints:
    """Return for each of ``width`` groups a case that bears its usual code, or −1 where it has none."""
    counts = counts_by(groups, width, codes)
    first = np.full(counts.shape[1], -1, dtype=np.int64)
    first[codes[::-1]] = np.arange(len(codes))[::-1]
    return np.where(counts.any(axis=1), first[counts.argmax(axis=1)], -1)
