"""Leakage between public sample and hidden set: copies, near copies, groups on both sides, a giveaway.

Copies alone do not prove a leak: coarse features coincide. The answer distinguishes a copy from a coincidence: copies
agree on the target, coincidences agree as often as the problem allows. So a check fails when more than 1 % of the
hidden cases have a twin in the public sample *and* the twins agree on the target (mean over classes, so that a rare
class counts as much as a common one) in at least 98 %; below 90 % they are taken as coincidences; between, undecided.
If the target follows from few features, even coincidences agree: so there must also surely be ten times as many twins
as chance would give (`twins` says how sure), and more than a handful; up to three times as many are no alarm at all.
If public texts resemble each other as often, the check is undecided.
"""

from __future__ import annotations

from dataclasses import dataclass

import polars as pl

from pilotbase.data.column_types import type_column
from pilotbase.data.giveaway import (
    FEWEST_ERRORS,
    seems_given_away,
    strength_of_order,
    strongest_feature,
)
from pilotbase.data.twins import FEW_TWINS, MOST_TIMES, Twins, exact_twins, near_twins, similar_twins
from pilotbase.documents.contract import ARRAYS
from pilotbase.documents.scenario import Scenario
from pilotbase.documents.scenario_data import GroupSplit, HashSplit, TimeSplit
from pilotbase.documents.texts import Text, percent, text
from pilotbase.documents.vocabularies import Outcome

TOLERATED_SHARE = 0.01
COPIES_AGREE = 0.98
COINCIDENCES_AGREE = 0.90
SUSPICIOUS = 0.90
FEW_TIMES = 3


@dataclass(frozen=True)
class LeakageCheck:
    """One check: ``exact_duplicates``, ``near_duplicates``, ``similar_cases``, ``group_overlap``, ``key_overlap``,
    ``giveaway_feature`` or ``row_order``.

    ``count`` and ``share`` are of hidden cases (for ``group_overlap`` of groups, or of public cases if time divides;
    for ``giveaway_feature`` and ``row_order`` ``share`` is the strength found).
    """

    name: str
    outcome: Outcome
    sentence: Text
    count: int = 0
    share: float = 0.0


@dataclass(frozen=True)
class Leakage:
    """All checks, in the order above."""

    checks: tuple[LeakageCheck, ...]

    @property
    def outcome(self) -> Outcome:
        """Return fail if any check fails, else inconclusive if any is, else pass."""
        found = {check.outcome for check in self.checks}
        return next((worst for worst in (Outcome.FAIL, Outcome.INCONCLUSIVE) if worst in found), Outcome.PASS)


def check_leakage(public: pl.DataFrame, hidden: pl.DataFrame, scenario: Scenario) -> Leakage:
    """Return what the public sample gives away of the hidden cases; both frames as `conform` makes them.

    Pure: reads nothing else, keeps nothing, never compares all pairs. On one core 10⁶ rows of 20 floats take about
    40 s, 10⁶ texts of 250 characters two minutes (`tests/data/test_similar_cases.py` measures them).
    """
    features = [field.name for field in scenario.feature_fields]
    compared = [field.name for field in scenario.feature_fields if field.data_type not in ARRAYS]
    similar = similar_twins(public, hidden, compared, scenario)
    return Leakage(
        (
            _twins_check("exact_duplicates", "exact", exact_twins(public, hidden, features, scenario), hidden.height),
            _twins_check("near_duplicates", "near", near_twins(public, hidden, features, scenario), hidden.height),
            LeakageCheck("similar_cases", Outcome.PASS, text("data.leakage.similar_idle"))
            if similar is None
            else _twins_check("similar_cases", "similar", similar, hidden.height),
            _overlap_check(public, hidden, scenario),
            _key_check(public, hidden, scenario),
            _giveaway_check(public, hidden, compared, scenario),
            _order_check(public, hidden, scenario),
        )
    )


def _twins_check(name: str, texts: str, twins: Twins, cases: int) -> LeakageCheck:
    outcome = _twin_outcome(twins)
    values = {"count": twins.count, "cases": cases, "share": _percent(twins.share), "agree": _percent(twins.agreement)}
    found = text(f"data.leakage.{texts}_{outcome}", **values) if twins.count else text(f"data.leakage.{texts}_none")
    return LeakageCheck(name, outcome, found, twins.count, twins.share)


def _twin_outcome(twins: Twins) -> Outcome:
    by_chance = not twins.exceed_chance(FEW_TIMES)
    if twins.share <= TOLERATED_SHARE or twins.agreement < COINCIDENCES_AGREE or by_chance:
        return Outcome.PASS
    unusual = twins.exceed_chance(MOST_TIMES) and twins.count > FEW_TIMES * twins.natural + FEW_TWINS
    surely_copies = twins.agreement >= COPIES_AGREE and unusual
    return Outcome.FAIL if surely_copies else Outcome.INCONCLUSIVE


def _overlap_check(public: pl.DataFrame, hidden: pl.DataFrame, scenario: Scenario) -> LeakageCheck:
    split = scenario.data.split
    if isinstance(split, TimeSplit):
        return _time_check(public, hidden, split, scenario)
    units = {criterion.unit for criterion in scenario.criteria} - {"case"}
    declared = {split.column} if isinstance(split, GroupSplit) else {split.by} if split.by else set()
    columns = sorted(declared | (units if isinstance(split, HashSplit) else set()))
    if not columns:
        return LeakageCheck("group_overlap", Outcome.PASS, text("data.leakage.no_groups"))
    shared = {column: _on_both_sides(public[column], hidden[column]) for column in columns}
    worst = max(columns, key=lambda column: len(shared[column]))
    if not len(shared[worst]):
        return LeakageCheck("group_overlap", Outcome.PASS, text("data.leakage.group_pass", columns=", ".join(columns)))
    count = len(shared[worst])
    found = ", ".join(sorted(map(str, shared[worst].head(1000)))[:5])
    sentence = text("data.leakage.group_fail", column=worst, count=count, found=found)
    return LeakageCheck("group_overlap", Outcome.FAIL, sentence, count, count / max(1, hidden[worst].n_unique()))


