"""Datasets over the API: found by words and facets, with how many there are of each value."""

from __future__ import annotations

from enum import StrEnum

from pilotbase.documents.api.shapes import Told
from pilotbase.documents.base import Localized
from pilotbase.documents.hashes import Digest


class Facet(StrEnum):
    """By what a search for datasets is narrowed; names: text ``facet.<value>``."""

    SECTOR = "sector"
    OPENING = "opening"
    LICENCE = "licence"
    LANGUAGE = "language"
    LABELS = "labels"
    """Whether a field is what applications learn to answer."""
    QUALITY = "quality"
    """Outcome of the quality report that its owner has published of this version."""
    STATE = "state"


class FoundDataset(Told):
    """A dataset as the catalogue shows it: nothing but what its description and its quality report say."""

    subject: str
    title: Localized
    description: Localized
    owner: str
    state: str
    sector: str
    opening: str
    licence: str
    languages: list[str]
    labelled: bool
    quality: str
    version: str
    fields: int
    rows: int | None
    """As its description says; nothing where that does not."""
    digest: Digest
    url: str


class FacetCount(Told):
    """How many datasets have a value of a facet, where everything else is asked for as it is."""

    value: str
    count: int


class DatasetPage(Told):
    """Some datasets, newest first; pass ``next`` as ``after`` to read on. Counted is only what the caller sees."""

    items: list[FoundDataset]
    total: int
    facets: dict[Facet, list[FacetCount]]
    next: str | None
