"""Every measure once more, slowly and case by case, or by scikit-learn where it has the measure."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from decimal import Decimal
from itertools import product
from typing import Any

import numpy as np
from scipy.stats import hypergeom, norm
from sklearn import metrics

from pilotbase.measures import Cases
from tests.contracts.direct_agents import FORMULAS as AGENTS
from tests.contracts.direct_structures import FORMULAS as STRUCTURES
from tests.contracts.direct_texts import FORMULAS as TEXTS
from tests.contracts.direct_texts import levenshtein
from tests.contracts.episode_cases import FORMULAS as EPISODES

Formula = Callable[[Cases, dict[str, float]], float]
FAILURE = 1


def labels(cases: Cases) -> Any:
    """Return answered codes."""
    if cases.kind == "probabilities":
        return cases.answers.argmax(axis=1)
    return (cases.answers >= 0.5).astype(int) if cases.kind == "probability" else cases.answers


def counts(cases: Cases) -> tuple[int, int, int, int]:
    """Return TP, FP, FN, TN of the class "failure"."""
    if cases.kind == "labels":
        named, ours = cases.answers[:, FAILURE] == 1, cases.truth[:, FAILURE] == 1
    else:
        named, ours = labels(cases) == FAILURE, cases.truth == FAILURE
    pairs = list(zip(named.tolist(), ours.tolist(), strict=True))
    return (
        pairs.count((True, True)),
        pairs.count((True, False)),
        pairs.count((False, True)),
        pairs.count((False, False)),
    )


def of_counts(formula: Callable[[int, int, int, int], float]) -> Formula:
    return lambda cases, _: formula(*counts(cases))


def each(score: Callable[[float, float, dict[str, float]], float]) -> Formula:
    """Return the mean of ``score(answer, truth, arguments)``."""

    def mean(cases: Cases, given: dict[str, float]) -> float:
        return sum(score(a, t, given) for a, t in zip(cases.answers, cases.truth, strict=True)) / len(cases)

    return mean


def of_each(p: Any) -> Any:
    """Return the probability of each class; ``p``: of each, or of the positive one of two."""
    return p if np.ndim(p) else np.array([1 - p, p])


def averaged(metric: Callable[..., Any], how: str) -> Formula:
    return lambda cases, _: float(metric(cases.truth, labels(cases), average=how))


def calibration_gap(cases: Cases, given: dict[str, float]) -> float:
    total = 0.0
    for b in range(int(given["bins"])):
        low, high = b / given["bins"], (b + 1) / given["bins"]
        inside = [(t - p) for p, t in zip(cases.answers, cases.truth, strict=True) if low <= p < high or p == high == 1]
        total += abs(sum(inside))
    return total / len(cases)


def debiased_calibration_error(cases: Cases, given: dict[str, float]) -> float:
    total = 0.0
    for b in range(int(given["bins"])):
        low, high = b / given["bins"], (b + 1) / given["bins"]
        pairs = zip(cases.answers, cases.truth, strict=True)
        inside = [(p, y) for p, y in pairs if low <= p < high or p == high == 1]
        if inside:
            share, mean = (sum(each[place] for each in inside) / len(inside) for place in (1, 0))
            chance = share * (1 - share) / (len(inside) - 1) if len(inside) > 1 else 0
            total += len(inside) / len(cases) * ((share - mean) ** 2 - chance)
    return max(total, 0.0) ** 0.5


def smooth_ece(cases: Cases, _: dict[str, float]) -> float:
    """Return the fixed point by brute force: reflected Gaussians at every point of a grid."""
    at = (np.arange(2000) + 0.5) / 2000
    low, high = 0.0, 1.0
    for _i in range(30):
        width = (low + high) / 2
        smoothed = np.zeros(len(at))
        for p, y in zip(cases.answers, cases.truth, strict=True):
            centres = np.array([centre for k in range(-4, 5) for centre in (p + 2 * k, 2 * k - p)])
            smoothed += norm.pdf(at, centres[:, np.newaxis], width).sum(axis=0) * (y - p)
        error = float(np.abs(smoothed).mean()) / len(cases)
        low, high = (width, high) if error > width else (low, width)
    return low


def recall_at_false_alarms(cases: Cases, given: dict[str, float]) -> float:
    alarms, recalls, _ = metrics.roc_curve(cases.truth, cases.answers, drop_intermediate=False)
    return float(max(recalls[alarms <= given["rate"]]))


def partial_auc(cases: Cases, given: dict[str, float]) -> float:
    """Return the area below scikit-learn's curve, cut where a straight line reaches the rate."""
    alarms, recalls, _ = metrics.roc_curve(cases.truth, cases.answers, drop_intermediate=False)
    at = [*alarms[alarms < given["rate"]], given["rate"]]
    below = [*recalls[alarms < given["rate"]], np.interp(given["rate"], alarms, recalls)]
    return float(metrics.auc(at, below)) / given["rate"]


