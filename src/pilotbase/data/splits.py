"""The public sample and the hidden set: a split that depends on the cases alone, never on the order of rows."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass

import polars as pl

from pilotbase.data.column_types import classes_of, format_labels, type_column
from pilotbase.documents.contract import WITH_CLASSES
from pilotbase.documents.errors import InputError
from pilotbase.documents.nearest import offer
from pilotbase.documents.scenario import Scenario
from pilotbase.documents.scenario_data import GroupSplit, HashSplit, TimeSplit

_MISSING = "\x00"
_SEPARATOR = "\x1f"


@dataclass(frozen=True)
class Split:
    """Two frames with the columns of the conformed one, rows in its order; each row is in one of them."""

    public: pl.DataFrame
    hidden: pl.DataFrame


def split_cases(frame: pl.DataFrame, scenario: Scenario) -> Split:
    """Return the cases of a conformed ``frame``, split as the scenario says.

    A hash split hides a case if BLAKE2b-64 of its ``by`` value (of all its features if there is none), keyed
    with the scenario's name, falls below ``hidden``·2⁶⁴: rows that look the same to an application stay on one side,
    so that the split itself never leaks a duplicate. Shares hold on average over distinct values.

    Raises:
        InputError: ``data.*``: empty hidden set or public sample, hidden groups that do not occur, a moment that
            cannot be read, only one class in either side, a class that the public sample lacks.
    """
    hidden = _hidden_mask(frame, scenario)
    split = Split(public=frame.filter(~hidden), hidden=frame.filter(hidden))
    if split.hidden.is_empty():
        raise InputError("data.empty_hidden_set", cases=frame.height, method=scenario.data.split.method)
    if split.public.is_empty():
        raise InputError("data.empty_public_sample", cases=frame.height, method=scenario.data.split.method)
    if scenario.answer in WITH_CLASSES:
        _check_classes(split, scenario)
    return split


def _hidden_mask(frame: pl.DataFrame, scenario: Scenario) -> pl.Series:
    split = scenario.data.split
    if isinstance(split, HashSplit):
        columns = [split.by] if split.by else [field.name for field in scenario.feature_fields]
        return _hash_mask(frame.select(columns), scenario.name, split.hidden)
    if isinstance(split, GroupSplit):
        return _group_mask(frame, split, scenario)
    return _time_mask(frame, split, scenario)


def _hash_mask(columns: pl.DataFrame, scenario_name: str, share: float) -> pl.Series:
    spelled = [_stable_spelling(column).fill_null(_MISSING) for column in columns]
    contents = columns.select(pl.concat_str(spelled, separator=_SEPARATOR).alias("content"))["content"]
    key = hashlib.sha256(f"pilotbase split {scenario_name}".encode()).digest()
    bound = int(share * 2**64)
    distinct = contents.unique()
    hidden = [
        int.from_bytes(hashlib.blake2b(content.encode(), digest_size=8, key=key).digest(), "big") < bound
        for content in distinct.to_list()
    ]
    return contents.is_in(distinct.filter(pl.Series(hidden, dtype=pl.Boolean)).implode())


def _stable_spelling(column: pl.Series) -> pl.Expr:
    """Spell by bits and counts, not by how this version of a library prints a number or a date."""
    source = pl.col(column.name)
    if column.dtype.is_float():
        return (source + 0.0).cast(pl.Float64).reinterpret(signed=True).cast(pl.String)  # -0.0 is 0.0
    if column.dtype.is_temporal() or column.dtype == pl.Boolean:
        return source.cast(pl.Int64).cast(pl.String)
    return source.cast(pl.String)


def _group_mask(frame: pl.DataFrame, split: GroupSplit, scenario: Scenario) -> pl.Series:
    groups = format_labels(frame[split.column], scenario.field(split.column).data_type)
    present = sorted(groups.unique().drop_nulls().to_list())
    absent = sorted(set(split.hidden) - set(present))
    if absent:
        raise InputError(
            "data.unknown_group", column=split.column, found=", ".join(absent), allowed=offer(absent[0], present)
        )
    return groups.is_in(list(split.hidden))


def _time_mask(frame: pl.DataFrame, split: TimeSplit, scenario: Scenario) -> pl.Series:
    data_type = scenario.field(split.column).data_type
    moment = type_column(pl.Series(split.column, [split.hidden_from]), data_type).values
    if moment.null_count():
        raise InputError("data.unreadable_moment", column=split.column, found=split.hidden_from, allowed=data_type)
    return frame.select(pl.col(split.column) >= moment[0]).to_series()


def _check_classes(split: Split, scenario: Scenario) -> None:
    target, one_each = scenario.data.target, scenario.target_form == "labels"
    public, hidden = classes_of(split.public, scenario), classes_of(split.hidden, scenario)
    for side, cases in (("public", split.public), ("hidden", split.hidden)) if one_each else ():
        labels = cases[target].drop_nulls().unique().sort()
        if len(labels) < 2:
            raise InputError(f"data.one_class_{side}", target=target, found=", ".join(labels), cases=cases.height)
    unseen = sorted(set(hidden) - set(public))
    if unseen:
        raise InputError("data.class_only_hidden", target=target, found=", ".join(unseen), allowed=", ".join(public))
    if scenario.positive is not None and scenario.positive not in public:
        raise InputError("data.unknown_positive", found=scenario.positive, allowed=offer(scenario.positive, public))
