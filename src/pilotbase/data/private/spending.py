"""Who gets how much of ε: in whole millionths, and never more in all than was asked for.

Parts of a profile are told of the same records, so what they spend adds up (sequential composition; Dwork and Roth,
"The Algorithmic Foundations of Differential Privacy", 2014, theorem 3.16).
"""

from __future__ import annotations

from dataclasses import dataclass

from pilotbase.data.private.grids import STEPS
from pilotbase.data.private.noise import noise_for
from pilotbase.documents.errors import InputError
from pilotbase.documents.private import Noise

_ROWS, _CELLS, _MEAN, _PAIR = 2, 4, 1, 5
"""Shares: the number of rows, each field's counts, each mean, each pair of fields."""


@dataclass(frozen=True)
class NoiseSplit:
    """The noise of each part: all fields alike, all means alike, all pairs alike."""

    rows: Noise
    cells: Noise
    mean: Noise
    pair: Noise


def split(epsilon: int, at_most: int, fields: int, means: int, pairs: int) -> NoiseSplit:
    """Return the noise of a profile of so many fields, means and pairs; ``at_most``: records of one unit.

    Raises:
        InputError: ``epsilon`` is too small to be divided among them.
    """
    shares = _ROWS + _CELLS * fields + _MEAN * means + _PAIR * pairs
    if epsilon < shares:
        raise InputError("private.too_little", epsilon=epsilon, least=shares)
    one = epsilon // shares
    return NoiseSplit(
        rows=noise_for(at_most, one * _ROWS),
        cells=noise_for(at_most, one * _CELLS),
        mean=noise_for(at_most * STEPS, one * _MEAN),
        pair=noise_for(at_most, one * _PAIR),
    )
