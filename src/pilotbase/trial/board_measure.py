"""The measure of a board: one loss per case, whose mean gives the score for any answers."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal

import numpy as np
import polars as pl
from numpy.typing import NDArray

from pilotbase.documents.board import Board
from pilotbase.documents.criteria import Rule, parse_rule
from pilotbase.documents.errors import InputError, Issue
from pilotbase.documents.scenario import Criterion, Scenario
from pilotbase.documents.scenario_data import HashSplit
from pilotbase.documents.texts import Text, text
from pilotbase.evidence.ladder import LONGEST_BAND, Ladder, independent_cases, slice_size
from pilotbase.measures import Cases, RuleContext, coded, measures, observe, problems_of
from pilotbase.measures.rules import range_of
from pilotbase.protocols.frames import abstentions
from pilotbase.trial.scenario_folder import MANIFEST
from pilotbase.trial.scoring import build_cases, with_cut


@dataclass(frozen=True)
class BoardLosses:
    """Losses in [0, 1] of the eligible cases in case order, and how to convert a mean loss to a score of the measure.

    A case with less weight in the measure has proportionally smaller losses.
    """

    values: NDArray[np.float64]
    worst: float
    """The score at a weighted mean loss of 1."""
    best: float
    eligible: NDArray[np.bool_]
    """Which cases count, shape (cases,)."""
    weights: NDArray[np.float64]
    """Of all cases, shape (cases,)."""

    @property
    def heaviest(self) -> float:
        """Return the weight of the heaviest case over the mean weight of the eligible ones."""
        return float(self.weights.max() / self.weights[self.eligible].mean())

    @property
    def mean(self) -> float:
        """Return the weighted mean loss, in [0, 1]."""
        return float(self.values.mean()) * self.heaviest

    def score(self, mean: float) -> float:
        """Return the score for a weighted mean loss."""
        return self.best + mean * (self.worst - self.best)

    def mean_of(self, score: float) -> float:
        """Return the weighted mean loss for a score."""
        return (score - self.best) / (self.worst - self.best)


def board_rule(scenario: Scenario, measure: str) -> Rule:
    """Return the measure as a rule in its natural direction, with the scenario's decision threshold written out.

    Raises:
        InputError: it cannot be read.
    """
    rule = parse_rule(f"{measure} >= 0")
    known = measures().get(rule.measure)
    lower = known is not None and known.better == "lower"
    rule = replace(rule, comparison="<=" if lower else ">=")
    if scenario.prediction != "probability":
        return rule
    return with_cut(Criterion(rule=str(rule)), Decimal(str(scenario.decision_threshold))).parsed()


def ladder_of(scenario: Scenario, cases: int, board: Board | None = None) -> Ladder:
    """Return the Ladder of a slice of independent ``cases`` with the budget of ``board``, or that of the scenario."""
    terms = scenario.trial.board
    assert terms is not None
    entries, improvements = (board.entries, board.improvements) if board else (None, None)
    return Ladder(cases, entries or terms.in_all, improvements or terms.shown)


def range_width(rule: Rule, classes: Sequence[str]) -> float:
    """Return the difference between the largest and the smallest value of a measure with its arguments."""
    low, high = range_of(rule, classes)
    return float(high - low)


def check_board(scenario: Scenario, classes: tuple[str, ...], hidden: pl.DataFrame) -> None:
    """Return when the scenario has no board, or one with a measure of single cases and a useful band.

    Raises:
        InputError: with everything that keeps it from that.
    """
    terms = scenario.trial.board
    if terms is None:
        return
    path, found = "trial.board.measure", list(measure_problems(scenario, terms.measure, classes))
    if not found:
        cases = independent_cases(*weighed_clusters(scenario, terms.measure, classes, hidden))
        cases *= slice_size(terms.share, hidden.height) / hidden.height
        ladder = Ladder(max(int(cases), 1), terms.in_all, terms.shown)
        if ladder.band > LONGEST_BAND:
            facts = {"band": f"{ladder.band:.2f}", "limit": LONGEST_BAND, "cases": ladder.cases}
            path, found = "trial.board", [text("trial.board_wide", needed=ladder.needed, **facts)]
    if found:
        issues = [Issue(file=MANIFEST, path=path, problem=problem) for problem in found]
        raise InputError.from_issues(MANIFEST, issues)


def with_valid_band(scenario: Scenario, board: Board) -> Board:
    """Return the board, without its band where an earlier version cut it for a measure that no board takes any more.

    A class that does not occur in the slice, or a rare case of great weight, is in no band.
    """
    known = next(measure_problems(scenario, board.measure, None), None) is None
    return board if known else board.model_copy(update={"band": None})


def weighed_clusters(
    scenario: Scenario, measure: str, classes: tuple[str, ...], frame: pl.DataFrame
) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    """Return the cluster of each case and its weight in the measure, shapes (rows,); raises as `board_losses`."""
    answers = abstentions(frame.height, scenario.contract(classes).prediction)  # weights don't depend on answers
    losses = board_losses(scenario, measure, coded(build_cases(scenario, classes, frame, answers)))
    return clusters_of(frame, scenario), losses.weights


def clusters_of(frame: pl.DataFrame, scenario: Scenario) -> NDArray[np.int64]:
    """Return a code per case, shape (rows,): equal where two cases share all features, or a unit, directly or not."""
    from scipy.sparse import coo_array  # every trial loads this file, few have a board
    from scipy.sparse.csgraph import connected_components

    split = scenario.data.split
    columns = {criterion.unit for criterion in scenario.criteria} - {"case"}
    columns |= {split.by} if isinstance(split, HashSplit) and split.by else set()
    features = [field.name for field in scenario.feature_fields]
    kinds = [frame.select(features), *(frame.select(name) for name in sorted(columns))]
    rows, offset, values = np.arange(frame.height), frame.height, []
    for kind in kinds:
        codes = np.unique(kind.hash_rows().to_numpy(), return_inverse=True)[1]
        values.append(codes + offset)
        offset += int(codes.max(initial=-1)) + 1
    edges = (np.ones(len(kinds) * len(rows), dtype=np.int8), (np.tile(rows, len(kinds)), np.concatenate(values)))
    _, found = connected_components(coo_array(edges, shape=(offset, offset)))
    return np.asarray(found[: frame.height], dtype=np.int64)


def board_losses(scenario: Scenario, measure: str, cases: Cases) -> BoardLosses:
    """Return the losses of ``cases``: 0 is the best that the measure can give, 1 the worst for the heaviest case.

    Raises:
        InputError: no case of the board is eligible (a recall without a case of its class).
    """
    rule = board_rule(scenario, measure)
    (part,) = observe(rule, cases, np.arange(len(cases), dtype=np.int64)).parts
    eligible = part.weight > 0
    if not eligible.any():
        raise InputError("trial.board_empty", measure=measure)
    weights = part.weight.astype(np.float64)
    gain, weight = part.gain[eligible].astype(np.float64), weights[eligible]
    ends = [part.unit * up / down for up, down in part.outcomes if down]
    low, high = min(ends), max(ends)
    worst, best = (low, high) if rule.comparison == ">=" else (high, low)
    losses = (part.unit * gain - best * weight) / (worst - best) / weight.max()
    return BoardLosses(losses, worst, best, eligible, weights)


def measure_problems(scenario: Scenario, measure: str, classes: tuple[str, ...] | None) -> Iterator[Text]:
    """Yield why ``measure`` is not scored case by case; ``classes`` None: they are not known yet."""
    try:
        rule = board_rule(scenario, measure)
    except InputError as error:
        yield error.text
        return
    columns = frozenset(field.name for field in scenario.data.fields)
    kind = scenario.answer
    setting = RuleContext(kind, classes or (), scenario.positive, columns, has_baseline=False)
    found = problems_of(rule, setting) if classes is not None else ()
    known = measures().get(rule.measure)
    if found:
        yield from found
    elif rule.wrapper is not None or known is None or not (known.paired and known.even):
        usable = (name for name, item in measures().items() if item.paired and item.even and kind in item.kinds)
        allowed = ", ".join(usable)
        yield text("trial.board_measure", found=measure, allowed=allowed)
