"""The peer: a Codabench bundle, packed, and its scoring program run as a compute worker runs it, on one submission.

The server needs containers and services that no package brings, so that uploading and queueing are not in the time.
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
import zipfile
from pathlib import Path

import pandas as pd
from sklearn.ensemble import RandomForestClassifier
from sklearn.model_selection import train_test_split
from timing import say

COMPETITION = """version: 2
title: Pump failures
description: Which pumps fail.
image: logo.png
terms: terms.md
pages: [{title: Overview, file: overview.md}]
tasks:
  - {index: 0, name: Failures, description: Find them, reference_data: reference.zip, scoring_program: scoring.zip}
phases:
  - {index: 0, name: Trial, description: One phase, start: 2026-01-01, tasks: [0], max_submissions: 100}
leaderboards:
  - title: Results
    key: main
    columns: [{title: F1, key: f1, index: 0, sorting: desc}]
"""
SCORING = """import json, sys
from pathlib import Path
import pandas as pd
from sklearn.metrics import f1_score
came, goes = Path(sys.argv[1]), Path(sys.argv[2])
truth, answer = pd.read_csv(came / "ref" / "truth.csv"), pd.read_csv(came / "res" / "answer.csv")
(goes / "scores.json").write_text(json.dumps({"f1": f1_score(truth["state"], answer["state"], pos_label="failure")}))
"""


def steps(file: str, folder: Path) -> list[str]:
    cases = pd.read_csv(file)
    train, test = train_test_split(cases, random_state=0)
    model = RandomForestClassifier(random_state=0).fit(train.drop(columns="state"), train["state"])
    came, goes = folder / "input", folder / "output"
    for place in (came / "ref", came / "res", goes):
        place.mkdir(parents=True)
    test[["state"]].to_csv(came / "ref" / "truth.csv")
    pd.DataFrame({"state": model.predict(test.drop(columns="state"))}).to_csv(came / "res" / "answer.csv")
    (folder / "score.py").write_text(SCORING)
    (folder / "metadata").write_text("command: python3 score.py $input $output\n")
    for name, members in (
        ("reference", [came / "ref" / "truth.csv"]),
        ("scoring", [folder / "score.py", folder / "metadata"]),
    ):
        with zipfile.ZipFile(folder / f"{name}.zip", "w") as archive:
            for member in members:
                archive.write(member, member.name)
    with zipfile.ZipFile(folder / "bundle.zip", "w") as archive:
        archive.writestr("competition.yaml", COMPETITION)
        for page in ("terms.md", "overview.md", "logo.png"):
            archive.writestr(page, "")
        for name in ("reference.zip", "scoring.zip"):
            archive.write(folder / name, name)
    subprocess.run([sys.executable, folder / "score.py", came, goes], check=True)
    print((goes / "scores.json").read_text())
    return []  # a score alone: nothing is said of the cases


with tempfile.TemporaryDirectory() as scratch:
    say(lambda: steps(sys.argv[1], Path(scratch)), ("scikit-learn",))
