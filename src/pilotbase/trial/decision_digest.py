"""The name of a decision: the same for whoever decides the same records again, on whatever machine."""

from __future__ import annotations

from pilotbase.documents.hashes import Digest, digest_json
from pilotbase.documents.scenario import TrialDesign
from pilotbase.documents.vocabularies import Verdict
from pilotbase.evidence import CriterionDecision, Decision

_FORMAT = "pilotbase decision 1"


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
