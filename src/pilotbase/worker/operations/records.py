"""Records: lists, contents, states and new versions."""

from __future__ import annotations

from contextlib import nullcontext
from typing import Any

from pilotbase.catalogue.records import load_record
from pilotbase.catalogue.saving import NO_REMARKS, SaveOptions, save_over
from pilotbase.catalogue.wording import listed
from pilotbase.documents.api.records import RecordPage
from pilotbase.documents.api.trials import TrialProgress
from pilotbase.documents.record import CONTENTS, Record
from pilotbase.documents.subjects import commission_subject
from pilotbase.operations import records as declared
from pilotbase.operations.trials import OfTrial
from pilotbase.worker.operations.binding import Caller, Versioned, does, there
from pilotbase.worker.progress import progress_of
from pilotbase.worker.readings import report_of
from pilotbase.workspace import listings


def subject_of(kind: str, asked: Any) -> str:
    """Return the subject of an address: owner and name, or the name alone."""
    return f"{kind}:{asked.owner}/{asked.name}" if kind in declared.TWO_NAMES else f"{kind}:{asked.name}"


does(declared.REPORT)(
    lambda caller, asked: there(report_of(caller.view, load_record(caller.view, commission_subject(asked.name))[0]))
)


@does(declared.DOCUMENT)
def document(caller: Caller, asked: declared.OfDigest) -> Any:
    """Return a document by its digest."""
    stored = there(caller.view.get(asked.digest))
    return stored.load(there(declared.READABLE.get(stored.kind)))


@does(declared.PROGRESS)
def progress(caller: Caller, asked: OfTrial) -> TrialProgress:
    """Return the progress of the newest work on a trial."""
    found = progress_of(caller.view, load_record(caller.view, commission_subject(asked.name))[0].subject)
    if found is None:
        return TrialProgress(state=None, position=0, stage=None, reason=None)
    return found.spoken(caller.language)


def _bind(kind: str) -> None:
    """Bind the operations that all kinds of records share."""

    @does(declared.LISTS[kind])
    def list_all(caller: Caller, asked: declared.ListAsked) -> RecordPage:
        states = (asked.state,) if asked.state else ()
        query = listings.Query(kind, asked.q, states, asked.sector, owner=asked.owner)
        page = listings.list_page(caller.view, query, asked.after or None, asked.limit)
        items = [listed(one, caller.address_of) for one in page.items]
        return RecordPage(items=items, total=listings.count(caller.view, query), next=page.after)

    @does(declared.CONTENT[kind])
    def content(caller: Caller, asked: Any) -> Any:
        listing = listings.find_listing(caller.view, subject_of(kind, asked))
        stored = caller.view.get(listing.digest) if listing is not None else None
        return there(stored).load(CONTENTS[kind])

    does(declared.STANDS[kind])(lambda caller, asked: load_record(caller.view, subject_of(kind, asked))[0])


def _bind_saving(kind: str) -> None:
    @does(declared.SAVE[kind])
    def save(caller: Caller, asked: Any) -> Versioned[Record]:
        remarks = SaveOptions(new=asked.new, why_holds=asked.why_holds) if kind == "scenario" else NO_REMARKS
        with caller.changing_roles(asked.sent) if kind == "organisation" else nullcontext():
            record = save_over(caller.view, asked.sent, subject_of(kind, asked), caller.seen, remarks)
        return Versioned(record, asked.sent.digest())


for _kind in CONTENTS:
    _bind(_kind)
for _kind in declared.SAVE:
    _bind_saving(_kind)
