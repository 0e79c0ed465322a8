"""A plain schema.org copy for search engines, whose checkers refuse the files that Croissant describes."""

from __future__ import annotations

from pilotbase.data.bridges.definition import Bridge
from pilotbase.data.croissant.findings import Measured
from pilotbase.data.croissant.vocabulary import without_nothing
from pilotbase.documents.base import localized
from pilotbase.documents.dataset import Dataset, FileObject
from pilotbase.documents.publication import is_closed
from pilotbase.documents.yaml_reader import Plain

_LONGEST = 5000
"""Characters of a description that search engines show."""


def _spell(dataset: Dataset, _: Measured) -> dict[str, Plain]:
    downloads: list[Plain] = [
        {"@type": "DataDownload", "contentUrl": file.content_url, "encodingFormat": file.encoding_format[0]}
        for file in dataset.distribution
        if isinstance(file, FileObject) and file.encoding_format and not is_closed(dataset)
        if (file.content_url or "").startswith(("https://", "http://"))
    ]
    names = dict.fromkeys(localized(field.title) or field.name for one in dataset.record_sets for field in one.fields)
    return without_nothing(
        {
            "@context": "https://schema.org/",
            "@type": "Dataset",
            "name": localized(dataset.title),
            "description": localized(dataset.description)[:_LONGEST] or None,
            "url": dataset.url,
            "version": dataset.version,
            "license": dataset.license,
            "creator": [{"@type": "Organization", "name": name} for name in dataset.creator],
            "publisher": {"@type": "Organization", "name": dataset.publisher} if dataset.publisher else None,
            "datePublished": dataset.date_published,
            "dateModified": dataset.date_modified,
            "inLanguage": list(dataset.in_language),
            "keywords": list(dataset.keywords),
            "isAccessibleForFree": True if dataset.opening == "open" else None,
            "variableMeasured": list(names),
            "distribution": downloads,
        }
    )


BRIDGE = Bridge(
    "schema-org",
    "schema.org",
    "json",
    _spell,
    frozenset(
        {
            *("title", "description", "url", "version", "license", "creator", "publisher", "datePublished"),
            *("dateModified", "inLanguage", "keywords", "opening", "distribution.contentUrl"),
            *("distribution.encodingFormat", "recordSet.field.name", "recordSet.field.title"),
        }
    ),
)
