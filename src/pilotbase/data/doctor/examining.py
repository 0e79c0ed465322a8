"""What is odd in a scenario's cases, column by column and between public and hidden ones, with what to do about it."""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import reduce
from typing import Literal

import polars as pl

from pilotbase.data.column_guesses import MISSING_SPELLINGS
from pilotbase.data.column_types import read_cells, type_column
from pilotbase.data.describing.meanings import Guess, guess_sensitivity
from pilotbase.data.drift import drift
from pilotbase.data.fixes import Fix, fix_spellings, fix_units
from pilotbase.data.giveaway import FeatureStrength, feature_strengths, gives_away
from pilotbase.data.leakage import LeakageCheck, check_leakage
from pilotbase.data.sources.source import KEY_NAME
from pilotbase.data.splits import Split
from pilotbase.data.suspects.missing import sentinel
from pilotbase.data.suspects.rows import NEARLY_A_KEY
from pilotbase.data.suspects.texts import spelled_alike
from pilotbase.data.suspects.units import units_in
from pilotbase.documents.contract import ARRAYS, DataType
from pilotbase.documents.errors import Issue
from pilotbase.documents.scenario import Scenario
from pilotbase.documents.scenario_data import ColumnReader, HashSplit, TimeSplit
from pilotbase.documents.texts import Text, percent, text
from pilotbase.documents.vocabularies import Outcome, Sensitivity

WORTH_TELLING = 0.3
"""A column that gets this far towards the answer by itself is reported."""
_FEW_HIDDEN = 30
"""Hidden cases of a class below which a criterion on it can hardly be decided."""
_MOST_MISSING = 0.5
_SHOWN = 4
_MOST_SAMPLE = 200
_MOST_SPELLED = 200
"""A text with more different values than this is no list of names, whose spellings could be compared."""
_REPEATED, _ROOMY = 0.01, 10
"""Share of cases that repeat another, and how many times as many cases as there are the columns could tell apart."""
_FEWEST_GROUPS = 5
_SECRET_NAME = re.compile(
    r"(?<![a-z])(pass_?word|passwd|secret|api_?key|access_?key|token)(?![a-z])|密码|口令|密钥", re.I
)
_SECRET = re.compile(
    r"[spr]k[-_][\w-]{16,}|gh[pousr]_\w{20,}|AKIA[0-9A-Z]{16}|eyJ[\w-]+\.[\w-]+\.[\w-]*|-----BEGIN .*|\$2[aby]\$.{50,}"
)

_OF_SEVERAL = frozenset(
    f"doctor.{code}" for code in ("alone", "ranked", "mostly_missing", "person", "sensitive", "drift")
)
"""Remarks that many columns may get, and that are then read and decided together."""
_NAMED = 12
"""Columns of such a group that its sentence names."""

Role = Literal["target", "feature", "withheld", "key", "split"]


@dataclass(frozen=True)
class ExaminedColumn:
    """One column of the cases."""

    name: str
    data_type: DataType
    role: Role
    missing: float
    """Share of the cases without a value."""
    distinct: int
    shown: tuple[str, ...]
    """Some values, as texts."""
    alone: float | None
    """Share of the way to the answer that this column alone achieves; None: not judged."""
    drift: float | None
    """Population stability index between public and hidden cases; None: no drift beyond chance."""


@dataclass(frozen=True)
class Remark:
    """Something odd, how grave it is (fail: a trial would refuse it), and what to do."""

    outcome: Outcome
    sentence: Text
    remedy: Text
    fix: Fix | None = None
    """The remedy, if a draft can carry it out."""


@dataclass(frozen=True)
class RemarkGroup:
    """Remarks of one kind on several columns with the same remedy, or one remark alone."""

    every: tuple[Remark, ...]

    @property
    def first(self) -> Remark:
        return self.every[0]

    @property
    def is_one(self) -> bool:
        return len(self.every) == 1

    @property
    def sentence(self) -> Text:
        """Return what is odd; of several columns, which they are and how odd each is."""
        if self.is_one:
            return self.first.sentence
        columns = reduce(_listed, map(_column_and_figure, self.every[:_NAMED]))
        columns = columns if len(self.every) <= _NAMED else text("doctor.several.more", columns=columns)
        return text(f"{self.first.sentence.code}.several", count=len(self.every), columns=columns)

    @property
    def remedy(self) -> Text:
        return self.first.remedy if self.is_one else text(f"{self.first.sentence.code}.several.remedy")

    @property
    def flag(self) -> str:
        """Return what ``--fix`` is given, of several columns for all of them; empty: a draft can do nothing."""
        fix = self.first.fix
        return "" if fix is None else fix.spelled if self.is_one else fix.name

    def spelled(self) -> tuple[str, ...]:
        """Return every fix as ``--fix`` names it."""
        return tuple(one.fix.spelled for one in self.every if one.fix is not None)

    def words_of(self, fix: Fix) -> Text:
        """Return what ``fix``, that of the first, does for all."""
        return fix.words if self.is_one else text("doctor.fix.several", count=len(self.every))


