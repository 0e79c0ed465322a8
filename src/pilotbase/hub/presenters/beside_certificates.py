"""What stands beside a certificate for who may see it: its scenario, trial and report, the services it is behind."""

from __future__ import annotations

from typing import Any

from pilotbase.catalogue.records import trial_with
from pilotbase.certificate.status import IssuedCertificate
from pilotbase.documents.record import Record
from pilotbase.documents.texts import Text
from pilotbase.hub.acting import RequestActor
from pilotbase.service.admission import why_not_admitted
from pilotbase.service.registry import services_behind
from pilotbase.worker.services.acts import may_put_into_service
from pilotbase.worker.trials.certificates import Checked
from pilotbase.workspace.listings import find_listing
from pilotbase.workspace.store import View


def beside_certificate(acting: RequestActor, issued: IssuedCertificate, checked: Checked) -> dict[str, Any]:
    """Return what the page of a certificate tells beyond it; a visitor is told of an open scenario alone."""
    view, stated = acting.view, issued.certificate
    told: dict[str, Any] = {"scenario": find_listing(view, stated.scenario.subject)}
    if not acting.organisation:
        return told
    record = trial_with(view, issued.digest(), stated.scenario.subject, stated.application.subject)
    may_serve = may_put_into_service(acting.actor, stated)
    return told | {
        "trial": record,
        "services": services_behind(view, issued.digest()),
        "may_serve": may_serve,
        "barred": _barred(view, issued, record, checked) if may_serve else None,
    }


def _barred(view: View, issued: IssuedCertificate, record: Record | None, checked: Checked) -> Text | None:
    """Return why it may not serve now, as the refusal would say; None: nothing is known against it."""
    against = why_not_admitted(view, issued, record.subject if record is not None else None) or checked.error
    return against.text if against is not None else None
