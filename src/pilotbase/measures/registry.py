"""All known measures by name: ours, and those that installed packages add by the entry point ``pilotbase.measures``."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from importlib import metadata
from types import MappingProxyType

from pilotbase.documents.errors import InputError
from pilotbase.documents.nearest import offer
from pilotbase.measures.definition import Measure
from pilotbase.measures.formulas import OURS, refusals
from pilotbase.measures.resources import RESOURCES, ResourceMeasure
from pilotbase.measures.scored import MeanScore

REFUSALS = frozenset(measure.name for measure in refusals.MEASURES)
"""Measures to which a case without truth is one that is to be refused."""
ENTRY_POINTS = "pilotbase.measures"


@cache
def measures() -> Mapping[str, Measure]:
    """Return every measure of predictions by name; ours win over added ones of the same name."""
    return MappingProxyType({measure.name: measure for measure in (*_added(), *OURS)})


@cache
def resource_measures() -> Mapping[str, ResourceMeasure]:
    """Return every measure of a run by name."""
    return MappingProxyType({measure.name: measure for measure in RESOURCES})


def measure_named(name: str) -> Measure | ResourceMeasure:
    """Return the measure called ``name``.

    Raises:
        InputError: ``measure.unknown``, with the name that was meant.
    """
    found = measures().get(name) or resource_measures().get(name)
    if found is None:
        raise InputError("measure.unknown", found=name, allowed=offer(name, known_names()))
    return found


def known_names() -> tuple[str, ...]:
    """Return the names of all measures."""
    return (*measures(), *resource_measures())


def _added() -> list[Measure]:
    loaded = []
    for entry in metadata.entry_points(group=ENTRY_POINTS):
        score = entry.load()
        if not isinstance(score, MeanScore):
            raise InputError("measure.entry_point", name=entry.name)
        loaded.append(score.measure())
    return loaded
