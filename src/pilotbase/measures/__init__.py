"""Measures: formulae with name, source, direction and bounds, and what each observes of every case.

The trial's way through this room::

    rule = parse_rule("gap(recall(failure) by site) <= 0.05")        # pilotbase.documents.criteria
    problems_of(rule, Setting(kind, classes, positive, columns))      # before the freeze: all problems, as texts
    problems_among(rules)                                             # what needs another criterion beside it
    cases = Cases(truth, answers, groups, units, baseline, classes, positive, kind)
    observe(rule, cases, order, estimand)     # -> Observation, goes into evidence.CriterionPlan as it is
    score(rule, cases)                        # -> float, or None: 0/0 is *not measured*
    spoken(rule)                              # -> Text: what it measures, in words
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
    REFUSALS,
    MeanScore,
    known_names,
    measure_named,
    measures,
    resource_measures,
    spoken,
)
from pilotbase.measures.resources import ResourceMeasure, RunMeasurements
from pilotbase.measures.rules import (
    RuleContext,
    is_resource,
    measures_the_run,
    observe,
    observe_run,
    problems_among,
    problems_of,
    score,
)

__all__ = [
    "REFUSALS",
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
    "is_resource",
    "known_names",
    "measure_named",
    "measures",
    "measures_the_run",
    "observe",
    "observe_run",
    "problems_among",
    "problems_of",
    "resource_measures",
    "score",
    "spoken",
]