def _time_check(public: pl.DataFrame, hidden: pl.DataFrame, split: TimeSplit, scenario: Scenario) -> LeakageCheck:
    data_type = scenario.field(split.column).data_type
    bounds = [type_column(pl.Series([split.hidden_from]), data_type).values[0], hidden[split.column].min()]
    begins = pl.Series([bound for bound in bounds if bound is not None]).min()
    late = public.filter(pl.col(split.column) >= begins).height
    if late:
        sentence = text("data.leakage.time_fail", column=split.column, count=late)
        return LeakageCheck("group_overlap", Outcome.FAIL, sentence, late, late / public.height)
    return LeakageCheck("group_overlap", Outcome.PASS, text("data.leakage.time_pass", column=split.column))


def _key_check(public: pl.DataFrame, hidden: pl.DataFrame, scenario: Scenario) -> LeakageCheck:
    key = scenario.data.key
    if key is None:
        return LeakageCheck("key_overlap", Outcome.PASS, text("data.leakage.no_key"))
    shared = _on_both_sides(public[key], hidden[key])
    if not len(shared):
        return LeakageCheck("key_overlap", Outcome.PASS, text("data.leakage.key_pass", column=key))
    sentence = text("data.leakage.key_fail", column=key, count=len(shared))
    return LeakageCheck("key_overlap", Outcome.FAIL, sentence, len(shared), len(shared) / hidden.height)


def _on_both_sides(public: pl.Series, hidden: pl.Series) -> pl.Series:
    known = public.drop_nulls().unique()
    found = hidden.drop_nulls().unique()
    return found.filter(found.is_in(known.implode()))


def _giveaway_check(
    public: pl.DataFrame, hidden: pl.DataFrame, features: list[str], scenario: Scenario
) -> LeakageCheck:
    if scenario.target_form == "texts":
        return LeakageCheck("giveaway_feature", Outcome.PASS, text("data.leakage.giveaway_texts"))
    found = strongest_feature(public, hidden, features, scenario)
    if found is None:
        return LeakageCheck("giveaway_feature", Outcome.INCONCLUSIVE, text("data.leakage.giveaway_unknown"))
    part = found.part
    feature = found.feature if part is None else text(f"data.giveaway.{part}", feature=found.feature)
    values: dict[str, str | Text] = {"feature": feature, "strength": _percent(found.strength)}
    sentence, outcome = _judged(values, seems_given_away(found, scenario), found.strength, scenario)
    if outcome is not Outcome.PASS and found.errors_by_guessing < FEWEST_ERRORS:
        sentence = text("data.leakage.giveaway_few", **values, cases=found.errors_by_guessing)
        outcome = Outcome.INCONCLUSIVE
    return LeakageCheck("giveaway_feature", outcome, sentence, share=found.strength)


def _judged(
    values: dict[str, str | Text], given_away: bool, strength: float, scenario: Scenario
) -> tuple[Text, Outcome]:
    kind = "order" if scenario.target_form == "numbers" else "giveaway"
    if given_away:
        return text(f"data.leakage.{kind}_fail", **values), Outcome.FAIL
    if kind == "giveaway" and strength >= SUSPICIOUS:
        return text("data.leakage.giveaway_suspicious", **values), Outcome.INCONCLUSIVE
    return text(f"data.leakage.{kind}_pass", **values), Outcome.PASS


def _order_check(public: pl.DataFrame, hidden: pl.DataFrame, scenario: Scenario) -> LeakageCheck:
    """Judge the order in which cases are delivered if it is that of time; else report what the file's order would give.

    The file's own order reaches no application, whatever it gives away.
    """
    if scenario.target_form == "texts":
        return LeakageCheck("row_order", Outcome.PASS, text("data.leakage.rows_texts"))
    column = scenario.delivered_by
    sides = (public, hidden) if column is None else (_by_time(public, column), _by_time(hidden, column))
    found = strength_of_order(*sides, scenario)
    if found is None or found.errors_by_guessing < FEWEST_ERRORS:
        return LeakageCheck("row_order", Outcome.INCONCLUSIVE, text("data.leakage.rows_unknown"))
    strength = max(found.strength, 2 * found.order - 1 if scenario.target_form == "labels" else found.order)
    given_away = seems_given_away(found, scenario)
    suspicious = given_away or (scenario.target_form == "labels" and strength >= SUSPICIOUS)
    outcome = Outcome.PASS
    if column is not None and suspicious:
        outcome = Outcome.FAIL if given_away else Outcome.INCONCLUSIVE
    kind = "pass" if not suspicious else "hidden" if column is None else "fail" if given_away else "suspicious"
    return LeakageCheck(
        "row_order", outcome, text(f"data.leakage.rows_{kind}", strength=_percent(strength)), share=strength
    )


def _by_time(side: pl.DataFrame, column: str) -> pl.DataFrame:
    """Return cases as they are delivered in time; those of the same moment in an order independent of the file's."""
    return side.sample(fraction=1, shuffle=True, seed=0).sort(column, maintain_order=True)


def _percent(share: float) -> Text:
    return percent(share, ".3g")
