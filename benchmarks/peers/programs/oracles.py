"""Independent implementations, asked the same questions as ours: one function per library and question.

Run as a program it reads one JSON object from standard input, ``{question: arguments}``, and answers in kind. The test
command imports the functions and calls those whose library is installed.
"""

from __future__ import annotations

import json
import sys
from typing import Any

import numpy as np

Numbers = list[float]


def prediction_powered_mean(labels: Numbers, scores: Numbers, rest: Numbers, lam: float) -> Numbers:
    """Return ppi-python's point estimate with λ given, and the bounds of its 95 % interval."""
    from ppi_py import ppi_mean_ci, ppi_mean_pointestimate

    data = np.array(labels), np.array(scores), np.array(rest)
    lower, upper = ppi_mean_ci(*data, alpha=0.05, lam=lam)
    return [float(np.ravel(x)[0]) for x in (ppi_mean_pointestimate(*data, lam=lam), lower, upper)]


def area(truth: Numbers, scores: Numbers) -> float:
    """Return scikit-learn's area under the ROC curve."""
    from sklearn.metrics import roc_auc_score

    return float(roc_auc_score(truth, scores))


def scores_of_labels(truth: Numbers, answers: Numbers) -> dict[str, float]:
    """Return scikit-learn's measures of class decisions, by our names."""
    from sklearn import metrics

    return {
        "accuracy": float(metrics.accuracy_score(truth, answers)),
        "balanced_accuracy": float(metrics.balanced_accuracy_score(truth, answers)),
        "precision": float(metrics.precision_score(truth, answers)),
        "recall": float(metrics.recall_score(truth, answers)),
        "f1": float(metrics.f1_score(truth, answers)),
        "jaccard": float(metrics.jaccard_score(truth, answers)),
        "mcc": float(metrics.matthews_corrcoef(truth, answers)),
    }


def binomial_interval(successes: int, trials: int) -> Numbers:
    """Return scipy's exact 95 % interval."""
    from scipy.stats import binomtest

    found = binomtest(successes, trials).proportion_ci(0.95, "exact")
    return [float(found.low), float(found.high)]


def _end(sequence: Any, values: Numbers) -> Numbers:
    sequence.update(np.array(values))
    return [float(np.ravel(sequence.lower_)[-1]), float(np.ravel(sequence.upper_)[-1])]


QUESTIONS = {
    found.__name__: found
    for found in (
        prediction_powered_mean, area,
        scores_of_labels, binomial_interval,
    )
}  # fmt: skip

if __name__ == "__main__":
    asked = json.load(sys.stdin)
    print(json.dumps({name: QUESTIONS[name](**arguments) for name, arguments in asked.items()}))
