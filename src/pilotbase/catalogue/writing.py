"""Writes a record: its document and head, who sees it, and the rows that repeat what is often queried."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal

from pilotbase.catalogue.records import everything
from pilotbase.catalogue.wording import content_of, listing_of
from pilotbase.documents.agreement import Agreement
from pilotbase.documents.api.shapes import filled
from pilotbase.documents.base import Document
from pilotbase.documents.dataset import Dataset
from pilotbase.documents.hashes import Digest
from pilotbase.documents.permissions import Act
from pilotbase.documents.record import ApplicationVersion, Commission, Record, milestones
from pilotbase.documents.report import Report
from pilotbase.documents.scenario import Scenario
from pilotbase.documents.states import ApplicationState, DatasetState, DemandState, ScenarioState
from pilotbase.documents.subjects import record_head
from pilotbase.workspace import records
from pilotbase.workspace.actors import PUBLIC, Visibility, parties
from pilotbase.workspace.journeys import Journey, Worth, find_journey, put_journey
from pilotbase.workspace.listings import PendingWork, put_listing
from pilotbase.workspace.store import View
from pilotbase.workspace.terms_rows import AgreementRow, DatasetRow, put_agreement, put_dataset
from pilotbase.workspace.transaction import Transaction

_SHOWN_TO_PARTIES = ("application", "commission", "proposal", "acceptance", "consent")
_SHOWN_TO_REVIEWERS = ("plan", "report")


def write_record(change: Transaction, base: View, record: Record, head: Digest | None) -> None:
    """Write a version of a record, after the one that ``head`` names; ``base`` sees everything within ``change``."""
    _share(change, record)
    digest = change.put(
        record, parties(*record.parties - {record.owner}), owner=record.owner, fields={"subject": record.subject}
    )
    change.set_head(record_head(record.subject), digest, expected=head)
    put_listing(change, listing_of(change, base, record), _waits(record))
    _put_terms(change, base, record)
    journey = _journey_of(change, base, record)
    if journey is not None:
        put_journey(change, journey)
    change.facts[f"state {record.subject}"] = record.state


def take_over(change: Transaction, view: View, record: Record, content: Document) -> None:
    """Copy a record here as it is at another base, with the document that it shows.

    The caller has checked that the other base signed for it.
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


def _put_terms(change: Transaction, base: View, record: Record) -> None:
    """Update the row of a dataset or an agreement after its newest step; other records have none."""
    if record.kind == "dataset":
        dataset = content_of(change, base, record, "dataset", Dataset)
        assert dataset is not None
        row = DatasetRow(
            record.subject, record.owner, record.state, dataset.digest(), dataset.version, dataset.opening.value
        )
        put_dataset(change.connection, row)
    elif record.kind == "agreement":
        agreement = content_of(change, base, record, "agreement", Agreement)
        assert agreement is not None
        put_agreement(change.connection, _row(record, agreement))


def _row(record: Record, agreement: Agreement) -> AgreementRow:
    after = None if agreement.ends is None else _day(agreement.ends) + timedelta(days=1)
    return filled(
        AgreementRow,
        record,
        agreement,
        digest=agreement.digest(),
        begins=None if agreement.begins is None else _day(agreement.begins),
        ends=after,
    )


def _day(day: str) -> datetime:
    return datetime.fromisoformat(day).replace(tzinfo=UTC)


