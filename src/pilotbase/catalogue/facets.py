"""The facets of a dataset as its listing holds them: one line a value, so that equal datasets are counted together.

They are written with the record, and again when a quality report is published: a search reads nothing else of all the
datasets that it counts.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from pilotbase.documents.api.datasets import Facet
from pilotbase.documents.dataset import Dataset
from pilotbase.documents.quality import QualityReport
from pilotbase.documents.vocabularies import Outcome
from pilotbase.workspace.listings import set_facets
from pilotbase.workspace.transaction import Transaction

LONGEST = 300
"""Characters of a value; what a licence says beyond is in the description."""


def facets_of(dataset: Dataset, state: str, report: QualityReport | None) -> str:
    """Return the lines of a dataset in a state; ``report``: the newest that its owner has published, of any version."""
    values = {
        Facet.SECTOR: (dataset.sector.value,),
        Facet.OPENING: (dataset.opening.value,),
        Facet.LICENCE: (dataset.license,) if dataset.license else (),
        Facet.LANGUAGE: dataset.in_language,
        Facet.LABELS: ("yes" if any(one.labels for one in dataset.record_sets) else "no",),
        Facet.QUALITY: (quality_of(dataset, report),),
        Facet.STATE: (state,),
    }
    lines = (line_of(facet, value) for facet, told in values.items() for value in dict.fromkeys(told))
    return "".join(lines)


def quality_of(dataset: Dataset, report: QualityReport | None) -> Outcome:
    """Return how this version's quality was graded: a report on another version says nothing of it."""
    return report.grade.outcome if report is not None and report.version == dataset.version else Outcome.NOT_MEASURED


def line_of(facet: Facet, value: str) -> str:
    """Return the line that says a value of a facet."""
    return f"\x1f{facet.value}={held(value)}\x1f"


def held(value: str) -> str:
    """Return a value as a listing holds it: on one line and no longer than `LONGEST`."""
    return " ".join(value.split())[:LONGEST]


def values_in(facets: str) -> Mapping[Facet, tuple[str, ...]]:
    """Return the values that the lines of a listing say."""
    found: dict[Facet, tuple[str, ...]] = dict.fromkeys(Facet, ())
    for facet, value in _lines(facets):
        found[facet] = (*found[facet], value)
    return found


def grade_listing(change: Transaction, dataset: Dataset, state: str, report: QualityReport) -> None:
    """Let the listing of a dataset be found by the report that its owner now publishes."""
    set_facets(change, dataset.subject, facets_of(dataset, state, report))


def _lines(facets: str) -> Iterator[tuple[Facet, str]]:
    for line in filter(None, facets.split("\x1f")):
        name, _, value = line.partition("=")
        yield Facet(name), value
