"""The privacy test of a synthetic sample: are its records nearer to those that were profiled than to held-out ones.

A generator that has learnt a distribution comes as near to records that it never saw as to those that it saw; one that
has learnt records does not. Distance to the closest record after Gower, "A general coefficient of similarity and some
of its properties", Biometrics 27 (1971): the mean over fields of |difference| / range, or of being another category.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
import polars as pl

from pilotbase.data.private.grids import FieldGrid
from pilotbase.data.private.units import TableRecords
from pilotbase.documents.errors import InputError
from pilotbase.documents.private import NearShare, PrivacyTest, PrivateProfile
from pilotbase.evidence.binary import wilson
from pilotbase.evidence.distributions import normal_upper_quantile

Matrix = npt.NDArray[np.float64]
LEAST_COMPARED = 50
"""Records on either side; with fewer nothing can be told."""
_MOST_COMPARED, _CHUNK, _SEED = 4000, 64, 5
_HALF_OF_5_PERCENT = 0.025


def privacy_test(
    profile: PrivateProfile,
    grids: Sequence[FieldGrid],
    sample: TableRecords,
    training: TableRecords,
    holdout: TableRecords,
) -> PrivacyTest:
    """Return how the records of ``sample`` lie between those of ``training`` and as many of ``holdout``.

    Raises:
        InputError: fewer than `LEAST_COMPARED` records on one side.
    """
    made, seen, unseen = (_rows(grids, records) for records in (sample, training, holdout))
    size = min(seen.height, unseen.height, _MOST_COMPARED)
    if size < LEAST_COMPARED:
        raise InputError("private.small_holdout", least=LEAST_COMPARED)
    compared = made.sample(min(made.height, _MOST_COMPARED), seed=_SEED)
    near, far = (part.sample(size, seed=_SEED) for part in (seen, unseen))
    return PrivacyTest(
        profile=profile.digest(),
        rows=made.height,
        training=size,
        holdout=size,
        nearest=_nearest(grids, _scaled(grids, compared), _scaled(grids, near), _scaled(grids, far)),
        copies=_copies(made, near, far),
        copies_in_all=made.join(_alone(seen), on=made.columns, how="semi", nulls_equal=True).height,
    )


def _rows(grids: Sequence[FieldGrid], records: TableRecords) -> pl.DataFrame:
    """Return the fields that are profiled: categories by their number, numbers as they are; none is null."""
    chosen = [_value(grid, records) for grid in grids]
    return records.frame.select(chosen).collect()


def _value(grid: FieldGrid, records: TableRecords) -> pl.Expr:
    column = records.columns[grid.field.name]
    if not grid.values:
        return column.value.cast(pl.Float64).alias(grid.field.name)
    cell = grid.cell(column)
    return pl.when(cell != grid.missing).then(cell.cast(pl.Float64)).alias(grid.field.name)


def _scaled(grids: Sequence[FieldGrid], rows: pl.DataFrame) -> Matrix:
    """Return numbers in units of their declared range; shape (rows, fields), NaN where there is no value."""
    columns = []
    for grid in grids:
        values = rows[grid.field.name].to_numpy().astype(np.float64)
        span = (grid.field.maximum or 0) - (grid.field.minimum or 0)
        columns.append(values if grid.values or not span else values / span)
    return np.column_stack(columns)


def _nearest(grids: Sequence[FieldGrid], made: Matrix, near: Matrix, far: Matrix) -> NearShare:
    """Return the share of ``made`` whose closest record is in ``near``; ties count half.

    Records that share their closest one are no independent witnesses: the interval is made of sums over these.
    """
    both, categorical = np.vstack([near, far]), [bool(grid.values) for grid in grids]
    gains, closest = np.empty(len(made)), np.empty(len(made), np.int64)
    for start in range(0, len(made), _CHUNK):
        apart = _distances(made[start : start + _CHUNK], both, categorical)
        of_near, of_far = apart[:, : len(near)].min(axis=1), apart[:, len(near) :].min(axis=1)
        here = slice(start, start + len(apart))
        gains[here] = np.where(of_near < of_far, 1.0, np.where(of_near > of_far, 0.0, 0.5))
        closest[here] = apart.argmin(axis=1)
    share = float(gains.mean())
    spread = np.bincount(closest, weights=gains - share)
    half = normal_upper_quantile(_HALF_OF_5_PERCENT) * float(np.sqrt((spread**2).sum())) / len(made)
    return NearShare(compared=len(made), share=share, lower=max(share - half, 0.0), upper=min(share + half, 1.0))


def _distances(made: Matrix, others: Matrix, categorical: Sequence[bool]) -> Matrix:
    """Return sums over fields, shape (made, others); a value and none are 1 apart, none and none 0."""
    apart: Matrix = np.zeros((len(made), len(others)))
    for place, of_categories in enumerate(categorical):
        one, other = made[:, place, None], others[None, :, place]
        found = (one != other).astype(np.float64) if of_categories else np.minimum(np.abs(one - other), 1.0)
        lacking, lacking_there = np.isnan(one), np.isnan(other)
        found = np.where(lacking | lacking_there, (lacking != lacking_there).astype(np.float64), found)
        apart += found
    return apart


def _copies(made: pl.DataFrame, near: pl.DataFrame, far: pl.DataFrame) -> NearShare:
    """Return, of records that stand alone in their part and are equal to one of ``made``, the share on the near side.

    Each counts once, however often it was copied.
    """
    of_near, of_far = (_alone(part).join(made, on=made.columns, how="semi", nulls_equal=True) for part in (near, far))
    compared = of_near.height + of_far.height
    if compared == 0:
        return NearShare(compared=0, share=0.5, lower=0.0, upper=1.0)
    share = wilson(of_near.height, compared)
    return NearShare(compared=compared, share=share.value, lower=share.lower, upper=share.upper)


def _alone(part: pl.DataFrame) -> pl.DataFrame:
    """Return the records of which there is but one."""
    return part.group_by(part.columns).len().filter(pl.col("len") == 1).drop("len")
