"""How early a ranked answer names the wanted ids, one or several. Each wanted id counts at its first place.

A case without a wanted id doesn't count. Terms: Manning, Raghavan & Schütze, Introduction to Information Retrieval,
2008, sections 8.3 and 8.4.
"""

from decimal import Decimal

import numpy as np
from numpy.typing import NDArray

from pilotbase.measures.cases import Floats, Ints
from pilotbase.measures.definition import RANKING, SHARE, Measure, Parameter
from pilotbase.measures.observation import MeasureInput, MeasurePart, indicator, mean_among

_NEVER = 1 << 40
"""The place of an id that is not named."""


def top_k(question: MeasureInput) -> MeasurePart:
    """Return 1 where a wanted id is among the first k."""
    places, wanted = _places(question)
    found = (places < question.whole("k")).any(axis=1)
    return indicator(np.asarray(found), wanted > 0, question.absent(), question)


def recall_at_k(question: MeasureInput) -> MeasurePart:
    """Return the share of the wanted ids that are among the first k."""
    places, wanted = _places(question)
    return _mean(question, (places < question.whole("k")).sum(axis=1) / np.maximum(wanted, 1), wanted)


def precision_at_k(question: MeasureInput) -> MeasurePart:
    """Return the share of the first k places that hold a wanted id; an empty place holds none."""
    places, wanted = _places(question)
    k = question.whole("k")
    hits = np.where(question.absent(), question.worst(0, k), (places < k).sum(axis=1))
    eligible = (wanted > 0).astype(np.int64)
    return MeasurePart(hits * eligible, k * eligible, ((0, k), (1, k), (k, k)))


def reciprocal_rank(question: MeasureInput) -> MeasurePart:
    """Return 1 / place of the first wanted id, 0 where none is among the first k."""
    places, wanted = _places(question)
    first = places.min(axis=1, initial=_NEVER)
    return _mean(question, np.where(first < question.whole("k"), 1 / (first + 1.0), 0.0), wanted)


def ndcg(question: MeasureInput) -> MeasurePart:
    """Return Σ 1 / log2(1 + place) over the wanted ids among the first k, out of that of the best order."""
    places, wanted = _places(question)
    k = question.whole("k")
    gained = np.where(places < k, 1 / np.log2(places + 2.0), 0.0).sum(axis=1)
    best = np.concatenate(([0.0], np.cumsum(1 / np.log2(np.arange(max(places.shape[1], 1)) + 2.0))))
    ideal = best[np.minimum(wanted, k)]
    return _mean(question, np.minimum(gained / np.where(wanted > 0, ideal, 1.0), 1.0), wanted)


def mean_average_precision(question: MeasureInput) -> MeasurePart:
    """Return the mean of the precisions at the place of each wanted id, 0 for those not among the first k."""
    places, wanted = _places(question)
    ordered = np.sort(places, axis=1)
    precisions = np.where(ordered < question.whole("k"), np.arange(1, ordered.shape[1] + 1) / (ordered + 1.0), 0.0)
    return _mean(question, precisions.sum(axis=1) / np.maximum(wanted, 1), wanted)


def _mean(question: MeasureInput, scores: Floats, wanted: Ints) -> MeasurePart:
    return mean_among(np.where(question.absent(), np.nan, scores), wanted > 0, question)


def _places(question: MeasureInput) -> tuple[Ints, Ints]:
    """Return the place of each wanted id, from 0, of shape (cases, most wanted), and how many are wanted."""
    answers, truth = question.cases.answers, _wanted(question)
    places = np.full(truth.shape, _NEVER, dtype=np.int64)
    if answers.shape[1]:
        for column in range(truth.shape[1]):
            same = answers == truth[:, column, None]
            found = (truth[:, column] >= 0) & same.any(axis=1)
            places[found, column] = same[found].argmax(axis=1)
    return places, (truth >= 0).sum(axis=1)


def _wanted(question: MeasureInput) -> NDArray[np.int64]:
    """Return the wanted ids, shape (cases, most wanted); one that is named twice is wanted once."""
    truth = question.cases.truth.astype(np.int64)
    truth = truth[:, None] if truth.ndim == 1 else truth
    for column in range(1, truth.shape[1]):
        again = (truth[:, :column] == truth[:, column, None]).any(axis=1)
        truth[:, column] = np.where(again, -1, truth[:, column])
    return truth


_BOOK = "Manning, Raghavan & Schütze, Introduction to Information Retrieval 2008, section 8.4"
_K = Parameter("k", None, Decimal(0), Decimal(1000), whole=True)
_K_OR_ALL = Parameter("k", Decimal(1000), Decimal(0), Decimal(1000), whole=True)

MEASURES = (
    Measure(
        "top_k", "a wanted id among the first k answers / N",
        "Russakovsky et al., IJCV 115:211, 2015; needs answers as rankings", "higher", RANKING, top_k, parameters=(_K,),
        paired=True, guarantees=SHARE,
    ),
    Measure(
        "recall_at_k", "mean wanted ids among the first k / wanted ids", _BOOK, "higher", RANKING, recall_at_k,
        parameters=(_K,), paired=True,
    ),
    Measure(
        "precision_at_k", "mean wanted ids among the first k / k", _BOOK, "higher", RANKING, precision_at_k,
        parameters=(_K,), paired=True,
    ),
    Measure(
        "reciprocal_rank", "mean 1 / place of the first wanted id",
        "Voorhees, TREC-8 Question Answering Track Report, 1999", "higher", RANKING, reciprocal_rank,
        parameters=(_K_OR_ALL,), paired=True,
    ),
    Measure(
        "ndcg", "mean Σ 1 / log2(1 + place) / that of the best order, wanted or not",
        "Järvelin & Kekäläinen, ACM TOIS 20:422, 2002, gain 0 or 1, discount of the first place 1", "higher", RANKING,
        ndcg, parameters=(_K_OR_ALL,), paired=True,
    ),
    Measure(
        "mean_average_precision", "mean over cases of Σ precision at each wanted id / wanted ids", _BOOK, "higher",
        RANKING, mean_average_precision, parameters=(_K_OR_ALL,), paired=True,
    ),
)  # fmt: skip
