"""The formulas, one file per family of measures. Every module that lists ``MEASURES`` here is discovered."""

from pilotbase.documents.plugins import loaded
from pilotbase.measures.definition import Measure

OURS: tuple[Measure, ...] = tuple(measure for family in loaded("measures.formulas") for measure in family.MEASURES)
"""All measures of the files here, family by family."""
