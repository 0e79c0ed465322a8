"""Fits the energy applications on the public sample."""

import itertools
from typing import Any

import numpy as np
import polars as pl
import trees
from sklearn.ensemble import GradientBoostingRegressor
from sklearn.linear_model import LinearRegression

FEATURES = ["ambient_temperature", "exhaust_vacuum", "ambient_pressure", "relative_humidity"]


def train(public: pl.DataFrame) -> dict[str, dict[str, Any]]:
    """Return application → its ``model.json``."""
    matrix, output = public.select(FEATURES).to_numpy(), public["net_output"].to_numpy()
    return {
        "output-trees": _output_trees(matrix, output),
        "fourth-order-curve": _fourth_order_curve(matrix, output),
        "correction-formula": _correction_formula(matrix, output),
    }


def _output_trees(matrix: np.ndarray, output: np.ndarray) -> dict[str, Any]:
    model = GradientBoostingRegressor(n_estimators=200, max_depth=5, learning_rate=0.08, random_state=0)
    return trees.export(model.fit(matrix, output), FEATURES, float(output.mean()))


def _fourth_order_curve(matrix: np.ndarray, output: np.ndarray) -> dict[str, Any]:
    centre, scale = matrix.mean(axis=0).round(3), matrix.std(axis=0).round(3)
    exponents = np.array([powers for powers in itertools.product(range(5), repeat=len(FEATURES)) if sum(powers) <= 4])
    terms = (((matrix - centre) / scale)[:, None, :] ** exponents).prod(axis=2)
    weights = np.linalg.lstsq(terms, output, rcond=None)[0].round(5)
    return {
        "features": FEATURES,
        "centre": centre.tolist(),
        "scale": scale.tolist(),
        "exponents": exponents.tolist(),
        "weights": weights.tolist(),
    }


def _correction_formula(matrix: np.ndarray, output: np.ndarray) -> dict[str, Any]:
    without_vacuum = [0, 2, 3]
    line = LinearRegression().fit(matrix[:, without_vacuum], output)
    return {
        "features": [FEATURES[column] for column in without_vacuum],
        "intercept": round(float(line.intercept_), 4),
        "slopes": [round(float(slope), 5) for slope in line.coef_],
    }
