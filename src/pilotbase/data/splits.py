"""The public sample and the hidden set: a split that depends on the cases alone, never on the order of rows.

Of a table that is drafted it is guessed from the column that groups cases or holds times, and so is how many attempts
its hidden cases allow.
"""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass, replace
from datetime import UTC, datetime

import polars as pl

from pilotbase.data.column_types import classes_of, format_labels, type_column
from pilotbase.data.date_forms import in_order
from pilotbase.documents.contract import WITH_CLASSES, DataType
from pilotbase.documents.criteria import AcceptFloor
from pilotbase.documents.errors import InputError, offer
from pilotbase.documents.moments import format_minute
from pilotbase.documents.scenario import Criterion, Scenario, TrialTerms
from pilotbase.documents.scenario_data import GroupSplit, HashSplit, TimeSplit
from pilotbase.documents.texts import Text, percent, text

_MISSING = "\x00"
_SEPARATOR = "\x1f"
HIDDEN_SHARE = 0.5
LATEST_SHARE = 0.3
FEW_GROUPS = 10
"""With fewer groups a random split of groups may be lopsided, so named groups are hidden instead."""

ATTEMPTS = 3
FEWEST_CASES = 60
FEWEST_POSITIVES = 15
"""The least that each of several attempts needs to decide anything."""
_FEW_DIFFERENT = 20
"""So few different cases can't be halved at random."""
FLOOR_CASES, FLOOR_POSITIVES = 100, 20
"""What an accept rests on at least. Fewer would convince no owner: twenty cases of a class found without a miss still
leave room for one miss in seven, at 95 %."""

_TIME_NAME = re.compile(r"time|date|year|month|week|day|cycle|hour|时间|日期|年|月", re.IGNORECASE)

