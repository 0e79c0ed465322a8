"""The peer: Great Expectations over a pandas table, Parquet read included: FILE and ``rules`` or ``profile`` too."""

from __future__ import annotations

import sys
import warnings

import great_expectations as gx
import pandas as pd
from great_expectations import expectations as expect
from great_expectations import metrics as measured
from quality_rules import LISTS, PAIRS, PATTERN, PATTERNS, RANGES, REQUIRED, WORDS
from timing import say

warnings.filterwarnings("ignore")
context = gx.get_context(mode="ephemeral")
context.variables.progress_bars = {"globally": False}
batches = (
    context.data_sources.add_pandas("bench").add_dataframe_asset("bench").add_batch_definition_whole_dataframe("b")
)
suite = gx.ExpectationSuite(
    name="rules",
    expectations=[
        *(expect.ExpectColumnValuesToNotBeNull(column=name) for name in REQUIRED),
        *(expect.ExpectColumnValuesToBeBetween(column=name, min_value=low, max_value=high)
          for name, (low, high) in RANGES.items()),
        *(expect.ExpectColumnValuesToBeInSet(column=name, value_set=WORDS) for name in LISTS),
        *(expect.ExpectColumnValuesToMatchRegex(column=name, regex=PATTERN) for name in PATTERNS),
        *(expect.ExpectColumnPairValuesAToBeGreaterThanB(column_A=more, column_B=less, or_equal=True)
          for less, more in PAIRS),
    ],
)  # fmt: skip
NUMBERS = [*(f"f{n}" for n in range(6)), *(f"i{n}" for n in range(5))]


def work() -> int:
    frame = pd.read_parquet(sys.argv[1])
    batch = batches.get_batch({"dataframe": frame})
    if sys.argv[2] == "profile":
        batch.compute_metrics(
            [
                *(measured.ColumnNullCount(column=name) for name in frame.columns),
                *(measured.ColumnDistinctValuesCount(column=name) for name in frame.columns),
                *(measured.ColumnDescriptiveStats(column=name) for name in NUMBERS),
            ]
        )
    found = batch.validate(suite)
    ranged = next(one for one in found.results if one.expectation_config.kwargs["column"] == "f0" and not one.success)
    return int(ranged.result["unexpected_count"])


say(work, ("great_expectations", "pandas"))
