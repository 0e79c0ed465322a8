"""Verdicts with guarantees: martingales, confidence sequences, sequential decisions, attempts.

The trial's way through this room::

    order = draw_order(cases, seed, units)               # after the answers are committed
    levels = attempt_levels(Fraction(5, 100), attempt=1)  # α_j = α / (j (j + 1))
    plans = [CriterionPlan(rule="recall(failure) >= 0.90", observation=observe(...), comparison=">=",
                           threshold=Fraction("0.90"), estimand="hidden_set", unit="case"), ...]
    decision = decide(plans, order, levels, Design(stop="early"))
    decision.verdict                 # accept | reject | inconclusive
    decision.scored                  # how many of the cases were scored for it
    decision.criteria[0].verdict     # pass | fail | inconclusive | not_measured
    decision.criteria[0].lower, .upper, .path, .claim, .guarantee, .cases_needed

``observation`` is any object with the attributes of `Observation`; those of `pilotbase.measures.observe` have them.
Before a plan is frozen, `feasibility_of` says whether so few cases can decide a criterion at all, and how many would:
give it the same `CriterionPlan`, observed on the baseline's answers.
"""

from pilotbase.evidence.attempts import Levels, attempt_levels, exact
from pilotbase.evidence.claims import (
    Estimand,
    Guarantee,
    unit_text,
)
from pilotbase.evidence.decision import (
    CriterionDecision,
    CriterionOutcome,
    CriterionVerdict,
    Decision,
    Outcome,
    Verdict,
    decide,
    outcome_of,
    verdict_of,
)
from pilotbase.evidence.feasibility import Feasibility, feasibility_of
from pilotbase.evidence.intervals import PathPoint
from pilotbase.evidence.martingale import MartingaleState, MeanMartingale
from pilotbase.evidence.observations import Comparison, Form, Observation, Part
from pilotbase.evidence.order import draw_order
from pilotbase.evidence.planning import cases_to_confirm_at_best
from pilotbase.evidence.plans import CriterionPlan, Design, levels_among
from pilotbase.evidence.quantiles import quantile_bounds, quantile_estimate, time_blocks

__all__ = [
    "Comparison",
    "CriterionDecision",
    "CriterionOutcome",
    "CriterionPlan",
    "CriterionVerdict",
    "Decision",
    "Design",
    "Estimand",
    "Feasibility",
    "Form",
    "Guarantee",
    "Levels",
    "MartingaleState",
    "MeanMartingale",
    "Observation",
    "Outcome",
    "Part",
    "PathPoint",
    "Verdict",
    "attempt_levels",
    "cases_to_confirm_at_best",
    "decide",
    "draw_order",
    "exact",
    "feasibility_of",
    "levels_among",
    "outcome_of",
    "quantile_bounds",
    "quantile_estimate",
    "time_blocks",
    "unit_text",
    "verdict_of",
]
