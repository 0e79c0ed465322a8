"""The measures of quality, one file a family. Every measure defined in a file here is found; no list names it."""

from __future__ import annotations

from pilotbase.data.quality.definition import QualityMeasure
from pilotbase.documents.plugins import loaded

QUALITY_MEASURES: tuple[QualityMeasure, ...] = tuple(
    found
    for family in loaded("data.quality.measures")
    for found in vars(family).values()
    if isinstance(found, QualityMeasure)
)
"""All measures of the files here, family by family."""
