"""The peer: Evidently's drift of columns with its default methods: QUESTION SEED REFERENCE AMOUNT, as for ours.

``quality`` calls the default test of each column itself, because a whole report for each chunk would take minutes; the
first chunk of each stream is compared with the report, and the program fails if the two differ.
"""

from __future__ import annotations

import json
import resource
import sys
import time
import warnings
from importlib import metadata

import numpy as np
import pandas as pd
from evidently import Report
from evidently.legacy.calculations.stattests import get_stattest
from evidently.legacy.core import ColumnType
from evidently.presets import DataDriftPreset
from watch_stream import NUMBERS, rows

warnings.filterwarnings("ignore")
QUESTION, SEED, REFERENCE, AMOUNT = sys.argv[1], int(sys.argv[2]), int(sys.argv[3]), int(sys.argv[4])
CHUNK, COMPARED = 1000, 1
REFERENCE_TABLE = pd.DataFrame(rows(np.random.default_rng([SEED, 0]), REFERENCE))


def quality() -> dict[str, list[int]]:
    return {"0": chunks_with_alarm(200, 0.0), "0.1": chunks_with_alarm(12, 0.1), "0.2": chunks_with_alarm(12, 0.2)}


def chunks_with_alarm(chunks: int, shift: float) -> list[int]:
    rng, found = np.random.default_rng([SEED, 1]), []
    for number in range(1, chunks + 1):
        table = pd.DataFrame(rows(rng, CHUNK, shift))
        drifted = drifted_columns(table)
        if number <= COMPARED and len(drifted) != drifted_in_report(table):
            sys.exit(f"the tests found {drifted}, the report {drifted_in_report(table)} drifted columns")
        if drifted:
            found.append(number)
    return found


def drifted_columns(table: pd.DataFrame) -> list[str]:
    return [name for name in table if _drifted(name, REFERENCE_TABLE[name], table[name])]


def _drifted(name: str, reference: pd.Series, current: pd.Series) -> bool:
    kind = ColumnType.Numerical if name in NUMBERS else ColumnType.Categorical
    test = get_stattest(reference, current, kind, None)
    return bool(test(reference, current, kind, threshold=None).drifted)


def drifted_in_report(table: pd.DataFrame) -> int:
    metrics = Report([DataDriftPreset()]).run(table, REFERENCE_TABLE).dict()["metrics"]
    return int(metrics[0]["value"]["count"])


def seconds_and_memory(count: int) -> dict[str, float]:
    drifted_in_report(pd.DataFrame(rows(np.random.default_rng([SEED, 2]), CHUNK)))
    table = pd.DataFrame(rows(np.random.default_rng([SEED, 1]), count))
    before, began = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss, time.process_time()
    drifted_in_report(table)
    spent, after = time.process_time() - began, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return {"cpu": spent, "megabytes": (after - before) / 1024}


def of_one_check(times: int) -> dict[str, float]:
    table = pd.DataFrame(rows(np.random.default_rng([SEED, 1]), CHUNK))
    drifted_in_report(table)
    began = time.process_time()
    for _ in range(times):
        drifted_in_report(table)
    return {"cpu": (time.process_time() - began) / times}


ANSWERS = {"quality": quality, "rows": lambda: seconds_and_memory(AMOUNT), "check": lambda: of_one_check(AMOUNT)}
print(json.dumps({"answer": ANSWERS[QUESTION](), "versions": {"evidently": metadata.version("evidently")}}))
