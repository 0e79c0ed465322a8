"""Certificates and what anybody needs to check them, online and offline: no account is needed."""

from __future__ import annotations

import json
from typing import Any

from django import forms
from django.conf import settings
from django.core.exceptions import ValidationError
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render

from pilotbase.catalogue.records import trial_with
from pilotbase.certificate.bounded_json import read_evidence
from pilotbase.certificate.status import IssuedCertificate
from pilotbase.charts.marks import qr_code
from pilotbase.documents.hashes import hex_of
from pilotbase.documents.record import Record
from pilotbase.documents.texts import Language, Text, text
from pilotbase.hub.acting import HubRequest, RequestActor, language, posted_files
from pilotbase.hub.base import base
from pilotbase.hub.caching import shared
from pilotbase.hub.forms.declared import do
from pilotbase.hub.presenters import taken
from pilotbase.hub.presenters.addresses import certificate_address, section_crumb
from pilotbase.hub.presenters.mission import mission_shown
from pilotbase.hub.presenters.states import certificate_shown
from pilotbase.hub.routing import EVERYBODY, FORM, MEMBERS, POST, page
from pilotbase.hub.sentences import asked, t
from pilotbase.operations import certificates as certificate_operations
from pilotbase.service.admission import why_not_admitted
from pilotbase.service.registry import services_behind
from pilotbase.worker.services.acts import may_put_into_service
from pilotbase.worker.trials import certificates
from pilotbase.worker.trials.badges import badge_keys, badge_status, took_part
from pilotbase.worker.trials.certificates import Checked
from pilotbase.workspace.listings import find_listing
from pilotbase.workspace.store import View

_MAXIMUM_BYTES = 1 << 20
_STEPS = ("key", "statement", "time", "list", "log")
"""What ``proof.js`` checks, in its order; names: text ``portal.check.<step>``."""
_OUTCOMES = {"holds": "pass", "fails": "fail", "unknown": "open"}
"""Outcome of a step → its look."""
_PUBLIC = {
    "envelope": "/api/certificates/{serial}/envelope",
    "proof": "/api/certificates/{serial}/proof",
    "roots": "/certificates/trust-roots.json",
    "revocations": "/certificates/revocations.json",
}
"""Public file that it reads → its address."""


class CheckForm(forms.Form):
    """A certificate as a file, as text, or by its number."""

    file = forms.FileField(label=t("hub.field_certificate_file"), required=False)
    pasted = forms.CharField(
        **asked("hub.field_certificate_text", "hub.help_certificate_text"),
        widget=forms.Textarea(attrs={"rows": 5, "spellcheck": "false"}),
        required=False,
        max_length=_MAXIMUM_BYTES,
    )

    def clean(self) -> dict[str, object]:
        given = super().clean() or {}
        upload = given.get("file")
        if not upload and not given.get("pasted"):
            raise ValidationError(t("hub.nothing_given"))
        if upload and upload.size > _MAXIMUM_BYTES:
            raise ValidationError(t("hub.certificate_too_large"))
        return given

    def serial(self) -> str:
        """Return the number that was pasted, without its algorithm, or nothing where something else was."""
        pasted = hex_of(self.cleaned_data["pasted"].strip().lower())
        return pasted if len(pasted) == 64 and set(pasted) <= set("0123456789abcdef") else ""

    def given(self) -> bytes:
        """Return the bytes that were given."""
        upload = self.cleaned_data.get("file")
        return bytes(upload.read()) if upload else str(self.cleaned_data["pasted"]).encode("utf-8", "replace")


@page("certificates/", "certificate-check", EVERYBODY, FORM)
def check(request: HubRequest) -> HttpResponse:
    """Check a certificate that is uploaded or pasted."""
    form = CheckForm(*posted_files(request))
    checked = None
    if request.method == "POST" and form.is_valid():
        if form.serial():
            return redirect("certificate", serial=form.serial())
        checked = certificates.check(base(), form.given())
    shown = {"title": text("hub.nav_certificates"), "form": form, "checked": checked}
    if checked is not None and checked.certificate is not None:
        shown["shown"] = certificate_shown(checked.certificate, holds=True)
        shown["scenario"] = find_listing(request.acting.view, checked.certificate.scenario.subject)
    return render(request, "hub/certificate_check.html", shown)


@page("certificates/<digits:serial>/", "certificate", EVERYBODY)
def show(request: HubRequest, serial: str) -> HttpResponse:
    """Show a certificate of this base and whether it holds now."""
    checked = certificates.check_issued(base(), serial)
    issued = certificates.issued(base(), serial)
    shown = {
        "title": text("hub.certificate"),
        "checked": checked,
        "shown": certificate_shown(issued.certificate, holds=checked.verification is not None),
        "serial": serial,
        "steps": _STEPS,
        "outcomes": _OUTCOMES,
        "files": json.dumps({name: address.format(serial=serial) for name, address in _PUBLIC.items()}),
        "roots": [root.key.key_id for root in base().trust.roots().roots if root.retired_at is None],
    }
    shown |= _beside(request.acting, issued, checked)
    return render(request, "hub/certificate.html", {**shown, "crumbs": [section_crumb("certificates")]})


