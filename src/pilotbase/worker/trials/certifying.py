"""What a certificate says of how its trial was kept apart: by whom, and with which ties between the parties."""

from __future__ import annotations

from pilotbase.catalogue.records import everything
from pilotbase.catalogue.ties import ties
from pilotbase.documents.permissions import Act
from pilotbase.documents.record import Record
from pilotbase.documents.texts import Text, text
from pilotbase.workspace.store import View


def remarks_of(view: View, record: Record) -> tuple[Text, ...]:
    """Return the remarks for the certificate of a record: separation of duties, and ownership ties."""
    reviewers = [step.organisation for step in record.history if step.act is Act.PLAN_APPROVE]
    reviewer = reviewers[-1] if reviewers else "–"
    declared = [
        text("certificate.remark.tie", one=tie.one, other=tie.other, reviewer=reviewer)
        for tie in ties(everything(view), record)
    ]
    return (text("certificate.remark.separation", reviewer=reviewer), *declared)