@dataclass(frozen=True)
class Examination:
    """All columns, all remarks, the gravest first, and how many cases there are."""

    columns: tuple[ExaminedColumn, ...]
    remarks: tuple[Remark, ...]
    public: int
    hidden: int

    @property
    def fixes(self) -> tuple[Fix, ...]:
        """Return what a draft can do about the remarks."""
        return tuple(one.fix for one in self.remarks if one.fix is not None)

    @property
    def grouped(self) -> tuple[RemarkGroup, ...]:
        """Return the remarks as they are read: those of one kind on several columns together."""
        return grouped(self.remarks)


def grouped(remarks: Sequence[Remark]) -> tuple[RemarkGroup, ...]:
    """Return remarks in their order, those of one kind on several columns at the place of the first."""
    found: dict[object, list[Remark]] = {}
    for at, one in enumerate(remarks):
        code, name = one.sentence.code, one.fix.name if one.fix is not None else None
        found.setdefault((code, name) if code in _OF_SEVERAL else at, []).append(one)
    return tuple(RemarkGroup(tuple(every)) for every in found.values())


def _column_and_figure(remark: Remark) -> Text:
    known = remark.sentence.params
    figure = next(known[name] for name in ("share", "index", "ground") if name in known)
    return text("doctor.several.one", column=known["column"], figure=figure)


def _listed(before: Text, one: Text) -> Text:
    return text("doctor.several.next", before=before, one=one)


def examine(scenario: Scenario, split: Split) -> Examination:
    """Return what stands out in the cases of a scenario; both sides of ``split`` as `conform` makes them.

    The checks between both sides take as long as those of a trial (`check_leakage`).
    """
    cases = pl.concat([split.public, split.hidden])
    judged = [field.name for field in scenario.feature_fields if field.data_type not in ARRAYS]
    alone = feature_strengths(split.public, split.hidden, judged, scenario) if scenario.target_form != "texts" else {}
    drifted = {one.column: one.index for one in drift(split.public, split.hidden, judged)}
    columns = tuple(
        _examined(field.name, field.data_type, scenario, cases[field.name], alone.get(field.name), drifted)
        for field in scenario.data.fields
        if field.name in cases.columns
    )
    remarks = [
        *_of_classes(scenario, split),
        *_of_cases(scenario, split, cases),
        *(remark for column in columns for remark in _of_column(column, cases[column.name])),
        *_of_strengths(alone.values(), scenario),
        *(
            _of_check(check)
            for check in check_leakage(split.public, split.hidden, scenario).checks
            if _tells(check, scenario)
        ),
    ]
    gravity = [Outcome.FAIL, Outcome.INCONCLUSIVE]
    remarks.sort(key=lambda one: gravity.index(one.outcome) if one.outcome in gravity else len(gravity))
    return Examination(columns, tuple(remarks), split.public.height, split.hidden.height)


def remark_on_gap(issue: Issue) -> Remark | None:
    """Return the remark, with its fix, that a draft is refused for: empty cells that every case needs; else None."""
    if issue.problem.code != "draft.missing_values":
        return None
    column, count = str(issue.problem.params["column"]), int(str(issue.problem.params["count"]))
    return replace(
        _remark("unlabelled", Outcome.FAIL, column=column, count=count), fix=Fix("unlabelled", column, count=count)
    )


def _examined(
    name: str,
    data_type: DataType,
    scenario: Scenario,
    values: pl.Series,
    alone: FeatureStrength | None,
    drifted: dict[str, float],
) -> ExaminedColumn:
    shown = [] if data_type in ARRAYS else values.drop_nulls().unique(maintain_order=True).head(_SHOWN).to_list()
    return ExaminedColumn(
        name=name,
        data_type=data_type,
        role=_role(name, scenario),
        missing=values.null_count() / max(1, len(values)),
        distinct=0 if data_type in ARRAYS else values.n_unique(),
        shown=tuple(str(one)[:40] for one in shown),
        alone=None if alone is None else alone.strength,
        drift=drifted.get(name),
    )


def _role(name: str, scenario: Scenario) -> Role:
    data = scenario.data
    of_split = getattr(data.split, "column", None) or getattr(data.split, "by", None)
    known: dict[str | None, Role] = {of_split: "split", data.key: "key", data.target: "target"}
    known |= dict.fromkeys(data.withheld, "withheld")
    return known.get(name, "feature")


