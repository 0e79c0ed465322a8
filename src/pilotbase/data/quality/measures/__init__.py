"""The measures of quality, one file a family. Every file with ``MEASURES`` is found; no list names it."""

from __future__ import annotations

from pilotbase.data.quality.definition import QualityMeasure
from pilotbase.documents.plugins import loaded

QUALITY_MEASURES: tuple[QualityMeasure, ...] = tuple(
    measure for family in loaded("data.quality.measures") for measure in family.MEASURES
)
"""All measures of the files here, family by family."""
