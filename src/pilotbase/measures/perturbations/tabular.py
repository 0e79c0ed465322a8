"""Perturbations of tables: measuring noise, missing values, slipped units, categories never seen."""

from decimal import Decimal
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pilotbase.measures.perturbations.definition import (
    COLUMNS,
    SHARE,
    Column,
    FieldRef,
    Perturbation,
    PerturbationParameter,
    kind_of,
)

_WHOLE_MOST = 2.0**62
_FRESH_WORDS = 5
_CONSONANTS, _VOWELS = "bdfghklmnprstvz", "aeiou"


class GaussianNoise(Perturbation):
    """Adds normal noise of ``scale`` standard deviations of the column, kept within the contract's bounds.

    The standard deviation is that of the public sample, so that the change of a case depends on no hidden one.
    """

    name = "noise"
    kinds = frozenset({"number"})
    parameters = (PerturbationParameter("scale", high=Decimal(10)), COLUMNS)

    def change(self, column: Column, place: FieldRef) -> Column:
        known = place.reference.astype(np.float64)
        known = known[np.isfinite(known)]
        spread = float(np.std(known)) if len(known) else 0.0
        noisy = column.astype(np.float64) + self.number("scale") * spread * place.random.standard_normal(len(column))
        return _as_before(_within_contract(noisy, place), column)


class Missing(Perturbation):
    """Takes each value away with probability ``share``."""

    name = "missing"
    kinds = frozenset({"number", "boolean", "text", "time"})
    parameters = (SHARE, COLUMNS)

    def change(self, column: Column, place: FieldRef) -> Column:
        return without(column, place.random.random(len(column)) < self.number("share"), place)


class UnitSlip(Perturbation):
    """Gives each value in another unit with probability ``share``: times ``factor``, or °C read as °F."""

    name = "unit_slip"
    kinds = frozenset({"number"})
    parameters = (
        SHARE,
        PerturbationParameter("factor", Decimal(10), Decimal("0.000001"), Decimal(1_000_000), words=("fahrenheit",)),
        COLUMNS,
    )

    def change(self, column: Column, place: FieldRef) -> Column:
        slipped = place.random.random(len(column)) < self.number("share")
        values = column.astype(np.float64)
        other = values * 1.8 + 32 if self.values["factor"] == "fahrenheit" else values * self.number("factor")
        return np.where(slipped, _as_before(other, column), column)


class UnseenCategory(Perturbation):
    """Puts a category that the public sample does not have in place of a text with probability ``share``."""

    name = "unseen_category"
    kinds = frozenset({"text"})
    parameters = (SHARE, COLUMNS)

    def change(self, column: Column, place: FieldRef) -> Column:
        fresh = _fresh_words({*place.reference.tolist(), *column.tolist()}, place.together)
        chosen = np.array(fresh, dtype=object)[place.random.integers(0, len(fresh), len(column))]
        touched = place.random.random(len(column)) < self.number("share")
        there = np.array([value is not None for value in column.tolist()], dtype=np.bool_)
        return np.where(touched & there, chosen, column.astype(object))


def _fresh_words(known: set[str | None], random: np.random.Generator) -> list[str]:
    """Return made-up words that aren't ``known``; they are unpredictable, so no application can special-case them."""
    found: list[str] = []
    while len(found) < _FRESH_WORDS:
        pairs = zip(random.choice(list(_CONSONANTS), 3), random.choice(list(_VOWELS), 3), strict=True)
        word = "".join(f"{consonant}{vowel}" for consonant, vowel in pairs)
        found += [word] if word not in known and word not in found else []
    return found


def without(column: Column, gone: NDArray[np.bool_], place: FieldRef) -> Column:
    """Return ``column`` with missing values where ``gone``: NaN for numbers and booleans, None for texts and times."""
    if kind_of(place.field, column) in ("number", "boolean"):
        values = column.astype(np.float64)
        if column.dtype.kind == "u":  # a boolean's own sign for a missing value
            values = np.where(column == 255, np.nan, values)
        return np.where(gone, np.nan, values)
    return np.where(gone, np.array(None, dtype=object), column.astype(object))


def _within_contract(values: NDArray[np.float64], place: FieldRef) -> NDArray[np.float64]:
    low, high = place.field.minimum, place.field.maximum
    return values if low is None and high is None else np.clip(values, low, high)


def _as_before(values: NDArray[np.float64], column: Column) -> NDArray[Any]:
    """Return ``values`` in the column's own type: whole numbers stay whole and within the type's range."""
    if column.dtype.kind not in "iu":
        return values
    return np.clip(np.rint(values), -_WHOLE_MOST, _WHOLE_MOST).astype(np.int64)