def _of_classes(scenario: Scenario, split: Split) -> Iterator[Remark]:
    if scenario.target_form != "labels":
        return
    target = scenario.data.target
    hidden, public = (Counter(side[target].to_list()) for side in (split.hidden, split.public))
    for label in sorted(hidden.keys() | public.keys(), key=str):
        known = {"target": target, "label": str(label)}
        lone = hidden[label] + public[label] == 1
        if lone or hidden[label] < _FEW_HIDDEN:
            counted = {} if lone else {"count": hidden[label]}
            remark = _remark("lone_class" if lone else "rare_class", Outcome.INCONCLUSIVE, **known, **counted)
            yield replace(remark, fix=_without(target, str(label)) if len(hidden | public) > 2 else None)


def _without(target: str, label: str) -> Fix:
    return Fix("classes", target, ColumnReader(column=target, missing=(label,)), label=label)


def _of_cases(scenario: Scenario, split: Split, cases: pl.DataFrame) -> Iterator[Remark]:
    """Yield what is odd about whole cases: fewer than columns, repeated, several of one thing, a broken key."""
    features, data = [field.name for field in scenario.feature_fields], scenario.data
    if len(features) > split.public.height:
        yield _remark("wide", Outcome.INCONCLUSIVE, columns=len(features), cases=split.public.height)
    content = cases.drop(data.key) if data.key else cases
    if repeated := _repeated(content.drop(data.target), cases.height - content.n_unique()):
        remark = _remark("repeated", Outcome.INCONCLUSIVE, count=repeated, cases=cases.height)
        yield replace(remark, fix=Fix("repeats"))
    for name in [*features, *data.withheld]:
        if KEY_NAME.search(name) is None or not (distinct := cases[name].n_unique()):
            continue
        if _FEWEST_GROUPS <= distinct < NEARLY_A_KEY * cases.height:
            yield from _of_groups(name, distinct, scenario, split)
        elif data.key is None and name in features and NEARLY_A_KEY * cases.height <= distinct < cases.height:
            double = cases[name].filter(cases[name].is_duplicated())[0]
            remark = _remark("broken_key", Outcome.INCONCLUSIVE, column=name, found=str(double)[:40])
            yield replace(remark, fix=Fix("keys", name))


def _repeated(content: pl.DataFrame, repeated: int) -> int:
    """Return ``repeated``, a number of rows that repeat another; 0 if that may be chance.

    It is not if whole rows repeat wherever a column does that nearly tells them apart, such as a number or a time.
    """
    rows, distinct = content.height, [column.n_unique() for column in content]
    entered_twice = any(0 < rows - one <= min(2 * repeated, (1 - NEARLY_A_KEY) * rows) for one in distinct)
    fewest = 0 if entered_twice else _REPEATED * rows
    return repeated if repeated > fewest and math.prod(distinct) > _ROOMY * rows else 0


def _of_groups(name: str, count: int, scenario: Scenario, split: Split) -> Iterator[Remark]:
    """Yield that cases of one thing stand on both sides; of a split in time, which may be meant so, as a note."""
    how, column = scenario.data.split, pl.concat([split.public[name], split.hidden[name]])
    known = {"column": name, "count": count, "cases": len(column)}
    if isinstance(how, HashSplit) and how.by in (None, scenario.data.key):
        remark = _remark("groups", Outcome.INCONCLUSIVE, **known)
        yield replace(remark, fix=None if column.null_count() else Fix("groups", name))
    elif isinstance(how, TimeSplit) and split.hidden[name].is_in(split.public[name].unique().implode()).any():
        yield Remark(
            Outcome.NOT_MEASURED, text("doctor.groups", **known), text("doctor.groups_in_time.remedy", **known)
        )


def _of_column(column: ExaminedColumn, values: pl.Series) -> Iterator[Remark]:
    name = column.name
    if column.data_type not in ARRAYS and column.role != "target" and _holds_secrets(name, values):
        yield replace(_remark("secret", Outcome.INCONCLUSIVE, column=name), fix=Fix("secrets", name))
    if column.role not in ("feature", "target"):
        return
    if column.missing > _MOST_MISSING:
        remark = _remark("mostly_missing", Outcome.INCONCLUSIVE, column=name, share=percent(column.missing))
        yield replace(remark, fix=Fix("gaps", name) if column.role == "feature" else None)
    if values.dtype.is_numeric():
        yield from _of_sentinel(values, column.role)
    if column.data_type not in ARRAYS:
        told = values.drop_nulls()
        sample = [str(one) for one in told.sample(min(len(told), _MOST_SAMPLE), seed=0).to_list()]
        if values.dtype == pl.String:
            yield from _of_words(name, values, sample, column.role)
        if column.role == "feature" and (found := guess_sensitivity(name, sample)) is not None:
            yield from _of_person(name, *found)
    if column.drift is not None:
        yield _remark("drift", Outcome.NOT_MEASURED, column=name, index=f"{column.drift:.2f}")


