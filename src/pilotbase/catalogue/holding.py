"""The rows by which closed values are opened, written with the records that they repeat."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from pilotbase.catalogue.wording import content_of
from pilotbase.documents.agreement import Agreement
from pilotbase.documents.dataset import Dataset
from pilotbase.documents.record import Record
from pilotbase.workspace.store import View
from pilotbase.workspace.terms_rows import AgreementRow, DatasetRow, put_agreement, put_dataset
from pilotbase.workspace.transaction import Transaction


def put_terms(change: Transaction, base: View, record: Record) -> None:
    """Let the row of a dataset or an agreement say how it stands after its newest step; of others there is none."""
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
    return AgreementRow(
        subject=record.subject,
        dataset=agreement.dataset,
        assigner=agreement.assigner,
        assignee=agreement.assignee,
        state=record.state,
        digest=agreement.digest(),
        begins=None if agreement.begins is None else _day(agreement.begins),
        ends=after,
    )


def _day(day: str) -> datetime:
    return datetime.fromisoformat(day).replace(tzinfo=UTC)
