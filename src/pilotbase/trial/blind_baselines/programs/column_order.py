"""The layout says the answer: the largest of the columns that are called as the classes, the first that is filled."""

from __future__ import annotations

import re
from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from pilotbase.documents.texts import text
from pilotbase.trial.blind_baselines.program import BlindInput, BlindProgram, ProgramOutput, codes_of, usual_by
from pilotbase.trial.delivering import Column, Features

_BETWEEN = re.compile(r"[^0-9a-z\u0080-\uffff]+")
_LABELS = ("label", "probability", "probabilities")


def _answers(asked: BlindInput) -> Iterator[ProgramOutput]:
    if asked.prediction.kind in _LABELS:
        yield from _named(asked)
    if asked.size:
        yield from _first_filled(asked)


def _named(asked: BlindInput) -> Iterator[ProgramOutput]:
    columns = {code: name for code, label in enumerate(asked.prediction.classes) for name in _called(asked, label)}
    if len(columns) > 1:
        values = np.column_stack([asked.hidden[name].astype(np.float64) for name in columns.values()])
        largest = np.array(list(columns))[np.where(np.isnan(values), -np.inf, values).argmax(axis=1)]
        yield ProgramOutput(text("trial.blind.largest_column"), asked.as_answers(largest))


def _called(asked: BlindInput, label: str) -> list[str]:
    """Return the first column of numbers that is called like the class, or ends with its name."""
    wanted = _plain(label)
    found = [
        name
        for name, column in asked.hidden.items()
        if column.dtype != object and (_plain(name) == wanted or _plain(name).endswith(f" {wanted}"))
    ]
    return found[:1] if wanted else []


def _first_filled(asked: BlindInput) -> Iterator[ProgramOutput]:
    public, hidden = _filled(asked.public), _filled(asked.hidden)
    if not public.shape[1] or len(np.unique(public)) < 2:
        return
    first, asked_first = public.argmax(axis=1), hidden.argmax(axis=1)
    if len(np.unique(first)) > 1:
        usual = usual_by(first, len(asked.public), codes_of(asked.truths))
        yield ProgramOutput(text("trial.blind.first_filled"), asked.picked(usual[asked_first]))


def _filled(features: Features) -> NDArray[np.bool_]:
    return np.column_stack([_present(column) for column in features.values()])


def _present(column: Column) -> NDArray[np.bool_]:
    if column.dtype == object:
        return np.array([one is not None and not (isinstance(one, str) and not one) for one in column], dtype=np.bool_)
    return np.isfinite(column.astype(np.float64))


def _plain(name: str) -> str:
    return _BETWEEN.sub(" ", name.casefold()).strip()


PROGRAM = BlindProgram("column_order", _answers)
