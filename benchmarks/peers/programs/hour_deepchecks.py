"""The peer: deepchecks' full suite on a split by hand; a fault is found where its condition fails or warns.

What failed is printed: the HTML page of this version needs an older plotly than is published.
"""

from __future__ import annotations

import sys
import warnings

import pandas as pd
from deepchecks.tabular import Dataset
from deepchecks.tabular.suites import full_suite
from sklearn.ensemble import RandomForestClassifier
from sklearn.model_selection import train_test_split
from timing import say

warnings.filterwarnings("ignore")
TELLS = {
    "leak": ("Feature Label Correlation", "Feature-Feature Correlation"),
    "copies": ("Data Duplicates", "Train Test Samples Mix"),
    "order": ("Index Train Test Leakage", "Date Train Test Leakage Duplicates"),
    "few positives": ("Class Imbalance", "Label Drift"),
}


def steps(file: str) -> list[str]:
    cases = pd.read_csv(file)
    train, test = train_test_split(cases, random_state=0)
    model = RandomForestClassifier(random_state=0).fit(train.drop(columns="state"), train["state"])
    sides = [Dataset(side, label="state", cat_features=[]) for side in (train, test)]
    result = full_suite().run(*sides, model)
    failed = {one.get_header() for one in result.get_not_passed_checks()}
    print(sorted(failed))
    return [fault for fault, names in TELLS.items() if any(one.startswith(names) for one in failed)]


say(lambda: steps(sys.argv[1]), ("deepchecks", "scikit-learn"))
