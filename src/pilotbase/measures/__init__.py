"""Measures: formulas with name, source, direction and bounds, and what each observes per case.

Usage in a trial::

    rule = parse_rule("gap(recall(failure) by site) <= 0.05")        # pilotbase.documents.criteria
    problems_of(rule, Setting(kind, classes, positive, columns))      # before the freeze: all problems, as texts
    problems_among(rules)                                             # which rules need another criterion beside them
    cases = Cases(truth, answers, groups, units, baseline, classes, positive, kind)
    observe(rule, cases, order, estimand)     # -> Observation, can be passed to evidence.CriterionPlan unchanged
    score(rule, cases)                        # -> float, or None: 0/0 is *not measured*
    spoken(rule)                              # -> Text: the measure in words
    plainly(rule, found)                      # -> Text: what a score of it means, for an owner
    is_resource(rule)                         # latency, memory, throughput, cpu: judged on a run
    observe_run(rule, Run(latencies, cases=n, wall_seconds=...))

A measure is a ratio of integer sums, Σ gain / Σ weight, which `pilotbase.evidence` linearises at any threshold. An
abstention (-1, NaN) takes the value that is worst for the criterion. Packages add measures as `MeanScore` objects
under the entry point group ``pilotbase.measures``.
"""

from pilotbase.measures.cases import Cases, Kind, coded
from pilotbase.measures.definition import Measure
from pilotbase.measures.observation import MeasurePart, Observation
from pilotbase.measures.registry import (
    MeanScore,
    is_per_hundred,
    known_names,
    may_lack_truth,
    measure_named,
    measures,
    plainly,
    resource_measures,
    spoken,
)
from pilotbase.measures.resources import ResourceMeasure, RunMeasurements
from pilotbase.measures.rules import (
    RuleContext,
    is_resource,
    measures_the_run,
    mistake_problems,
    observe,
    observe_run,
    problems_among,
    problems_of,
    score,
)

__all__ = [
    "Cases",
    "Kind",
    "MeanScore",
    "Measure",
    "MeasurePart",
    "Observation",
    "ResourceMeasure",
    "RuleContext",
    "RunMeasurements",
    "coded",
    "is_per_hundred",
    "is_resource",
    "known_names",
    "may_lack_truth",
    "measure_named",
    "measures",
    "measures_the_run",
    "mistake_problems",
    "observe",
    "observe_run",
    "plainly",
    "problems_among",
    "problems_of",
    "resource_measures",
    "score",
    "spoken",
]
