"""Groups of equal rows are what counting them all at once says, however the rows come and wherever they are cut."""

from __future__ import annotations

import tracemalloc
from collections import defaultdict

import polars as pl
from hypothesis import given, settings
from hypothesis import strategies as st

from pilotbase.data.quality.columns import ROW
from pilotbase.data.quality.tally import KeyedRows, tally_all

PAIRS = st.lists(st.tuples(st.one_of(st.none(), st.integers(0, 9)), st.integers(0, 2)), min_size=1, max_size=60)


KEY = pl.when(pl.col("key").is_not_null()).then(pl.col("key").hash(1))


def table(pairs) -> pl.LazyFrame:
    keys, carried = zip(*pairs, strict=True)
    frame = pl.DataFrame({"key": keys, "carried": carried}, schema={"key": pl.Int64, "carried": pl.Int64})
    return frame.with_row_index(ROW, offset=1).lazy()


def by_hand(pairs) -> dict[str, object]:
    groups = defaultdict(list)
    for number, (key, carried) in enumerate(pairs, 1):
        if key is not None:
            groups[key].append((number, carried))
    rows = [(number, carried, group) for group in groups.values() for number, carried in group]
    marked = [(number, group) for number, carried, group in rows if carried == 1]
    met = [number for number, group in marked if any(carried == 0 for _, carried in group)]
    return {
        "rows": len(rows),
        "distinct": len(groups),
        "grouped": sum(len(group) for group in groups.values() if len(group) > 1),
        "mixed": sum(len(group) for group in groups.values() if len({carried for _, carried in group}) > 1),
        "smallest": min(map(len, groups.values()), default=None),
        "marked": len(marked),
        "met": len(met),
        "repeated_rows": sorted(number for group in groups.values() for number, _ in group[1:])[:5],
        "met_rows": sorted(met)[:5],
        "unmet_rows": sorted({number for number, _ in marked} - set(met))[:5],
    }


@settings(max_examples=40, deadline=None)
@given(PAIRS, st.integers(1, 70), st.sampled_from([0, 10, 1000]))
def test_a_tally_is_what_counting_by_hand_says(pairs, batch, held):
    frame = table(pairs)
    stream = KeyedRows(frame, KEY, pl.col("carried"))
    found = tally_all({"all": (stream,)}, batch, held)["all"]
    assert {name: getattr(found, name) for name in by_hand(pairs)} == by_hand(pairs)


@settings(max_examples=20, deadline=None)
@given(PAIRS, PAIRS)
def test_two_tables_are_counted_together(one, other):
    known, asked = [(key, 0) for key, _ in one], [(key, 1) for key, _ in other]
    streams = tuple(KeyedRows(table(pairs), KEY, pl.col("carried")) for pairs in (known, asked))
    found = tally_all({"all": streams})["all"]
    keys = {key for key, _ in known} - {None}
    assert found.met == sum(key in keys for key, _ in asked)
    assert found.marked == sum(key is not None for key, _ in asked)


def test_rows_that_all_share_a_key_take_no_more_memory_than_others():
    """A reference to a list of two, or a cell of two persons: half the table has one key, and one partition."""
    rows = 1_000_000
    frame = pl.select(pl.int_range(rows, eager=False).alias("key") % 2).lazy().with_row_index(ROW, offset=1)
    stream = KeyedRows(frame, pl.col("key").hash(1), pl.lit(1))
    tracemalloc.start()
    try:
        found = tally_all({"all": (stream,)}, batch=20_000, held=50_000)["all"]
        most = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert (found.rows, found.distinct, found.smallest, found.repeated_rows) == (rows, 2, rows // 2, [3, 4, 5, 6, 7])
    assert most < 12 << 20, most
