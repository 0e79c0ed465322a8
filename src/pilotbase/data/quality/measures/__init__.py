"""The measures of quality, one file a family. Whatever lists ``MEASURES`` here is found; nothing else names it."""

from __future__ import annotations

from importlib import import_module
from pkgutil import iter_modules

from pilotbase.data.quality.definition import QualityMeasure

QUALITY_MEASURES: tuple[QualityMeasure, ...] = tuple(
    measure
    for family in sorted(iter_modules(__path__), key=lambda family: family.name)
    for measure in import_module(f"{__name__}.{family.name}").MEASURES
)
"""All measures of the files here, family by family."""
