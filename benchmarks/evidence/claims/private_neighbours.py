"""Statistics-2, §6: what is released of closed data is decided on counts with noise, never on the true ones."""

from __future__ import annotations

import math

import numpy as np
import polars as pl

from benchmarks.evidence.contract import AtMost, Beyond, Claim, Reading, Study, Words, each
from pilotbase.data.private.profiling import profile
from pilotbase.data.quality.columns import ROW, record_table
from pilotbase.documents.dataset import Dataset
from pilotbase.documents.private import PrivateProfile, PrivateQuestion

LEAST = 50
"""The smallest cell: with one record fewer, nothing may be released of it."""
EPSILON = 1.0
KNOWN = 1 / (1 + math.exp(-EPSILON))
"""How often anybody can be right about one record of two equally likely databases: exp(ε) to one."""
KIND = {"name": "kind", "dataType": "sc:Text", "values": ["L", "H"], "required": True}
DATASET = Dataset.model_validate(
    {
        "name": "runs",
        "title": "Runs",
        "owner": {"organisation": "plant"},
        "recordSet": [{"name": "runs", "field": [KIND]}],
    }
)
QUESTION = PrivateQuestion.model_validate(
    {
        "dataset": "dataset:plant/runs",
        "version": DATASET.digest(),
        "record_set": "runs",
        "by": "lab",
        "epsilon": round(EPSILON * 1e6),
        "cell_size": LEAST,
    }
)


def profiled(records: int) -> PrivateProfile:
    """Return the product's private profile of so many records that are all alike."""
    frame = pl.LazyFrame({"kind": ["L"] * records}).with_row_index(ROW, offset=1)
    return profile(record_table(DATASET.record_sets[0], frame), QUESTION)


def seen_by_its_cell(rng: np.random.Generator) -> bool:
    """Return whether a guess between 49 and 50 records is right that believes in 50 if the cell is released.

    Given the noise, no other guess is right more often: every released count speaks for 50 alike.
    """
    records = LEAST - int(rng.random() < 0.5)
    return (profiled(records).fields[0].cells[0].count is not None) == (records == LEAST)


def seen_by_the_true_count(rng: np.random.Generator) -> bool:
    """Return the same where the cell is released if the true count reaches the smallest cell, and then given noise."""
    records = LEAST - int(rng.random() < 0.5)
    released = records >= LEAST
    return released == (records == LEAST)


CLAIM = Claim(
    id="private-neighbours",
    source="statistics-2, §6",
    title=Words("One record more or less is hardly noticed", "多一条或少一条记录难以察觉"),
    sentence=Words(
        "Whoever decides on the true count whether a cell is large enough to be released tells each time whether 49 "
        "records are there or 50. In a private profile the noise comes first, and nobody is right about it more often "
        "than ε allows.",
        "若按真实计数判断某一格是否足够大、可以发布，则每次都会泄露究竟是 49 条还是 50 条记录。"
        "隐私统计先加噪声再判断，任何人猜对的概率都不超过 ε 所允许的限度。",
    ),
    assumes=Words(
        "One profile at ε = 1; the guesser knows every other record, and takes both numbers for equally likely.",
        "一次 ε = 1 的统计；猜测者已知其余全部记录，并认为两种数目可能性相同。",
    ),
    studies=(
        Study(
            each(seen_by_the_true_count),
            (Reading("released by the true count: guessed right", "wrong", Beyond(KNOWN)),),
            500,
            40,
        ),
        Study(
            each(seen_by_its_cell),
            (Reading("released by the noisy count: guessed right", "ours", AtMost(KNOWN)),),
            4000,
            40,
        ),
    ),
    note=f"Smallest cell {LEAST}. Of two equally likely databases, exp(ε)/(1 + exp(ε)) = {KNOWN:.3f} is the most.",
    level=KNOWN,
)