def precision_at_recall(cases: Cases, given: dict[str, float]) -> float:
    precisions, recalls, _ = metrics.precision_recall_curve(cases.truth, cases.answers)
    return float(precisions[np.flatnonzero(recalls >= given["recall"] - 1e-12)[-1]])


def average_precision_of_lists(cases: Cases, given: dict[str, float]) -> float:
    """Return the mean over all lists that hold each positive: by the counts above it, without a distribution."""
    ours, others = cases.answers[cases.truth == 1], cases.answers[cases.truth == 0]
    total = 0.0
    for own in range(len(ours)):
        rest = np.delete(ours, own) >= ours[own]
        for j, k in product(range(int(given["positives"])), range(int(given["others"]) + 1)):
            of_ours = hypergeom.pmf(j, len(rest), rest.sum(), given["positives"] - 1)
            of_others = hypergeom.pmf(k, len(others), (others >= ours[own]).sum(), given["others"])
            total += float(of_ours * of_others) * (j + 1) / (j + k + 1)
    return total / len(ours)


def r_squared(cases: Cases, given: dict[str, float]) -> float:
    errors = np.minimum(np.abs(cases.answers - cases.truth), given["cap"]) ** 2
    return max(0.0, 1 - float(errors.mean()) / float(np.var(cases.truth)))


def win_rate(cases: Cases, _: dict[str, float]) -> float:
    if cases.kind == "value":
        ours, theirs = np.abs(cases.answers - cases.truth), np.abs(cases.baseline - cases.truth)
    else:
        other = labels(replace(cases, answers=cases.baseline))
        ours, theirs = labels(cases) != cases.truth, other != cases.truth
    return float(np.mean([1.0 if o < t else 0.5 if o == t else 0.0 for o, t in zip(ours, theirs, strict=True)]))


def mase(cases: Cases, given: dict[str, float]) -> float:
    errors = [min(abs(a - t), given["cap"]) for a, t in zip(cases.answers, cases.truth, strict=True)]
    naive = [min(abs(b - t), given["cap"]) for b, t in zip(cases.baseline, cases.truth, strict=True)]
    return sum(errors) / sum(naive)


def refused(cases: Cases, to_refuse: bool) -> float:
    def none(value: Any) -> bool:
        return value is None or (not isinstance(value, str) and value < 0)

    chosen = [none(a) for a, t in zip(cases.answers, cases.truth, strict=True) if none(t) == to_refuse]
    return sum(chosen) / len(chosen)


def percentage(a: float, t: float, given: dict[str, float]) -> float:
    return min(abs(a - t) / abs(t), given["cap"]) if t else (0.0 if a == t else given["cap"])


def pinball(a: float, t: float, given: dict[str, float]) -> float:
    return min(max(given["q"] * (t - a), (given["q"] - 1) * (t - a)), given["cap"])


def reviewed(p: float, t: float, given: dict[str, float]) -> float:
    wrong = float((p >= given["cut"]) != bool(t))
    if max(p, 1 - p) >= given["below"]:
        return wrong
    return given["bias"] * wrong + (1 - given["bias"]) * given["error"]


def looked_at(p: float, _: float, given: dict[str, float]) -> float:
    return float(max(p, 1 - p) < given["below"])


