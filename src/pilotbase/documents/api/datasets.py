"""Datasets over the API: found by words and facets, their versions, who has read their files, private statistics."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from typing import Annotated, Literal

import pydantic

from pilotbase.documents.api.shapes import ProblemIssue, RequestModel, ResponseModel
from pilotbase.documents.api.trials import TrialProgress
from pilotbase.documents.base import Day, Localized, Part
from pilotbase.documents.dataset import Version
from pilotbase.documents.hashes import Digest
from pilotbase.documents.private import MOST_CONTRIBUTIONS, DateRange, Epsilon, LeftOut, PrivacyTest, PrivateProfile
from pilotbase.documents.quality import QualityReport
from pilotbase.documents.texts import Text
from pilotbase.documents.vocabularies import ReadingKind


class Facet(StrEnum):
    """What narrows a search for datasets; names: text ``facet.<value>``."""

    SECTOR = "sector"
    OPENING = "opening"
    LICENCE = "licence"
    LANGUAGE = "language"
    LABELS = "labels"
    """Whether the dataset has a field that applications learn to answer."""
    QUALITY = "quality"
    """Outcome of the quality report that the owner has published for this version."""
    STATE = "state"


class FoundDataset(ResponseModel):
    """A dataset as the catalogue shows it: only what its description and its quality report say."""

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
    """How many of the measures required by its purpose were measured; None without a report on this version."""
    required: int | None
    version: str
    fields: int
    rows: int | None
    """As in its description; None if the description doesn't say."""
    digest: Digest
    url: str


class FacetCount(ResponseModel):
    """How many datasets have this value of a facet, with all other filters unchanged."""

    value: str
    count: int


class DatasetPage(ResponseModel):
    """Some datasets, newest first; pass ``next`` as ``after`` to read on. Counts cover what the caller can see."""

    items: list[FoundDataset]
    total: int
    facets: dict[Facet, list[FacetCount]]
    next: str | None


class Contribution(ResponseModel):
    """What one dataset has led to. A missing number is withheld: it counts too few uses and none of the caller's."""

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
    """Organisations that used it, not counting its owner."""
    uses: int | None
    """Uses by organisations other than its owner."""
    uses_by: dict[str, int]
    """Way out (``pb:report``) → uses; shown only to those who may see every use."""
    rows: int | None
    """Rows read in all these uses together."""
    scenarios: list[str]
    """Scenarios built on it that the caller can see."""
    certificates: list[str]
    """Numbers of the certificates based on it that the caller can see."""
    services: list[str]
    """Services that answer under such a certificate and that the caller can see."""


class OwnerContributions(ResponseModel):
    """What one owner's datasets visible to the caller have led to; a sum is missing if a part of it is withheld."""

    owner: str
    datasets: int
    agreements: int | None
    uses: int | None
    rows: int | None
    scenarios: int
    certificates: int
    services: int


class Contributions(ResponseModel):
    """Who contributed which data, and what the data have led to."""

    owners: list[OwnerContributions]
    datasets: list[Contribution]
    fewest_uses: int
    """A smaller number of uses is shown only to the owner, the operator and the regulator."""
    fewest_organisations: int
    """So are uses by fewer organisations than this."""


class KeptTold(ResponseModel):
    """A file of a dataset that its owner keeps at the base."""

    name: str
    size: int
    rows: int | None
    previewed: bool
    marked: bool = False
    """Each copy that is downloaded on terms contains a few made-up rows, different for each recipient."""


class OwnFile(KeptTold):
    """A kept file as its owner sees it: the dataset version it belongs to, and whether that is the newest."""

    version: str
    newest: bool


class Measuring(ResponseModel):
    """The newest measurement of the files kept for a dataset: its progress, and the result of the last one."""

    progress: TrialProgress
    refused: str | None
    problems: list[ProblemIssue]
    """Why the files could not be measured, each with its place and what to do."""
    report: QualityReport | None
    """The part of it that may be published; only the owner sees it until then."""


class PreviewRows(ResponseModel):
    """The first rows of a table, each cell cut and made visible."""

    columns: list[str]
    columns_in_all: int
    cells: list[list[str]]


class Preview(PreviewRows):
    """A part of a dataset: its first rows and the total count. Not a sample: it shows only the form of the data."""

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
    """Rows of all its tables together; 0 if no table says how many it has."""
    changed: tuple[Text, ...] = ()
    """What changed since the previous version, in sentences; empty for the first version."""
    new_form: bool = False
    """Its first number differs from the previous version's: agreements on earlier versions don't cover it."""


