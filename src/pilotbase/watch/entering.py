"""A cohort as losses: every case of it that says something about a risk, in an order that no outcome has chosen."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from pilotbase.measures.rules import given_columns
from pilotbase.watch.labelled import LabelledPack
from pilotbase.watch.losses import Losses, WatchedLoss
from pilotbase.watch.promises import Promised
from pilotbase.watch.scoring import cases_of_answers, rows_for_risk


@dataclass(frozen=True, eq=False)
class CohortLosses:
    """The losses of each criterion, all in the same order, with when each case was answered."""

    losses: Sequence[Losses]
    at: Sequence[int]
    labelled: int
    """How many of the cases have a label that can be read; the others count as correct."""

    @property
    def missing_share(self) -> float:
        """Return the share of cases without a label that can be read, 0 for an empty cohort."""
        return 1 - self.labelled / len(self.at) if self.at else 0.0


def losses_of(packs: Iterable[LabelledPack], promised: Promised, criteria: Sequence[WatchedLoss]) -> CohortLosses:
    """Return what a cohort says about each of ``criteria``."""
    keys: list[bytes] = []
    at: list[int] = []
    labelled = 0
    parts: list[list[Losses]] = [[] for _ in criteria]
    by = frozenset(loss.rule.by for loss in criteria if loss.rule.by is not None)
    given = frozenset(name for loss in criteria for name in given_columns(loss.rule))
    for one in packs:
        rows = rows_for_risk(one.pack, promised.version)
        if not rows:
            continue
        pack = one.pack.among(rows)
        cases, known = cases_of_answers(pack, [one.labels[row] for row in rows], promised.setting, by, given)
        for part, loss in zip(parts, criteria, strict=True):
            part.append(loss.of(cases, known))
        keys += [one.keys[row] for row in rows]
        at += pack.at
        labelled += int(known.sum())
    order = np.array(sorted(range(len(keys)), key=keys.__getitem__), dtype=np.int64)
    return CohortLosses([_ordered(part, order) for part in parts], [at[row] for row in order], labelled)


def _ordered(parts: Sequence[Losses], order: NDArray[np.int64]) -> Losses:
    if not parts:
        return Losses(np.zeros(0))
    values = np.concatenate([part.values for part in parts])[order]
    groups = [part.groups for part in parts if part.groups is not None]
    return Losses(values, np.concatenate(groups)[order] if groups else None)
