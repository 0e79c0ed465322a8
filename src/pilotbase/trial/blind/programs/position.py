"""A case's place in the run says the answer: what the public sample has at the same place."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from pilotbase.documents.texts import text
from pilotbase.trial.blind.program import Answer, Asked, Program


def _answers(asked: Asked) -> Iterator[Answer]:
    places = (asked.rows + 0.5) / max(asked.total, 1)
    yield Answer(text("trial.blind.position"), asked.picked((places * len(asked.truths)).astype(np.int64)))


PROGRAM = Program("position", _answers)
