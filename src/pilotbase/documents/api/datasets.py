"""Datasets over the API: found by words and facets, their versions, and who has read their files."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from typing import Literal

from pilotbase.documents.api.shapes import ProblemIssue, ResponseModel
from pilotbase.documents.api.trials import TrialProgress
from pilotbase.documents.base import Day, Localized, Part
from pilotbase.documents.dataset import Version
from pilotbase.documents.hashes import Digest
from pilotbase.documents.quality import QualityReport
from pilotbase.documents.texts import Text
from pilotbase.documents.vocabularies import ReadingKind


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


class DatasetVersion(Part):
    """One version of a dataset's description."""

    version: Version
    digest: Digest
    modified: Day | None = None
    rows: int
    """Of all its tables together; 0 where none says how many it has."""
    changed: tuple[Text, ...] = ()
    """What is other than in the version before, in sentences; none for the first."""
    new_form: bool = False
    """That its first number is another than that of the version before: agreements on earlier ones do not reach it."""


class ReaderFacet(StrEnum):
    """By what an access record is narrowed; names: text ``reader.facet.<value>``."""

    KIND = "kind"
    ORGANISATION = "organisation"
    CHANNEL = "channel"


class ReadingTold(ResponseModel):
    """One line of the access record: one entry of the log, with what the ledger of uses says of its use."""

    number: int
    """Of the entry in the log; `pilotbase log verify` proves that it stands there."""
    leaf: str
    """SHA-256 leaf hash (RFC 6962) of the entry."""
    at: datetime
    kind: ReadingKind
    by: str
    """The organisation that acted: the base itself where its scorer or a job did."""
    organisation: str
    """For which it was read: who uses the data, or their owner."""
    what: str
    """What was opened: text ``reader.what.<value>``; empty where nothing was."""
    name: str
    """Of the file."""
    step: str
    """Why it was opened: text ``reader.step.<value>``; empty where the use alone says it."""
    purpose: str
    """Of the use, such as ``pb:verification``."""
    channel: str
    """By which way something came out, such as ``pb:report``; empty where the owner's own work was done."""
    rows: int | None
    size: int | None
    """Bytes."""
    ground: str
    """The agreement, the open dataset, the plan or submission, or the owner."""
    attempt: int | None
    reason: str
    """Why it was refused: text ``reader.reason.<value>``."""
    times: int | None
    """How often that was refused on this day, up to this line."""


class Readers(ResponseModel):
    """Some lines of an access record, newest first; pass ``next`` as ``before`` to read on."""

    subject: str
    items: list[ReadingTold]
    total: int
    """Lines that fit what is asked, among those that were looked at."""
    facets: dict[ReaderFacet, list[FacetCount]]
    next: int | None
    size: int
    """Entries of the log."""
