"""The catalogue of datasets: search by words in both languages, facets, and counts of what the actor sees.

Words and facets come from listings (`wording`, `facets`), limited to the actor: a dataset that the actor does not see
is in no list and no count.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from pilotbase.catalogue.records import both_languages
from pilotbase.catalogue.wording import Address, held, line_of, quality_of, values_in
from pilotbase.documents.api.datasets import DatasetPage, Facet, FacetCount, FoundDataset
from pilotbase.documents.api.shapes import filled
from pilotbase.documents.dataset import Dataset
from pilotbase.documents.quality import QualityReport
from pilotbase.documents.subjects import quality_head
from pilotbase.workspace.listings import MAXIMUM_PAGE, Listing, Query, count_by, list_page
from pilotbase.workspace.store import View

_WORDS = 200


@dataclass(frozen=True)
class Sought:
    """A search: words found anywhere, and values of some facets."""

    words: str = ""
    values: Mapping[Facet, str] = field(default_factory=dict)

    @classmethod
    def of(cls, given: Mapping[str, str]) -> Sought:
        """Return the search in ``q`` and the names of facets; empty values do not restrict it."""
        values = {facet: held(given[facet]) for facet in Facet if given.get(facet)}
        return cls(given.get("q", "")[:_WORDS], values)


def seek(view: View, sought: Sought, address: Address, after: str | None = None, limit: int = 50) -> DatasetPage:
    """Return the datasets that ``view`` sees and that match ``sought``, from after the subject ``after``.

    The count of a facet's value applies every other part of the search, so it says how many datasets match if that
    value is chosen instead. All datasets are counted; only the descriptions of this page are read.

    Raises:
        InputError: ``after`` is no dataset that this actor sees.
    """
    lines = [line_of(facet, value) for facet, value in sought.values.items()]
    page = list_page(view, Query("dataset", sought.words, facets=lines), after, max(1, min(limit, MAXIMUM_PAGE)))
    counted = count_by(view, Query("dataset", sought.words), "facets")
    alike = [_Alike(values_in(facets), number) for facets, number in counted.items()]
    return DatasetPage(
        items=list(_told(view, page.items, address)),
        total=sum(one.number for one in alike if one.has(sought.values)),
        facets={facet: _counted(alike, facet, sought.values) for facet in Facet},
        next=page.after,
    )


class _Alike(NamedTuple):
    """A number of datasets that have the same values of every facet."""

    values: Mapping[Facet, tuple[str, ...]]
    number: int

    def has(self, asked: Mapping[Facet, str], besides: Facet | None = None) -> bool:
        return all(value in self.values[facet] for facet, value in asked.items() if facet is not besides)


def _counted(alike: Sequence[_Alike], facet: Facet, asked: Mapping[Facet, str]) -> list[FacetCount]:
    counted = Counter[str]()
    for one in alike:
        if one.has(asked, facet):
            counted.update(dict.fromkeys(one.values[facet], one.number))
    order = sorted(counted.items(), key=lambda pair: (-pair[1], pair[0]))
    return [FacetCount(value=value, count=number) for value, number in order]


def _told(view: View, listings: Sequence[Listing], address: Address) -> Iterator[FoundDataset]:
    described = view.get_all([one.digest for one in listings])
    graded = view.named([quality_head(one.subject) for one in listings])
    for one in listings:
        if one.digest in described:
            report = graded.get(quality_head(one.subject))
            dataset = described[one.digest].load(Dataset)
            yield _found(one, dataset, None if report is None else report.load(QualityReport), address)


def _found(listing: Listing, dataset: Dataset, report: QualityReport | None, address: Address) -> FoundDataset:
    rows = [one.rows for one in dataset.record_sets if one.rows is not None]
    grade = report.grade if report is not None and report.version == dataset.version else None
    return filled(
        FoundDataset,
        listing,
        description=both_languages(dataset.description or ""),
        sector=dataset.sector,
        opening=dataset.opening,
        licence=dataset.license or "",
        languages=list(dataset.in_language),
        labelled=any(one.labels for one in dataset.record_sets),
        quality=quality_of(dataset, report),
        measured=grade.measured if grade else None,
        required=grade.required if grade else None,
        version=dataset.version,
        fields=sum(len(one.fields) for one in dataset.record_sets),
        rows=sum(rows) if rows else None,
        url=address(listing.subject),
    )
