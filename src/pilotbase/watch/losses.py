"""A criterion of a certificate as a loss in [0, 1] of every case, with the risk r0 that was accepted.

The criterion is linearised at its threshold exactly as in the trial (`pilotbase.evidence.lattice`): *measure ≥ c* is
*the values average at least m*, over values in [low, high]; the loss (high - value)/(high - low) then has a mean of at
most r0 = (high - m)/(high - low). The threshold is first moved by the tolerance, a share of the measure's range.

A case without a label gets the truth that speaks best for the application: whatever decides which labels come, the
loss is never above the true one, so the promise on red holds. For certifying a
missing answer counts against the application, and so it does here once it was asked: an abstention costs what it cost
in the trial, or r0 would not be the risk that was accepted.

The truths that could speak best for an answer, for cases whose label never came. Of a class all are looked at. Of other
kinds it is what was answered, said by the label, too; where less or nothing may be wanted (a ranking, a question to be
refused, an abstention), also that.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from fractions import Fraction
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pilotbase.certificate.status import IssuedCertificate
from pilotbase.documents.criteria import Rule, parse_rule
from pilotbase.documents.hashes import Digest
from pilotbase.documents.observation import Scalar
from pilotbase.documents.plan import TrialPlan
from pilotbase.documents.service import CertifiedRoute, Route, Service, ServiceStatus
from pilotbase.documents.subjects import standing_head
from pilotbase.documents.texts import Text, text
from pilotbase.documents.watch import Watch, WatchedRisk, WatchTerms
from pilotbase.evidence.lattice import MeanClaim, claim_at_least, claim_at_most, stream_of
from pilotbase.evidence.primitive import Floats
from pilotbase.measures import Cases, MeasurePart, RuleContext, is_resource, measures, observe, problems_of
from pilotbase.measures.rules import given_columns
from pilotbase.trial.sealed import SealedScenario
from pilotbase.watch.labels import LabelledPack
from pilotbase.watch.packs import Pack, moment_of
from pilotbase.watch.scoring import cases_from, cases_of_answers, rows_for_risk
from pilotbase.workspace.failures import NotFoundError
from pilotbase.workspace.store import View

_LATENCY = re.compile(r"latency\.p(\d+)")


@dataclass(frozen=True)
class Promised:
    """An application of the service, and the plan on which it was accepted."""

    certificate: Digest
    version: Digest
    """Digest of the application."""
    plan: TrialPlan
    may_miss: frozenset[str] = frozenset()
    """Fields that lacked a value somewhere in the data of the trial."""
    expires_at: datetime | None = None
    """When the certificate ends."""

    @property
    def setting(self) -> RuleContext:
        """Return what a service offers to criteria: the answers, and as columns what it is asked with."""
        return setting_of(self.plan)


@dataclass(frozen=True)
class LatencyPromise:
    """So many milliseconds at most, for this share of calls."""

    milliseconds: float
    quantile: float


def setting_of(plan: TrialPlan) -> RuleContext:
    """Return what a service that was accepted on ``plan`` offers to criteria."""
    prediction, features = plan.contract.prediction, plan.contract.features
    columns = frozenset(field.name for field in features)
    return RuleContext(prediction.kind, prediction.classes, plan.positive, columns, features=features)


def settings_of(view: View, service: Service) -> tuple[RuleContext, ...]:
    """Return the setting of each version of ``service``; none where one is an endpoint, or its plan is not seen."""
    routes = [route for route in service.routes if isinstance(route, CertifiedRoute)]
    if len(routes) < len(service.routes):
        return ()
    try:
        return tuple(setting_of(view.load(route.plan, TrialPlan)) for route in routes)
    except NotFoundError:
        return ()


def promised_of(view: View, service: Service) -> Promised | None:
    """Return what the route that answers now promises; None where no certificate accepts it.

    Raises:
        NotFoundError: the actor does not see certificate or plan.
    """
    return _promise(view, service.routes[_answering(view, service)])


def promised_to(view: View, service: Service, watch: Watch) -> Promised | None:
    """Return the promise that ``watch`` was made of, whatever answers now; raises as `promised_of`."""
    routes = [route for route in service.routes if isinstance(route, CertifiedRoute)]
    named = next((route for route in routes if route.certificate == watch.certificate), None)
    return None if named is None else _promise(view, named)


def _answering(view: View, service: Service) -> int:
    head = standing_head(service.name)
    found = view.named([head]).get(head)
    return 0 if found is None else min(found.load(ServiceStatus).route, len(service.routes) - 1)


def _promise(view: View, route: Route) -> Promised | None:
    if not isinstance(route, CertifiedRoute):
        return None
    issued = view.load(route.certificate, IssuedCertificate)
    if not issued.certificate.accepts:
        return None
    plan = view.load(route.plan, TrialPlan)
    if plan.release is not None:
        raise NotFoundError("site.no_watch", application=route.application.name)
    sealed = view.load(plan.sealed, SealedScenario)
    ends = issued.certificate.expires_at
    return Promised(route.certificate, route.application.digest, plan, frozenset(sealed.may_miss), ends)


def latency_promised(plan: TrialPlan) -> LatencyPromise | None:
    """Return the strictest bound on a quantile of latency among the criteria of ``plan``, or None."""
    found = [_latency(rule) for rule in (criterion.parsed() for criterion in plan.criteria) if is_resource(rule)]
    return min((one for one in found if one is not None), key=lambda one: one.milliseconds, default=None)


def _latency(rule: Rule) -> LatencyPromise | None:
    """Return the bound that a rule such as ``latency.p95 <= 250 ms`` sets."""
    named = _LATENCY.fullmatch(rule.measure)
    if named is None or rule.comparison != "<=":
        return None
    digits = named.group(1)
    return LatencyPromise(float(rule.threshold) * 1000, int(digits) / 10 ** len(digits))


Flags = NDArray[np.bool_]
_FINE = 10**9
Truths = NDArray[Any]


@dataclass(frozen=True, eq=False)
class Losses:
    """Losses of cases in their order, shape (cases,); NaN: the case does not count (no positive, for a recall)."""

    values: Floats
    groups: NDArray[np.str_] | None = None
    """The group of each case, where each group is watched by itself."""
    periods: Floats | None = None
    """Beside the last loss of a period (and group) the mean of its losses; else NaN."""

    def among(self, rows: slice) -> Losses:
        """Return these rows."""
        groups = None if self.groups is None else self.groups[rows]
        return Losses(self.values[rows], groups, None if self.periods is None else self.periods[rows])


@dataclass(frozen=True)
class WatchedLoss:
    """The loss of one criterion; ``r0`` is the largest mean that is still within what was accepted."""

    rule: Rule
    setting: RuleContext
    bound: Fraction
    """The threshold after the tolerance."""
    r0: float

    def of(self, cases: Cases, labelled: Flags | None = None) -> Losses:
        """Return the loss of each case; where ``labelled`` is false the truth in ``cases`` is not looked at."""
        known = np.ones(len(cases), dtype=np.bool_) if labelled is None else labelled
        values = np.full(len(cases), np.nan)
        values[known] = self._each(cases.among(np.flatnonzero(known)))
        values[~known] = self._best(cases.among(np.flatnonzero(~known)))
        groups = None if self.rule.by is None else np.asarray(cases.groups[self.rule.by]).astype(np.str_)
        return Losses(values, groups)

    def _best(self, cases: Cases) -> Floats:
        """Return the smallest loss that any truth could give; not counting is worth r0."""
        best = np.full(len(cases), np.inf)
        for truth in _possible_truths(cases):
            losses = self._each(replace(cases, truth=truth))
            best = np.minimum(best, np.where(np.isnan(losses), self.r0, losses))
        return np.where(best == self.r0, np.nan, best)

    def predicted(self, cases: Cases) -> Floats | None:
        """Return the mean loss of each case by the probabilities of its answer; None: it has none, or may not count."""
        if self.rule.by is not None or cases.kind not in ("probability", "probabilities"):
            return None
        chances = _chances(cases)
        each = [self._each(replace(cases, truth=truth)) for truth in _possible_truths(cases)]
        losses = np.stack(each, axis=1)
        found: Floats = (np.where(np.isfinite(chances), chances, 1 / chances.shape[1]) * losses).sum(axis=1)
        return None if np.isnan(losses).any() else found

    def _each(self, cases: Cases) -> Floats:
        part = _part(self.rule, cases)
        claim = _claim(self.rule, part, self.bound)
        losses = np.full(len(cases), np.nan)
        losses[part.weight != 0] = (claim.high - claim.values) / (claim.high - claim.low)
        return losses


def promised_loss(
    rule: str, setting: RuleContext, tolerance: float, unit: str = "case", watched_unit: str | None = None
) -> WatchedLoss | Text:
    """Return the loss of ``rule``, or why it cannot be watched with a promise.

    ``unit``: of the criterion in the plan; ``watched_unit``: of the watch. ``tolerance``: by how much worse than
    accepted is still no alarm, as a share of the measure's range (of [0, 1] for a share of cases, of the cap for an
    error).
    """
    parsed = parse_rule(rule)
    reason = _reason_against(parsed, setting, "case" if unit == watched_unit else unit)
    if reason is not None:
        return reason
    part = _part(parsed, _no_cases(parsed, setting))
    bound = _with_tolerance(parsed, part, Fraction(tolerance).limit_denominator(_FINE))
    claim = _claim(parsed, part, bound)
    if claim.mean <= claim.low:
        return text("detector.always_met", rule=rule)
    if claim.mean >= claim.high:
        return text("detector.no_room", rule=rule)
    r0 = float((claim.high - claim.mean) / (claim.high - claim.low))
    return WatchedLoss(parsed, setting, bound, r0)


def watched_risks(losses: Sequence[WatchedLoss], terms: WatchTerms, periods: int) -> tuple[WatchedRisk, ...]:
    """Return the criteria for a watch that promises what ``terms`` say over all of them together."""
    count = max(len(losses), 1)
    shared = {"alpha": terms.alpha / count, "early": terms.early * count, "red_by": terms.red_by, "periods": periods}
    return tuple(WatchedRisk(criterion=str(loss.rule), r0=loss.r0, **shared) for loss in losses)


def latency_losses(milliseconds: Floats, limit: float) -> Losses:
    """Return 1 for a call above ``limit``; NaN (no answer, timed out) is above every limit."""
    return Losses(np.where(milliseconds <= limit, 0.0, 1.0))


def losses_where(bad: Flags) -> Losses:
    """Return 1 for each case that is bad."""
    return Losses(bad.astype(np.float64))


def _chances(cases: Cases) -> Floats:
    """Return the chance of each class that answers state, shape (cases, classes)."""
    answers = cases.answers.astype(np.float64)
    if cases.kind == "probabilities":
        return answers
    positive = cases.classes.index(cases.positive) if cases.positive is not None else len(cases.classes) - 1
    chances = np.repeat(1 - answers[:, None], len(cases.classes), axis=1)
    chances[:, positive] = answers
    return chances


def _possible_truths(cases: Cases) -> Sequence[Truths]:
    """Return arrays of truths, each of as many cases, coded as measures read them."""
    kind, answers = cases.kind, cases.answers
    if kind in ("label", "probability", "probabilities"):
        return [np.full(len(cases), code, dtype=np.int64) for code in range(len(cases.classes))]
    if kind in ("value", "interval"):
        numbers = answers.astype(np.float64)
        middle = numbers if kind == "value" else numbers.mean(axis=1)
        return [np.where(np.isfinite(middle), middle, 0.0)]
    if kind == "labels":
        return [np.maximum(answers, 0)]
    if kind == "episode":
        return [cases.truth]  # its outcomes already speak best: `transcripts_told`
    if kind == "ranking":
        return [answers, answers[:, :1]]
    if kind == "text":
        return [_each(answers, lambda text: text, ""), np.full(len(cases), None, dtype=object)]
    if kind == "boxes":
        return [_each(answers, lambda boxes: boxes[:, :5], np.zeros((0, 5)))]
    return [_each(answers, lambda mask: mask, np.zeros((0, 0), dtype=np.uint8))]


@dataclass(frozen=True, eq=False)
class CohortLosses:
    """The losses of each criterion, all in the same order, with when each case was answered."""

    losses: Sequence[Losses]
    at: Sequence[int]
    known: Flags
    """Which of the cases have a label that can be read; the others count as correct."""
    by_case: Sequence[Losses] = ()
    """The losses of single cases, before those of a unit are averaged."""
    units: NDArray[np.str_] | None = None
    """The unit of each case, where the watch knows units."""

    @property
    def labelled(self) -> int:
        """Return how many cases have a label that can be read."""
        return int(self.known.sum())


def losses_of(
    packs: Iterable[LabelledPack], promised: Promised, criteria: Sequence[WatchedLoss], watch: Watch
) -> CohortLosses:
    """Return what a cohort, which is one period, says about each of ``criteria``, as ``watch`` looks at it."""
    keys: list[bytes] = []
    at: list[int] = []
    units: list[str] = []
    labelled: list[Flags] = []
    parts: list[list[Losses]] = [[] for _ in criteria]
    by, given = columns_read(criteria)
    for one in packs:
        rows = rows_for_risk(one.pack, promised.version)
        if not rows:
            continue
        pack = one.pack.among(rows)
        cases, known = cases_of_answers(pack, [one.labels[row] for row in rows], promised.setting, by, given)
        for part, loss in zip(parts, criteria, strict=True):
            part.append(loss.of(cases, known))
        keys += [one.keys[row] for row in rows]
        at += pack.at
        units += [] if watch.unit is None else _units(pack, watch.unit)
        labelled.append(known)
    order = np.array(sorted(range(len(keys)), key=keys.__getitem__), dtype=np.int64)
    of_units = np.array(units)[order] if units else None
    expected = expected_share(watch.season, moment_of(at[0])) if at else 1.0
    by_case = [_ordered(part, order) for part in parts]
    losses = [in_period(one, of_units, expected) for one in by_case]
    known = np.concatenate(labelled)[order] if labelled else np.zeros(0, dtype=np.bool_)
    return CohortLosses(losses, [at[row] for row in order], known, by_case, of_units)


def columns_read(criteria: Sequence[WatchedLoss]) -> tuple[frozenset[str], frozenset[str]]:
    """Return the columns of groups, and those that measures read."""
    by = frozenset(loss.rule.by for loss in criteria if loss.rule.by is not None)
    return by, frozenset(name for loss in criteria for name in given_columns(loss.rule))


def _units(pack: Pack, column: str) -> list[str]:
    """Return the unit of each case; one that names none is a unit by itself."""
    named = pack.inputs.get(column, [None] * len(pack))
    return [f"case {case}" if unit is None else f"unit {unit}" for case, unit in zip(pack.ids, named, strict=True)]


def in_period(losses: Losses, units: NDArray[np.str_] | None, expected: float = 1.0) -> Losses:
    """Return the losses of one period, divided by its season's factor, with their mean beside the last of each group.

    Of cases of one unit only the last still counts, with their mean.
    """
    values, periods = losses.values / expected, np.full(len(losses.values), np.nan)
    groups = np.zeros(len(values), dtype=np.int64) if losses.groups is None else _codes(losses.groups)
    if units is not None:
        both = groups * (len(units) + 1) + _codes(units)
        for rows in _together(both, values):
            mean = float(values[rows].mean())
            values[rows] = np.nan
            values[rows[-1]] = mean
    for rows in _together(groups, values):
        periods[rows[-1]] = values[rows].mean()
    return Losses(values, losses.groups, periods)


def expected_share(season: Sequence[float], at: datetime) -> float:
    """Return the factor of a season at a moment: by weekday or by month, in UTC."""
    return season[at.weekday() if len(season) == 7 else at.month - 1] if season else 1.0


def _codes(words: NDArray[np.str_]) -> NDArray[np.int64]:
    return np.unique(words, return_inverse=True)[1].astype(np.int64)


def _together(codes: NDArray[np.int64], values: Floats) -> list[NDArray[np.intp]]:
    """Return the rows of each code that count, in their order."""
    counted = np.flatnonzero(~np.isnan(values))
    order = counted[np.argsort(codes[counted], kind="stable")]
    return [rows for rows in np.split(order, np.flatnonzero(np.diff(codes[order])) + 1) if len(rows)]


def _reason_against(rule: Rule, setting: RuleContext, unit: str) -> Text | None:
    """Return why ``rule`` has no bound case by case in a stream; None when it has."""
    if is_resource(rule):
        return text("detector.of_a_run", rule=rule)
    if rule.wrapper == "gap":
        return text("detector.gap", rule=rule)
    if rule.wrapper == "drop" or rule.under is not None:
        return text("detector.drop", rule=rule)
    if unit != "case":
        return text("detector.cases_belong_together", rule=rule, unit=unit)
    problems = problems_of(rule, setting)
    if problems:
        return text("detector.rule_problem", rule=rule, problem=problems[0])
    measure = measures()[rule.measure]
    if rule.wrapper == "lift" or measure.needs_baseline:
        return text("detector.needs_baseline", rule=rule)
    return None if measure.by_case and not measure.pooled else text("detector.of_all_cases", rule=rule)


def _no_cases(rule: Rule, setting: RuleContext) -> Cases:
    groups: dict[str, list[Scalar]] = {} if rule.by is None else {rule.by: []}
    return cases_from([], [], setting, groups, {name: [] for name in given_columns(rule)})


def _part(rule: Rule, cases: Cases) -> MeasurePart:
    """Return what is observed of each case; a group is looked at case by case as the whole is.

    As of a population: what a case can weigh is bounded by the measure and not by the cases that happen to be there.
    """
    (part,) = observe(rule.plain, cases, np.arange(len(cases), dtype=np.int64), "population").parts
    return part


def _claim(rule: Rule, part: MeasurePart, bound: Fraction) -> MeanClaim:
    stream = stream_of(part, np.arange(len(part.gain), dtype=np.int64), None)
    make = claim_at_least if rule.comparison == ">=" else claim_at_most
    return make(stream, bound**part.root / part.unit)


def _with_tolerance(rule: Rule, part: MeasurePart, tolerance: Fraction) -> Fraction:
    """Return the threshold, ``tolerance`` of the measure's range worse; never beyond the range."""
    ratios = [part.unit * Fraction(gain, weight) for gain, weight in part.outcomes if weight]
    low, high = (_root(end, part.root) for end in (min(ratios), max(ratios)))
    threshold, moved = Fraction(rule.threshold), tolerance * (high - low)
    return max(threshold - moved, low) if rule.comparison == ">=" else min(threshold + moved, high)


def _root(value: Fraction, root: int) -> Fraction:
    return value if root == 1 else Fraction(math.sqrt(value)).limit_denominator(_FINE)


def _each(answers: Truths, truth: Any, nothing: Any) -> Truths:
    found = np.empty(len(answers), dtype=object)
    for row, answer in enumerate(answers.tolist()):
        found[row] = nothing if answer is None else truth(answer)
    return found


def _ordered(parts: Sequence[Losses], order: NDArray[np.int64]) -> Losses:
    if not parts:
        return Losses(np.zeros(0))
    values = np.concatenate([part.values for part in parts])[order]
    groups = [part.groups for part in parts if part.groups is not None]
    return Losses(values, np.concatenate(groups)[order] if groups else None)
