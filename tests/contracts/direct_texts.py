"""Measures of texts once more, by simpler means that do for the texts of `text_cases`."""

from __future__ import annotations

import re
from collections.abc import Callable
from fractions import Fraction
from typing import Any

from pilotbase.measures import Cases
from tests.contracts.text_cases import HALF, REFUSAL, right, wrong

Formula = Callable[[Cases, dict[str, float]], float]


def words(text: str, articles: bool = True) -> list[str]:
    found = re.findall("[a-z0-9]+|[字车]", text.lower())
    return [word for word in found if articles or word not in ("a", "an", "the")]


def levenshtein(one: Any, two: Any) -> int:
    row = list(range(len(two) + 1))
    for i, a in enumerate(one, 1):
        before, row[0] = row[0], i
        for j, b in enumerate(two, 1):
            before, row[j] = row[j], min(row[j] + 1, row[j - 1] + 1, before + (a != b))
    return row[-1]


def longest_common(one: list[str], two: list[str]) -> int:
    table = [[0] * (len(two) + 1) for _ in range(len(one) + 1)]
    for i, a in enumerate(one):
        for j, b in enumerate(two):
            table[i + 1][j + 1] = table[i][j] + 1 if a == b else max(table[i][j + 1], table[i + 1][j])
    return table[-1][-1]


def shared(one: list[str], two: list[str]) -> int:
    return sum(min(one.count(word), two.count(word)) for word in set(one))


def over_words(count: Callable[[list[str], list[str]], int], articles: bool) -> Formula:
    """Return the mean over cases of 2 · count / (words of both)."""

    def mean(cases: Cases, _: dict[str, float]) -> float:
        pairs = [(words(a, articles), words(t, articles)) for a, t in zip(cases.answers, cases.truth, strict=True)]
        return float(sum(Fraction(2 * count(a, t), len(a) + len(t)) for a, t in pairs) / len(pairs))

    return mean


def rate(units: Callable[[str], Any]) -> Formula:
    def of(cases: Cases, _: dict[str, float]) -> float:
        pairs = [(units(a), units(t)) for a, t in zip(cases.answers, cases.truth, strict=True)]
        return sum(min(levenshtein(a, t), len(t)) for a, t in pairs) / sum(len(t) for _, t in pairs)

    return of


def known(name: str, of_half: float | None = None) -> Formula:
    """Return the mean of what is known of each answer: 1 if it is the right one, 0 if wrong; None = does not count."""

    def mean(cases: Cases, _: dict[str, float]) -> float:
        values = [
            1.0 if a == right(name, t) else of_half if a == HALF.get(name) else 0.0
            for a, t in zip(cases.answers, cases.truth, strict=True)
        ]
        counted = [value for value in values if value is not None]
        return sum(counted) / len(counted)

    return mean


def declining(cases: Cases, to_refuse: bool) -> float:
    chosen = [
        answer is None or answer == REFUSAL
        for answer, truth in zip(cases.answers, cases.truth, strict=True)
        if (truth is None) == to_refuse
    ]
    return sum(chosen) / len(chosen)


def said(name: str) -> Formula:
    return lambda cases, _: sum(answer == wrong(name) for answer in cases.answers) / len(cases)


FORMULAS: dict[str, Formula] = {
    "cer": rate(lambda text: text),
    "wer": rate(words),
    "normalised_match": lambda c, _: (
        sum(words(a, False) == words(t, False) for a, t in zip(c.answers, c.truth, strict=True)) / len(c)
    ),
    "token_f1": over_words(shared, articles=False),
    "rouge_l": over_words(longest_common, articles=True),
    "contains": known("contains", 0.0),
    "key_points": known("key_points", 0.5),
    "choice": known("choice"),
    "numeric_match": known("numeric_match"),
    "matches": known("matches"),
    "json_valid": known("json_valid"),
    "json_fields": known("json_fields", 0.5),
    "json_schema": known("json_schema"),
    "supported": known("supported", 0.5),
    "quotes_found": known("quotes_found", None),
    "declined": lambda c, _: declining(c, True),
    "answered": lambda c, _: 1 - declining(c, False),
    "attack_success": said("attack_success"),
    "secret_told": said("secret_told"),
}