_MOMENTS = (
    (32_874, 55_154, 86_400.0, 25_569),
    (631_152_000, 2_556_144_000, 1.0, 0),
    (631_152e6, 2_556_144e6, 0.001, 0),
)
"""Moments of 1990 to 2050 as numbers: lowest and highest, seconds of a unit, and the number that is 1 January 1970.

Days as spreadsheets count them, seconds, milliseconds.
"""
_COMPACT_TIME = r"^(19|20)\d{2}(\.(0[1-9]|1[0-2]?)|(0[1-9]|1[0-2])(0[1-9]|[12]\d|3[01])?)?$"


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
        InputError: ``data.*``: empty hidden set or public sample, too few different cases, hidden groups that do not
            occur, a moment that cannot be read, only one class in either side, a class that the public sample lacks.
    """
    hidden = _hidden_mask(frame, scenario)
    split = Split(public=frame.filter(~hidden), hidden=frame.filter(hidden))
    try:
        _check_sides(split, scenario)
    except InputError:
        _require_different(frame, scenario)
        raise
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


def _check_sides(split: Split, scenario: Scenario) -> None:
    cases, method = split.public.height + split.hidden.height, scenario.data.split.method
    if split.hidden.is_empty():
        raise InputError("data.empty_hidden_set", cases=cases, method=method)
    if split.public.is_empty():
        raise InputError("data.empty_public_sample", cases=cases, method=method)
    if scenario.answer in WITH_CLASSES:
        _check_classes(split, scenario)


def _require_different(frame: pl.DataFrame, scenario: Scenario) -> None:
    """Raise `InputError` if cases are so alike to an application that no split by their contents has all on a side."""
    features, split = [field.name for field in scenario.feature_fields], scenario.data.split
    different = frame.select(features).n_unique()
    if isinstance(split, HashSplit) and split.by is None and different < _FEW_DIFFERENT:
        raise InputError("data.few_different", cases=frame.height, different=different, columns=", ".join(features))


def _check_classes(split: Split, scenario: Scenario) -> None:
    target, one_each = scenario.data.target, scenario.target_form == "labels"
    public, hidden = classes_of(split.public, scenario), classes_of(split.hidden, scenario)
    if one_each and len(found := _labels(split.public, target)) < 2:
        raise InputError("data.one_class_public", target=target, found=", ".join(found), cases=split.public.height)
    if one_each and len(found := _labels(split.hidden, target)) < 2:
        raise InputError("data.one_class_hidden", target=target, found=", ".join(found), cases=split.hidden.height)
    unseen = sorted(set(hidden) - set(public))
    if unseen:
        raise InputError("data.class_only_hidden", target=target, found=", ".join(unseen), allowed=", ".join(public))
    if scenario.positive is not None and scenario.positive not in public:
        raise InputError("data.unknown_positive", found=scenario.positive, allowed=offer(scenario.positive, public))


def _labels(cases: pl.DataFrame, target: str) -> list[str]:
    """Return the labels that occur, sorted: beside them classes may be declared."""
    return sorted(cases[target].drop_nulls().unique().to_list())


@dataclass(frozen=True)
class SplitGuess:
    """A split, and why this one."""

    split: HashSplit | GroupSplit | TimeSplit
    why: Text


def guess_split(column: pl.Series | None, data_type: DataType | None, is_time: bool = False) -> SplitGuess:
    """Return the split by a typed column without missing values: by time, by group, or by the rows' hashes.

    ``is_time``: its owner says that it holds times.
    """
    if column is None or data_type is None:
        return SplitGuess(HashSplit(hidden=HIDDEN_SHARE), text("draft.split.hash", hidden=percent(HIDDEN_SHARE)))
    numeric = data_type in (DataType.INTEGER, DataType.FLOAT)
    moment = _moment(column) if numeric else None
    as_time = moment is not None and (in_order(column) or not _is_whole(column))
    counted = numeric and (is_time or _TIME_NAME.search(column.name) or _counts_time(column) or as_time)
    if data_type in (DataType.DATE, DataType.DATETIME) or counted:
        start = _latest_from(column, data_type)
        split = TimeSplit(column=column.name, hidden_from=start)
        return SplitGuess(split, text("draft.split.time", column=column.name, start=start))
    guess = _guess_groups(column, data_type)
    if moment is None:
        return guess
    told = text("draft.split.maybe_time", why=guess.why, column=column.name, found=str(column[0]), moment=moment)
    return replace(guess, why=told)


def _guess_groups(column: pl.Series, data_type: DataType) -> SplitGuess:
    groups = column.n_unique()
    if groups >= FEW_GROUPS or groups < 2:
        split_by = HashSplit(hidden=HIDDEN_SHARE, by=column.name)
        return SplitGuess(split_by, text("draft.split.by", column=column.name, groups=groups))
    hidden = _group_near(format_labels(column, data_type), LATEST_SHARE)
    why = text("draft.split.group", column=column.name, groups=groups, hidden=hidden)
    return SplitGuess(GroupSplit(column=column.name, hidden=(hidden,)), why)


def _moment(column: pl.Series) -> str | None:
    """Return the moment of the first number, if all may be moments of the last decades and the next."""
    for low, high, unit, start in _MOMENTS:
        if column.is_between(low, high).all() and column.n_unique() > 1:
            return format_minute(datetime.fromtimestamp((float(column[0]) - start) * unit, UTC))
    return None


def _is_whole(column: pl.Series) -> bool:
    return bool((column == column.round(0)).all())


def _counts_time(column: pl.Series) -> bool:
    """Return whether all numbers are years, months such as 202401 or 2024.01, or days such as 20240131."""
    spelled = (column.cast(pl.Int64) if _is_whole(column) else column.round(2)).cast(pl.String)
    return spelled.n_unique() > 1 and bool(spelled.str.contains(_COMPACT_TIME).all())


@dataclass(frozen=True)
class TermsGuess:
    """Attempts and fresh cases for each, and why so many."""

    terms: TrialTerms
    why: Text
    criteria: tuple[Criterion, ...] | None = None
    """As these attempts decide them; None: as they are."""


def guess_terms(hidden: int, positives: float | None) -> TermsGuess:
    """Return terms that leave room for a second attempt if the ``hidden`` cases allow it.

    ``positives`` are the hidden cases of the positive class; None if no criterion depends on them.
    """
    cases = hidden // ATTEMPTS
    enough = cases >= FEWEST_CASES and (positives is None or positives / ATTEMPTS >= FEWEST_POSITIVES)
    if not enough:
        needed = {"cases": FEWEST_CASES, "positive": FEWEST_POSITIVES}
        return TermsGuess(TrialTerms(attempts=1), text("draft.decided.one_attempt", hidden=hidden, **needed))
    terms = TrialTerms(attempts=ATTEMPTS, cases_per_attempt=cases)
    return TermsGuess(terms, text("draft.decided.attempts", attempts=ATTEMPTS, cases=cases, hidden=hidden))


def guess_floor(cases: int, positives: float | None) -> AcceptFloor:
    """Return what an accept rests on at least: the usual floor, or half of what an attempt of ``cases`` holds."""
    of_class = None if positives is None else min(FLOOR_POSITIVES, int(positives) // 2)
    return AcceptFloor(cases=max(1, min(FLOOR_CASES, cases // 2)), positives=of_class or None)


def _latest_from(column: pl.Series, data_type: DataType) -> str:
    """Return the value at which about the last 30 % of the rows begin; never the first value of all."""
    ordered = column.sort()
    start = ordered[int((1 - LATEST_SHARE) * (len(ordered) - 1))]
    later = ordered.filter(ordered > ordered[0])
    if start == ordered[0] and len(later):
        start = later[0]
    if data_type is DataType.DATETIME:
        return str(start.isoformat()).replace("+00:00", "Z")
    return str(start)


def _group_near(groups: pl.Series, share: float) -> str:
    counts = groups.alias("value").value_counts().rows()
    return str(min(counts, key=lambda row: (abs(row[1] / len(groups) - share), str(row[0])))[0])
