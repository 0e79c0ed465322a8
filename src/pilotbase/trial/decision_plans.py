"""The plan of a decision from recorded answers: a frozen plan, a scenario, or a few lines by hand."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from decimal import Decimal
from pathlib import Path

from pilotbase.documents.errors import InputError, Issue
from pilotbase.documents.loading import build_document
from pilotbase.documents.nearest import offer
from pilotbase.documents.plan import DecisionPlan, DecisionPrediction, TrialPlan
from pilotbase.documents.scenario import Scenario
from pilotbase.documents.texts import text
from pilotbase.documents.trial_design import TrialDesign
from pilotbase.documents.yaml_reader import YamlSource, read_yaml
from pilotbase.trial.scenario_folder import MANIFEST
from pilotbase.trial.scoring import error_level, settle_criteria, supplier_level, with_cut

FROZEN = "plan.json"
_DESIGN = re.compile(r"early|full|fixed:([1-9][0-9]{0,8})")


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
