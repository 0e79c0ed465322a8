"""What stands beside a certificate for who may see it: its scenario, trial and report, the services it is behind."""

from __future__ import annotations

from typing import Any

from pilotbase.catalogue.records import records_of
from pilotbase.certificate.issued import IssuedCertificate
from pilotbase.documents.certificate import Certificate
from pilotbase.documents.record import Record
from pilotbase.documents.texts import Text, text
from pilotbase.hub.acting import Acting
from pilotbase.hub.shown.checking import Checked
from pilotbase.service.registry import services_behind
from pilotbase.worker.services.acts import may_put_into_service
from pilotbase.workspace.listings import MAXIMUM_PAGE, Query, find_listing, list_page
from pilotbase.workspace.store import View

_BARRED = ("suspended", "revoked")


def beside_certificate(acting: Acting, issued: IssuedCertificate, checked: Checked) -> dict[str, Any]:
    """Return what the page of a certificate tells beyond it; a visitor is told of an open scenario alone."""
    view, stated = acting.view, issued.certificate
    told: dict[str, Any] = {"scenario": find_listing(view, _scenario(stated))}
    if not acting.organisation:
        return told
    record = _trial_of(view, issued)
    may_serve = may_put_into_service(acting.actor, stated)
    return told | {
        "trial": record,
        "services": services_behind(view, issued.digest()),
        "may_serve": may_serve,
        "barred": _barred(record, checked, stated) if may_serve else None,
    }


def _trial_of(view: View, issued: IssuedCertificate) -> Record | None:
    """Return the trial in whose record the certificate stands, where the actor sees it."""
    stated = issued.certificate
    application = stated.application.subject
    asked = Query("commission", scenario=_scenario(stated), application=application)
    trials = list_page(view, asked, limit=MAXIMUM_PAGE)
    found = records_of(view, [listing.subject for listing in trials.items]).values()
    digest = issued.digest()
    return next((one for one in found if one.documents.get("certificate") == digest), None)


def _barred(record: Record | None, checked: Checked, stated: Certificate) -> Text | None:
    """Return why it may not serve now, as the refusal would say; None: nothing is known against it."""
    if record is not None and record.state in _BARRED:
        return text(f"service.{record.state}", application=stated.application.name)
    return checked.error.text if checked.error is not None else None


def _scenario(stated: Certificate) -> str:
    return stated.scenario.subject
