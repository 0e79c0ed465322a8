"""Perturbations: seeded, pure changes of what applications are asked, for criteria of robustness.

perturbation_of(rule.under) -> Perturbation                    with its arguments
    .apply(columns, fields, seed, reference) -> columns         same rows, same order; identity at strength 0
perturbation_problems(rule.under, features) -> [Text]           before the freeze
PERTURBATIONS                                                   name -> class: parameters, kinds of column
"""

from pilotbase.measures.perturbations.definition import Perturbation, PerturbationParameter, kind_of
from pilotbase.measures.perturbations.registry import PERTURBATIONS, perturbation_of, perturbation_problems

__all__ = [
    "PERTURBATIONS",
    "Perturbation",
    "PerturbationParameter",
    "kind_of",
    "perturbation_of",
    "perturbation_problems",
]
