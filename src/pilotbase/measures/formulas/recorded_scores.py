"""Scores that another program gave each recorded run, such as the scorers of an agent framework."""

from __future__ import annotations

from decimal import Decimal

from pilotbase.documents.texts import text
from pilotbase.measures.definition import SCORED, Measure
from pilotbase.measures.observation import MeasureInput, MeasurePart, mean_of


def score(question: MeasureInput) -> MeasurePart:
    """Return the score in [0, 1] of the scorer, named in place of a class; a run without one counts as worst."""
    return mean_of(question.cases.answers[:, question.label], Decimal(1), question)


MEASURES = (
    Measure(
        "score", text("measure.score"), "Σ score of the run / N", "as the scorer that is named defines it", "higher",
        SCORED, score, of_class=True,
    ),
)  # fmt: skip
