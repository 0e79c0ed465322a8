"""What others said of each answer: scores of a recorded run by another program, and experts' verdicts."""

from decimal import Decimal

import numpy as np

from pilotbase.measures.cases import JUDGE_WEIGHT, JUDGED_GOOD, JUDGED_POOR
from pilotbase.measures.definition import EPISODES, READABLE, SCORED, SHARE, Measure, Parameter
from pilotbase.measures.observation import MeasureInput, MeasurePart, mean_among, mean_of


def score(question: MeasureInput) -> MeasurePart:
    """Return the score in [0, 1] of the scorer, named in place of a class; a run without one counts as worst."""
    return mean_of(question.cases.answers[:, question.label], Decimal(1), question)


def judged(question: MeasureInput) -> MeasurePart:
    """Return, among answers with a verdict in the column, 1 for a good one; an abstention is none.

    For a population a judge's scores may save verdicts: less ``weight`` times how far the score of an answer lies above
    the mean score of unjudged answers of its own, entries have the same mean for any judge (statistics-2, §4).
    """
    said = question.given("by").astype(str)
    judged_at_all = (said == JUDGED_GOOD) | (said == JUDGED_POOR)
    good = (said == JUDGED_GOOD) & ~question.absent()
    if question.estimand != "population" or "scores" not in question.columns:
        return MeasurePart(good.view(np.int8), judged_at_all.view(np.int8), ((0, 1), (1, 1)))
    weight, above = question.arguments["weight"], np.array([_number(one) for one in question.given("scores")])
    entries = good - float(weight) * np.where(np.abs(above) <= 1, above, np.nan)
    return mean_among(entries, judged_at_all, question, 1 + weight, -weight)


def _number(cell: object) -> float:
    try:
        return float(str(cell))
    except ValueError:
        return np.nan


MEASURES = (
    Measure(
        "score", "Σ score of the run / N", "as the scorer that is named defines it", "higher", SCORED, score,
        of_class=True,
    ),
    Measure(
        "judged", "called good / judged",
        "experts' verdicts on a blind random sample, by a guideline that is frozen with the plan", "higher",
        READABLE | EPISODES, judged,
        parameters=(
            Parameter("by", None, of_columns=True),
            Parameter("scores", None, of_columns=True, needed=False),
            Parameter("weight", JUDGE_WEIGHT, text="measure.argument.judge_weight"),
        ),
        guarantees=SHARE,
    ),
)  # fmt: skip
