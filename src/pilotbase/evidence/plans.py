"""What a plan freezes about its criteria: each one's claim and test, and how much error an attempt may spend."""

from __future__ import annotations

from dataclasses import dataclass, replace
from fractions import Fraction
from typing import Literal

from pilotbase.documents.errors import InputError
from pilotbase.documents.texts import Text, text
from pilotbase.evidence.combination import CombinedTest, GapTest
from pilotbase.evidence.criterion import CriterionTest, Method, QuantileTest, SingleTest, WorstTest
from pilotbase.evidence.lattice import stream_of
from pilotbase.evidence.martingale import Ints
from pilotbase.evidence.observations import Comparison, MeasuredCases, RatioPart
from pilotbase.evidence.recall_cut import AreaCutTest, RecallCutTest

Estimand = Literal["hidden_set", "population", "run"]
"""``hidden_set``: these cases. ``population``: cases drawn like them. ``run``: only the measured run."""

NEVER_REFUTED = "evidence.claim.never_refuted"
"""The claim about a measure that is bounded from below only."""


@dataclass(frozen=True)
class Design:
    """When the run stops: ``early`` as soon as there is a verdict, ``fixed`` after ``cases``, ``full`` after all.

    ``known``: answers and truths of all cases are there, so that no stop saves any. All of them then decide a claim
    about these cases, whenever claims about a population stop.
    ``described``: the verdict is that of its stop, and figures and bounds are of all cases.
    ``accept_from``: how many cases an accept needs at least; before, nothing counts as confirmed.
    """

    stop: Literal["early", "fixed", "full"] = "early"
    cases: int | None = None
    known: bool = False
    described: bool = False
    accept_from: int = 0


@dataclass(frozen=True)
class CriterionPlan:
    """One criterion as the plan freezes it, with its observations.

    ``units``: a cluster code per case if the unit isn't the case; ``unit`` is its name for readers.
    ``levels``: this criterion's own, if they differ from the decision's.
    ``run``: judged on its own measured run (latency, memory), always at full load; ``observation`` then covers the
    run's requests or blocks, in their order.
    """

    rule: str
    observation: MeasuredCases
    comparison: Comparison
    threshold: Fraction
    estimand: Estimand = "hidden_set"
    unit: str = "case"
    units: Ints | None = None
    run: bool = False
    levels: Levels | None = None


def levels_among(levels: Levels, candidates: int) -> Levels:
    """Return the levels at which to judge each of several candidates if the best is chosen: α / k.

    Each is then judged wrongly with probability at most α, however the best is chosen.
    """
    if candidates < 1:
        raise InputError("evidence.candidates_out_of_range", candidates=candidates)
    return Levels(levels.accept / candidates, levels.reject / candidates)


def build_test(plan: CriterionPlan, order: Ints, method: Method, fixed: int | None = None) -> CriterionTest:
    """Return the test of ``plan`` on the cases in ``order``; ``fixed``: the n for a cut of scores.

    Raises:
        InputError: the unit is a cluster, but an entry of the measure joins several cases.
    """
    if plan.units is not None and (plan.observation.joined or plan.observation.form == "function"):
        raise InputError("evidence.joined_units", rule=plan.rule, unit=plan.unit)
    form, statistic = plan.observation.form, plan.observation.statistic
    if form in ("mean", "absolute_sum"):
        ratios = [replace(_single(part, plan, order, method), comparison=">=") for part in plan.observation.parts]
        return CombinedTest(ratios, "mean" if form == "mean" else "absolute_sum", plan.comparison)
    decides = form in ("single", "worst")
    tests = [_single(part, plan, order, method, decides) for part in plan.observation.parts]
    if form == "function" and statistic is not None:
        at = len(order) if fixed is None else fixed
        if statistic.blocks is not None:
            of_area = replace(tests[0], method="fixed", target=plan.threshold, finite=False)
            return AreaCutTest(of_area, statistic, order, at, plan.comparison)
        return RecallCutTest(tests[0], statistic, order, at, plan.comparison)
    if plan.observation.quantile is not None:
        return QuantileTest(tests[0], plan.observation.quantile, None if plan.units is None else plan.threshold)
    if plan.observation.form == "gap":
        return GapTest(tests, plan.threshold)
    return WorstTest(tests) if plan.observation.form == "worst" else tests[0]


def method_of(plan: CriterionPlan, design: Design) -> Method:
    """Return ``fixed`` where the number of cases was fixed beforehand; a whole hidden set needs a path only."""
    fixed = plan.run or design.stop == "fixed" or (design.stop == "full" and plan.estimand == "population")
    return "fixed" if fixed else "anytime"