FORMULAS: dict[str, Formula] = {
    "hand_over": each(looked_at),
    "error_after_review": each(reviewed),
    "review_hours": each(lambda p, t, given: looked_at(p, t, given) * given["cases"] * given["minutes"] / 60),
    **STRUCTURES,
    **TEXTS,
    **AGENTS,
    **EPISODES,
    "accuracy": lambda c, _: metrics.accuracy_score(c.truth, labels(c)),
    "error_rate": lambda c, _: metrics.zero_one_loss(c.truth, labels(c)),
    "recall": of_counts(lambda tp, fp, fn, tn: tp / (tp + fn)),
    "specificity": of_counts(lambda tp, fp, fn, tn: tn / (tn + fp)),
    "precision": of_counts(lambda tp, fp, fn, tn: tp / (tp + fp)),
    "negative_predictive_value": of_counts(lambda tp, fp, fn, tn: tn / (tn + fn)),
    "f1": of_counts(lambda tp, fp, fn, tn: 2 * tp / (2 * tp + fp + fn)),
    "f_beta": of_counts(lambda tp, fp, fn, tn: 5 * tp / (5 * tp + fp + 4 * fn)),
    "jaccard": of_counts(lambda tp, fp, fn, tn: tp / (tp + fp + fn)),
    "selection_rate": of_counts(lambda tp, fp, fn, tn: (tp + fp) / (tp + fp + fn + tn)),
    "cost": of_counts(lambda tp, fp, fn, tn: (5 * fn + 0.5 * fp) / (tp + fp + fn + tn)),
    "selective_accuracy": lambda c, _: metrics.accuracy_score(c.truth, labels(c)),
    "balanced_accuracy": lambda c, _: metrics.balanced_accuracy_score(c.truth, labels(c)),
    "macro_recall": averaged(metrics.recall_score, "macro"),
    "macro_precision": averaged(metrics.precision_score, "macro"),
    "macro_f1": averaged(metrics.f1_score, "macro"),
    "micro_f1": averaged(metrics.f1_score, "micro"),
    "mcc": lambda c, _: metrics.matthews_corrcoef(c.truth, labels(c)),
    "kappa": lambda c, _: metrics.cohen_kappa_score(c.truth, labels(c)),
    "coverage": lambda c, _: 1.0,
    "abstention": lambda c, _: 0.0,
    "brier": each(lambda p, t, _: ((of_each(p) - np.eye(np.size(of_each(p)))[t]) ** 2).sum() / 2),
    "capped_log_loss": each(lambda p, t, given: min(-np.log(of_each(p)[t]), given["cap"])),
    "auc": lambda c, _: metrics.roc_auc_score(c.truth, c.answers),
    "average_precision": lambda c, _: metrics.average_precision_score(c.truth, c.answers),
    "smoothed_log_loss": each(
        lambda p, t, given: -np.log((1 - given["epsilon"]) * of_each(p)[t] + given["epsilon"] / np.size(of_each(p)))
    ),
    "average_precision_of_lists": average_precision_of_lists,
    "precision_at_recall": precision_at_recall,
    "partial_auc": partial_auc,
    "recall_at_false_alarms": recall_at_false_alarms,
    "event_recall": of_counts(lambda tp, fp, fn, tn: tp / (tp + fn)),
    "calibration_gap": calibration_gap,
    "debiased_calibration_error": debiased_calibration_error,
    "smooth_ece": smooth_ece,
    "capped_mae": each(lambda a, t, given: min(abs(a - t), given["cap"])),
    "capped_rmse": lambda c, given: each(lambda a, t, g: min(abs(a - t), g["cap"]) ** 2)(c, given) ** 0.5,
    "r_squared": r_squared,
    "within": each(lambda a, t, given: abs(Decimal(str(a)) - Decimal(str(t))) <= Decimal(str(given["tolerance"]))),
    "win_rate": win_rate,
    "mape": each(percentage),
    "smape": each(lambda a, t, _: 2 * abs(a - t) / (abs(a) + abs(t)) if a or t else 0.0),
    "mase": mase,
    "quantile_loss": each(pinball),
    "interval_coverage": each(lambda a, t, _: a[0] <= t <= a[1]),
    "interval_width": each(lambda a, t, given: min(a[1] - a[0], given["cap"])),
    "exact_match": each(lambda a, t, _: a == t),
    "edit_similarity": each(lambda a, t, _: 1 - levenshtein(a, t) / max(len(a), len(t))),
    "refusal_rate": lambda c, _: refused(c, True),
    "over_refusal_rate": lambda c, _: refused(c, False),
}
