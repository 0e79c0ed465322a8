"""Verdicts with guarantees: martingales, confidence sequences, sequential decisions, attempts.

Usage in a trial::

    order = draw_order(cases, seed, units)               # after the answers are committed
    levels = attempt_levels(Fraction(5, 100), attempt=1)  # α_j = α / (j (j + 1))
    plans = [CriterionPlan(rule="recall(failure) >= 0.90", observation=observe(...), comparison=">=",
                           threshold=Fraction("0.90"), estimand="hidden_set", unit="case"), ...]
    decision = decide(plans, order, levels, Design(stop="early"))
    decision.verdict                 # accept | reject | inconclusive
    decision.scored                  # how many of the cases were scored for it
    decision.criteria[0].verdict     # pass | fail | inconclusive | not_measured
    decision.criteria[0].lower, .upper, .path, .claim, .guarantee, .cases_needed

``observation`` is any object with the attributes of `MeasuredCases`; the results of `pilotbase.measures.observe` have
them. Before a plan is frozen, `feasibility_of` reports whether the given number of cases can decide a criterion at all,
and how many would: pass it the same `CriterionPlan`, observed on the baseline's answers.

The primitives underneath take values in batches of any size, and can be stored and resumed (`Primitive`)::

    sequence = ConfidenceSequence(0.05, limits=(0, 1), size=10_000)
    sequence.update(values)          # Bounds, valid at every time at once
    stored = asdict(sequence.state)  # plain numbers: JSON
    ConfidenceSequence(0.05, (0, 1), 10_000, state=state_from(SequenceState, stored))
"""

from pilotbase.evidence.confidence_sequence import ConfidenceSequence
from pilotbase.evidence.decision import (
    CriterionDecision,
    CriterionOutcome,
    Decision,
    Verdict,
    decide,
    estimate_of,
    outcome_of,
    verdict_of,
)
from pilotbase.evidence.ladder import Ladder
from pilotbase.evidence.martingale import MeanMartingale
from pilotbase.evidence.monitoring import LifeRestart, ShiryaevRoberts, WeightedRestart
from pilotbase.evidence.observations import Comparison, draw_order, one_of_each
from pilotbase.evidence.planning import cases_to_confirm_at_best, feasibility_of
from pilotbase.evidence.plans import (
    CriterionPlan,
    Design,
    Estimand,
    Levels,
    attempt_levels,
    attempt_of,
    exact,
    levels_among,
    unit_text,
)
from pilotbase.evidence.prediction_powered import JudgedPool, PredictionPowered, PredictionPoweredSequence
from pilotbase.evidence.recalculated import RecalculatedBets

__all__ = [
    "Comparison",
    "ConfidenceSequence",
    "CriterionDecision",
    "CriterionOutcome",
    "CriterionPlan",
    "Decision",
    "Design",
    "Estimand",
    "JudgedPool",
    "Ladder",
    "Levels",
    "LifeRestart",
    "MeanMartingale",
    "PredictionPowered",
    "PredictionPoweredSequence",
    "RecalculatedBets",
    "ShiryaevRoberts",
    "Verdict",
    "WeightedRestart",
    "attempt_levels",
    "attempt_of",
    "cases_to_confirm_at_best",
    "decide",
    "draw_order",
    "estimate_of",
    "exact",
    "feasibility_of",
    "levels_among",
    "one_of_each",
    "outcome_of",
    "unit_text",
    "verdict_of",
]
