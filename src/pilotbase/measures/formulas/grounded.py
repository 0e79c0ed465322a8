"""Whether an answer keeps to the context that it was given, in a column that the rule names: by words, not by sense.

What a context's own words deny is borne out all the same, and what is said in other words is not. So each stands
beside a measure of whether the answer is right.
"""

from __future__ import annotations

from decimal import Decimal

import numpy as np

from pilotbase.documents.texts import text
from pilotbase.measures.definition import SHARE, TEXTS, Measure, Parameter
from pilotbase.measures.observation import MeasureInput, MeasurePart, indicator, mean_among, missing_texts
from pilotbase.measures.reading.support import quotes_in, stands_in, supported_share
from pilotbase.measures.text_pairs import answered_pairs


def supported(question: MeasureInput) -> MeasurePart:
    """Return the share of the answer's sentences whose words and numbers stand in the context."""
    share, contexts = float(question.arguments["share"]), question.given("context").tolist()
    scores = np.full(len(contexts), np.nan)
    for case, answer, _ in answered_pairs(question):
        scores[case] = supported_share(answer, str(contexts[case] or ""), share)
    return mean_among(scores, ~missing_texts(question.cases.truth), question)


def quotes_found(question: MeasureInput) -> MeasurePart:
    """Return, among answers that quote, 1 where each quote stands in the context; an abstention counts as quoting."""
    contexts, absent = question.given("context").tolist(), question.absent()
    found, quoting = np.zeros(len(contexts), dtype=np.bool_), absent.copy()
    for case, answer, _ in answered_pairs(question):
        quotes = quotes_in(answer)
        quoting[case] = bool(quotes)
        found[case] = all(stands_in(quote, str(contexts[case] or "")) for quote in quotes)
    return indicator(found, quoting & ~missing_texts(question.cases.truth), absent, question)


_CONTEXT = Parameter("context", None, of_columns=True)
_RIGHT = (
    "exact_match", "normalised_match", "token_f1", "rouge_l", "contains", "key_points", "choice", "numeric_match",
    "edit_similarity",
)  # fmt: skip

MEASURES = (
    Measure(
        "supported", text("measure.supported"),
        "mean sentences with at least share of their content words, and all numbers, in the context / sentences",
        "lexical precision against the source: Nan et al., EACL 2021 (entities); sentences as units: Min et al., "
        "EMNLP 2023 (FActScore), here by words alone", "higher", TEXTS, supported, paired=True, beside=_RIGHT,
        parameters=(_CONTEXT, Parameter("share", Decimal("0.8"), Decimal(0), Decimal(1))),
    ),
    Measure(
        "quotes_found", text("measure.quotes_found"), "answers with all quotes in the context / answers that quote",
        "Menick et al., 2022 (arXiv:2203.11147): verified quotes", "higher", TEXTS, quotes_found,
        parameters=(_CONTEXT,), guarantees=SHARE, beside=_RIGHT,
    ),
)  # fmt: skip
