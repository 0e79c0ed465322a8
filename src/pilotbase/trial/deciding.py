"""Verdicts from recorded answers alone, with the trial's own engine: anyone can check the guarantees by simulation.

The plan is a frozen one, a scenario's, or a few lines by hand. The order of seed s is
``draw_order(cases, SHA-256("pilotbase trial decide" ‖ " " ‖ s in decimal), units)``; in a trial the seed is the hash of
the operator's secret and the supplier's nonce instead.
"""

from __future__ import annotations

import hashlib
import re
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from fractions import Fraction
from functools import cached_property
from pathlib import Path

import numpy as np

from pilotbase.documents.base import Part
from pilotbase.documents.criteria import Rule, TrialDesign
from pilotbase.documents.errors import InputError, Issue, offer
from pilotbase.documents.hashes import Digest
from pilotbase.documents.loading import build_document
from pilotbase.documents.plan import DecisionPlan, DecisionPrediction, TrialPlan
from pilotbase.documents.progress import OnProgress, Progress, ignore_progress
from pilotbase.documents.scenario import Criterion, Scenario
from pilotbase.documents.texts import Text, text
from pilotbase.documents.vocabularies import Estimand, Verdict
from pilotbase.documents.yaml_reader import YamlSource, read_yaml
from pilotbase.evidence import (
    CriterionPlan,
    Design,
    Levels,
    attempt_levels,
    decide,
    draw_order,
    exact,
    levels_among,
    outcome_of,
)
from pilotbase.measures import RuleContext, is_resource, measures, problems_among, problems_of
from pilotbase.trial.criteria_check import MAXIMUM_GROUPS
from pilotbase.trial.few_labels import GROUP, JudgeScores, decide_few_labels, require_few_label_criteria
from pilotbase.trial.recorded_cases import RecordedCases
from pilotbase.trial.scenario_folder import MANIFEST
from pilotbase.trial.scoring import (
    Ints,
    design_on,
    error_level,
    plan_criterion,
    settle_criteria,
    supplier_level,
    with_cut,
)
from pilotbase.trial.verdict_rules import decision_digest

FROZEN = "plan.json"
_DESIGN = re.compile(r"early|full|fixed:([1-9][0-9]{0,8})")
MAXIMUM_REPEAT = 100_000
_STEPS = 100
_CLAIMS = {Estimand.HIDDEN_SET: "trial.claim.pool", Estimand.POPULATION: "trial.claim.judged_population"}


@dataclass(frozen=True)
class Overrides:
    """Command-line values that replace those of the plan."""

    attempt: int | None = None
    alpha: float | None = None
    design: str | None = None
    """``early``, ``full`` or ``fixed:N``."""
    labels: str | None = None


def read_decision_plan(path: Path, overrides: Overrides = Overrides()) -> DecisionPlan:
    """Return the plan in ``path``: a trial's folder or its ``plan.json``, a scenario, or a `DecisionPlan` by hand.

    Cuts of probabilities are written out in its criteria, and its α is set.

    Raises:
        InputError: every problem of the document at once; or overrides that cannot be used.
    """
    plan = _read(_file(path))
    cut = Decimal(str(plan.decision_threshold))
    criteria = plan.criteria
    if plan.prediction.kind == "probability":
        criteria = tuple(with_cut(criterion, cut) for criterion in criteria)
    alpha = plan.alpha if plan.alpha is not None else error_level(criteria)
    return _overridden(plan.model_copy(update={"criteria": criteria, "alpha": alpha}), overrides)


def _file(path: Path) -> Path:
    if not path.is_dir():
        return path
    return path / (FROZEN if (path / FROZEN).exists() or not (path / MANIFEST).exists() else MANIFEST)


def _read(file: Path) -> DecisionPlan:
    source = read_yaml(file)
    kind = source.value.get("document")
    if kind == "trial-plan/1":
        return _of_frozen(build_document(TrialPlan, source))
    if kind == "scenario/1":
        return _of_scenario(build_document(Scenario, source), source)
    if kind is None:
        source = replace(source, value={"document": "decision-plan/1", **source.value})
    return build_document(DecisionPlan, source)


