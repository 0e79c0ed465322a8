"""What a list shows of a record, the words a search finds it by, and the facets that datasets are counted by.

Facets are written with the record, one line a value, and again when a quality report is published: a search reads
nothing else of all the datasets that it counts. The catalogue of datasets is searched by words in both languages and by
facets, limited to the actor: a dataset that the actor does not see is in no list and no count.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import NamedTuple

from pilotbase.catalogue.records import both_languages
from pilotbase.documents.agreement import Agreement
from pilotbase.documents.api.datasets import DatasetPage, Facet, FacetCount, FoundDataset
from pilotbase.documents.api.records import ListedRecord
from pilotbase.documents.api.shapes import filled
from pilotbase.documents.base import Document, Localized
from pilotbase.documents.certificate import Certificate
from pilotbase.documents.dataset import Dataset
from pilotbase.documents.demand import WordedDemand
from pilotbase.documents.quality import QualityReport
from pilotbase.documents.record import CONTENTS, ApplicationVersion, Commission, Record
from pilotbase.documents.scenario import Scenario
from pilotbase.documents.states import UNTIL_EXPIRY
from pilotbase.documents.subjects import name_of, quality_head
from pilotbase.documents.texts import LANGUAGES
from pilotbase.documents.vocabularies import Outcome
from pilotbase.workspace import records
from pilotbase.workspace.listings import MAXIMUM_PAGE, Listing, Query, count_by, list_page, set_facets
from pilotbase.workspace.records import D
from pilotbase.workspace.store import View
from pilotbase.workspace.transaction import Transaction

Address = Callable[[str], str]
"""The address of a subject's page; empty if there are no pages."""
_DESCRIBED = 2000
"""Characters of a dataset's description that a search reads; its fields are found however long it is."""
_LONGEST = 300
"""Characters of a value; the description has the rest of a licence."""
_WORDS = 200


def listing_of(change: Transaction, base: View, record: Record) -> Listing:
    """Return the listing of ``record`` with its content, which this transaction or an earlier one has stored."""
    content = content_of(change, base, record, record.kind, CONTENTS[record.kind])
    of_demand = content_of(change, base, record, "scenario", Scenario) if record.kind != "scenario" else None
    scenario = content if isinstance(content, Scenario) else of_demand
    about = scenario or content
    return filled(
        Listing,
        record,
        digest=record.documents[record.kind],
        title=both_languages(record.title),
        sector=about.sector.value if isinstance(about, Scenario | Dataset | WordedDemand) else "",
        action=about.action.value if isinstance(about, Scenario | WordedDemand) and about.action is not None else "",
        scenario=record.subjects.get("scenario") or record.subjects.get("joins", ""),
        application=record.subjects.get("application", ""),
        facets=facets_of(content, record.state, _report_on(base, record)) if isinstance(content, Dataset) else "",
        words="\n".join(dict.fromkeys(word for word in _words(record, content) if word)),
        ends_at=_ends_at(change, base, record),
    )


def _ends_at(change: Transaction, base: View, record: Record) -> datetime | None:
    """Return when the certificate of a trial expires, while no step has ended it; None for everything else."""
    digest = record.documents.get("certificate")
    if digest is None or record.state not in UNTIL_EXPIRY:
        return None
    stored = records.copy_of(change.connection, digest, record.owner) or base.get(digest)
    return None if stored is None else Certificate.model_validate(json.loads(stored.body)["certificate"]).expires_at


def _report_on(base: View, record: Record) -> QualityReport | None:
    digest = base.head(quality_head(record.subject))
    return None if digest is None else base.load(digest, QualityReport)


def listed(one: Listing, address: Address) -> ListedRecord:
    """Return a listing as lists show it, with its page at ``address``."""
    return filled(ListedRecord, one, url=address(one.subject))


def content_of(change: Transaction, base: View, record: Record, name: str, model: type[D]) -> D | None:
    """Return what the record keeps under ``name``, stored by this transaction or before; None if it keeps nothing."""
    digest = record.documents.get(name)
    if digest is None:
        return None
    stored = records.copy_of(change.connection, digest, record.owner)
    return stored.load(model) if stored is not None else base.load(digest, model)


def _words(record: Record, content: Document | None) -> Iterator[str]:
    yield name_of(record.subject)
    yield from _said(record.title)
    yield from sorted(record.parties)
    if isinstance(content, WordedDemand):
        yield content.text
    elif isinstance(content, Scenario):
        yield from _said(content.problem)
        yield from _said(content.intended_use)
    elif isinstance(content, ApplicationVersion):
        yield content.application.version
        yield from _said(content.application.model_card.summary)
    elif isinstance(content, Commission):
        yield from _said(content.scope)
        yield from (content.scenario, content.application)
    elif isinstance(content, Dataset):
        yield from content.keywords
        yield from (said[:_DESCRIBED] for said in _said(content.description))
        for one in content.record_sets:
            yield from (one.name, *_said(one.title), *_said(one.description))
            for field in one.fields:
                yield from (field.name, *_said(field.title), *_said(field.description))
    elif isinstance(content, Agreement):
        yield from (content.dataset, *content.purposes)


def _said(sentence: Localized | str | None) -> tuple[str, ...]:
    if isinstance(sentence, Localized):
        return tuple(sentence.render(language) for language in LANGUAGES)
    return (sentence,) if sentence else ()


def facets_of(dataset: Dataset, state: str, report: QualityReport | None) -> str:
    """Return the facet lines of a dataset; ``report``: the newest that its owner has published, of any version."""
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
    """Return the quality grade of this version: a report on another version does not count."""
    return report.grade.outcome if report is not None and report.version == dataset.version else Outcome.NOT_MEASURED


def line_of(facet: Facet, value: str) -> str:
    """Return the line for a value of a facet."""
    return f"\x1f{facet.value}={held(value)}\x1f"


def held(value: str) -> str:
    """Return a value as a listing holds it: on one line and at most `_LONGEST` characters."""
    return " ".join(value.split())[:_LONGEST]


def values_in(facets: str) -> Mapping[Facet, tuple[str, ...]]:
    """Return the values in the lines of a listing."""
    found: dict[Facet, tuple[str, ...]] = dict.fromkeys(Facet, ())
    for facet, value in _lines(facets):
        found[facet] = (*found[facet], value)
    return found


def grade_listing(change: Transaction, dataset: Dataset, state: str, report: QualityReport) -> None:
    """Make the listing of a dataset findable by the report that its owner now publishes."""
    set_facets(change, dataset.subject, facets_of(dataset, state, report))


def _lines(facets: str) -> Iterator[tuple[Facet, str]]:
    for line in filter(None, facets.split("\x1f")):
        name, _, value = line.partition("=")
        yield Facet(name), value


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
