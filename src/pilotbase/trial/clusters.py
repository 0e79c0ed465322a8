"""Cases that hang together: alike to an application, of one unit, or kept on one side of the split."""

from __future__ import annotations

import numpy as np
import polars as pl
from numpy.typing import NDArray

from pilotbase.documents.scenario import HashSplit, Scenario


def clusters_of(frame: pl.DataFrame, scenario: Scenario) -> NDArray[np.int64]:
    """Return a code per case, shape (rows,): equal where two cases share all features, or a unit, directly or not."""
    from scipy.sparse import coo_array  # every trial loads this file, few have a board
    from scipy.sparse.csgraph import connected_components

    split = scenario.data.split
    columns = {criterion.unit for criterion in scenario.criteria} - {"case"}
    columns |= {split.by} if isinstance(split, HashSplit) and split.by else set()
    features = [field.name for field in scenario.feature_fields]
    kinds = [frame.select(features), *(frame.select(name) for name in sorted(columns))]
    rows, offset, values = np.arange(frame.height), frame.height, []
    for kind in kinds:
        codes = np.unique(kind.hash_rows().to_numpy(), return_inverse=True)[1]
        values.append(codes + offset)
        offset += int(codes.max(initial=-1)) + 1
    edges = (np.ones(len(kinds) * len(rows), dtype=np.int8), (np.tile(rows, len(kinds)), np.concatenate(values)))
    _, found = connected_components(coo_array(edges, shape=(offset, offset)))
    return np.asarray(found[: frame.height], dtype=np.int64)
