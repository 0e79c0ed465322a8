"""Answers come round: every so many cases the same, counted through the run, or from the start of each batch."""

from __future__ import annotations

import math
from collections.abc import Iterator

import numpy as np

from pilotbase.documents.texts import text
from pilotbase.trial.blind.program import Answer, Asked, Program, codes_of, counts_by, usual_by
from pilotbase.trial.delivering import Column, Ints

_PERIODS = range(2, 61)
_STEPS = 20


def _answers(asked: Asked) -> Iterator[Answer]:
    codes = _coarse(asked.truths) if asked.of_numbers else codes_of(asked.truths)
    periods = [period for period in {*_PERIODS, asked.batch_rows} if 2 * period <= len(codes)]
    if not periods:
        return
    period = max(periods, key=lambda one: (_agreeing(codes, one), -one))
    usual = usual_by(_phases(codes, period), period, codes)
    told = text("trial.blind.count", period=period)
    counted = (asked.rows, asked.rows + len(codes), asked.rows % asked.batch_rows)
    for rows in counted:
        yield Answer(told, asked.picked(usual[rows % period]))


def _coarse(truths: Column) -> Ints:
    known = truths[np.isfinite(truths)]
    edges = np.unique(np.quantile(known, np.linspace(0, 1, _STEPS + 1)[1:-1])) if len(known) else np.empty(0)
    return np.searchsorted(edges, np.nan_to_num(truths)).astype(np.int64)


def _phases(codes: Ints, period: int) -> Ints:
    return np.arange(len(codes), dtype=np.int64) % period


def _agreeing(codes: Ints, period: int) -> float:
    """Return how often the usual answer of each phase is right, less what as many phases get by chance."""
    right = float(counts_by(_phases(codes, period), period, codes).max(axis=1).sum())
    return right - math.sqrt(len(codes) * period)


PROGRAM = Program("count", _answers)
