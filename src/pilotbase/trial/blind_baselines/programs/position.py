"""A case's place in the run decides the answer: the one at the same place in the public sample."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from pilotbase.documents.texts import text
from pilotbase.trial.blind_baselines.program import BlindInput, BlindProgram, ProgramOutput


def _answers(asked: BlindInput) -> Iterator[ProgramOutput]:
    places = (asked.rows + 0.5) / max(asked.total, 1)
    yield ProgramOutput(text("trial.blind.position"), asked.picked((places * len(asked.truths)).astype(np.int64)))


PROGRAM = BlindProgram("position", _answers)