def _journey_of(change: Transaction, base: View, record: Record) -> Journey | None:
    """Return the journey of a scenario or a trial after its newest step, None for other kinds of records.

    ``base`` must see every document.
    """
    reached = milestones((step.act, step.at) for step in record.history)
    if record.kind == "scenario":
        scenario = content_of(change, base, record, "scenario", Scenario)
        assert scenario is not None
        return Journey(
            record.subject, record.kind, reached, supports=frozenset(scenario.supports), worth=_worth(scenario)
        )
    if record.kind != "commission":
        return None
    before = find_journey(change, record.subject) or Journey(record.subject, record.kind)
    demand = find_journey(change, record.subjects["scenario"])
    price = base.load(record.documents["commission"], Commission).price
    report = _new_report(base, record)
    return replace(
        before,
        reached={**(demand.reached if demand else {}), **reached},
        verdict=report.verdict.value if report else before.verdict,
        supplier=record.supplier or "",
        amount=int(Decimal(price.amount) * 100),
        currency=price.currency,
        cpu_ms=_cpu_ms(before, report),
        supports=demand.supports if demand else frozenset(),
    )


def _worth(scenario: Scenario) -> Worth | None:
    value = scenario.value
    return Worth(value.potential, value.maturity, value.driving_effect) if value is not None else None


def _new_report(base: View, record: Record) -> Report | None:
    """Return the report that the newest step brought, if any."""
    is_reported = record.history[-1].act is Act.TRIAL_REPORT
    return base.load(record.documents["report"], Report) if is_reported else None


def _cpu_ms(before: Journey, report: Report | None) -> int | None:
    """Return the CPU time of all rounds; rounds that were not metered add nothing."""
    performance = report.performance if report is not None else None
    if performance is None or performance.cpu_seconds is None:
        return before.cpu_ms
    return (before.cpu_ms or 0) + round(performance.cpu_seconds * 1000)


def keep(change: Transaction, document: Document, record: Record) -> None:
    """Store what was handed in, for the owner of the record; existing documents keep their visibility."""
    digest, owner = document.digest(), record.owner
    if records.copy_of(change.connection, digest, owner) is None:
        seen = parties(*record.parties - {owner})
        change.put(document, seen, owner=owner, fields={"subject": record.subject})


def _share(change: Transaction, record: Record) -> None:
    """Let the parties of ``record`` see what it is about; documents shown before stay shown.

    Everybody sees a demand in words until it is withdrawn, an open scenario, a submitted application that its supplier
    has published, and the description of a published dataset, which holds no value of the data unless they are open.
    """
    if record.kind == "demand":
        seen = PUBLIC if record.state != DemandState.WITHDRAWN else parties()
        _show(change, record.documents["demand"], record.owner, seen)
    if record.kind == "scenario" and record.state == ScenarioState.OPEN:
        _show(change, record.documents["scenario"], record.owner, PUBLIC)
    if record.kind == "application" and record.state == ApplicationState.SUBMITTED and _published(change, record):
        _show(change, record.documents["application"], record.owner, PUBLIC)
    if record.kind == "dataset" and record.state == DatasetState.PUBLISHED:
        _show(change, record.documents["dataset"], record.owner, PUBLIC)
    if record.kind == "commission":
        for name in _SHOWN_TO_PARTIES:
            _widen(change, record, record.documents.get(name), record.parties)
        reviewers = frozenset(reviewer.organisation for reviewer in record.reviewers)
        for name in _SHOWN_TO_REVIEWERS:
            _widen(change, record, record.documents.get(name), reviewers)


def _published(change: Transaction, record: Record) -> bool:
    stored = records.copy_of(change.connection, record.documents["application"], record.owner)
    offer = stored.load(ApplicationVersion).application.offer if stored is not None else None
    return offer is not None and offer.published


def _widen(change: Transaction, record: Record, digest: Digest | None, organisations: frozenset[str]) -> None:
    for owner in sorted(record.parties) if digest is not None and organisations else ():
        assert digest is not None
        there = records.copy_of(change.connection, digest, owner)
        if there is not None and there.visibility.scope == "parties":
            _show(change, digest, owner, parties(*there.visibility.organisations | organisations - {owner}))


def _show(change: Transaction, digest: Digest, owner: str, visibility: Visibility) -> None:
    there = records.copy_of(change.connection, digest, owner)
    if there is not None and there.visibility != visibility:
        change.change_visibility(digest, visibility)
