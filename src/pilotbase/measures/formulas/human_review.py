"""A person in the loop: what is handed over, what is wrong after review, and how long people look.

A case is handed over if it has no answer, or if its probability isn't surer of either class than ``below``. The
reviewer's behaviour is an assumption, and a criterion is decided at its worst end: with probability ``bias`` they
accept what the machine proposed (automation bias: Goddard, Roudsari & Wyatt, JAMIA 19:121, 2012), otherwise they err
with probability ``error``. If the machine proposed nothing, they err with ``error``.
"""

from decimal import Decimal

import numpy as np
from numpy.typing import NDArray

from pilotbase.measures.cases import Floats
from pilotbase.measures.definition import CUT, SCORING, SHARE, Measure, Parameter
from pilotbase.measures.observation import MeasureInput, MeasurePart, indicator, mean_of

_SOURCE = "Madras, Pitassi & Zemel, NeurIPS 2018 (learning to defer); the reviewer as an assumption, at its worst end"
_BELOW = Parameter("below", None, Decimal("0.499999"), Decimal(1))
_ERROR = Parameter("error", None, Decimal("-0.000001"), Decimal(1))
_BIAS = Parameter("bias", Decimal(0), Decimal("-0.000001"), Decimal(1))


def hand_over(question: MeasureInput) -> MeasurePart:
    """Return 1 if a person has to look at the case."""
    everybody = np.ones(len(question.cases), dtype=np.bool_)
    return indicator(_handed_over(question), everybody, ~everybody, question)


def error_after_review(question: MeasureInput) -> MeasurePart:
    """Return the probability that a case is wrong after a person has reviewed it if it was handed over."""
    wrong = question.answered() != question.cases.truth
    handed, absent = _handed_over(question), question.absent()
    error, bias = (float(question.arguments[name]) for name in ("error", "bias"))
    reviewed: Floats = np.where(absent, error, bias * wrong + (1 - bias) * error)
    return mean_of(np.where(handed, reviewed, wrong.astype(np.float64)), Decimal(1), question)


def review_hours(question: MeasureInput) -> MeasurePart:
    """Return the hours that people look at so many ``cases`` like these, ``minutes`` each."""
    most = _most_hours(question.arguments)
    return mean_of(np.where(_handed_over(question), float(most), 0.0), most, question)


def _handed_over(question: MeasureInput) -> NDArray[np.bool_]:
    answers = question.cases.probabilities()
    with np.errstate(invalid="ignore"):
        unsure = np.maximum(answers, 1 - answers) < float(question.arguments["below"])
    return np.asarray(unsure | np.isnan(answers))


def _most_hours(arguments: object) -> Decimal:
    given: dict[str, Decimal] = dict(arguments)  # type: ignore[call-overload]
    return given["minutes"] * given["cases"] / 60


MEASURES = (
    Measure(
        "hand_over", "max(p, 1 - p) < below, or no answer / N", _SOURCE, "lower", SCORING, hand_over,
        parameters=(_BELOW,), guarantees=SHARE, beside=("error_after_review",), of_process=True,
    ),
    Measure(
        "error_after_review", "mean: wrong, or of what is handed over bias · wrong + (1 - bias) · error", _SOURCE,
        "lower", SCORING, error_after_review, parameters=(_BELOW, _ERROR, _BIAS, CUT), of_process=True,
    ),
    Measure(
        "review_hours", "handed over / N · cases · minutes / 60", _SOURCE, "lower", SCORING, review_hours,
        bounds=(Decimal(0), _most_hours),
        parameters=(
            _BELOW, Parameter("minutes", None, Decimal(0), Decimal(10_000)),
            Parameter("cases", None, Decimal(0), Decimal(100_000_000), whole=True),
        ),
        beside=("error_after_review",), of_process=True,
    ),
)  # fmt: skip
