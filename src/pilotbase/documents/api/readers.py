"""The access record over the API: who has read a dataset's files, or a scenario's hidden cases, as the log says."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum

from pilotbase.documents.api.datasets import FacetCount
from pilotbase.documents.api.shapes import ResponseModel
from pilotbase.documents.vocabularies import ReadingKind


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
