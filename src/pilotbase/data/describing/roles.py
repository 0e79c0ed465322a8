"""Which columns of a table name its records, hold times, group them, are the answer, or refer to another table."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

import polars as pl

from pilotbase.data.describing.meanings import Guess, Sure
from pilotbase.data.describing.observing import Column
from pilotbase.data.sources.source import KEY_NAME, SourceTable
from pilotbase.documents.dataset import FieldType, Reference
from pilotbase.documents.texts import text

_TIME = re.compile(r"time|date|timestamp|^(at|on|ts|when)$|_at$|时间|日期|时刻", re.IGNORECASE)
_OTHER_TIME = re.compile(r"birth|dob|出生|生日|updated|modified|created|expir|valid|end|到期|更新|结束", re.IGNORECASE)
_COUNTED_TIME = re.compile(
    r"^(time|cycle|step|hour|day|week|month|year|t|周期|年份?|月份?|小时)([_\s].*)?$", re.IGNORECASE
)
_GROUP = re.compile(
    r"(patient|machine|unit|device|engine|pump|turbine|customer|client|user|subject|vehicle|truck|ship|vessel|sensor|"
    r"station|site|hospital|plant|line|batch|lot|serial|asset|equipment|设备|机组|机器|患者|病人|客户|用户|车辆|产线|批次|"
    r"站点|医院|工厂|传感器)([_\s.-]*(id|no|nr|number|name|code|编号|号|名称))?$",
    re.IGNORECASE,
)
_LABEL = re.compile(
    r"^(label|labels|target|class|outcome|y|result|response|diagnosis|failed|failure|fault|defect|default|churn|fraud|"
    r"rul|grade|answer|verdict|标签|结果|类别|结论|故障|缺陷|合格|是否.*|诊断|等级)$|[_\s](label|target|class|outcome|标签)$",
    re.IGNORECASE,
)
_MOST_LETTERS = 64
_FEWEST_ROWS = 2
_FEWEST_BESIDE, _FEWEST_LABELLED, _MOST_CLASSES = 3, 50, 10
"""For a table whose last column is taken for the label: columns before it, rows, and the most classes."""
_Named = tuple[str, Guess]
_ALMOST = 0.98
"""If this share of values is found in the key, the rest are orphans; otherwise the columns are unrelated."""


@dataclass(frozen=True)
class Roles:
    """Columns by their purpose, and why."""

    key: tuple[str, ...] = ()
    time: str | None = None
    group: str | None = None
    label: str | None = None
    unique: frozenset[str] = frozenset()
    """Columns without missing or repeated values."""
    guesses: tuple[Guess, ...] = field(default=())


@dataclass(frozen=True)
class ObservedTable:
    """A table with what was seen in it."""

    table: SourceTable
    columns: tuple[Column, ...]
    roles: Roles


@dataclass(frozen=True)
class FoundReference:
    """A column that refers to another table's key."""

    table: str
    column: str
    to: Reference
    guess: Guess
    orphans: int = 0
    """Rows whose value is not found there."""


def guess_roles(table: SourceTable, columns: Sequence[Column]) -> Roles:
    """Return the purposes of the columns; every key is checked against all rows."""
    unique = _unique(table, columns)
    said = {"time": _time(columns), "group": _group(table, columns), "label": _label(columns, table.rows)}
    key, why = _key(table, columns, unique, (said["group"], said["time"]))
    guesses = [why, *(found[1] for found in said.values() if found is not None)]
    names: dict[str, Any] = {part: found[0] for part, found in said.items() if found is not None}
    return Roles(key, unique=unique, guesses=tuple(guess for guess in guesses if guess is not None), **names)


def _unique(table: SourceTable, columns: Sequence[Column]) -> frozenset[str]:
    full = [one.name for one in columns if one.filled == table.rows >= _FEWEST_ROWS and not one.repeated]
    likely = {one.name for one in columns if one.distinct >= 0.9 * table.rows and one.data_type is not FieldType.FLOAT}
    asked = [name for name in full if name in likely]
    if not asked:
        return frozenset()
    counted = table.frame.select(pl.col(name).n_unique() for name in asked).collect(engine="streaming")
    return frozenset(name for name in asked if counted[name][0] == table.rows)


def _time(columns: Sequence[Column]) -> _Named | None:
    times = [one for one in columns if one.is_time and not one.missing and not _OTHER_TIME.search(one.name)]
    named = [one for one in times if _TIME.search(one.name)]
    for found, sure in ((named, Sure.LIKELY), (times, Sure.UNSURE)):
        if found:
            return found[0].name, Guess("time", text("describe.ground.time", name=found[0].name), sure)
    counted = [one for one in columns if one.data_type is FieldType.INTEGER and _COUNTED_TIME.search(one.name)]
    if counted and not counted[0].missing:
        return counted[0].name, Guess("time", text("describe.ground.counted_time", name=counted[0].name), Sure.UNSURE)
    return None


