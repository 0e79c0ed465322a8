"""The catalogue of datasets: found by words in both languages, narrowed by facets, counted in what the actor sees.

The words are those of listings (`wording`); what a facet says stands in the description itself, which is read as the
actor sees it: a dataset that is not seen is in no list and in no count.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache

from pilotbase.catalogue.records import both_languages
from pilotbase.catalogue.wording import Address
from pilotbase.documents.api.datasets import DatasetPage, Facet, FacetCount, FoundDataset
from pilotbase.documents.dataset import Dataset
from pilotbase.documents.errors import InputError
from pilotbase.documents.quality import QualityGrade, QualityReport
from pilotbase.documents.subjects import quality_head
from pilotbase.documents.vocabularies import Outcome
from pilotbase.workspace.listings import MAXIMUM_PAGE, Listing, Query, list_page
from pilotbase.workspace.records import Stored
from pilotbase.workspace.store import View

MOST = 5000
"""A search looks at so many datasets, the newest of those that hold its words."""
_WORDS = 200


@dataclass(frozen=True)
class Sought:
    """What is looked for: words, found anywhere, and a value of some facets."""

    words: str = ""
    values: Mapping[Facet, str] = field(default_factory=dict)

    @classmethod
    def of(cls, given: Mapping[str, str]) -> Sought:
        """Return what is asked for under ``q`` and the names of facets; what is empty asks for nothing."""
        values = {facet: given[facet] for facet in Facet if given.get(facet)}
        return cls(given.get("q", "")[:_WORDS], values)


def seek(view: View, sought: Sought, address: Address, after: str | None = None, limit: int = 50) -> DatasetPage:
    """Return the datasets that ``view`` sees and ``sought`` asks for, those after the subject ``after``.

    A value of a facet is counted over what everything else that is asked for leaves, so that each number says how many
    are found when that value is chosen instead.

    Raises:
        InputError: ``after`` is no dataset that holds the words, for this actor.
    """
    limit = max(1, min(limit, MAXIMUM_PAGE))
    seen = list(_holding(view, sought.words))
    start = 0 if after is None else _place(seen, after)
    found = [one for one in seen[start:] if _has(one, sought.values)]
    return DatasetPage(
        items=[one.told(address) for one in found[:limit]],
        total=sum(_has(one, sought.values) for one in seen),
        facets={facet: _counted(seen, facet, sought.values) for facet in Facet},
        next=found[limit - 1].listing.subject if len(found) > limit else None,
    )


@dataclass(frozen=True)
class _Seen:
    """A dataset that holds the words, with its values of each facet."""

    listing: Listing
    dataset: Dataset
    values: Mapping[Facet, tuple[str, ...]]
    grade: QualityGrade | None

    def told(self, address: Address) -> FoundDataset:
        listing, dataset = self.listing, self.dataset
        rows = [one.rows for one in dataset.record_sets if one.rows is not None]
        return FoundDataset(
            subject=listing.subject,
            title=listing.title,
            description=both_languages(dataset.description or ""),
            owner=listing.owner,
            state=listing.state,
            sector=dataset.sector,
            opening=dataset.opening,
            licence=dataset.license or "",
            languages=list(dataset.in_language),
            labelled=self.values[Facet.LABELS] == ("yes",),
            quality=self.values[Facet.QUALITY][0],
            measured=self.grade.measured if self.grade else None,
            required=self.grade.required if self.grade else None,
            version=dataset.version,
            fields=sum(len(one.fields) for one in dataset.record_sets),
            rows=sum(rows) if rows else None,
            digest=listing.digest,
            url=address(listing.subject),
        )


def _holding(view: View, words: str) -> Iterator[_Seen]:
    """Yield the datasets that hold the words, newest first."""
    after: str | None = None
    for _ in range(0, MOST, MAXIMUM_PAGE):
        page = list_page(view, Query("dataset", words), after, MAXIMUM_PAGE)
        yield from _read(view, page.items)
        after = page.after
        if after is None:
            return


def _read(view: View, listings: Sequence[Listing]) -> Iterator[_Seen]:
    described = view.get_all([one.digest for one in listings])
    graded = view.named([quality_head(one.subject) for one in listings])
    for one in listings:
        if one.digest in described:
            dataset = _description(described[one.digest].body)
            grade = _grade(dataset, graded.get(quality_head(one.subject)))
            yield _Seen(one, dataset, _values(one, dataset, grade), grade)


def _values(listing: Listing, dataset: Dataset, grade: QualityGrade | None) -> dict[Facet, tuple[str, ...]]:
    labelled = any(one.labels for one in dataset.record_sets)
    return {
        Facet.SECTOR: (dataset.sector,),
        Facet.OPENING: (dataset.opening,),
        Facet.LICENCE: (dataset.license,) if dataset.license else (),
        Facet.LANGUAGE: dataset.in_language,
        Facet.LABELS: ("yes" if labelled else "no",),
        Facet.QUALITY: (grade.outcome if grade is not None else Outcome.NOT_MEASURED,),
        Facet.STATE: (listing.state,),
    }


def _grade(dataset: Dataset, graded: Stored | None) -> QualityGrade | None:
    """Return how this version's quality was graded: a report on another version says nothing of it."""
    report = None if graded is None else _report(graded.body)
    return report.grade if report is not None and report.version == dataset.version else None


def _has(one: _Seen, values: Mapping[Facet, str], besides: Facet | None = None) -> bool:
    return all(value in one.values[facet] for facet, value in values.items() if facet is not besides)


def _counted(seen: Sequence[_Seen], facet: Facet, values: Mapping[Facet, str]) -> list[FacetCount]:
    counted = Counter(value for one in seen if _has(one, values, facet) for value in dict.fromkeys(one.values[facet]))
    order = sorted(counted.items(), key=lambda pair: (-pair[1], pair[0]))
    return [FacetCount(value=value, count=number) for value, number in order]


def _place(seen: Sequence[_Seen], after: str) -> int:
    for place, one in enumerate(seen):
        if one.listing.subject == after:
            return place + 1
    raise InputError("workspace.no_such_page", after=after)


@lru_cache(maxsize=MOST)
def _description(body: bytes) -> Dataset:
    return Dataset.from_json_value(json.loads(body))


@lru_cache(maxsize=MOST)
def _report(body: bytes) -> QualityReport:
    return QualityReport.from_json_value(json.loads(body))
