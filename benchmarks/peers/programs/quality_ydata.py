"""The peer: a profile by ydata-profiling (minimal) of a pandas table, Parquet read included: FILE. No rules."""

from __future__ import annotations

import sys
import warnings

warnings.filterwarnings("ignore")

import pandas as pd  # noqa: E402
from timing import say  # noqa: E402
from ydata_profiling import ProfileReport  # noqa: E402


def work() -> None:
    described = ProfileReport(pd.read_parquet(sys.argv[1]), minimal=True, progress_bar=False).get_description()
    if described.table["n"] == 0:
        sys.exit("it has seen no rows")


say(work, ("ydata-profiling", "pandas"))
