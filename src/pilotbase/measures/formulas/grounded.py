"""Whether an answer is supported by its context, in a column that the rule names: by words, not by meaning.

A negation in the context isn't recognised, and a paraphrase counts as unsupported. So each requires a measure of
whether the answer is right beside it.
"""

import re
from decimal import Decimal

import numpy as np

from pilotbase.measures.definition import SHARE, TEXTS, Measure, Parameter
from pilotbase.measures.observation import MeasureInput, MeasurePart, indicator, mean_among, missing_texts
from pilotbase.measures.text_pairs import answered_pairs, normal, sentences, tokens

_CONTEXT = Parameter("context", None, of_columns=True)
_RIGHT = (
    "exact_match", "normalised_match", "token_f1", "rouge_l", "contains", "key_points", "choice", "numeric_match",
    "edit_similarity",
)  # fmt: skip
_FUNCTION_WORDS = """
    a an the and or but nor so if then than that this these those it its he she they them his her their we our you your
    i me my is are was were be been being am do does did has have had will would can could shall should may might must
    of in on at to from by with for as about into over under between through during before after above below there here
    what which who whom whose when where why how also only just more most very such own same other
"""
_STOP = frozenset(_FUNCTION_WORDS.split())
"""Words that carry no meaning alone; negations do."""
_CHINESE = re.compile("[\u3400-\u4dbf\u4e00-\u9fff]+")
_QUOTED = re.compile('“([^“”]+)”|"([^"]+)"|「([^「」]+)」|『([^『』]+)』|«([^«»]+)»')
"""A second opening mark ends the search: an answer of only opening marks is scanned once, not once per mark."""
_STOPS = " .,;:!?…，。；：！？、"


def supported(question: MeasureInput) -> MeasurePart:
    """Return the share of the answer's sentences whose words and numbers stand in the context."""
    share, contexts = float(question.arguments["share"]), question.given("context").tolist()
    scores = np.full(len(contexts), np.nan)
    for case, answer, _ in answered_pairs(question):
        scores[case] = _supported_share(answer, str(contexts[case] or ""), share)
    return mean_among(scores, ~missing_texts(question.cases.truth), question)


def quotes_found(question: MeasureInput) -> MeasurePart:
    """Return, among answers that quote, 1 if the context contains each quote; an abstention counts as quoting."""
    contexts, absent = question.given("context").tolist(), question.absent()
    found, quoting = np.zeros(len(contexts), dtype=np.bool_), absent.copy()
    for case, answer, _ in answered_pairs(question):
        quotes = _quotes_in(answer)
        quoting[case] = bool(quotes)
        found[case] = all(stands_in(quote, str(contexts[case] or "")) for quote in quotes)
    return indicator(found, quoting & ~missing_texts(question.cases.truth), absent, question)


MEASURES = (
    Measure(
        "supported",
        "mean sentences with at least share of their content words, and all numbers, in the context / sentences",
        "lexical precision against the source: Nan et al., EACL 2021 (entities); sentences as units: Min et al., "
        "EMNLP 2023 (FActScore), here by words alone",
        "higher", TEXTS, supported, paired=True, beside=_RIGHT,
        parameters=(_CONTEXT, Parameter("share", Decimal("0.8"), Decimal(0), Decimal(1))),
    ),
    Measure(
        "quotes_found", "answers with all quotes in the context / answers that quote",
        "Menick et al., 2022 (arXiv:2203.11147): verified quotes", "higher", TEXTS, quotes_found,
        parameters=(_CONTEXT,), guarantees=SHARE, beside=_RIGHT,
    ),
)  # fmt: skip


def _supported_share(answer: str, context: str, share: float) -> float:
    """Return the share of the answer's sentences that the context supports; 0 for an empty answer.

    A sentence is supported if the context contains at least ``share`` of its content words, and each of its numbers.
    Chinese is compared by pairs of characters.
    """
    known = _content(context)
    claims = [words for words in map(_content, sentences(answer)) if words]
    borne_out = sum(_numbers(words) <= known and len(words & known) >= share * len(words) for words in claims)
    return borne_out / len(claims) if claims else 0.0


def _quotes_in(answer: str) -> list[str]:
    """Return what ``answer`` quotes, in `normal` form, without the stops at its ends."""
    found = (next(filter(None, groups)) for groups in _QUOTED.findall(normal(answer)))
    return [quote for quote in (text.strip(_STOPS) for text in found) if quote]


def stands_in(quote: str, context: str) -> bool:
    """Return whether the context contains a quote of `_quotes_in` word for word, in any width, case and script."""
    return quote in normal(context)


def _content(text: str) -> set[str]:
    read = normal(text)
    pairs = {run[place : place + 2] for run in _CHINESE.findall(read) for place in range(max(len(run) - 1, 1))}
    return pairs | {word for word in tokens(read) if word not in _STOP and not _CHINESE.fullmatch(word)}


def _numbers(words: set[str]) -> set[str]:
    return {word for word in words if word.lstrip("-")[:1].isdigit()}
