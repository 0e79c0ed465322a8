"""Whether anything can be learned from the data: a simple model against the majority and against shuffled labels."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import polars as pl

from pilotbase.data.quality.columns import ROW, TableColumn
from pilotbase.data.quality.definition import (
    QualityContext,
    QualityFinding,
    QualityRequest,
    QualityResults,
    measure,
    not_applicable,
    not_measured,
)
from pilotbase.data.quality.measures.balance import class_column
from pilotbase.documents.quality import QualityEntry

_RECORDS, _BINS, _MOST_CLASSES = 50_000, 10, 50
Codes = npt.NDArray[np.int64]


@measure("min(1, balanced accuracy of naive Bayes / declared)", costly=True, tc609="0305")
def model_fitness(asked: QualityContext) -> QualityRequest:
    """Return the balanced accuracy of naive Bayes as a share of the declared one, at most 1.

    It learns from every other one of the first records, with features cut into ten parts of equally many values; its
    result with shuffled labels, and that of the majority, are beside it.
    """
    label = class_column(asked)
    if asked.reference.fitness is None:
        raise not_measured("quality.reason.no_fitness")
    features = [column for column in asked.table.features if column is not label]
    if not features:
        raise not_applicable("quality.reason.no_type")
    declared = asked.reference.fitness.balanced_accuracy
    first = asked.table.frame.head(_RECORDS).filter(label.value.is_not_null())
    answers = label.canonical.cast(pl.String).rank("dense").alias("label")
    sampled = first.sort(ROW).select(answers, *(_code(column) for column in features))
    return QualityRequest(lambda found: _conclude(found, declared), tables={"learned": sampled})


def _code(column: TableColumn) -> pl.Expr:
    if column.is_number or column.is_time:
        rank = column.value.rank("average") / (column.value.count() + 1)
        return (rank * _BINS).floor().cast(pl.Int64).fill_null(_BINS).alias(column.name)
    return (column.canonical.cast(pl.String).rank("dense").fill_null(0) % 1000).cast(pl.Int64).alias(column.name)


def _conclude(answers: QualityResults, declared: float) -> QualityFinding:
    table = answers.tables["learned"]
    labels = table["label"].to_numpy().astype(np.int64) - 1
    if len(labels) < 2 or labels.max() >= _MOST_CLASSES or labels.max() < 1:
        return QualityFinding(None)
    features = table.drop("label").to_numpy().astype(np.int64)
    reached = _balanced_accuracy(features, labels)
    shuffled = _balanced_accuracy(features, np.random.default_rng(20260101).permutation(labels))
    entries = (
        QualityEntry(name="naive Bayes", value=reached),
        QualityEntry(name="shuffled labels", value=shuffled),
        QualityEntry(name="majority", value=1 / (labels.max() + 1)),
    )
    return QualityFinding(min(1.0, reached / declared), reached, declared, entries, sample=len(labels))


def _balanced_accuracy(features: Codes, labels: Codes) -> float:
    learned, asked = features[::2], features[1::2]
    classes = int(labels.max()) + 1
    scores = np.tile(np.log(np.bincount(labels[::2], minlength=classes) + 1.0), (len(asked), 1))
    for column in range(features.shape[1]):
        values = int(features[:, column].max()) + 1
        counts = np.bincount(labels[::2] * values + learned[:, column], minlength=classes * values)
        shares = counts.reshape(classes, values) + 1.0
        scores += np.log(shares / shares.sum(axis=1, keepdims=True))[:, asked[:, column]].T
    right = scores.argmax(axis=1) == labels[1::2]
    there = np.bincount(labels[1::2], minlength=classes)
    hits = np.bincount(labels[1::2], weights=right, minlength=classes)
    return float((hits[there > 0] / there[there > 0]).mean())
