"""A number of cases fixed beforehand: exact for every measure, near the power of tests that promise nothing."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from fractions import Fraction
from typing import Any

import numpy as np
from scipy import stats

from benchmarks.evidence.contract import AtMost, Between, Beyond, Claim, Reading, Study, Words, each
from pilotbase.documents.criteria import parse_rule
from pilotbase.documents.scenario import Criterion
from pilotbase.documents.vocabularies import Estimand
from pilotbase.evidence import CriterionPlan, Design, Levels, draw_order, outcome_of
from pilotbase.measures import Cases, observe
from pilotbase.trial.scoring import plan_criterion

ALPHA = 0.025
LEVELS = Levels(Fraction(1, 40), Fraction(1, 40))
Rng = np.random.Generator


def accepted(rule: str, cases: Cases) -> bool:
    """Return whether all of ``cases`` accept the rule about their population."""
    asked, order = parse_rule(rule), np.arange(len(cases))
    seen = observe(asked, cases, order, "population")
    plan = CriterionPlan(rule, seen, asked.comparison, Fraction(asked.threshold), "population")
    return outcome_of([plan], order, LEVELS, Design("full")).verdict == "accept"


def ranked(rng: Rng, positives: int, others: int, below: float) -> Cases:
    """Return scores of which a share ``below`` of the positives lies below everything, the others above."""
    truth = rng.permutation(np.repeat([1, 0], [positives, others]))
    bottom = rng.random(len(truth)) < below
    scores = np.where(truth == 1, np.where(bottom, 0.0, 0.9), rng.random(len(truth)) / 2)
    return Cases(truth, scores, classes=("n", "y"), positive="y", kind="probability")


def jumping(rng: Rng, positives: int, others: int) -> Cases:
    """Return scores whose recall jumps from 0.75 to 1 just beyond false alarms of 1 %."""
    cases = ranked(rng, positives, others, 0.25)
    return Cases(cases.truth, np.where(cases.answers == 0, 0.495 - 1e-9, cases.answers), **NAMES, kind="probability")


LISTS = "average_precision_of_lists(positives=5, others=12)"
NAMES: dict[str, Any] = {"classes": ("n", "y"), "positive": "y"}


def forecast(rng: Rng) -> Cases:
    """Return certain forecasts of three classes, wrong in one case of fifty: log losses of 0.0067 and 5.7038."""
    truth = rng.integers(0, 3, 300)
    return Cases(
        truth, np.eye(3)[(truth + (rng.random(300) < 0.02)) % 3], classes=("a", "b", "c"), kind="probabilities"
    )


def labelled(rng: Rng, cases: int, prevalence: float, right: float, alarms: float) -> Cases:
    truth = (rng.random(cases) < prevalence).astype(np.int64)
    return Cases(truth, (rng.random(cases) < np.where(truth == 1, right, alarms)).astype(np.int64), **NAMES)


def of_wards(rng: Rng) -> Cases:
    """Return 200 wards with ten cases alike each; in 5 % of those with the class all lie below everything."""
    wards = ranked(rng, 100, 100, 0.05)
    rows = np.repeat(np.arange(200), 10)
    return replace(wards.among(rows), units=rows)


def by_ward(cases: Cases) -> bool:
    criterion = Criterion(rule="auc >= 0.95", estimand=Estimand.POPULATION, unit="ward")
    order = draw_order(len(cases), b"wards", cases.units)
    return outcome_of([plan_criterion(criterion, cases, order)], order, LEVELS, Design("full")).verdict == "accept"


def numbers(errors: Any) -> Cases:
    return Cases(np.zeros(len(errors)), errors, kind="value")


def rare(rng: Rng) -> Any:
    """Return 300 errors: 10 in one case of a hundred, else such that their mean is 1 exactly."""
    return np.where(rng.random(300) < 0.01, 10.0, 0.9 / 0.99)


def z_test(rng: Rng) -> bool:
    errors = rare(rng)
    return bool(errors.mean() + stats.norm.isf(ALPHA) * errors.std() / np.sqrt(300) <= 1.0)


def far_off(rng: Rng) -> Cases:
    """Return errors up to 10⁶ in one case of a thousand, whose root mean square is 31,622.8."""
    return numbers(np.where(rng.random(1000) < 0.001, 1e6, 0.0))


def study(label: str, draw: Callable[[Rng], bool], most: float = ALPHA, quick: int = 20) -> Study:
    return Study(each(draw), (Reading(label, "ours", AtMost(most), most),), 400, quick)


def powered(label: str, draw: Callable[[Rng], bool], low: float, z: float) -> Study:
    return Study(each(draw), (Reading(label, "ours", Between(low, 1.0), z),), 200, 0)


CLAIM = Claim(
    id="fixed-number",
    source="statistics 2, §1 and §2",
    title=Words("At a fixed number every measure is exact", "固定案例数时，每个度量都是精确的"),
    sentence=Words(
        "At a number of cases fixed beforehand every criterion that can accept does so falsely at most α of the time, "
        "however few or skewed the cases are; where enough cases decide, it accepts nearly as often as the z-test.",
        "案例数事先固定时，凡能判为通过的准则，误判通过的概率至多为 α，无论案例多少、分布多偏；"
        "案例足够时，其通过率接近 z 检验。",
    ),
    assumes=Words(
        "Cases are independent draws. An entry of AUC, kappa, MCC or R² joins several cases (with units, one of "
        "each); sizes of blocks depend on labels alone. R² and MCC are bounded from below only.",
        "案例为独立抽取。AUC、kappa、MCC 与 R² 的每个条目由多个案例组成（有单位时每个单位只取一个），"
        "其大小只取决于标签；R² 与 MCC 只有下界。",
    ),
    studies=(
        Study(each(z_test), (Reading("rare large errors, z-test: accepted", "wrong", Beyond(ALPHA)),), 2000, 100),
        study("rare large errors: accepted", lambda rng: accepted("capped_mae(cap=10) <= 1", numbers(rare(rng)))),
        study("RMSE, errors up to 10⁶: accepted",
              lambda rng: accepted("capped_rmse(cap=1000000) <= 31622.77", far_off(rng)), quick=5),
        study("AUC, 10 positives: accepted", lambda rng: accepted("auc >= 0.95", ranked(rng, 10, 980, 0.05))),
        study("AUC, 20 positives: accepted", lambda rng: accepted("auc >= 0.95", ranked(rng, 20, 980, 0.05))),
        study("AUC, 300 and 700: accepted", lambda rng: accepted("auc >= 0.95", ranked(rng, 300, 700, 0.05)), quick=5),
        Study(each(lambda rng: accepted("auc >= 0.95", of_wards(rng))),
              (Reading("AUC, wards of ten cases alike taken for cases: accepted", "wrong", Beyond(ALPHA)),), 400, 40),
        study("AUC, one case of each ward: accepted", lambda rng: by_ward(of_wards(rng))),
        study("AUC up to 10 % false alarms, 0.9 exactly: accepted",
              lambda rng: accepted("partial_auc(rate=0.1) >= 0.9", ranked(rng, 200, 2000, 0.1)), quick=5),
        study("average precision of 120 lists, at its mean: accepted",
              lambda rng: accepted(f"{LISTS} >= {1 - 0.05 * 12 / 17:.9f}", ranked(rng, 600, 1440, 0.05)), quick=5),
        study("recall at 1 % false alarms, 100 others: accepted",
              lambda rng: accepted("recall_at_false_alarms(rate=0.01) >= 0.75", jumping(rng, 200, 100))),
        study("recall at 0.1 % false alarms, 1,000 others: accepted",
              lambda rng: accepted("recall_at_false_alarms(rate=0.001) >= 0.75", jumping(rng, 200, 1000))),
        study("MCC, 0.894 exactly: accepted",
              lambda rng: accepted("mcc >= 0.894287", labelled(rng, 500, 0.3, 0.9, 0.02)), quick=5),
        study("kappa, 0.894 exactly: accepted",
              lambda rng: accepted("kappa >= 0.893618", labelled(rng, 500, 0.3, 0.9, 0.02)), quick=5),
        powered("F1 .846 against .80, 2,000 cases: accepted (z: .89)",
                lambda rng: accepted("f1 >= 0.8", labelled(rng, 2000, 0.2, 0.85, 0.04)), 0.8, 0.89),
        powered("MAE .93 against 1.0, 2,000 cases: accepted (z: .92)",
                lambda rng: accepted("capped_mae(cap=10) <= 1", numbers(rng.exponential(0.93, 2000))), 0.8, 0.92),
        study("log loss of three classes, at its mean: accepted",
              lambda rng: accepted("smoothed_log_loss <= 0.12063", forecast(rng))),
    ),
    note="One-sided levels of 2.5 %. The tests that this replaces (DeLong's variance, resampled confusion matrices) "
    "accepted falsely in up to 28 % of such sets.",
)  # fmt: skip
