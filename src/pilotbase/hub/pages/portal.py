"""The public portal: what anybody may see of the base, and the same for everybody."""

from __future__ import annotations

from django.http import HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from pilotbase.documents.texts import text
from pilotbase.documents.vocabularies import Verdict
from pilotbase.hub.acting import NOBODY, HubRequest
from pilotbase.hub.base import base
from pilotbase.hub.reading import see_all
from pilotbase.worker.issuing import IssuedCertificate
from pilotbase.workspace.listings import Query, count, list_page

SHOWN = 12
_OPEN = Query("scenario", states=("open",))


@require_safe
def show(request: HubRequest) -> HttpResponse:
    """Show open scenarios, certified applications and the figures of the base."""
    view = base().lab.store.as_actor(NOBODY)
    issued = [stored.load(IssuedCertificate).certificate for stored in view.find("issued-certificate", limit=1000)]
    accepted = [certificate for certificate in issued if certificate.verdict is Verdict.ACCEPT]
    shown = {
        "title": text("hub.portal_title"),
        "open": count(view, _OPEN),
        "scenarios": see_all(view, list_page(view, _OPEN, limit=SHOWN).items),
        "accepted": len(accepted),
        "certificates": accepted[:SHOWN],
    }
    return render(request, "hub/portal.html", shown)
