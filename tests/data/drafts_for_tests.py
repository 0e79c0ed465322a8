"""A table of pumps that fail, which tests draft scenarios of."""

import numpy as np
import polars as pl

ROWS = 600
RANDOM = np.random.default_rng(0)
HEAT = RANDOM.normal(60, 10, ROWS).round(2)
CASES = pl.DataFrame(
    {
        "row": list(range(1, ROWS + 1)),
        "case_id": [f"c{index * 7 % 1000}" for index in range(ROWS)],
        "machine": [f"m{index % 30}" for index in range(ROWS)],
        "site": [f"s{index % 4}" for index in range(ROWS)],
        "at": [f"2026-01-{1 + index // 25:02d}T08:00:00Z" for index in range(ROWS)],
        "temp_c": [str(value) for value in HEAT],
        "功率（kW）": [str(index % 97) if index % 11 else "NA" for index in range(ROWS)],
        "running": ["yes" if index % 2 else "no" for index in range(ROWS)],
        "postcode": [f"0{index % 90 + 10}" for index in range(ROWS)],
        "repair": ["done" if heat > 72 else "" for heat in HEAT],
        "unused": ["x"] * ROWS,
        "failed": [
            "1" if heat + noise > 72 else "0" for heat, noise in zip(HEAT, RANDOM.normal(0, 3, ROWS), strict=True)
        ],
        "output": [f"{heat * 3 + noise:.2f}" for heat, noise in zip(HEAT, RANDOM.normal(0, 5, ROWS), strict=True)],
    }
)
