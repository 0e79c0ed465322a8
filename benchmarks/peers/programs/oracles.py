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


def betting_bounds(values: Numbers, alpha: float, grid: int) -> Numbers:
    """Return ville's hedged betting bounds after ``values``."""
    from ville import BettingCS

    return _end(BettingCS(alpha=alpha, grid=grid), values)


def beta_binomial_bounds(values: Numbers, alpha: float, prior: Numbers) -> Numbers:
    """Return ville's beta-binomial bounds after ``values``."""
    from ville import BernoulliCS

    return _end(BernoulliCS(alpha=alpha, prior=tuple(prior)), values)


def e_bh(log_e_values: Numbers, alpha: float) -> list[bool]:
    """Return what ville's e-BH rejects."""
    from ville.evalues import ebh

    return [bool(flag) for flag in ebh(np.exp(log_e_values), alpha)]


def e_bh_of_online_fdr(log_e_values: Numbers, alpha: float) -> list[bool]:
    """Return what online-fdr's e-BH rejects."""
    from online_fdr.e_values import e_bh as batch

    return [bool(flag) for flag in batch(np.exp(log_e_values).tolist(), alpha)]


def e_lond(log_e_values: Numbers, alpha: float) -> list[bool]:
    """Return what online-fdr's e-LOND rejects with γ_t = 1/(t(t+1))."""
    from online_fdr.core.abstract.abstract_gamma_seq import AbstractGammaSequence
    from online_fdr.e_values import ELond

    class Telescoping(AbstractGammaSequence):
        def calc_gamma(self, j: int, *_: Any, **__: Any) -> float:
            return 1 / (j * (j + 1))

    procedure = ELond(alpha, Telescoping())
    return [bool(procedure.test_one(value)) for value in np.exp(log_e_values).tolist()]


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
        betting_bounds, beta_binomial_bounds, e_bh, e_bh_of_online_fdr, e_lond, prediction_powered_mean, area,
        scores_of_labels, binomial_interval,
    )
}  # fmt: skip

if __name__ == "__main__":
    asked = json.load(sys.stdin)
    print(json.dumps({name: QUESTIONS[name](**arguments) for name, arguments in asked.items()}))
