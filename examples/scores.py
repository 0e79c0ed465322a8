"""Fits a score card: one weight for every number and every category, a logistic regression in plain words."""

from typing import Any

import numpy as np
import polars as pl
from sklearn.linear_model import LogisticRegression


def fit(
    public: pl.DataFrame, numbers: list[str], categories: list[str], positive: pl.Expr, strength: float
) -> dict[str, Any]:
    """Return the card's weights.

    ``{intercept, numbers: {name: {fill, centre, scale, weight}}, categories: {name: {value: weight}}}``: a truth value
    is a number, a missing number becomes ``fill``, a missing category weighs nothing. ``strength`` is scikit-learn's C.
    """
    table = public.select([*(pl.col(name).cast(pl.Float64) for name in numbers), *categories])
    scaled = {name: _scale(table[name]) for name in numbers}
    columns = [(table[name].fill_null(s["fill"]) - s["centre"]) / s["scale"] for name, s in scaled.items()]
    cells = [(name, value) for name in categories for value in sorted(table[name].drop_nulls().unique())]
    columns += [(table[name] == value).fill_null(False).cast(pl.Float64) for name, value in cells]
    matrix = np.column_stack([column.to_numpy() for column in columns])
    answers = public.select(positive.alias("positive"))["positive"].to_numpy()
    model = LogisticRegression(C=strength, max_iter=5000, tol=1e-8).fit(matrix, answers)
    weights = [round(float(weight), 4) for weight in model.coef_[0]]
    return {
        "intercept": round(float(model.intercept_[0]), 4),
        "numbers": {name: {**scaled[name], "weight": weight} for name, weight in zip(numbers, weights, strict=False)},
        "categories": _by_name(cells, weights[len(numbers) :]),
    }


def _scale(column: pl.Series) -> dict[str, float]:
    fill = round(float(np.median(column.drop_nulls().to_numpy())), 2)
    filled = column.fill_null(fill).to_numpy()
    return {"fill": fill, "centre": round(float(filled.mean()), 2), "scale": round(float(filled.std()), 2)}


def _by_name(cells: list[tuple[str, str]], weights: list[float]) -> dict[str, dict[str, float]]:
    found: dict[str, dict[str, float]] = {}
    for (name, value), weight in zip(cells, weights, strict=True):
        found.setdefault(name, {})[value] = weight
    return found
