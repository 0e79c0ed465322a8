"""What follows from a plan and how a run ended: error levels, the seed of the order, the verdict.

The scorer and whoever derives its verdict again call the same functions.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence

from pilotbase.documents.limits import EndReason
from pilotbase.documents.plan import TrialPlan
from pilotbase.documents.scenario import Criterion
from pilotbase.documents.vocabularies import Verdict
from pilotbase.evidence import Decision, Levels, attempt_levels, exact


def error_level(criteria: Sequence[Criterion]) -> float:
    """Return α: the strictest criterion's error probability holds for all, so one number speaks for the verdict."""
    return round(1 - max((criterion.confidence for criterion in criteria), default=0.95), 9)


def levels_of(plan: TrialPlan, alpha_of_all: float, attempt: int) -> Levels:
    """Return the levels of an attempt: of the hidden set's α, or of the plan's own where that is stricter."""
    alpha = min(exact(alpha_of_all), exact(error_level(plan.criteria)))
    return attempt_levels(alpha, attempt)


def verdict_at_end(decision: Decision, end: EndReason) -> Verdict:
    """Return the verdict: what broke off is rejected whatever it scored before."""
    return Verdict(decision.verdict) if end is EndReason.FINISHED else Verdict.REJECT


def scoring_seed(plan: TrialPlan, secret: bytes) -> bytes:
    """Return what the order of scoring is drawn from: SHA-256(secret ‖ nonce)."""
    return hashlib.sha256(secret + bytes.fromhex(plan.nonce)).digest()