def _group(table: SourceTable, columns: Sequence[Column]) -> _Named | None:
    for one in columns:
        many = 2 <= one.distinct <= table.rows / 2 and not one.missing and one.data_type is not FieldType.FLOAT
        if many and _GROUP.search(one.name):
            count = table.frame.select(pl.col(one.name).n_unique()).collect(engine="streaming").item()
            ground = text("describe.ground.group", name=one.name, count=count, rows=table.rows)
            return one.name, Guess("group", ground, Sure.LIKELY)
    return None


def _label(columns: Sequence[Column], rows: int) -> _Named | None:
    for one in reversed(columns):
        if _LABEL.search(one.name) and one.distinct > 1 and not one.is_time:
            return one.name, Guess("label", text("describe.ground.label", name=one.name), Sure.LIKELY)
    last = columns[-1] if len(columns) > _FEWEST_BESIDE and rows >= _FEWEST_LABELLED else None
    if last is not None and 2 <= len(last.categories) <= _MOST_CLASSES and not last.missing and not last.is_time:
        return last.name, Guess("label", text("describe.ground.last", name=last.name), Sure.UNSURE)
    return None


def _key(
    table: SourceTable,
    columns: Sequence[Column],
    unique: frozenset[str],
    together: tuple[_Named | None, _Named | None],
) -> tuple[tuple[str, ...], Guess | None]:
    if table.key:
        return table.key, Guess("key", text("describe.ground.declared_key"), Sure.CERTAIN)
    for name, sure in _single_keys(columns, unique):
        return (name,), Guess("key", text("describe.ground.key", name=name, rows=table.rows), sure)
    group, time = together
    if group is not None and time is not None and group[0] != time[0]:
        pair = (group[0], time[0])
        counted = table.frame.select(pl.struct(pair).n_unique()).collect(engine="streaming").item()
        if counted == table.rows:
            return pair, Guess("key", text("describe.ground.key_of_two", names=", ".join(pair)), Sure.LIKELY)
    return (), None


def _single_keys(columns: Sequence[Column], unique: frozenset[str]) -> Iterator[tuple[str, Sure]]:
    """Yield columns without a repeated value, the likeliest key first."""
    candidates = [
        one for one in columns if one.name in unique and max(map(len, one.sample), default=0) <= _MOST_LETTERS
    ]
    yield from ((one.name, Sure.LIKELY) for one in candidates if KEY_NAME.search(one.name))
    yield from ((one.name, Sure.UNSURE) for one in candidates if one.data_type is FieldType.TEXT)
    yield from ((one.name, Sure.UNSURE) for one in candidates if one.is_time)


def find_references(observed: Sequence[ObservedTable]) -> tuple[FoundReference, ...]:
    """Return the references between the tables: declared ones, and those suggested by names and confirmed by values."""
    return tuple(found for one in observed for found in _of_table(one, observed))


def _of_table(one: ObservedTable, observed: Sequence[ObservedTable]) -> Iterator[FoundReference]:
    there = {(other.table.name, column.name) for other in observed for column in other.columns}
    for name, to in one.table.references.items():
        if (to.record_set, to.field) in there:
            guess = Guess("references", text("describe.ground.declared_reference"), Sure.CERTAIN)
            yield FoundReference(one.table.name, name, to, guess)
    for column in one.columns:
        if column.name not in one.table.references:
            yield from _found(one, column, [other for other in observed if other is not one])


def _found(one: ObservedTable, column: Column, others: Sequence[ObservedTable]) -> Iterator[FoundReference]:
    for other in others:
        types = {known.name: known for known in other.columns}
        for target in sorted(other.roles.unique & set(other.roles.key[:1])):
            if types[target].data_type is column.data_type and _related(column.name, target, other.table.name):
                found = _included(one.table, column.name, other.table, target)
                if found is not None:
                    yield found
                    return


def _related(column: str, target: str, table: str) -> bool:
    """Return whether a column's name resembles the other column's, or that of the table it refers to."""
    if _plain(column) == _plain(target):
        return _plain(target) not in ("id", "no", "编号", "序号")
    singular = _plain(table).removesuffix("s")
    if not singular or not _plain(column).startswith(singular):
        return False
    return _plain(column).removeprefix(singular) in ("", _plain(target), "id", "编号")


def _plain(name: str) -> str:
    return re.sub(r"[\s_.-]", "", name).lower()


def _included(table: SourceTable, column: str, other: SourceTable, target: str) -> FoundReference | None:
    mine = table.frame.select(pl.col(column).cast(pl.String).str.strip_chars().alias("value")).drop_nulls()
    theirs = other.frame.select(pl.col(target).cast(pl.String).str.strip_chars().alias("value"))
    rows, orphans = pl.collect_all(
        [mine.select(pl.len()), mine.join(theirs, on="value", how="anti").select(pl.len())], engine="streaming"
    )
    count, lost = int(rows.item()), int(orphans.item())
    if not count or lost > (1 - _ALMOST) * count:
        return None
    ground = text("describe.ground.reference", found=count - lost, count=count, table=other.name, field=target)
    guess = Guess("references", ground, Sure.LIKELY)
    return FoundReference(table.name, column, Reference(record_set=other.name, field=target), guess, lost)
