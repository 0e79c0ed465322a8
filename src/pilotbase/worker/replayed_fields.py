"""The fields of a report that its records decide: as they are written there, and as they are derived again."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from pilotbase.documents.plan import TrialPlan
from pilotbase.evidence import CriterionDecision
from pilotbase.trial.replaying import Replayed
from pilotbase.trial.stored_records import RecordedFacts

_PARTS = (
    ("records", "root"),
    ("records", "leaves"),
    ("records", "answers"),
    ("order", "commitment"),
    ("order", "nonce"),
    ("order", "secret"),
    ("attempt", "number"),
    ("attempt", "alpha"),
    ("attempt", "alpha_of_all"),
    ("attempt", "scored"),
    ("counts", "scored"),
    ("counts", "answered"),
)
_FIGURES = (
    "rule",
    "outcome",
    "estimate",
    "lower",
    "upper",
    "scored",
    "available",
    "guarantee",
    "threshold",
    "estimand",
    "unit",
    "needed",
)


def said_by(report: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """Yield (field, spelled value) of what a report says and records decide; nothing for what was deleted."""
    for field in ("verdict", "decision", "plan"):
        if report.get(field) is not None:
            yield field, str(report[field])
    for part, field in _PARTS:
        inner = report.get(part)
        if isinstance(inner, dict) and inner.get(field) is not None:
            yield f"{part}.{field}", _spelled(inner[field])
    criteria = report.get("criteria")
    for index, item in enumerate(criteria if isinstance(criteria, list) else []):
        for field in _FIGURES:
            if isinstance(item, dict) and item.get(field) is not None:
                yield f"criteria[{index}].{field}", _spelled(item[field])


def derived_from(plan: TrialPlan, facts: RecordedFacts, replayed: Replayed) -> Iterator[tuple[str, str]]:
    """Yield (field, spelled value) of all that records decide, under the names of the report."""
    decision = replayed.decision
    yield "verdict", replayed.verdict.value
    yield "decision", replayed.digest
    yield "plan", plan.digest()
    values = (
        replayed.root,
        replayed.leaves,
        facts.answers,
        plan.order_commitment,
        plan.nonce,
        facts.order_secret,
        facts.attempt,
        float(decision.levels.accept),
        facts.alpha_of_all,
        decision.scored,
        decision.scored,
        facts.answered,
    )
    for (part, field), value in zip(_PARTS, values, strict=True):
        yield f"{part}.{field}", _spelled(value)
    for index, found in enumerate(decision.criteria):
        for field, figure in zip(_FIGURES, _figures(found), strict=True):
            if figure is not None:
                yield f"criteria[{index}].{field}", _spelled(figure)
    yield "certificate.verdict", replayed.verdict.value
    yield "certificate.plan", plan.digest()
    yield "certificate.attempt", str(facts.attempt)


def _figures(found: CriterionDecision) -> tuple[str | float | int | None, ...]:
    bounds = (found.estimate, found.lower, found.upper)
    # A report has no word of its own for the estimand of a measured run.
    estimand = "hidden_set" if found.estimand == "run" else found.estimand
    about = (float(found.threshold), estimand, found.unit, found.cases_needed)
    return (found.rule, found.verdict, *bounds, found.used, found.total, found.guarantee, *about)


def _spelled(value: object) -> str:
    """Return a figure in six significant digits: the seventeenth differs between machines."""
    return f"{value:.6g}" if isinstance(value, float) else str(value)
