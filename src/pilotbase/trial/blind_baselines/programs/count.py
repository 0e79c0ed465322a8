"""Answers come round, every so many cases the same: counted in the run, from a batch's start, by row numbers."""

from __future__ import annotations

import math
from collections.abc import Iterator

import numpy as np

from pilotbase.documents.texts import text
from pilotbase.trial.blind_baselines.program import (
    BlindInput,
    BlindProgram,
    ProgramOutput,
    codes_of,
    counts_by,
    numberings,
    usual_by,
)
from pilotbase.trial.delivering import Column, Ints

_PERIODS = range(2, 61)
_STEPS = 20


def _answers(asked: BlindInput) -> Iterator[ProgramOutput]:
    codes = _coarse(asked.truths) if asked.of_numbers else codes_of(asked.truths)
    periods = [period for period in {*_PERIODS, asked.batch_rows} if 2 * period <= len(codes)]
    if not periods:
        return
    period, usual = _round(codes, np.arange(len(codes)), periods)
    told = text("trial.blind.count", period=period)
    counted = (asked.rows, asked.rows + len(codes), asked.rows % asked.batch_rows)
    for rows in counted:
        yield ProgramOutput(told, asked.picked(usual[rows % period]))
    for found in numberings(asked):
        if not found.is_time:
            public, hidden = (np.nan_to_num(side).astype(np.int64) for side in (found.public, found.hidden))
            period, usual = _round(codes, public, periods)
            told = text("trial.blind.row_number", column=found.column, period=period)
            yield ProgramOutput(told, asked.picked(usual[hidden % period]))


def _coarse(truths: Column) -> Ints:
    known = truths[np.isfinite(truths)]
    edges = np.unique(np.quantile(known, np.linspace(0, 1, _STEPS + 1)[1:-1])) if len(known) else np.empty(0)
    return np.searchsorted(edges, np.nan_to_num(truths)).astype(np.int64)


def _round(codes: Ints, places: Ints, periods: list[int]) -> tuple[int, Ints]:
    """Return the period in ``places`` after which codes come round best, and a case with each phase's usual one."""
    period = max(periods, key=lambda one: (_agreeing(codes, places, one), -one))
    return period, usual_by(places % period, period, codes)


def _agreeing(codes: Ints, places: Ints, period: int) -> float:
    """Return how often the usual answer of each phase is right, less what as many phases get by chance."""
    right = float(counts_by(places % period, period, codes).max(axis=1).sum())
    return right - math.sqrt(len(codes) * period)


PROGRAM = BlindProgram("count", _answers)