@page("certificates/<digits:serial>/badge.<language:reader>.svg", "certificate-badge", EVERYBODY)
def badge(request: HttpRequest, serial: str, reader: Language) -> HttpResponse:
    """Give the badge, for other people's pages; caches keep it for a few minutes."""
    checked, issued = certificates.check_issued(base(), serial), certificates.issued(base(), serial)
    found = certificate_shown(issued.certificate, holds=checked.verification is not None)
    response = shared(request, found.badge(reader).encode(), "image/svg+xml")
    response["Cross-Origin-Resource-Policy"] = "cross-origin"
    return response


@page("certificates/<digits:serial>/certificate.json", "certificate-download", EVERYBODY)
def download(request: HubRequest, serial: str) -> HttpResponse:
    """Give the signed envelope, to be checked offline."""
    envelope = certificates.issued(base(), serial).envelope.to_bytes()
    return taken.download(envelope, "application/json", f"certificate-{serial[:12]}.json")


@page("certificates/<digits:serial>/open-badge.jwt", "certificate-open-badge", MEMBERS, POST)
def open_badge(request: HubRequest, serial: str) -> HttpResponse:
    """Give the person a badge of their own."""
    given = do(certificate_operations.BADGE, request.acting.view, {"serial": serial})
    return taken.download(given.credential.encode(), "application/vc+jwt", f"badge-{serial[:12]}.jwt")


@page("certificates/badges/<purpose:purpose>.jwt", "badge-status", EVERYBODY)
def badge_list(request: HttpRequest, purpose: Any) -> HttpResponse:
    """Give the signed list of badges that no longer hold."""
    signed = badge_status(base(), purpose, settings.CONFIGURATION.url)
    return HttpResponse(signed, content_type="application/vc+jwt")


@page(".well-known/did.json", "did-document", EVERYBODY)
def did(request: HttpRequest) -> HttpResponse:
    """Give the keys of the hub's badges, at the place that its ``did:web`` names."""
    found = badge_keys(base(), settings.CONFIGURATION.url)
    return HttpResponse(json.dumps(found), content_type="application/did+json")


@page("certificates/<digits:serial>/qr.svg", "certificate-qr", EVERYBODY)
def qr(request: HubRequest, serial: str) -> HttpResponse:
    """Give the QR code that stands on the certificate's page."""
    certificates.issued(base(), serial)
    title = text("hub.qr_of_certificate").render(language())
    return HttpResponse(qr_code(certificate_address(serial), title), content_type="image/svg+xml")


@page("certificates/trust-roots.json", "trust-roots", EVERYBODY)
def trust_roots(request: HttpRequest) -> HttpResponse:
    """Give the public roots."""
    return HttpResponse(read_evidence(base().trust_roots), content_type="application/json")


@page("certificates/log-key.txt", "log-key", EVERYBODY)
def log_key(request: HttpRequest) -> HttpResponse:
    """Give the public key of the log (C2SP ``vkey``), against which its checkpoints are checked."""
    return HttpResponse(f"{base().lab.store.key.verifier}\n", content_type="text/plain; charset=utf-8")


@page("certificates/revocations.json", "revocations", EVERYBODY)
def revocations(request: HttpRequest) -> HttpResponse:
    """Give the signed list of revoked certificates."""
    return HttpResponse(read_evidence(base().revocations), content_type="application/json")


def _beside(acting: RequestActor, issued: IssuedCertificate, checked: Checked) -> dict[str, Any]:
    """Return what the page of a certificate tells beyond it; a visitor is told of an open scenario alone."""
    view, stated = acting.view, issued.certificate
    told: dict[str, Any] = {"scenario": find_listing(view, stated.scenario.subject)}
    if not acting.organisation:
        return told
    record = trial_with(view, issued.digest(), stated.scenario.subject, stated.application.subject)
    may_serve = may_put_into_service(acting.actor, stated)
    accepted = stated.accepts and checked.verification is not None
    thread = (
        mission_shown(acting, record.subject, f"certificate:{hex_of(stated.serial)}", record)
        if record is not None
        else {}
    )
    return told | {
        **thread,
        "trial": record,
        "services": services_behind(view, issued.digest()),
        "may_serve": may_serve,
        "barred": _barred(view, issued, record, checked) if may_serve else None,
        "took_part": accepted and took_part(view, stated.application, record),
    }


def _barred(view: View, issued: IssuedCertificate, record: Record | None, checked: Checked) -> Text | None:
    """Return why it may not serve now, as the refusal would say; None: nothing is known against it."""
    against = why_not_admitted(view, issued, record.subject if record is not None else None) or checked.error
    return against.text if against is not None else None
