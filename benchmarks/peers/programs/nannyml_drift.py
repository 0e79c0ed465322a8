"""The peer: NannyML's univariate drift with its default methods: QUESTION SEED REFERENCE AMOUNT, as for ours."""

from __future__ import annotations

import json
import resource
import sys
import time
import warnings
from importlib import metadata

import nannyml
import numpy as np
import pandas as pd
from watch_stream import CATEGORIES, NUMBERS, rows

warnings.filterwarnings("ignore")
QUESTION, SEED, REFERENCE, AMOUNT = sys.argv[1], int(sys.argv[2]), int(sys.argv[3]), int(sys.argv[4])
CHUNK = 1000


def calculator(chunk: int) -> nannyml.UnivariateDriftCalculator:
    made = nannyml.UnivariateDriftCalculator(
        column_names=[*NUMBERS, *CATEGORIES], treat_as_categorical=list(CATEGORIES), chunk_size=chunk
    )
    made.fit(pd.DataFrame(rows(np.random.default_rng([SEED, 0]), REFERENCE)))
    return made


def quality() -> dict[str, list[int]]:
    made = calculator(CHUNK)
    return {str(shift): chunks_with_alarm(made, chunks, shift) for shift, chunks in ((0, 200), (0.1, 12), (0.2, 12))}


def chunks_with_alarm(made: nannyml.UnivariateDriftCalculator, chunks: int, shift: float) -> list[int]:
    rng = np.random.default_rng([SEED, 1])
    table = pd.concat([pd.DataFrame(rows(rng, CHUNK, shift)) for _ in range(chunks)], ignore_index=True)
    alerts = made.calculate(table).filter(period="analysis").to_df().xs("alert", axis=1, level=2)
    return (np.flatnonzero(alerts.any(axis=1)) + 1).tolist()


def seconds_and_memory(count: int) -> dict[str, float]:
    """Return the same of its quicker setting, chunks of 10,000 rows."""
    made = calculator(10 * CHUNK)
    table = pd.DataFrame(rows(np.random.default_rng([SEED, 1]), count))
    made.calculate(table[: 10 * CHUNK])
    before, began = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss, time.process_time()
    made.calculate(table)
    spent, after = time.process_time() - began, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return {"cpu": spent, "megabytes": (after - before) / 1024}


ANSWERS = {"quality": quality, "rows": lambda: seconds_and_memory(AMOUNT)}
print(json.dumps({"answer": ANSWERS[QUESTION](), "versions": {"nannyml": metadata.version("nannyml")}}))
