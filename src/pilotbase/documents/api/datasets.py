"""Datasets over the API: found by words and facets, with how many there are of each value."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from typing import Literal

from pilotbase.documents.api.shapes import ProblemIssue, ResponseModel
from pilotbase.documents.api.trials import TrialProgress
from pilotbase.documents.base import Localized
from pilotbase.documents.hashes import Digest
from pilotbase.documents.quality import QualityReport


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


class FoundDataset(ResponseModel):
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
    measured: int | None
    """How many of the measures that its purpose requires were measured; nothing without a report on this version."""
    required: int | None
    version: str
    fields: int
    rows: int | None
    """As its description says; nothing where that does not."""
    digest: Digest
    url: str


class FacetCount(ResponseModel):
    """How many datasets have a value of a facet, where everything else is asked for as it is."""

    value: str
    count: int


class DatasetPage(ResponseModel):
    """Some datasets, newest first; pass ``next`` as ``after`` to read on. Counted is only what the caller sees."""

    items: list[FoundDataset]
    total: int
    facets: dict[Facet, list[FacetCount]]
    next: str | None


class Contribution(ResponseModel):
    """What came of one dataset. A number that is missing may not be told: of too few, and none of the caller's own."""

    dataset: str
    title: Localized
    owner: str
    state: str
    version: str
    versions: int
    """How many were published."""
    published_at: datetime | None
    agreements: int | None
    """In force now."""
    organisations: int | None
    """That used it, its owner not counted."""
    uses: int | None
    """By others than its owner."""
    uses_by: dict[str, int]
    """Way out (``pb:report``) → uses; told to those only who may know every use."""
    rows: int | None
    """Read in all these uses together."""
    scenarios: list[str]
    """Scenarios on it that the caller sees."""
    certificates: list[str]
    """Numbers of the certificates that rest on it, those that the caller sees."""
    services: list[str]
    """Services that answer by such a certificate, those that the caller sees."""


class OwnerContributions(ResponseModel):
    """What came of all datasets of one owner that the caller sees; a sum is missing where a part may not be told."""

    owner: str
    datasets: int
    agreements: int | None
    uses: int | None
    rows: int | None
    scenarios: int
    certificates: int
    services: int


class Contributions(ResponseModel):
    """Who gave which data, and what came of them."""

    owners: list[OwnerContributions]
    datasets: list[Contribution]
    fewest_uses: int
    """Fewer uses are told to nobody but the owner, the operator and the regulator."""
    fewest_organisations: int
    """So are those of fewer organisations."""


class KeptTold(ResponseModel):
    """A file of a dataset that its owner keeps at the base."""

    name: str
    size: int
    rows: int | None
    previewed: bool
    marked: bool = False
    """Each copy that is fetched on terms holds a few made-up rows, different for each who fetches it."""


class OwnFile(KeptTold):
    """A kept file as its owner is told of it: of which version of the dataset, and whether that is the newest."""

    version: str
    newest: bool


class Measuring(ResponseModel):
    """The newest measurement of the files that are kept of a dataset: how far it is, and what came of the last one."""

    progress: TrialProgress
    refused: str | None
    problems: list[ProblemIssue]
    """Why the files could not be measured, each with its place and what to do."""
    report: QualityReport | None
    """As much of it as may be published; nobody sees it but the owner until it is."""


class PreviewRows(ResponseModel):
    """The first rows of a table, each cell cut and made visible."""

    columns: list[str]
    columns_in_all: int
    cells: list[list[str]]


class Preview(PreviewRows):
    """A part of a dataset: its first rows, of so many. It is no sample: it shows nothing but the form of the data."""

    dataset: str
    file: str
    rows_in_all: int
    partial: Literal[True] = True
