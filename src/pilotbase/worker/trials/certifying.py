"""What a certificate says of how its trial was kept apart: by whom, with which ties between the parties, and where."""

from __future__ import annotations

from pilotbase.catalogue.records import everything
from pilotbase.catalogue.ties import ties
from pilotbase.documents.certificate import Certificate
from pilotbase.documents.moments import format_minute
from pilotbase.documents.permissions import Act
from pilotbase.documents.record import Record
from pilotbase.documents.site import SiteStatement
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


def ran_at_site(certificate: Certificate, statement: SiteStatement) -> Certificate:
    """Return ``certificate`` with the site's statement, for programs and, as its first remark, for people."""
    remarks = (site_sentence(statement), *certificate.remarks)
    return certificate.model_copy(update={"site": statement, "remarks": remarks})


def site_sentence(statement: SiteStatement) -> Text:
    """Return where a trial ran, who watched, and what the base could not see."""
    return text(
        "certificate.remark.site",
        site=statement.site,
        owner=statement.owner,
        person=statement.witness.name,
        organisation=statement.witness.organisation,
        at=format_minute(statement.signed_at),
        cell=statement.smallest_cell,
    )