def _of_person(name: str, reveals: Sensitivity, guess: Guess) -> Iterator[Remark]:
    """Yield that a column may identify a person, or is sensitive.

    Only what identifies is withheld on advice: the answer often depends on blood pressure or income.
    """
    if reveals is not Sensitivity.QUASI_IDENTIFIER:
        identifies = reveals is Sensitivity.IDENTIFIER
        remark = _remark(
            "person" if identifies else "sensitive", Outcome.INCONCLUSIVE, column=name, ground=guess.ground
        )
        yield replace(remark, fix=Fix("people" if identifies else "sensitive", name))


def _of_words(name: str, values: pl.Series, sample: Sequence[str], role: Role) -> Iterator[Remark]:
    if units := units_in([one for one in sample if one.strip() not in MISSING_SPELLINGS]):
        yield from _of_units(values, units, role)
    alike = spelled_alike(values) if values.n_unique() <= _MOST_SPELLED else []
    if alike:
        remark = _remark("spellings", Outcome.INCONCLUSIVE, column=name, values=", ".join(alike[0])[:80])
        yield replace(remark, fix=fix_spellings(name, alike))


def _of_units(values: pl.Series, units: Sequence[str], role: Role) -> Iterator[Remark]:
    """Yield that a column of numbers has units in cells, and what stands out among its numbers."""
    name, fix = values.name, fix_units(values, units)
    reader = ColumnReader(column=name, units={units[0]: 1.0}) if fix is None else fix.reader
    numbers = type_column(read_cells(values, (reader,) if reader else ()), DataType.FLOAT).values
    bare = type_column(values, DataType.FLOAT).values.count()
    if len(units) > 1:
        remark = _remark("mixed_units", Outcome.INCONCLUSIVE, column=name, units=", ".join(units))
    elif bare:
        count = {"count": numbers.count() - bare, "bare": bare}
        remark = _remark("unit_in_some", Outcome.INCONCLUSIVE, column=name, unit=units[0], **count)
    else:
        remark = _remark("unit_in_cells", Outcome.INCONCLUSIVE, column=name, unit=units[0])
    yield replace(remark, fix=fix if role == "feature" else None)
    yield from _of_sentinel(numbers, role)


def _of_sentinel(numbers: pl.Series, role: Role) -> Iterator[Remark]:
    if (found := sentinel(type_column(numbers, DataType.FLOAT).values.fill_null(math.nan).to_numpy())) is not None:
        name, value = numbers.name, f"{found[0]:.15g}"
        remark = _remark("sentinel", Outcome.INCONCLUSIVE, column=name, value=value, count=found[1])
        fix = Fix("sentinels", name, ColumnReader(column=name, missing=(value,)))
        yield replace(remark, fix=fix if role == "feature" else None)


def _holds_secrets(name: str, values: pl.Series) -> bool:
    """Return whether a column is called like a password or a key of access, or holds what has the form of one."""
    if values.dtype != pl.String:
        return False
    sample = values.drop_nulls().head(_MOST_SAMPLE).to_list()
    named = _SECRET_NAME.search(re.sub(r"(?<=[a-z])(?=[A-Z])", "_", name)) is not None
    return bool(sample) and (named or sum(_SECRET.fullmatch(one) is not None for one in sample) > len(sample) / 2)


def _of_strengths(found: Iterable[FeatureStrength], scenario: Scenario) -> Iterator[Remark]:
    for one in sorted(found, key=lambda one: -one.strength):
        if one.strength >= WORTH_TELLING and not gives_away(one, scenario):  # the check reports what gives away
            code = "ranked" if scenario.target_form == "numbers" else "alone"
            remark = _remark(code, Outcome.NOT_MEASURED, column=one.feature, share=percent(one.strength))
            yield replace(remark, fix=Fix("afterwards", one.feature))


def _tells(check: LeakageCheck, scenario: Scenario) -> bool:
    if check.name == "row_order" and scenario.delivered_by is None:
        return _of_file_order(check)
    repeats = check.count > 0 and check.name == "exact_duplicates"
    return check.outcome is not Outcome.PASS or repeats


def _of_file_order(check: LeakageCheck) -> bool:
    return check.sentence.code == "data.leakage.rows_hidden"


def _of_check(check: LeakageCheck) -> Remark:
    remedy = "sorted_rows" if _of_file_order(check) else check.name
    return Remark(check.outcome, check.sentence, text(f"doctor.{remedy}.remedy"))


def _remark(code: str, outcome: Outcome, **values: object) -> Remark:
    return Remark(outcome, text(f"doctor.{code}", **values), text(f"doctor.{code}.remedy", **values))
