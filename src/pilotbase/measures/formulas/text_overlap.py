"""Measures of answered texts by the words shared with the truth, ignoring case, width, script and punctuation.

Words as `text_pairs.tokens` splits them, Chinese by character. Words are compared, not meaning: "not safe" shares half
of its words with "safe".
"""

from collections import Counter

import numpy as np

from pilotbase.measures.definition import SHARE, TEXTS, Measure
from pilotbase.measures.observation import MeasureInput, MeasurePart
from pilotbase.measures.text_pairs import common_subsequence, mean_score, normal, share_right, tokens, without_articles


def normalised_match(question: MeasureInput) -> MeasurePart:
    """Return 1 where answer and truth have the same words in the same order, articles left out."""
    return share_right(question, _same)


def token_f1(question: MeasureInput) -> MeasurePart:
    """Return F1 of the answer's words, counting repetitions; 1 if both have none."""
    return mean_score(question, lambda answer, truth: _f1(without_articles(answer), without_articles(truth)))


def rouge_l(question: MeasureInput) -> MeasurePart:
    """Return F1 of the longest common subsequence of words; 1 where both have none."""
    return mean_score(question, lambda answer, truth: _rouge(tokens(answer), tokens(truth)))


def contains(question: MeasureInput) -> MeasurePart:
    """Return 1 where the answer names each key point of the truth, ``a|b``, word for word."""
    return _with_points(share_right(question, lambda answer, truth: _named(answer, truth) == 1), question)


def key_points(question: MeasureInput) -> MeasurePart:
    """Return the share of the truth's key points, ``a|b``, that the answer names word for word."""
    return _with_points(mean_score(question, _named), question)


def _same(answer: str, truth: str) -> bool:
    wanted = without_articles(truth)
    return without_articles(answer) == wanted if wanted else normal(answer) == normal(truth)


def _f1(ours: list[str], wanted: list[str]) -> float:
    if not ours or not wanted:
        return float(not ours and not wanted)
    return 2 * (Counter(ours) & Counter(wanted)).total() / (len(ours) + len(wanted))


def _rouge(ours: list[str], wanted: list[str]) -> float:
    if not ours or not wanted:
        return float(not ours and not wanted)
    return 2 * common_subsequence(ours, wanted) / (len(ours) + len(wanted))


def _named(answer: str, truth: str) -> float:
    words = f" {' '.join(tokens(answer))} "
    points = _points(truth)
    return sum(f" {point} " in words for point in points) / max(len(points), 1)


def _points(truth: str) -> list[str]:
    """Return the key points of a truth, each as its words with a blank between them."""
    return [" ".join(words) for words in map(tokens, truth.split("|")) if words]


def _with_points(part: MeasurePart, question: MeasureInput) -> MeasurePart:
    """Return ``part`` of the cases whose truth has a key point."""
    kept = np.array([isinstance(t, str) and bool(_points(t)) for t in question.cases.truth.tolist()], dtype=np.bool_)
    return MeasurePart(np.where(kept, part.gain, 0), np.where(kept, part.weight, 0), part.outcomes)


_SQUAD = "Rajpurkar et al., EMNLP 2016, section 6.1"

MEASURES = (
    Measure(
        "normalised_match", "same words in the same order / N", _SQUAD, "higher", TEXTS, normalised_match,
        guarantees=SHARE, paired=True,
    ),
    Measure(
        "token_f1", "mean 2 common words / (words of answer + words of truth)", _SQUAD, "higher", TEXTS, token_f1,
        paired=True,
    ),
    Measure(
        "rouge_l", "mean 2 LCS / (words of answer + words of truth)",
        "Lin, ACL Workshop Text Summarization Branches Out 2004, section 3.1, β = 1", "higher", TEXTS, rouge_l,
        paired=True,
    ),
    Measure(
        "contains", "all key points of the truth named / N",
        "recall of key points (nuggets): Voorhees, TREC 2003 Question Answering; named word for word", "higher", TEXTS,
        contains, guarantees=SHARE, paired=True,
    ),
    Measure(
        "key_points", "mean key points named / key points of the truth",
        "recall of key points (nuggets): Voorhees, TREC 2003 Question Answering; named word for word", "higher", TEXTS,
        key_points, paired=True,
    ),
)  # fmt: skip
