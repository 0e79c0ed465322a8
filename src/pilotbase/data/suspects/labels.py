"""The label: a column that gives it away, and labels that the other columns contradict."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import polars as pl

from pilotbase.data.giveaway import CERTAIN_ORDER, FEWEST_ERRORS, class_strength, regression_strength
from pilotbase.data.suspects.definition import (
    Found,
    Numbers,
    Places,
    SuspectColumn,
    SuspectTable,
    Truths,
    places_of,
    suspect,
)
from pilotbase.evidence.distributions import wilson

_FEWEST_ROWS, _MOST_CLASSES, _MOST_COLUMNS = 100, 20, 100
_SURE_ALONE, _STRENGTH = 0.95, 0.85
"""A column that avoids this share of the errors of guessing; the lesser one if it leaves half as many as the next."""
_MOST_ROWS = 2500
"""Rows of which the labels are compared with what the other rows let expect."""
_PARTS, _NEIGHBOURS = 4, 15
_SURE, _LOWEST, _CLEAR, _FLAT = 0.4, 0.05, 0.25, 0.6
"""Of each class the surest share is looked at: noise is more than the one and less than the other, and hardly less than
among all rows, for it does not fall with certainty as mistakes do."""


@suspect("leak")
def _leaks(table: SuspectTable) -> Iterator[Found]:
    """Yield columns that give the label away by themselves."""
    label = table.columns.get(table.label or "")
    if label is None or table.height < _FEWEST_ROWS:
        return
    first = np.random.default_rng(1).permutation(table.height) % 2 == 0
    told = label.filled
    numeric = label.is_number and label.distinct > _MOST_CLASSES
    answers = pl.Series(label.numbers) if numeric else label.texts
    sides = answers.filter(pl.Series(told & first)), answers.filter(pl.Series(told & ~first))
    alone = {}
    for column in table.columns.values():
        if column is label or column.distinct < 2:
            continue
        values = pl.Series(column.numbers).fill_nan(None) if column.is_number else column.texts
        parts = values.filter(pl.Series(told & first)), values.filter(pl.Series(told & ~first))
        if numeric:
            found = regression_strength(column.name, parts[1], sides[1]) if column.is_number else None
        else:
            found = class_strength(column.name, parts, sides)
        if found is not None and found.errors_by_guessing >= FEWEST_ERRORS:
            alone[column.name] = max(
                found.order if found.order >= CERTAIN_ORDER else 0.0, 0.0 if numeric else found.strength
            )
    for name, share in alone.items():
        next_best = max((other for others, other in alone.items() if others != name), default=0.0)
        if share >= _SURE_ALONE or (share >= _STRENGTH and 1 - share <= (1 - next_best) / 2):
            yield Found((name,), np.zeros(0, np.int64), {"label": label.name, "share": f"{share:.3f}"})


@suspect("label_noise")
def _label_noise(table: SuspectTable) -> Iterator[Found]:
    """Yield the label if rows that the other columns place surely in one class carry another, in several classes."""
    label = table.columns.get(table.label or "")
    if label is None or table.height < _FEWEST_ROWS:
        return
    there = places_of(label.filled)
    there = np.sort(np.random.default_rng(2).permutation(there)[:_MOST_ROWS])
    names, classes, sizes = np.unique(label.codes[there], return_inverse=True, return_counts=True)
    if not 2 <= len(names) <= _MOST_CLASSES or len(there) < _FEWEST_ROWS or sizes.max() < 10:
        return
    features = _features(table, label, there)
    if features.shape[1] == 0:
        return
    chances = _foreseen(features, classes, len(names))
    those = _contradicted(chances, classes)
    if those is not None:
        yield Found((label.name,), there[those], {"share": f"{100 * those.mean():.1f}"})


def _features(table: SuspectTable, label: SuspectColumn, there: Places) -> Numbers:
    """Return the columns as numbers of like size: ranks, and a column for each value of a small list."""
    found = []
    for column in list(table.columns.values())[:_MOST_COLUMNS]:
        if column is label or column.name in table.key or column.distinct < 2:
            continue
        if column.is_number or column.is_time:
            values = (column.numbers if column.is_number else column.days)[there]
            told = np.isfinite(values)
            if not told.any():
                continue
            scale = np.subtract(*np.quantile(values[told], [0.9, 0.1])) or 1.0
            middle = np.median(values[told])
            found.append(np.clip(np.where(told, (values - middle) / scale, 0.0), -3, 3)[:, None] * 2)
        elif column.distinct <= 30:
            kinds = np.unique(column.codes)
            found.append((column.codes[there][:, None] == kinds).astype(np.float64))
    return np.hstack(found) if found else np.zeros((len(there), 0))


def _foreseen(features: Numbers, classes: Places, count: int) -> Numbers:
    """Return for each row how likely each class is, from the rows of the other parts."""
    part = np.random.default_rng(3).permutation(len(classes)) % _PARTS
    found = np.zeros((len(classes), count))
    for one in range(_PARTS):
        asked, known = part == one, part != one
        by_line = _softmax(features[known], classes[known], features[asked], count)
        found[asked] = (by_line + _neighbours(features[known], classes[known], features[asked], count)) / 2
    return found


def _softmax(known: Numbers, classes: Places, asked: Numbers, count: int) -> Numbers:
    middle, scale = known.mean(axis=0), known.std(axis=0) + 1e-9
    inputs, others = (np.column_stack([np.ones(len(one)), (one - middle) / scale]) for one in (known, asked))
    truth = np.eye(count)[classes]
    weights, speed = np.zeros((inputs.shape[1], count)), np.zeros((inputs.shape[1], count))
    step = 4.0 / max(4.0, float(np.linalg.norm(inputs, 2) ** 2 / len(inputs)))
    for _ in range(80):
        error = _shares(inputs @ weights) - truth
        speed = 0.9 * speed - step * (inputs.T @ error / len(inputs) + 1e-3 * weights)
        weights = weights + speed
    return _shares(others @ weights)


def _shares(scores: Numbers) -> Numbers:
    raised = np.exp(scores - scores.max(axis=1, keepdims=True))
    return np.asarray(raised / raised.sum(axis=1, keepdims=True), np.float64)


def _neighbours(known: Numbers, classes: Places, asked: Numbers, count: int) -> Numbers:
    found = np.zeros((len(asked), count))
    squares = (known**2).sum(axis=1)
    near = min(_NEIGHBOURS, len(known))
    for start in range(0, len(asked), 500):
        distances = squares - 2 * asked[start : start + 500] @ known.T
        nearest = np.argpartition(distances, near - 1, axis=1)[:, :near]
        for one in range(count):
            found[start : start + 500, one] = (classes[nearest] == one).mean(axis=1)
    return found


def _contradicted(chances: Numbers, classes: Places) -> Truths | None:
    """Return the rows whose label the others contradict; None if that is too rare, too frequent, or of one class."""
    foreseen = chances.argmax(axis=1)
    sure = np.zeros(len(classes), np.bool_)
    noisy, looked, wrong = 0, 0, 0
    for one in np.unique(foreseen):
        mine = np.flatnonzero(foreseen == one)
        if len(mine) < 15:
            continue
        surest = mine[np.argsort(-chances[mine, one])][: max(15, int(_SURE * len(mine)))]
        against = int((classes[surest] != one).sum())
        if against > _CLEAR * len(surest):
            continue
        sure[surest] = True
        looked, wrong = looked + len(surest), wrong + against
        noisy += against >= max(2, _LOWEST * len(surest))
    flat = wrong / max(1, looked) >= _FLAT * float((foreseen != classes).mean())
    if noisy < 2 or not flat or wilson(wrong, looked).lower <= _LOWEST:
        return None
    return np.asarray(sure & (foreseen != classes), np.bool_)
