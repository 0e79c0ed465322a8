"""Answers come round: every so many cases the same, counted through the run, or from the start of each batch."""

from __future__ import annotations

import math
from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from pilotbase.documents.texts import text
from pilotbase.trial.blind.program import Answer, Asked, Column, Ints, Program, codes_of

_PERIODS = range(2, 61)
_STEPS = 20


def _answers(asked: Asked) -> Iterator[Answer]:
    codes = _coarse(asked.truths) if asked.of_numbers else codes_of(asked.truths)
    periods = [period for period in {*_PERIODS, asked.batch_rows} if 2 * period <= len(codes)]
    if not periods:
        return
    period = max(periods, key=lambda one: (_agreeing(codes, one), -one))
    usual = _usual_of(codes, period)
    told = text("trial.blind.count", period=period)
    counted = (asked.rows, asked.rows + len(codes), asked.rows % asked.batch_rows)
    for rows in counted:
        yield Answer(told, asked.picked(usual[rows % period]))


def _coarse(truths: Column) -> Ints:
    known = truths[np.isfinite(truths)]
    edges = np.unique(np.quantile(known, np.linspace(0, 1, _STEPS + 1)[1:-1])) if len(known) else np.empty(0)
    return np.searchsorted(edges, np.nan_to_num(truths)).astype(np.int64)


def _counts(codes: Ints, period: int) -> NDArray[np.int64]:
    classes = int(codes.max()) + 1
    phases = np.arange(len(codes)) % period
    return np.bincount(phases * classes + codes, minlength=period * classes).reshape(period, classes)


def _agreeing(codes: Ints, period: int) -> float:
    """Return how often the usual answer of each phase is right, less what as many phases get by chance."""
    right = float(_counts(codes, period).max(axis=1).sum())
    return right - math.sqrt(len(codes) * period)


def _usual_of(codes: Ints, period: int) -> Ints:
    """Return for each phase a case that bears its usual answer."""
    first = np.full(int(codes.max()) + 1, -1, dtype=np.int64)
    first[codes[::-1]] = np.arange(len(codes))[::-1]
    return np.asarray(first[_counts(codes, period).argmax(axis=1)], dtype=np.int64)


PROGRAM = Program("count", _answers)
