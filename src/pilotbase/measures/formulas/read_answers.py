"""Measures of values extracted from an answer in words: a letter, a number, a pattern match.

An answer from which nothing can be extracted is wrong.
"""

from decimal import Decimal
from fractions import Fraction

from pilotbase.measures.definition import SHARE, TEXTS, Measure, Parameter
from pilotbase.measures.observation import MeasureInput, MeasurePart
from pilotbase.measures.patterns import compiled
from pilotbase.measures.stated_answers import chosen_letter, last_number
from pilotbase.measures.text_pairs import share_right

_LONGEST = 10_000
"""Letters of an answer that are searched for a pattern."""


def choice(question: MeasureInput) -> MeasurePart:
    """Return 1 where the answer takes the letter of the truth."""
    return share_right(question, _same_letter)


def numeric_match(question: MeasureInput) -> MeasurePart:
    """Return 1 where the answer's last number is the truth's, within ``tolerance``, exactly."""
    tolerance = Fraction(question.arguments["tolerance"])

    def close(answer: str, truth: str) -> bool:
        ours, wanted = last_number(answer), last_number(truth)
        return ours is not None and wanted is not None and abs(ours - wanted) <= tolerance

    return share_right(question, close)


def matches(question: MeasureInput) -> MeasurePart:
    """Return 1 if the answer contains a match of the truth, a regular expression.

    Raises:
        InputError: ``measure.pattern``.
    """
    return share_right(question, lambda answer, truth: compiled(truth).found_in(answer[:_LONGEST]))


def _same_letter(answer: str, truth: str) -> bool:
    letter = chosen_letter(answer)
    return letter is not None and letter == chosen_letter(truth)


MEASURES = (
    Measure(
        "choice", "letter that the answer takes = truth / N",
        "Hendrycks et al., ICLR 2021 (multiple choice); the letter is read from the words by rules", "higher", TEXTS,
        choice, guarantees=SHARE, paired=True,
    ),
    Measure(
        "numeric_match", "|last number of the answer - truth| ≤ tolerance / N",
        "Cobbe et al., 2021 (arXiv:2110.14168, GSM8K), appendix; digits of any width, 1.2万, 一百二十, per cent",
        "higher", TEXTS, numeric_match, guarantees=SHARE, paired=True,
        parameters=(Parameter("tolerance", Decimal(0), Decimal(-1), Decimal(10) ** 15),),
    ),
    Measure(
        "matches", "answers in which the truth, a regular expression, is found / N",
        "Thompson, CACM 11:419, 1968; the expressions of reading/patterns.py, in bounded time", "higher", TEXTS,
        matches, guarantees=SHARE, paired=True,
    ),
)  # fmt: skip