class ReaderFacet(StrEnum):
    """What narrows an access record; names: text ``reader.facet.<value>``."""

    KIND = "kind"
    ORGANISATION = "organisation"
    CHANNEL = "channel"


class ReadingTold(ResponseModel):
    """One line of the access record: one entry of the log, with what the ledger of uses says about its use."""

    number: int
    """Number of the entry in the log; `pilotbase log verify` proves that the log contains it."""
    leaf: str
    """SHA-256 leaf hash (RFC 6962) of the entry."""
    at: datetime
    kind: ReadingKind
    by: str
    """The organisation that acted; the base itself if its scorer or a job did."""
    organisation: str
    """The organisation it was read for: the user of the data, or their owner."""
    what: str
    """What was opened: text ``reader.what.<value>``; empty if nothing was."""
    name: str
    """Name of the file."""
    step: str
    """Why it was opened: text ``reader.step.<value>``; empty if the use alone explains it."""
    purpose: str
    """Purpose of the use, such as ``pb:verification``."""
    channel: str
    """The way out, such as ``pb:report``; empty for the owner's own work."""
    rows: int | None
    size: int | None
    """Bytes."""
    ground: str
    """What permitted it: the agreement, the open dataset, the plan or submission, or the owner."""
    attempt: int | None
    reason: str
    """Why it was refused: text ``reader.reason.<value>``."""
    times: int | None
    """How often this was refused on this day, up to this line."""


class Readers(ResponseModel):
    """Some lines of an access record, newest first; pass ``next`` as ``before`` to read on."""

    subject: str
    items: list[ReadingTold]
    total: int
    """Matching lines among those examined."""
    facets: dict[ReaderFacet, list[FacetCount]]
    next: int | None
    size: int
    """Number of entries in the log."""


class NewStatistics(RequestModel):
    """A question about a closed dataset."""

    epsilon: Epsilon
    record_set: Annotated[str, pydantic.StringConstraints(max_length=200, pattern=r"^[^\x00]*$")] = ""
    """Empty: the first one whose table the base keeps."""
    rows: int = pydantic.Field(0, ge=0, le=1_000_000)
    """0: a profile; otherwise a synthetic sample of this many records."""
    cell_size: int | None = pydantic.Field(None, ge=1, le=10**9)
    """None: as the terms require."""
    at_most: int = pydantic.Field(1, ge=1, le=MOST_CONTRIBUTIONS)
    dates: list[DateRange] = pydantic.Field(default_factory=list, max_length=20)
    """Fields of times that are counted by month or year, with their ends."""
    name: Annotated[str, pydantic.StringConstraints(max_length=100, pattern=r"^[^\x00]*$")] = ""
    """Set to another value to draw again; each drawing is paid for."""


class BudgetTold(ResponseModel):
    """How much ε an organisation has spent on a dataset, and how much it may spend in all."""

    organisation: str
    spent: int
    limit: int | None
    """0: none of its terms currently allow spending. None: no limit, for the owner."""
    left: int | None


class PriceTold(ResponseModel):
    """What a question would cost, and how far from the truth its answers would be; an estimate spends nothing."""

    record_set: str
    epsilon: int
    cell_size: int
    budget: BudgetTold
    left_after: int | None
    """None: no limit. Negative: the question costs more than is left."""
    paid: bool
    """Whether this exact question was asked before; if so, it isn't paid for again."""
    permitted: bool
    reason: str | None
    """Why the terms do not permit it."""
    fields: list[str]
    left_out: list[LeftOut]
    rows_error: int
    """With 95 % probability the number of rows is within this distance of the true one; likewise for the others."""
    field_error: int
    pair_error: int | None


class StatisticsTold(ResponseModel):
    """A question and the progress of its answer."""

    identity: str
    dataset: str
    record_set: str
    organisation: str
    epsilon: int
    cell_size: int
    rows: int
    """Records in the synthetic sample; 0 for a profile."""
    asked_at: datetime
    state: str
    reason: str | None
    """Why it failed."""
    profile: Digest | None
    sample: str | None
    """Name of the archive with the synthetic sample, once it exists."""


class StatisticsAnswer(StatisticsTold):
    """A question with its answer."""

    document: PrivateProfile | None
    privacy_test: PrivacyTest | None
    """For the dataset's owner only: its figures are computed without noise."""


class StatisticsPage(ResponseModel):
    """The budgets and questions that the caller may see, newest first."""

    budgets: list[BudgetTold]
    items: list[StatisticsTold]
