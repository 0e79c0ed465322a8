"""The peer: mlflow's default classifier evaluator on existing answers."""

from __future__ import annotations

import sys
import tempfile
import warnings
from pathlib import Path

import mlflow
import pandas as pd
from rows import classified
from timing import say

warnings.filterwarnings("ignore")


def table(n: int) -> pd.DataFrame:
    truth, scores = classified(n)
    return pd.DataFrame({"truth": truth, "answer": (scores >= 0.5).astype(int), "score": scores})


def work(data: pd.DataFrame) -> None:
    with mlflow.start_run():
        mlflow.models.evaluate(
            data=data,
            targets="truth",
            predictions="answer",
            model_type="classifier",
            evaluators="default",
            evaluator_config={"log_explainer": False},
        )


with tempfile.TemporaryDirectory() as folder:
    mlflow.set_tracking_uri(f"sqlite:///{Path(folder) / 'runs.db'}")
    mlflow.create_experiment("bench", artifact_location=(Path(folder) / "artifacts").as_uri())
    mlflow.set_experiment("bench")
    work(table(1000))
    DATA = table(int(sys.argv[1]))
    say(lambda: work(DATA), ("mlflow",))
