"""The peer: a split by hand, a model, and `mlflow.models.evaluate` on the rest, as its guide shows it."""

from __future__ import annotations

import sys
import tempfile
import warnings
from pathlib import Path

import mlflow
import pandas as pd
from sklearn.ensemble import RandomForestClassifier
from sklearn.model_selection import train_test_split
from timing import say

warnings.filterwarnings("ignore")


def steps(file: str) -> list[str]:
    cases = pd.read_csv(file)
    features, truth = cases.drop(columns="state"), cases["state"] == "failure"
    train, test, train_truth, test_truth = train_test_split(features, truth, random_state=0)
    model = RandomForestClassifier(random_state=0).fit(train, train_truth)
    with mlflow.start_run():
        found = mlflow.models.evaluate(
            data=test.assign(truth=test_truth, answer=model.predict(test)),
            targets="truth",
            predictions="answer",
            model_type="classifier",
            evaluator_config={"log_explainer": False},
        )
    print(found.metrics)
    return []  # metrics alone: nothing is said of the cases


with tempfile.TemporaryDirectory() as folder:
    mlflow.set_tracking_uri(f"sqlite:///{Path(folder) / 'runs.db'}")
    mlflow.create_experiment("bench", artifact_location=(Path(folder) / "artifacts").as_uri())
    mlflow.set_experiment("bench")
    say(lambda: steps(sys.argv[1]), ("mlflow", "scikit-learn"))
