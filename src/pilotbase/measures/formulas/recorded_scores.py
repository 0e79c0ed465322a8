"""What others said of each answer: scores of a recorded run by another program, and experts' verdicts."""

from __future__ import annotations

from decimal import Decimal

import numpy as np

from pilotbase.documents.texts import text
from pilotbase.measures.cases import JUDGED_GOOD, JUDGED_POOR
from pilotbase.measures.definition import READABLE, SCORED, SHARE, Measure, Parameter
from pilotbase.measures.observation import MeasureInput, MeasurePart, mean_of


def score(question: MeasureInput) -> MeasurePart:
    """Return the score in [0, 1] of the scorer, named in place of a class; a run without one counts as worst."""
    return mean_of(question.cases.answers[:, question.label], Decimal(1), question)


def judged(question: MeasureInput) -> MeasurePart:
    """Return, among answers with a verdict in the column, 1 for a good one; an abstention is none."""
    said = question.given("by").astype(str)
    judged_at_all = (said == JUDGED_GOOD) | (said == JUDGED_POOR)
    good = (said == JUDGED_GOOD) & ~question.absent()
    return MeasurePart(good.view(np.int8), judged_at_all.view(np.int8), ((0, 1), (1, 1)))


MEASURES = (
    Measure(
        "score", text("measure.score"), "Σ score of the run / N", "as the scorer that is named defines it", "higher",
        SCORED, score, of_class=True,
    ),
    Measure(
        "judged", text("measure.judged"), "called good / judged",
        "experts' verdicts on a blind random sample, by a guideline that is frozen with the plan", "higher",
        READABLE, judged, parameters=(Parameter("by", None, of_columns=True),), guarantees=SHARE,
    ),
)  # fmt: skip