def _of_frozen(plan: TrialPlan) -> DecisionPlan:
    return DecisionPlan(
        criteria=plan.criteria,
        prediction=DecisionPrediction(
            kind=plan.contract.prediction.kind, classes=plan.contract.prediction.classes, positive=plan.positive
        ),
        decision_threshold=plan.decision_threshold,
        alpha=supplier_level(plan.criteria, plan.suppliers) if plan.suppliers else None,
        design=plan.design,
    )


def _of_scenario(scenario: Scenario, source: YamlSource) -> DecisionPlan:
    if not scenario.criteria:
        raise InputError.from_issues(source.file, [_issue(source, "criteria")])
    return DecisionPlan(
        criteria=settle_criteria(scenario),
        prediction=DecisionPrediction(kind=scenario.contract(()).prediction.kind, positive=scenario.positive),
        decision_threshold=scenario.decision_threshold,
        alpha=supplier_level(scenario.criteria, scenario.trial.suppliers) if scenario.trial.suppliers else None,
        design=scenario.trial.design,
    )


def _issue(source: YamlSource, path: str) -> Issue:
    return Issue(file=source.file, path=path, problem=text("input.missing_field"), line=source.lines.get(path))


def _overridden(plan: DecisionPlan, overrides: Overrides) -> DecisionPlan:
    changes: dict[str, object] = {}
    if overrides.attempt is not None:
        if overrides.attempt < 1:
            raise InputError("evidence.attempt_out_of_range", attempt=overrides.attempt)
        changes["attempt"] = overrides.attempt
    if overrides.alpha is not None:
        if not 0 < overrides.alpha < 1:
            raise InputError("evidence.level_out_of_range", level=overrides.alpha)
        changes["alpha"] = overrides.alpha
    if overrides.design is not None:
        changes["design"] = read_design(overrides.design)
    if overrides.labels is not None:
        if overrides.labels not in (known := ("all", "score")):
            raise InputError("trial.unknown_labels", found=overrides.labels, allowed=offer(overrides.labels, known))
        changes["labels"] = overrides.labels
    return plan.model_copy(update=changes)


def read_design(spelled: str) -> TrialDesign:
    """Return the design that ``early``, ``full`` or ``fixed:N`` spells; raises `InputError`."""
    matched = _DESIGN.fullmatch(spelled.strip())
    if matched is None:
        raise InputError("trial.unknown_design", found=spelled, allowed="early, full, fixed:N")
    return (
        TrialDesign(stop="fixed", cases=int(matched[1]))
        if matched[1]
        else TrialDesign.model_validate({"stop": spelled.strip()})
    )


class CriterionFigures(Part):
    """The result of one criterion; interval, claim and planning only for a single decision."""

    rule: str
    verdict: str
    used: int
    total: int
    """Eligible entries (cases, or units) that entered, and that there are."""
    decided_at: int | None = None
    """After how many scored cases the evidence stood."""
    estimate: float | None = None
    lower: float | None = None
    upper: float | None = None
    estimand: str | None = None
    unit: str | None = None
    guarantee: str | None = None
    claim: Text | None = None
    cases_needed: int | None = None


class SeedDecision(Part):
    """The decision in the order of one seed."""

    seed: int
    verdict: Verdict
    scored: int
    criteria: tuple[CriterionFigures, ...]
    guarantee: str | None = None
    digest: Digest | None = None


class Decisions(Part):
    """What recorded answers decide, in the order of each seed."""

    criteria: tuple[str, ...]
    left_out: tuple[str, ...] = ()
    """Criteria on a measured run: answers alone do not decide them."""
    cases: int
    units: int | None = None
    unit: str = "case"
    alpha: float
    attempt: int
    candidates: int = 1
    level: float
    """Error probability of this decision: α/(j(j+1)), shared among the candidates."""
    design: TrialDesign
    labels: str
    order_seed: int
    repeat: int
    counts: dict[str, int]
    verdicts: tuple[Verdict, ...]
    """One a seed, in order."""
    decisions: tuple[SeedDecision, ...]