def alphas_of(plan: CriterionPlan, levels: Levels, k: int) -> tuple[float, float]:
    """Return the levels of confirming (not divided: all criteria must hold) and of refuting (one of k suffices)."""
    own = plan.levels or levels
    return float(own.accept), float(own.reject / k)


def _single(part: RatioPart, plan: CriterionPlan, order: Ints, method: Method, decides: bool = False) -> SingleTest:
    finite, target = plan.estimand != "population", plan.threshold if decides else None
    of_ratios = plan.units is not None and not finite and plan.observation.form != "quantile"
    towards = 1 if plan.comparison == "<=" and plan.observation.form in ("single", "worst") else -1
    stream = stream_of(part, order, plan.units, towards if of_ratios else 0)
    census = stream if of_ratios or plan.units is None else stream_of(part, order, None)
    single = SingleTest(stream, census, plan.comparison, part.root, part.unit, finite, method, target)
    return replace(single, from_below=part.from_below)


@dataclass(frozen=True)
class Levels:
    """Error levels of one decision: of a false accept, and of a false reject (shared among the criteria)."""

    accept: Fraction
    reject: Fraction

    def __post_init__(self) -> None:
        for level in (self.accept, self.reject):
            if not 0 < level < 1:
                raise InputError("evidence.level_out_of_range", level=float(level))


def exact(level: float) -> Fraction:
    """Return the fraction that a level was written as: 0.05 is 1/20, not the float nearest to it."""
    return Fraction(str(level))


def attempt_levels(alpha: Fraction, attempt: int, suppliers: int = 0) -> Levels:
    """Return the levels of attempt ``j`` = 1, 2, … on a hidden-set version: α/(j(j+1)) each, which sums to α.

    Split among k ``suppliers``, each has α/k and its own j. Their attempts are numbered in turns: each turn has a
    number for each of them, and a last one, which has no level, for what certifies nothing.

    So a certificate can say of all attempts together that any of them is false with probability at most α, whether it
    accepts or rejects.
    """
    if attempt < 1 or (suppliers and attempt % (suppliers + 1) == 0):
        raise InputError("evidence.attempt_out_of_range", attempt=attempt)
    alpha, attempt = alpha / max(1, suppliers), attempt_of(attempt, suppliers)
    level = alpha / (attempt * (attempt + 1))
    return Levels(level, level)


def attempt_of(number: int, suppliers: int) -> int:
    """Return which of its supplier's attempts has this ``number``, where α is split among ``suppliers``."""
    return (number - 1) // (suppliers + 1) + 1 if suppliers else number


def claim_text(estimand: Estimand, census: bool, unit: str, counts: tuple[int, int], joined: bool) -> Text:
    """Return the sentence that states what one criterion's figures are about.

    ``counts``: entries used and in all; ``joined``: an entry joins several cases, each of another unit.
    """
    used, total = counts
    if estimand == "run":
        return text("evidence.claim.run", used=used, unit=unit_text(unit))
    if unit == "request_block":
        return text("evidence.claim.blocks", used=used)
    if estimand == "population" and joined and unit != "case":
        return text("evidence.claim.population_one_of_units", used=used, unit=unit_text(unit))
    unit = "pair" if joined else unit
    if estimand == "population" and unit not in ("case", "pair"):
        return text("evidence.claim.population_mean_of_units", used=used, unit=unit_text(unit))
    if estimand == "population":
        return text("evidence.claim.population", used=used, unit=unit_text(unit))
    if census:
        return text("evidence.claim.census", total=total, unit=unit_text(unit))
    return text("evidence.claim.hidden_set", used=used, total=total, unit=unit_text(unit))


def of_seen_groups(claim: Text) -> Text:
    """Restrict a claim about groups of a population to the groups that occur: nothing was seen of others."""
    return text("evidence.claim.seen_groups", claim=claim)


def never_refuted(claim: Text) -> Text:
    """Add to a claim about a measure that is bounded from below only that its criterion cannot be refuted."""
    return text(NEVER_REFUTED, claim=claim)


def not_measured_text() -> Text:
    """Return the text for a criterion without a claim: the whole set has nothing to count."""
    return text("evidence.claim.not_measured")


def unit_text(unit: str) -> Text:
    """Return the unit's name: the known units in the reader's language, a column's name as it is."""
    known = {
        "case": text("evidence.unit.case"),
        "pair": text("evidence.unit.pair"),
        "request_block": text("evidence.unit.request_block"),
        "request": text("evidence.unit.request"),
        "run": text("evidence.unit.run"),
        "repeated_case": text("evidence.unit.repeated_case"),
    }
    return known.get(unit) or text("evidence.unit.named", name=unit)
