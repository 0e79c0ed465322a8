"""A record as it is written: its document and head, who sees it, and the rows that repeat what is often asked of it."""

from __future__ import annotations

from collections.abc import Iterator

from pilotbase.catalogue.holding import put_terms
from pilotbase.catalogue.milestones import journey_of
from pilotbase.catalogue.records import everything
from pilotbase.catalogue.sharing import keep, share
from pilotbase.catalogue.wording import listing_of
from pilotbase.documents.base import Document
from pilotbase.documents.hashes import Digest
from pilotbase.documents.record import Record
from pilotbase.documents.subjects import record_head
from pilotbase.workspace.actors import parties
from pilotbase.workspace.journeys import put_journey
from pilotbase.workspace.listings import PendingWork, put_listing
from pilotbase.workspace.store import View
from pilotbase.workspace.transaction import Transaction


def write_record(change: Transaction, base: View, record: Record, head: Digest | None) -> None:
    """Write a version of a record, after the one that ``head`` names; ``base`` sees everything within ``change``."""
    share(change, record)
    digest = change.put(
        record, parties(*record.parties - {record.owner}), owner=record.owner, fields={"subject": record.subject}
    )
    change.set_head(record_head(record.subject), digest, expected=head)
    put_listing(change, listing_of(change, base, record), _waits(record))
    put_terms(change, base, record)
    journey = journey_of(change, base, record)
    if journey is not None:
        put_journey(change, journey)
    change.facts[f"state {record.subject}"] = record.state


def take_over(change: Transaction, view: View, record: Record, content: Document) -> None:
    """Let a record stand here as it stands at another base, with the document that it shows.

    Whoever calls has seen to it that the other base has signed for it.
    """
    base = everything(view.within(change))
    change.vouch_for(*record.parties)
    keep(change, content, record)
    head = base.head(record_head(record.subject))
    if head != record.digest():
        write_record(change, base, record, head)


def _waits(record: Record) -> Iterator[PendingWork]:
    for one in record.waits:
        yield PendingWork(one.act, one.role, one.organisation or "", one.person or "", one.since, one.due)