def decide_recorded(
    plan: DecisionPlan,
    recorded: RecordedCases,
    order_seed: int = 0,
    repeat: int = 1,
    on_progress: OnProgress = ignore_progress,
) -> Decisions:
    """Return the decisions of ``plan`` on recorded cases for seeds ``order_seed`` … ``order_seed + repeat − 1``.

    Raises:
        InputError: criteria that these cases cannot measure, all at once; no criterion on answers; a bad ``repeat``.
    """
    if not 1 <= repeat <= MAXIMUM_REPEAT:
        raise InputError("trial.repeat_out_of_range", found=repeat, limit=MAXIMUM_REPEAT)
    docket = _Docket.open(plan, recorded)
    found = []
    for number, seed in enumerate(range(order_seed, order_seed + repeat)):
        if repeat > 1 and number % max(1, repeat // _STEPS) == 0:
            on_progress(Progress(text("trial.progress.decide"), number, repeat))
        found.append(docket.decide_at(seed) if repeat == 1 else docket.outcome_at(seed))
    counts = Counter(item.verdict for item in found)
    units = recorded.cases.units
    return Decisions(
        criteria=tuple(criterion.rule for criterion in docket.criteria),
        left_out=docket.left_out,
        cases=len(recorded.cases),
        units=None if units is None else len(np.unique(units)),
        unit=recorded.unit or "case",
        alpha=float(docket.alpha),
        attempt=plan.attempt,
        candidates=plan.candidates,
        level=float(docket.levels.accept),
        design=plan.design,
        labels=plan.labels,
        order_seed=order_seed,
        repeat=repeat,
        counts={verdict.value: counts[verdict] for verdict in Verdict},
        verdicts=tuple(item.verdict for item in found),
        decisions=tuple(found),
    )


def order_of_seed(cases: int, seed: int, units: Ints | None = None) -> Ints:
    """Return the order of scoring for an integer seed; with ``units``, clusters stay together."""
    return draw_order(cases, hashlib.sha256(f"pilotbase trial decide {seed}".encode()).digest(), units)


@dataclass(frozen=True)
class _Docket:
    """Everything about a decision that no order changes."""

    plan: DecisionPlan
    recorded: RecordedCases
    criteria: tuple[Criterion, ...]
    left_out: tuple[str, ...]

    @classmethod
    def open(cls, plan: DecisionPlan, recorded: RecordedCases) -> _Docket:
        on_answers = [item for item in plan.criteria if not is_resource(item.parsed())]
        left_out = tuple(item.rule for item in plan.criteria if is_resource(item.parsed()))
        if not on_answers:
            raise InputError("trial.nothing_on_answers", found=", ".join(left_out))
        if recorded.unit is not None:
            on_answers = [item.model_copy(update={"unit": recorded.unit}) for item in on_answers]
        _require_measurable(on_answers, recorded)
        if recorded.scores is not None:
            require_few_label_criteria(on_answers, recorded.cases)
        return cls(plan, recorded, tuple(on_answers), left_out)

    @property
    def alpha(self) -> Fraction:
        return exact(self.plan.alpha if self.plan.alpha is not None else 0.05)

    @property
    def levels(self) -> Levels:
        return levels_among(attempt_levels(self.alpha, self.plan.attempt), self.plan.candidates)

    def design(self, order: Ints) -> Design:
        # The tests as they read labels one after another, also of a claim about the hidden cases.
        return design_on(self.criteria, self.recorded.cases, order, self.plan.design, known=False)

    def decide_at(self, seed: int) -> SeedDecision:
        order = self._order(seed)
        if self.recorded.scores is not None:
            return self._judged(seed, self._judge(bounded=True), order)
        decision = decide(self._plans(order), order, self.levels, self.design(order))
        verdict = Verdict(decision.verdict)
        return SeedDecision(
            seed=seed,
            verdict=verdict,
            scored=decision.scored,
            criteria=tuple(CriterionFigures.model_validate(found, from_attributes=True) for found in decision.criteria),
            guarantee=decision.guarantee,
            digest=decision_digest(decision, self.plan.design, verdict),
        )

    def outcome_at(self, seed: int) -> SeedDecision:
        order = self._order(seed)
        if self.recorded.scores is not None:
            return self._judged(seed, self._judge(bounded=False), order)
        found = outcome_of(self._plans(order), order, self.levels, self.design(order))
        criteria = zip(self.criteria, found.criteria, strict=True)
        return SeedDecision(
            seed=seed,
            verdict=Verdict(found.verdict),
            scored=found.scored,
            criteria=tuple(CriterionFigures(rule=criterion.rule, **vars(item)) for criterion, item in criteria),
        )

    def _judge(self, bounded: bool) -> JudgeScores:
        assert self.recorded.scores is not None
        return JudgeScores(self.recorded.scores, exact(self.plan.judge_weight), self.plan.judge_group or GROUP, bounded)

    def _judged(self, seed: int, judge: JudgeScores, order: Ints) -> SeedDecision:
        found = decide_few_labels(self.criteria, self.recorded, judge, order, self.levels, self.plan.design.cases)
        counts = {"used": found.labels, "total": len(self.recorded.cases)}
        pool = {**counts, "unit": "case", "guarantee": "exact_anytime"}
        return SeedDecision(
            seed=seed,
            verdict=found.verdict,
            scored=found.labels,
            criteria=tuple(
                CriterionFigures(
                    rule=criterion.rule,
                    estimand=criterion.estimand.value,
                    claim=text(_CLAIMS[criterion.estimand], **counts),
                    **pool,
                    **vars(item),
                )
                for criterion, item in zip(self.criteria, found.criteria, strict=True)
            ),
            guarantee="exact_anytime",
        )

    def _order(self, seed: int) -> Ints:
        return order_of_seed(len(self.recorded.cases), seed, self.recorded.cases.units)

    def _plans(self, order: Ints) -> list[CriterionPlan]:
        """Return the criteria observed; those that no order changes are observed once."""
        pairs = zip(self.criteria, self._observed, strict=True)
        return [self._observe(criterion, order) if once is None else once for criterion, once in pairs]

    @cached_property
    def _observed(self) -> list[CriterionPlan | None]:
        """Return what no order changes; None for pairs of cases of a population."""
        order = np.arange(len(self.recorded.cases), dtype=np.int64)
        return [
            None
            if measures()[criterion.parsed().measure].pooled and criterion.estimand is Estimand.POPULATION
            else self._observe(criterion, order)
            for criterion in self.criteria
        ]

    def _observe(self, criterion: Criterion, order: Ints) -> CriterionPlan:
        """Return the criterion observed, with its share of α_rej as in a trial that also has the omitted criteria."""
        plan = plan_criterion(criterion, self.recorded.cases, order)
        share = Fraction(len(self.criteria), len(self.criteria) + len(self.left_out))
        return replace(plan, levels=Levels(self.levels.accept, self.levels.reject * share))


def _require_measurable(criteria: Sequence[Criterion], recorded: RecordedCases) -> None:
    cases = recorded.cases
    columns, has_baseline = frozenset((*cases.groups, *cases.given)), cases.baseline is not None
    setting = RuleContext(cases.kind, cases.classes, cases.positive, columns, has_baseline)
    issues = list(_problems(criteria, setting, recorded))
    if issues:
        raise InputError.from_issues("criteria", issues)


def _problems(criteria: Sequence[Criterion], setting: RuleContext, recorded: RecordedCases) -> Iterator[Issue]:
    rules = [criterion.parsed() for criterion in criteria]
    found = [
        (index, problem)
        for index, (rule, criterion) in enumerate(zip(rules, criteria, strict=True))
        if rule.under is None  # requirements of perturbations on features were checked when the answers were recorded
        for problem in problems_of(rule, replace(setting, estimand=criterion.estimand.value))
    ]
    for index, problem in (*found, *problems_among(rules), *_too_many_groups(rules, recorded)):
        yield Issue(file="plan", path=f"criteria[{index}].rule", problem=problem)


def _too_many_groups(rules: Sequence[Rule], recorded: RecordedCases) -> Iterator[tuple[int, Text]]:
    for index, rule in enumerate(rules):
        allowed = MAXIMUM_GROUPS.get(rule.wrapper or "", 0)
        if rule.by is None or rule.by not in recorded.cases.groups:
            continue
        found = len(np.unique(recorded.cases.groups[rule.by]))
        if found > allowed:
            yield index, text("trial.groups_counted", rule=str(rule), column=rule.by, found=found, allowed=allowed)
