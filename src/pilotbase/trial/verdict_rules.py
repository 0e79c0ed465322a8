"""Rules that follow from a plan and how a run ended: levels, order seed, verdict, the decision's name.

The scorer and a replay call the same functions.
"""

from __future__ import annotations

import hashlib
from dataclasses import replace
from typing import Literal

from pilotbase.documents.board import TenderPlan
from pilotbase.documents.criteria import TrialDesign
from pilotbase.documents.hashes import Digest, digest_json
from pilotbase.documents.limits import EndReason
from pilotbase.documents.plan import TrialPlan
from pilotbase.documents.vocabularies import Verdict
from pilotbase.evidence import CriterionDecision, Decision, Design, Levels, attempt_levels, exact
from pilotbase.measures import Cases
from pilotbase.trial.performance import Load
from pilotbase.trial.probes import measured, rejects
from pilotbase.trial.scoring import Ints, design_on, error_level, judge

_FORMAT = "pilotbase decision 1"
Rule = Literal["described", "stopped", "first_cases"]
"""By which version's rule: figures are of all cases; of those before the stop; and before that, the first cases could
decide about all hidden ones too."""


def levels_of(plan: TrialPlan, alpha_of_all: float, attempt: int) -> Levels:
    """Return the levels of an attempt: of the hidden set's α, or of the plan's own where that is stricter."""
    alpha = min(exact(alpha_of_all), exact(error_level(plan.criteria)))
    return attempt_levels(alpha, attempt, len(plan.suppliers or ()))


def judge_plan(
    plan: TrialPlan, cases: Cases, order: Ints, levels: Levels, load: Load, rule: Rule = "described"
) -> Decision:
    """Return the decision of ``plan`` on ``cases`` scored in ``order``, and on the run's ``load``.

    ``rule``: by which an older report was decided.
    """
    design = design_on(plan.criteria, cases, order, plan.design)
    if rule == "first_cases":
        design = Design(plan.design.stop, plan.design.cases)
    elif rule == "stopped":
        design = replace(design, described=False)
    return judge(plan.criteria, cases, order, levels, measured(load), design)


def verdict_at_end(decision: Decision, end: EndReason, load: Load) -> Verdict:
    """Return the verdict: a run that broke off, or whose answers depend on other cases, is rejected at any score."""
    return Verdict.REJECT if end is not EndReason.FINISHED or rejects(load) else Verdict(decision.verdict)


def scoring_seed(plan: TrialPlan | TenderPlan, secret: bytes) -> bytes:
    """Return the seed of the scoring order: SHA-256(secret ‖ nonce)."""
    return hashlib.sha256(secret + bytes.fromhex(plan.nonce)).digest()


def decision_digest(decision: Decision, design: TrialDesign, verdict: Verdict) -> Digest:
    """Return the SHA-256 of the canonical JSON of a decision: verdict, levels, counts, and each criterion's figures.

    Levels are exact fractions and figures six significant digits, as text: `log` and `exp` of different machines differ
    in the sixteenth digit, which no six digits show. ``verdict`` is the trial's, which also knows how the run ended.
    """
    return digest_json(
        {
            "format": _FORMAT,
            "verdict": verdict.value,
            "design": design.to_json_value(),
            "levels": {"accept": str(decision.levels.accept), "reject": str(decision.levels.reject)},
            "cases": decision.total,
            "scored": decision.scored,
            **({} if decision.decided == decision.scored else {"decided": decision.decided}),
            "criteria": [_criterion(found) for found in decision.criteria],
        }
    )


def _criterion(found: CriterionDecision) -> dict[str, str | int | None]:
    return {
        "rule": found.rule,
        "verdict": found.verdict,
        "estimand": found.estimand,
        "unit": found.unit,
        "guarantee": found.guarantee,
        "used": found.used,
        "total": found.total,
        "decided_at": found.decided_at,
        "estimate": _spelled(found.estimate),
        "lower": _spelled(found.lower),
        "upper": _spelled(found.upper),
    }


def _spelled(figure: float | None) -> str | None:
    return None if figure is None else f"{figure + 0.0:.6g}"
