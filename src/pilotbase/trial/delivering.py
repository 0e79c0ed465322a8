"""Delivery: the order in which cases reach an application, and where each batch ends.

Hidden cases are stored in the order of the owner's file, and a file is often sorted: by class, by day, by machine. An
application that received them in that order could answer by position without reading anything. So a secret of the
hidden set permutes them and draws the batch sizes; a run on hidden cases accepts only such a `SecretDelivery`. For
callers, features go in and answers come out in case order. The same secret gives the same turns on every machine, so a
killed run continues where it stopped.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, TypeVar

import numpy as np
import polars as pl
from numpy.typing import NDArray

from pilotbase.documents.scenario import Scenario
from pilotbase.evidence import draw_order
from pilotbase.measures import measures_the_run
from pilotbase.protocols.frames import FeatureBatch

Column = NDArray[Any]
Features = Mapping[str, Column]
Ints = NDArray[np.int64]
PUBLIC_SEED = b"pilotbase rehearsal"
"""The seed of a rehearsal: nothing is secret there."""
_USUAL = 0.75
"""Mean size of a batch, as part of the largest, where sizes are drawn: they lie between half of it and all of it."""


@dataclass(frozen=True, eq=False)
class CaseDelivery:
    """Cases on their way: ``features`` hold a row a case, ``order`` the row of each turn.

    ``ends``: how many turns are over at the end of each batch.
    """

    features: Features
    order: Ints
    ends: Ints

    def batches(self, start: int) -> Iterator[FeatureBatch]:
        """Yield the remaining batches after the first ``start`` turns have been answered."""
        for end in self.ends[np.searchsorted(self.ends, start, side="right") :].tolist():
            rows = self.order[start:end]
            yield FeatureBatch({name: column.take(rows) for name, column in self.features.items()}, end - start)
            start = end


@dataclass(frozen=True, eq=False)
class SecretDelivery(CaseDelivery):
    """A delivery whose order can't be predicted without the secret; hidden cases are delivered only this way."""


@dataclass(frozen=True, eq=False)
class Cut:
    """How cases may be delivered: in batches of at most ``rows``, in ``runs`` passes over all of them.

    ``even``: every batch but one is full, because something is measured per batch. ``moments``: one number per case
    that increases with time, if the scenario requires cases in time order.
    """

    rows: int
    runs: int = 1
    even: bool = False
    moments: Ints | None = None

    def batches_of(self, cases: int) -> int:
        """Return into how many batches so many cases are cut."""
        fewest = -(-cases // self.rows)
        if self.even:
            return fewest
        return min(max(round(cases / (_USUAL * self.rows)), fewest), max(cases // self._least, 1))

    @property
    def _least(self) -> int:
        return -(-self.rows // 2)

    def order(self, cases: int, seed: bytes) -> Ints:
        """Return the row of each turn: each run in its own order, by time if that is required."""
        each = cases // self.runs
        runs = [draw_order(each, seed + run.to_bytes(2, "big")) + run * each for run in range(self.runs)]
        if self.moments is not None:
            runs = [rows[np.argsort(self.moments[rows], kind="stable")] for rows in runs]
        return np.concatenate(runs)

    def ends(self, cases: int, seed: bytes) -> Ints:
        """Return the turn after which each batch ends: no size reveals which batch is the last."""
        count = self.batches_of(cases)
        if self.even:
            sizes = [self.rows] * (count - 1) + [cases - (count - 1) * self.rows]
        else:
            sizes = self._drawn(cases, count, seed)
        return np.cumsum(np.array(sizes, dtype=np.int64)[draw_order(count, seed + b"sizes")])

    def _drawn(self, cases: int, count: int, seed: bytes) -> list[int]:
        stream = hashlib.shake_256(b"pilotbase batches\x00" + seed).digest(8 * count)
        sizes, rest = [], cases
        for after, key in zip(range(count - 1, -1, -1), np.frombuffer(stream, dtype="<u8").tolist(), strict=True):
            least, most = max(self._least, rest - after * self.rows), min(self.rows, rest - after * self._least)
            least = min(least, most)  # fewer cases than half a batch are one batch
            sizes.append(least + key % (most - least + 1))
            rest -= sizes[-1]
        return sizes


def in_file_order(features: Features, rows: int) -> CaseDelivery:
    """Return the delivery of cases that aren't secret, in batches of ``rows``, in file order."""
    cases = _count(features)
    ends = np.append(np.arange(rows, cases, rows, dtype=np.int64), cases)
    return CaseDelivery(features, np.arange(cases, dtype=np.int64), ends)


def as_hidden(features: Features, cut: Cut) -> CaseDelivery:
    """Return the delivery of cases that aren't secret as if they were hidden, with a public seed."""
    return _drawn(CaseDelivery, features, cut, PUBLIC_SEED)


def in_secret_order(features: Features, cut: Cut, secret: bytes) -> SecretDelivery:
    """Return the delivery of hidden cases; ``secret`` is derived from the hidden set's, and serves this run alone."""
    return _drawn(SecretDelivery, features, cut, secret)


def cut_as_stated(scenario: Scenario, frame: pl.DataFrame, runs: int = 1) -> Cut:
    """Return how the cases of ``frame`` are delivered on the scenario's terms.

    Where a criterion measures the run itself (latency, memory, throughput, cost), it is of full batches. An episode is
    a batch of its own.
    """
    column, even = scenario.delivered_by, any(measures_the_run(one.parsed()) for one in scenario.criteria)
    moments = None if column is None else frame[column].rank("dense").fill_null(0).cast(pl.Int64).to_numpy()
    return Cut(1 if scenario.world is not None else scenario.trial.batch_rows, runs, even, moments)


AnyDelivery = TypeVar("AnyDelivery", bound=CaseDelivery)


def _drawn(kind: type[AnyDelivery], features: Features, cut: Cut, seed: bytes) -> AnyDelivery:
    cases = _count(features)
    return kind(features, cut.order(cases, seed), cut.ends(cases, seed))


def _count(features: Features) -> int:
    return len(next(iter(features.values())))
