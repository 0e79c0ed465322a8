"""A logistic regression of scikit-learn with weights from ``model.json``; age and what stands for it are left out."""

import json
from pathlib import Path

import numpy as np
from sklearn.linear_model import LogisticRegression

MODEL = json.loads(Path(__file__).with_name("model.json").read_text())


def predict(batch):
    """Return ``default`` or ``repaid`` for each credit, shape (rows,)."""
    probability = REGRESSION.predict_proba(design(batch))[:, 1]
    return np.where(probability >= MODEL["default_from"], "default", "repaid")


def design(batch):
    """Return scaled numbers and one column a category, shape (rows, weights)."""
    columns = []
    for name, number in MODEL["numbers"].items():
        value = np.asarray(batch[name], dtype=np.float64)
        columns.append((np.where(np.isnan(value), number["fill"], value) - number["centre"]) / number["scale"])
    for name, weights in MODEL["categories"].items():
        columns += [np.asarray(batch[name] == value, dtype=np.float64) for value in weights]
    return np.column_stack(columns)


def build():
    """Return the regression with the weights of ``model.json``."""
    numbers = [number["weight"] for number in MODEL["numbers"].values()]
    categories = [weight for weights in MODEL["categories"].values() for weight in weights.values()]
    regression = LogisticRegression()
    regression.classes_ = np.array(["repaid", "default"])
    regression.coef_ = np.array([numbers + categories])
    regression.intercept_ = np.array([MODEL["intercept"]])
    return regression


REGRESSION = build()
