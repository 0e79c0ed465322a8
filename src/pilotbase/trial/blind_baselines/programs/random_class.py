"""A class at random, at each rate: what two classes ask of recall and specificity together, a coin may meet."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from pilotbase.documents.texts import text
from pilotbase.trial.blind_baselines.program import BlindInput, BlindProgram, ProgramOutput

_FEWEST = 100
"""Of fewer cases luck is too often mistaken for a pass."""
_RATES = tuple(percent / 100 for percent in range(5, 100, 5))
_MOST_CLASSES = 10
"""Of more classes the most frequent ones."""


def _answers(asked: BlindInput) -> Iterator[ProgramOutput]:
    if asked.prediction.kind not in ("label", "probability", "probabilities") or asked.size < _FEWEST:
        return
    # One draw for all rates: a case that is lucky at one rate is at most as lucky at the next.
    draw = np.random.default_rng(0)
    chance, classes = draw.random(asked.size), len(asked.prediction.classes)
    other = draw.integers(1, max(classes, 2), asked.size)
    often = np.bincount(asked.truths[asked.truths >= 0], minlength=classes)
    for code in np.argsort(-often, kind="stable")[: 1 if classes == 2 else _MOST_CLASSES].tolist():
        for rate in _RATES:
            answers = np.where(chance < rate, code, (code + other) % classes)
            told = text("trial.blind.random_class", answer=asked.prediction.classes[code], percent=round(100 * rate))
            yield ProgramOutput(told, asked.as_answers(answers))


PROGRAM = BlindProgram("random_class", _answers)
