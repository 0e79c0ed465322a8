"""The answer of the most similar public case: one nearest neighbour in standardised features (Fix and Hodges 1951).

Numbers count by the public standard deviation, a category as equal or not, a longer text by the words that it holds,
an image or a sound by its coarse course; more than `_WIDTH` columns of these are projected at random onto so many.
"""

from __future__ import annotations

import zlib
from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from pilotbase.documents.texts import text
from pilotbase.trial.blind_baselines.program import BlindInput, BlindProgram, ProgramOutput
from pilotbase.trial.delivering import Column, Features, Ints

_WIDTH = 64
_MOST_PUBLIC = 5_000
_MOST_VALUES = 50
_MOST_WORDS = 100
_AT_ONCE = 1_000
_Matrix = NDArray[np.float32]


def _answers(asked: BlindInput) -> Iterator[ProgramOutput]:
    size = len(asked.truths)
    chosen = np.unique(np.linspace(0, size - 1, min(size, _MOST_PUBLIC)).astype(np.int64))
    shown = {name: column[chosen] for name, column in asked.public.items()}
    if asked.size:
        yield ProgramOutput(text("trial.blind.nearest"), asked.picked(chosen[_nearest(shown, asked.hidden)]))


def _nearest(public: Features, hidden: Features) -> Ints:
    """Return for each hidden row the public row at the smallest Euclidean distance."""
    known, asked = _matrices(public, hidden)
    lengths = (known**2).sum(axis=1)
    parts = [asked[start : start + _AT_ONCE] for start in range(0, len(asked), _AT_ONCE)]
    return np.concatenate([(lengths - 2 * (part @ known.T)).argmin(axis=1) for part in parts]).astype(np.int64)


def _matrices(public: Features, hidden: Features) -> tuple[_Matrix, _Matrix]:
    blocks = [_block(public[name], hidden[name]) for name in public]
    known, asked = (np.column_stack([block[side] for block in blocks]) for side in (0, 1))
    if known.shape[1] > _WIDTH:
        onto = np.random.default_rng(0).standard_normal((known.shape[1], _WIDTH)).astype(np.float32)
        known, asked = known @ onto, asked @ onto
    return known, asked


def _block(public: Column, hidden: Column) -> tuple[_Matrix, _Matrix]:
    if public.dtype != object:
        return _scaled(public.astype(np.float64)[:, None], hidden.astype(np.float64)[:, None])
    cells = [one for one in public if one is not None]
    if cells and isinstance(cells[0], np.ndarray):
        return _scaled(*(np.array([_course(one) for one in column]) for column in (public, hidden)))
    values = sorted(set(map(str, cells)))
    if len(values) <= _MOST_VALUES:
        codes = {value: place for place, value in enumerate(values)}
        return _categories(public, codes), _categories(hidden, codes)
    return _words(public), _words(hidden)


def _scaled(public: NDArray[np.float64], hidden: NDArray[np.float64]) -> tuple[_Matrix, _Matrix]:
    known = np.where(np.isfinite(public), public, np.nan)
    counts = np.maximum(np.isfinite(known).sum(axis=0), 1)
    middle = np.nansum(known, axis=0) / counts
    spread = np.sqrt(np.nansum((known - middle) ** 2, axis=0) / counts)
    scale = np.where(spread > 0, spread, 1.0) * np.sqrt(public.shape[1])
    sides = (np.nan_to_num((side - middle) / scale, posinf=0.0, neginf=0.0) for side in (public, hidden))
    first, second = (side.astype(np.float32) for side in sides)
    return first, second


def _categories(column: Column, codes: dict[str, int]) -> _Matrix:
    found = np.zeros((len(column), max(len(codes), 1)), dtype=np.float32)
    for row, one in enumerate(column):
        place = codes.get(str(one)) if one is not None else None
        if place is not None:
            found[row, place] = 1
    return found


def _words(column: Column) -> _Matrix:
    """Return hashed counts of words (of characters where there are no blanks), each row of length one."""
    found = np.zeros((len(column), _WIDTH), dtype=np.float32)
    for row, one in enumerate(column):
        words = str(one or "").casefold().split()[:_MOST_WORDS]
        for word in words if len(words) > 1 else list(str(one or "")[:_MOST_WORDS]):
            found[row, zlib.crc32(word.encode("utf-8", "replace")) % _WIDTH] += 1
    return np.asarray(found / np.maximum(np.linalg.norm(found, axis=1, keepdims=True), 1), dtype=np.float32)


def _course(one: object) -> NDArray[np.float64]:
    """Return `_WIDTH` means along an array, of an image over 8 × 8 fields."""
    if not isinstance(one, np.ndarray) or not one.size:
        return np.zeros(_WIDTH)
    if one.ndim < 2:
        return np.array([part.mean() if part.size else 0.0 for part in np.array_split(one.astype(np.float64), _WIDTH)])
    rows = np.array_split(one.astype(np.float64), 8, axis=0)
    fields = [field for row in rows for field in np.array_split(row, 8, axis=1)]
    return np.array([field.mean() if field.size else 0.0 for field in fields])


PROGRAM = BlindProgram("nearest", _answers, reads=True)
